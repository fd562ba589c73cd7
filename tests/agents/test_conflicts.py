"""When two documents disagree, and when they only look as if they did."""

import pytest

from agents.binding import EvidenceBinder
from agents.conflicts import find_rivals, newest_day
from tests.agents.doubles import CharacterVectors, chunk


def rivals(claim: str, own: str, *others: str, title: str = "手册") -> list[str]:
    """Quotes that say otherwise than the claim, which its own document bears out."""
    chunks = [chunk(own, 0, title), *(chunk(text, at, title) for at, text in enumerate(others, start=1))]
    pool = EvidenceBinder(CharacterVectors()).pool(chunks)
    bound = [span for span in pool.spans if span.chunk.id == chunks[0].id][:1]
    return [span.quote for span in find_rivals(claim, bound, pool.spans)]


@pytest.mark.parametrize(
    ("claim", "other"),
    [
        ("TM-20 主机的保修期为 18 个月。", "TM-20 主机的保修期为二十四个月。"),
        ("The town of Elmwood has 3,559 people.", "The town of Elmwood has 10,000 people."),
        ("试用期员工可以远程办公。", "试用期员工不可以远程办公。"),
        (
            "The bridge over the northern river was designed and built by Ann Miller.",
            "The bridge over the northern river was designed and built by Bob Stone.",
        ),
        ("The workshop opens at 8 on Mondays.", "The workshop closes at 8 on Mondays."),
    ],
)
def test_another_value_of_the_same_fact_is_a_conflict(claim, other):
    assert rivals(claim, claim, other) == [other]


@pytest.mark.parametrize(
    ("claim", "other"),
    [
        ("TM-20 主机的保修期为 18 个月。", "TM-20 主机的保修期为一年半，即 18 个月。"),
        ("TM-20 主机的保修期为 18 个月。", "TM-30 主机的保修期为 24 个月。"),
        ("TM-20 主机的保修期为 18 个月。", "TM-20 电池的容量为 24 安时。"),
        ("In 2010 the town of Elmwood had 3,559 people.", "In 2020 the town of Elmwood had 3,706 people."),
        ("The town of Elmwood has 3,559 people.", "The town of Oakwood has 10,000 people."),
        ("The pump weighs 12 kg.", "The pump weighs 12 kg and needs 40 minutes to start."),
        ("寺庙踩踏事故造成 12 人死亡。", "寺庙踩踏事故导致十二人死亡。"),
        ("试用期员工不可以远程办公。", "正式员工经批准后每周可以远程办公两天。"),
    ],
)
def test_what_speaks_of_something_else_is_none(claim, other):
    assert rivals(claim, claim, other) == []


def test_a_document_does_not_disagree_with_itself():
    text = "TM-20 主机的保修期为 18 个月。TM-20 主机的保修期为 24 个月。"
    assert rivals("TM-20 主机的保修期为 18 个月。", text) == []


def test_one_rival_a_document_and_two_at_most():
    others = [f"TM-20 主机的保修期为 {months} 个月。" for months in (24, 30, 36)]
    assert len(rivals("TM-20 主机的保修期为 18 个月。", "TM-20 主机的保修期为 18 个月。", *others)) == 2


def test_a_documents_day_is_that_of_its_title_or_name():
    spans = EvidenceBinder(CharacterVectors()).pool(
        [chunk("甲。", 0, "手册 2021年版"), chunk("乙。", 1, "Manual, 3 March 2024"), chunk("丙。", 2, "手册")]
    ).spans
    days = [newest_day(span) for span in spans]
    assert days[1] > days[0] > days[2] == 0


def test_a_bare_name_is_not_denied():
    own = "神舟十四号的指令长是陈冬。"
    assert rivals("陈冬", own, "对于刘洋和陈冬两位航天员，大家并不陌生。") == []


def test_the_same_words_in_two_documents_are_one_rival():
    claim, other = "TM-20 主机的保修期为 18 个月。", "TM-20 主机的保修期为二十四个月。"
    assert rivals(claim, claim, other, other) == [other]
