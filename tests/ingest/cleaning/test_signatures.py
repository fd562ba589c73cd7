"""Signatures: how alike texts are, and what survives the database."""

from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.cleaning.signatures import LEAST_SHINGLES, Signature, shingles_of, sign

ZH = "".join(f"第{n}条 设备每{n}个月由质量部门校准一次，记录保存{n}年并送交档案室。" for n in range(1, 40))
EN = " ".join(
    f"Rule {n}: the pump of line {n} is inspected every {n} weeks by the shift leader." for n in range(1, 60)
)


def jaccard(one, other):
    a, b = shingles_of([one.casefold()]), shingles_of([other.casefold()])
    return len(a & b) / len(a | b)


def test_similarity_is_that_of_the_shingles():
    for text in (ZH, EN):
        for share in (0.5, 0.8, 0.95):
            other = text[: int(len(text) * share)]
            assert abs(sign([text]).similarity(sign([other])) - jaccard(text, other)) < 0.12
        assert sign([text]).similarity(sign([text])) == 1.0
    assert sign([ZH]).similarity(sign([EN])) < 0.1


def test_how_a_text_is_cut_and_written_changes_nothing():
    half = EN.index("Rule 30")
    assert (
        sign([EN])
        == sign([EN[:half], EN[half:]])
        == sign([EN.upper().replace(" ", "\n")[:0] + EN.replace(" ", "  ")])
    )


def test_short_texts_have_none():
    assert sign(["年假为十五天。"]) is None
    assert sign([]) is None
    assert sign([" ".join(map(str, range(LEAST_SHINGLES + 2)))]) is not None


def test_a_figure_that_differs_says_more():
    one, other = sign([ZH + "罚款300元。"]), sign([ZH + "罚款900元。"])
    assert one.says_more_than(other) and other.says_more_than(one)
    assert not sign([ZH]).says_more_than(one)
    assert not sign([ZH.replace("设备", "装置")]).says_more_than(sign([ZH]))


def test_too_many_figures_may_say_more():
    many = sign([" ".join(map(str, range(10_000, 16_000)))])
    assert many.facts is None and many.says_more_than(many)


@settings(max_examples=30, deadline=None)
@given(st.text(alphabet=st.characters(codec="utf-8"), min_size=0, max_size=400))
def test_it_survives_the_database(text):
    made = sign([text])
    if made is not None:
        assert Signature.from_bytes(made.to_bytes()) == made
        assert len(set(made.band_keys("a")) | set(made.band_keys("b"))) > len(set(made.band_keys("a")))
    assert Signature.from_bytes(b"") is None and Signature.from_bytes(b"\xff" + b"0" * 2000) is None


def test_alike_texts_share_a_band():
    other = ZH.replace("档案室", "资料室", 3)
    assert set(sign([ZH]).band_keys("x")) & set(sign([other]).band_keys("x"))
    assert not set(sign([ZH]).band_keys("x")) & set(sign([ZH]).band_keys("y")), "scopes are apart"
