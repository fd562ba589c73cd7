"""What an answer must hold to count as right, from the right answer of a case."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.golden_rows import must_match
from evals.answers import matches


@pytest.mark.parametrize(
    ("right", "wanted"),
    [
        ("18 个月。", [["18 个月"]]),
        ("18 months", [["18 months"]]),
        ("在中国大陆购买的 TM-20 主机的保修期为 18 个月，光源为 36 个月。", [["18"], ["36"], ["TM-20"]]),
        ("A lost laptop must be reported to the service desk within 2 hours.", [["2"]]),
        ("The probation period is six months.", [["six", "6"]]),
        ("试用期为三个月，一般不延长。", [["三", "3"]]),
        ("员工应当向人事部门提出书面申请。", [["员工应当向人事部门提出书面申"]]),
    ],
)
def test_a_short_answer_is_wanted_whole_and_of_a_longer_one_its_facts(right, wanted):
    assert must_match(right) == wanted


@given(st.text(min_size=1, max_size=80))
def test_the_right_answer_itself_is_always_right(right):
    assert matches(right, must_match(right))
