"""Sentences in both languages: nothing lost, nothing cut inside a number or a marker."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.text import SentenceCutter, detect_language, normalise, split_sentences

MIXED = st.text(alphabet=st.sampled_from("甲乙丙。！？；，.!? \n[1]2a bZ()”"), max_size=120)


def sentences(text: str) -> list[str]:
    """The sentences as texts."""
    return [span.of(text) for span in split_sentences(text)]


@given(MIXED | st.text(max_size=200))
def test_no_character_is_lost_and_none_twice(text):
    spans = split_sentences(text)
    kept = "".join(span.of(text) for span in spans)
    assert "".join(kept.split()) == "".join(text.split())
    assert all(a.end <= b.start for a, b in zip(spans, spans[1:], strict=False))
    assert all(span.of(text).strip() == span.of(text) != "" for span in spans)


def test_chinese_and_english_stops():
    assert sentences("保修期为18个月。光源除外！可以吗？") == ["保修期为18个月。", "光源除外！", "可以吗？"]
    assert sentences("It is 3.5 mm. See Fig. 2 for v2.4.1. Done") == [
        "It is 3.5 mm.", "See Fig. 2 for v2.4.1.", "Done",
    ]  # fmt: skip
    assert sentences("“好。”他说。") == ["“好。”", "他说。"]


def test_each_row_of_a_table_is_a_sentence():
    assert sentences("| a | b |\n| 1 | 2 |") == ["| a | b |", "| 1 | 2 |"]


def cut(*pieces: str) -> tuple[list[str], str]:
    """The complete sentences of a draft that arrives in these pieces, and the rest."""
    cutter = SentenceCutter()
    done = [sentence for piece in pieces for sentence in cutter.feed(piece)]
    return done, cutter.rest


def test_a_draft_is_cut_only_where_it_can_no_longer_change():
    assert cut("保修期为18个月。") == ([], "保修期为18个月。")
    assert cut("保修期为18个月。[1") == ([], "保修期为18个月。[1")
    assert cut("保修期为18个月。[1][2]其") == (["保修期为18个月。[1][2]"], "其")
    assert cut("It is 3.") == ([], "It is 3.")
    assert cut("It is 3.5 mm. Next") == (["It is 3.5 mm."], " Next")


@given(MIXED, st.integers(1, 7))
def test_cutting_a_stream_gives_the_same_however_it_arrives(text, step):
    whole, rest = cut(text)
    done, waiting = cut(*(text[at : at + step] for at in range(0, len(text), step)))
    assert "".join("".join([*done, waiting]).split()) == "".join("".join([*whole, rest]).split())


@pytest.mark.parametrize("piece", ["好的", "no stop ", "see Fig. ", "3,"])
def test_what_holds_no_end_is_not_looked_at_again(piece):
    """Or a long text without a stop would cost the square of its length."""
    cutter = SentenceCutter()
    for _ in range(50):
        assert cutter.feed(piece) == []
        assert cutter.looked_at >= len(cutter.rest) - len(piece)
    assert cutter.rest == piece * 50
    assert cutter.feed("到此为止。好") == [f"{piece * 50}到此为止。"] and cutter.looked_at == len(cutter.rest) == 1


def test_language_of_a_mixed_text():
    assert detect_language("vLLM的核心创新机制叫什么？") == "zh"
    assert detect_language("What is PagedAttention?") == "en"
    assert detect_language("The term 保修 means warranty in this long English sentence") == "en"


def test_normal_form_folds_width_case_and_blanks():
    assert normalise("  ＡＢＣ\u3000 １２ ") == "abc 12"


@pytest.mark.parametrize("text", ["He mapped the St. Johns River in 1562.", "Gen. Lee and Mt. Fuji are names."])
def test_a_shortened_title_ends_no_sentence(text):
    assert [span.of(text) for span in split_sentences(text)] == [text]
