"""The exact checks: what they object to, and what they must let pass."""

import pytest

from agents.guards.exact import ExactGuard
from agents.quantities import split_facts
from core.seams import Passage
from core.types import Label

LEAVE = "试用期内员工辞职须提前 3 天通知，转正后员工辞职须提前 30 天以书面形式通知。"
STORE = "TM-20 最多存 500 组数据，TM-20L 最多存 1000 组数据。"
COST = "The direct cost of the incident was EUR 11,300, of which EUR 6,900 was for visits to customers."
PUMP = "The pump must not run dry."
RULE = "All visitors must register before 6 pm on 3 June 2019."


def check(sentence: str, *quotes: str, question: str = ""):
    """The verdict over these quotes."""
    facts = tuple(fact for quote in quotes for fact in split_facts(quote))
    return ExactGuard().check(sentence, Passage(quotes, quotes, facts, ("",), quotes), question)


@pytest.mark.parametrize(
    ("sentence", "quote"),
    [
        (LEAVE, LEAVE), (STORE, STORE), (COST, COST), ("转正后员工辞职须提前三十天以书面形式通知。", LEAVE),
        ("Visitors must register before 18:00.", RULE), ("Visitors must register before 3/6/2019.", RULE),
        ("根据资料，TM-20 最多存 500 组数据。", STORE), ("The direct cost was €11,300.", COST),
    ],
)  # fmt: skip
def test_what_is_true_is_not_objected_to(sentence, quote):
    verdict = check(sentence, quote)
    assert verdict.label is Label.UNSURE, verdict.reason


@pytest.mark.parametrize(
    ("sentence", "quote", "reason"),
    [
        ("转正后员工辞职须提前 3 天以书面形式通知。", LEAVE, "said of something else"),
        ("The direct cost of the incident was EUR 12,300.", COST, "numbers not in the evidence"),
        ("The direct cost of the incident was 11,300 dollars.", COST, "another unit"),
        ("The pump must run dry.", PUMP, "negated on one side only"),
        ("All visitors must register after 6 pm.", RULE, "the opposite"),
        ("All visitors must register on 6 June 2019.", RULE, "another date"),
    ],
)
def test_a_changed_fact_is_objected_to(sentence, quote, reason):
    verdict = check(sentence, quote)
    assert verdict.label in (Label.UNSUPPORTED, Label.CONTRADICTED)
    assert reason in verdict.reason


def test_a_strange_name_is_a_doubt_for_the_model():
    verdict = check("Visitors must call John Smith.", RULE)
    assert verdict.label is Label.UNSURE and "john smith" in verdict.reason


def test_an_answer_about_another_product_is_objected_to_even_when_copied():
    assert "fs85" in check(STORE, STORE, question="FS-85 最多存多少组？").reason

