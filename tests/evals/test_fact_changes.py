"""Changes that make a statement false, statements in other words, and how the two become claims."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.datasets.changed_facts import LEARNED, UNLEARNED, Source, made_claims
from evals.datasets.claims import is_copy
from evals.fact_changes import CHANGES, UNSEEN, replace_name, swap_names
from evals.statements import join_answer, paraphrase

SENTENCES = (
    "该公司成立于1998年5月，目前拥有3200名员工，总部位于东部沿海，所有产品可以出口。",
    "The tower was built in 1889 by Gustave Eiffel, is 330 metres high and may be visited every day except Monday.",
    "他没有参加2016年的比赛，第一名获得了50万美元。",
    "Sales rose by 12.5 million dollars before March 2020, said Anna Berg to John Smith.",
)
KINDS = {**CHANGES, **UNSEEN}


@given(st.sampled_from(SENTENCES), st.sampled_from(sorted(KINDS)), st.integers(0, 10**6))
def test_a_change_is_one_stretch_and_tells_where(sentence, kind, seed):
    changed = KINDS[kind](sentence, random.Random(seed))
    if changed is None:
        return
    text, (start, end) = changed
    assert text != sentence and 0 <= start <= end <= len(text)
    assert text[:start] == sentence[:start]
    assert sentence.endswith(text[end:]) or kind == "negation"


@given(st.text(max_size=80), st.sampled_from(sorted(KINDS)), st.integers(0, 99))
def test_any_text_may_be_given(text, kind, seed):
    changed = KINDS[kind](text, random.Random(seed))
    assert changed is None or changed[0] != text


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_finds_something_to_change(kind):
    assert any(KINDS[kind](sentence, random.Random(1)) for sentence in SENTENCES)


def test_names_are_replaced_and_swapped():
    rng = random.Random(3)
    text, span = replace_name("It was built by Gustave Eiffel.", rng, ["Anna Berg"])
    assert text == "It was built by Anna Berg." and text[slice(*span)] == "Anna Berg"
    swapped, _ = swap_names("Then Anna Berg paid John Smith.", rng)
    assert swapped == "Then John Smith paid Anna Berg."
    assert swap_names("Then Anna Berg paid.", rng) is None


@pytest.mark.parametrize(
    ("question", "answer", "statement"),
    [
        ("Who won the race in 2018?", "Anna Berg", "Anna Berg won the race in 2018."),
        ("When was Splatoon 2 released?", "July 21, 2017", "Splatoon 2 was released on July 21, 2017."),
    ],
)
def test_a_question_and_its_answer_become_a_statement(question, answer, statement):
    assert join_answer(question, answer, random.Random(1)) == statement


def test_chinese_questions_are_filled_in():
    filled = {join_answer("香港立法会有多少个议席？", "70", random.Random(seed)) for seed in range(9)}
    assert all("70" in text for text in filled) and any("有70" in text for text in filled)


@given(st.sampled_from(SENTENCES), st.integers(0, 10**6))
def test_a_paraphrase_keeps_numbers_and_makes_none(sentence, seed):
    import re

    kept = set(re.findall(r"\d+", paraphrase(sentence, random.Random(seed))))
    assert kept <= set(re.findall(r"\d+", sentence))


@pytest.mark.parametrize("kinds", [LEARNED, UNLEARNED])
def test_made_claims_are_no_copies_and_come_out_the_same(kinds):
    text = " ".join([SENTENCES[1], SENTENCES[3]])
    sources = [
        Source(
            "s", str(at), text, (("When was the tower built?", "1889"), ("Who built it?", "Gustave Eiffel"))
        )
        for at in range(5)
    ]
    claims = list(made_claims(sources, kinds))
    assert {claim.label for claim in claims} == {0, 1}
    assert not any(is_copy(claim.text, claim.evidence) for claim in claims)
    assert claims == list(made_claims(sources, kinds))
    assert all(claim.kind and not claim.label or not claim.kind for claim in claims)
