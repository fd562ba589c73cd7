"""Reading a query by rules, what that does to the order, and queries that nobody should send."""

import string
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InputError
from core.types import Chunk, Hit, Stage
from retrieval.query import MAX_QUERY_CHARS, adjust, clean_query, describe, understand


def hit(text: str, score: float, name: str = "a.md", title: str = "") -> Hit:
    return Hit(Chunk(f"{name}-{score}-{text}", name, 0, text, title, f"file:///docs/{name}"), score, Stage.FUSED)


def order(query: str, hits: list[Hit]) -> list[str]:
    """Texts in the order after the adjustment."""
    offsets = adjust(understand(query), hits)
    return [h.chunk.text for h in sorted(hits, key=lambda h: -(h.score + offsets[h.chunk.id]))]


@pytest.mark.parametrize(
    ("query", "phrases"),
    [
        ('Where is "dry run" forbidden?', ("dry run",)),
        ("“Dry Run” and ‘x’", ("dry run",)),
        ("什么叫「双人 复核」？", ("双人 复核",)),
        ("『甲』和『看火人』", ("看火人",)),
        ('a 5" pipe and a 7" pipe', ()),
        ("an unclosed “quote", ()),
        ('an empty ""', ()),
        ("“……”之后", ()),
    ],
)
def test_quoted_phrases(query, phrases):
    assert understand(query).phrases == phrases


@pytest.mark.parametrize(
    ("query", "files"),
    [
        ("What does report_2024.pdf say?", ("report_2024.pdf",)),
        ("请看Report-2024.PDF和预算.xlsx", ("report-2024.pdf", "和预算.xlsx")),
        ("version 2.4.1 of node.js or e.g. this", ()),
        ("manual.pdfx", ()),
    ],
)
def test_files(query, files):
    assert set(files) <= set(understand(query).files)
    assert len(understand(query).files) == len(files)


def test_codes_titles_quantities_and_language():
    question = understand("《员工手册》里 TM-20L 和 E-1042 的保修期是 18 个月吗？")
    assert question.titles == ("员工手册",) and question.language == "zh"
    assert set(question.codes) == {"tm20l", "e1042"}
    assert question.quantities == ((18.0, "month"),)
    assert understand("manual_v2.pdf").codes == ()


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2024-03-05 的会议", date(2024, 3, 5), date(2024, 3, 5)),
        ("2024年3月有什么", date(2024, 3, 1), date(2024, 3, 31)),
        ("2024年2月29日", date(2024, 2, 29), date(2024, 2, 29)),
        ("in March 2024", date(2024, 3, 1), date(2024, 3, 31)),
        ("on March 5th, 2024", date(2024, 3, 5), date(2024, 3, 5)),
        ("on 5 Mar 2024", date(2024, 3, 5), date(2024, 3, 5)),
        ("2023年第四季度", date(2023, 10, 1), date(2023, 12, 31)),
        ("sales in Q2 2024", date(2024, 4, 1), date(2024, 6, 30)),
        ("2022年一季度增长率", date(2022, 1, 1), date(2022, 3, 31)),
        ("since 2019", date(2019, 1, 1), date(2019, 12, 31)),
        ("２０２４年５月", date(2024, 5, 1), date(2024, 5, 31)),
    ],
)
def test_dates_become_ranges(text, first, last):
    assert [(span.first, span.last) for span in understand(text).dates] == [(first, last)]


@pytest.mark.parametrize("text", ["2023-02-30", "03/04/2024", "version 2024.1.2.3", "room 2019", "1.5 m", "2024年13月"])
def test_what_is_no_date_is_read_as_none(text):
    assert understand(text).dates == ()


def test_a_quoted_phrase_goes_before_better_scores():
    hits = [hit("about running dry", 0.9), hit("never a Dry  Run here", 0.2), hit("nothing", 0.5)]
    assert order('"dry run"?', hits) == ["never a Dry  Run here", "about running dry", "nothing"]


def test_chinese_phrases_match_across_typographic_blanks():
    hits = [hit("别的", 0.9), hit("TM-20 主机的保修期为 18 个月", 0.1)]
    assert order("“保修期为18个月”", hits)[0] == "TM-20 主机的保修期为 18 个月"


def test_two_phrases_beat_one_and_a_named_file_counts():
    hits = [hit("甲乙", 0.9), hit("甲乙 丙丁", 0.1), hit("丙丁", 0.5), hit("无关", 0.95)]
    assert order("“甲乙”“丙丁”", hits) == ["甲乙 丙丁", "甲乙", "丙丁", "无关"]
    hits = [hit("x", 0.9, "other.pdf"), hit("y", 0.1, "report%202024.pdf"), hit("z", 0.2, "old-report_2024.pdf")]
    assert order("see report_2024.pdf", hits)[0] == "x"  # that is another name
    assert order("请看report_2024.pdf和预算.xlsx", [*hits, hit("v", 0.0, "预算.xlsx")])[0] == "v"
    hits.append(hit("w", 0.05, "Report_2024.pdf"))
    assert order("see report_2024.pdf", hits)[0] == "w"


def test_a_title_is_found_in_the_document_title():
    hits = [hit("年假 10 天", 0.9, title="会议纪要"), hit("年假 12 天", 0.3, title="员工手册")]
    assert order("《员工手册》里年假几天？", hits)[0] == "年假 12 天"


@given(st.lists(st.tuples(st.text(max_size=20), st.floats(-1, 2)), max_size=8), st.sampled_from(
    ["How many days of leave are there?", "婚假有多少天？", "TM-20L 的量产推迟到哪一天？", "What happened in March 2024?"]
))  # fmt: skip
def test_plain_questions_change_nothing(parts, query):
    hits = [hit(text, score, f"{at}.md") for at, (text, score) in enumerate(parts)]
    assert set(adjust(understand(query), hits).values()) <= {0.0}


@given(st.lists(st.tuples(st.text(alphabet="甲乙丙 ", max_size=6), st.floats(-1, 2)), max_size=8))
def test_hits_that_hold_as_much_keep_order_and_distance(parts):
    hits = [hit(text, score, f"{at}.md") for at, (text, score) in enumerate(parts)]
    offsets = adjust(understand("“甲乙”？"), hits)
    def holds(h): return "甲乙" in h.chunk.text.replace(" ", "")
    for group in ([h for h in hits if holds(h)], [h for h in hits if not holds(h)]):
        assert len({offsets[h.chunk.id] for h in group}) <= 1
    best = max((h.score for h in hits if "甲乙" not in h.chunk.text.replace(" ", "")), default=None)
    for h in hits:
        if best is not None and "甲乙" in h.chunk.text.replace(" ", ""):
            assert h.score + offsets[h.chunk.id] > best


@pytest.mark.parametrize(
    "query", ["", "   ", "？！。…", "🙂🙂", "\x00\x01\x07", "\u200b\u202e", "---", "\ud800", "\n\t", "🙂" * 600 + "保修" + "🙂" * 600]
)
def test_what_holds_no_word_is_refused_with_a_remedy(query):
    with pytest.raises(InputError) as caught:
        understand(query)
    assert "no letter and no digit" in caught.value.message and caught.value.remedy


def test_control_characters_and_emoji_are_set_aside():
    assert understand("war\x00ranty\u202e \ud83d保修\u200b期🙂?\r\n").text == "warranty 保修期🙂?"


def test_a_long_query_keeps_both_ends_and_says_so():
    query = "Where is the seal? " + "filler words here " * 6000 + "And who approved it?"
    question = understand(query)
    assert question.cut and len(question.text) <= MAX_QUERY_CHARS
    assert question.text.startswith("Where is the seal?") and question.text.endswith("And who approved it?")
    assert not understand("x" * MAX_QUERY_CHARS).cut


@settings(max_examples=80, deadline=None)
@given(st.text(alphabet=st.sampled_from(string.printable + "“”「」《》年月日中文é🙂\u0000\u202e٣"), max_size=300), st.integers(1, 400))
def test_any_text_is_understood_or_refused(text, times):
    try:
        question = understand(text * times)
    except InputError:
        return
    assert 0 < len(question.text) <= MAX_QUERY_CHARS
    assert clean_query(question.text) == (question.text, False)


def test_what_was_read_is_described():
    read = describe(understand("“zero loss” in report_2024.pdf since March 2024, 20 kg of TM-20L?"))
    assert read["language"] == "en" and read["phrases"] == ["zero loss"] and read["files"] == ["report_2024.pdf"]
    assert read["dates"] == ["2024-03-01 to 2024-03-31"] and read["codes"] and read["quantities"]
    assert describe(understand("what is it?")) == {"language": "en"}
