"""Made documents: what is true of them and what is not, whatever the seed."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.fact_changes import borrow
from evals.made_facts import LEARNED, REPORTED, claims_on, make_documents, questions_on

SEEDS = st.integers(0, 10**6)


@given(seed=SEEDS, subject=st.sampled_from([*LEARNED, *REPORTED]))
def test_facts_stand_where_they_are_said_to_stand(seed, subject):
    for document in make_documents(3, seed, [subject]):
        assert document.facts and document.language in ("zh", "en")
        keys = [(fact.thing, fact.trait) for fact in document.facts]
        assert len(set(keys)) == len(keys)
        for fact in document.facts:
            value = document.text[fact.start : fact.end]
            assert value.replace(",", "").startswith(str(fact.number))
            assert value.endswith(fact.trait.unit.of(document.language))


@given(seed=SEEDS)
def test_one_claim_is_true_and_the_others_are_marked(seed):
    for document in make_documents(3, seed):
        claims = list(claims_on(document, random.Random(seed)))
        assert [claim.label for claim in claims].count(1) == 1 and not claims[0].kind
        for claim in claims[1:]:
            assert claim.kind and claim.wrong and claim.text[slice(*claim.wrong)].strip()


@given(seed=SEEDS)
def test_a_question_has_its_answer_marked_or_none(seed):
    for document in make_documents(3, seed):
        asked = list(questions_on(document, random.Random(seed)))
        values = {(fact.start, fact.end) for fact in document.facts}
        assert len({question for question, _ in asked}) == len(asked)
        assert asked[0][1] is not None
        assert {place for _, place in asked if place} <= values


def test_what_is_not_held_is_asked_in_most_documents():
    asked = [questions_on(document, random.Random(1)) for document in make_documents(50, 1)]
    assert sum(any(place is None for _, place in rows) for rows in asked) > 40


@pytest.mark.parametrize(
    ("claim", "evidence", "became"),
    [
        ("The pump weighs 42 kg.", "The pump weighs 42 kg, the motor 57 kg, made in 1998.", "57"),
        ("泵重42千克。", "泵重42千克，电机重57千克，保修12个月。", "57"),
        ("It was sold in 1998.", "It was made in 1987 and sold in 1998 for 42 euros.", "1987"),
        ("It was built by Anna Berg.", "It was built by Anna Berg and tested by Carl Lund.", "Carl Lund"),
    ],
)
def test_a_value_is_borrowed_from_the_same_evidence(claim, evidence, became):
    changed, (start, end) = borrow(claim, evidence, random.Random(1))
    assert changed[start:end] == became and changed != claim


def test_nothing_is_borrowed_where_no_other_value_is_of_its_kind():
    assert borrow("The pump weighs 42 kg.", "It weighs 42 kg and was made in 1998.", random.Random(1)) is None
