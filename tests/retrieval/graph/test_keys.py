"""Keys of names: what is the same entity, and that a question's stretches hold every name in it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.graph.asking import asks_over_links, asks_relation, related_pair
from retrieval.graph.keys import candidates, entity_key

SAME = [
    ("The Normans", "normans"),
    ("TM-20L", "tm20l"),
    ("U.K.", "UK"),
    ("蘇州市", "苏州"),
    ("华盛精工有限公司", "华盛精工"),
    ("Acme Robotics Inc.", "ACME Robotics"),
    ("威廉·瓊斯", "威廉琼斯"),
    ("Excel 手册", "Excel手册"),
    ("Luther's", "Luther"),
]
APART = [("TM-20L", "TM-20"), ("苏州", "苏州大学"), ("New York", "York"), ("Anna Bell", "Annabell")]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_ways_of_writing_one_name(one, other):
    assert entity_key(one) == entity_key(other) != ""


@pytest.mark.parametrize(("one", "other"), APART)
def test_names_that_only_resemble_each_other(one, other):
    assert entity_key(one) != entity_key(other)


NAMES = st.sampled_from([name for pair in SAME for name in pair])


@given(NAMES, st.sampled_from(["", "请问", "What about ", "和"]), st.sampled_from(["", "的总经理是谁？", " and who runs it?"]))
def test_a_name_in_a_question_is_among_its_stretches(name, before, after):
    assert entity_key(name) in {candidate.key for candidate in candidates(f"{before} {name} {after}")}


@given(st.text(max_size=400))
def test_any_question_can_be_read(text):
    for candidate in candidates(text):
        assert candidate.key and candidate.tokens > 0
    assert asks_relation(text) <= asks_over_links(text)
    pair = related_pair(text)
    assert pair is None or all(name in text for name in pair)


@pytest.mark.parametrize(
    ("question", "pair"),
    [
        ("How are Acme Robotics and Rotterdam Port related?", ("Acme Robotics", "Rotterdam Port")),
        ("What is the relationship between Luther and the Pope?", ("Luther", "the Pope")),
        ("How is Tesla connected to Westinghouse?", ("Tesla", "Westinghouse")),
        ("What does the TM-20L have to do with Acme?", ("the TM-20L", "Acme")),
        ("張偉和TM-20L有什麼關係？", ("張偉", "TM-20L")),
        ("华盛精工与苏州恒达之间是什么关系", ("华盛精工", "苏州恒达")),
    ],
)
def test_the_two_things_that_a_question_relates(question, pair):
    assert asks_over_links(question) and related_pair(question) == pair


@pytest.mark.parametrize(
    ("question", "asks"),
    [
        ("Who founded the company that supplies the TM-20L?", True),
        ("Who designed the bridge? When was it opened?", True),
        ("TM-20L的供应商的总经理是谁？", True),
        ("哪家公司供应TM-20L？它的总部在哪里？", True),
        ("When was Luther born?", False),
        ("年假有几天？", False),
        ("出差住宿的标准是多少，需要谁批准？", False),
    ],
)
def test_questions_of_several_hops(question, asks):
    assert asks_over_links(question) is asks and not asks_relation(question)
