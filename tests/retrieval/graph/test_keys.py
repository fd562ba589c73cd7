"""Keys of names: what is the same entity, and that a question's stretches hold every name in it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.graph.asking import (
    asks_over_links,
    asks_relation,
    asks_relation_alone,
    may_mean_a_cable,
    related_pair,
)
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


ALONE = {
    "How are Acme and Nova related to each other?": ("Acme", "Nova"),
    "How do Acme and Nova relate to one another?": ("Acme", "Nova"),
    "In what way is Acme associated with Nova?": ("Acme", "Nova"),
    "Is Acme associated with Nova?": ("Acme", "Nova"),
    "Are Ann Lee and Nova related?": ("Ann Lee", "Nova"),
    "What is the association between Acme and Nova?": ("Acme", "Nova"),
    "What relationship does Acme have with Nova?": ("Acme", "Nova"),
    "What is Acme's relationship to Nova?": ("Acme", "Nova"),
    "张伟和华盛精工的关系是什么？": ("张伟", "华盛精工"),
    "張偉與華盛精工的關係是怎樣的？": ("張偉", "華盛精工"),
    "张伟与华盛精工之间的联系是什么": ("张伟", "华盛精工"),
    "张伟是否与华盛精工有关？": ("张伟", "华盛精工"),
    "张伟和华盛精工是否相关？": ("张伟", "华盛精工"),
    "张伟跟华盛精工有关吗？": ("张伟", "华盛精工"),
    "张伟和华盛精工有无关联？": ("张伟", "华盛精工"),
    "张伟和恒达是怎么联系在一起的？": ("张伟", "恒达"),
    "张伟跟华盛精工是什么关系啊": ("张伟", "华盛精工"),
}
BY_ANYTHING = {
    "How is Tesla connected to Westinghouse?": ("Tesla", "Westinghouse"),
    "How are Ann Lee and Nova linked?": ("Ann Lee", "Nova"),
    "What is the connection between Ann Lee and Nova?": ("Ann Lee", "Nova"),
    "Are there any links between Acme and Nova?": ("Acme", "Nova"),
    "What connects Acme and Nova?": ("Acme", "Nova"),
    "Is Acme linked with Nova?": ("Acme", "Nova"),
}
OTHERWISE = [
    "Who broke the connection between Acme and Nova?",
    "How are Acme and Nova related, and who founded Acme?",
    "Which factors are associated with Acme?",
    "How do I connect Acme to Nova?",
    "What costs are associated with the move to Leiden?",
    "Where are the related documents?",
    "How long are Acme and Nova connected each day?",
    "王兰和李明怎么联系？",
    "表甲和表乙如何关联？",
    "客户和供应商有什么联系方式？",
    "哪些文件和张伟有关？",
    "与张伟有关的文件有几份？",
    "员工和公司的劳动关系如何终止？",
    "公司和员工的关系由谁负责？",
    "张伟和华盛精工的关系是什么时候建立的？",
    "公关和客户关系部的负责人是谁？",
    "张伟和李明的联系电话是多少？",
]


@pytest.mark.parametrize(("question", "pair"), (ALONE | BY_ANYTHING).items())
def test_questions_for_how_two_things_are_related_and_nothing_else(question, pair):
    assert asks_relation_alone(question) and asks_relation(question) and related_pair(question) == pair
    assert may_mean_a_cable(question) is (question in BY_ANYTHING)


@pytest.mark.parametrize("question", OTHERWISE)
def test_ordinary_questions_with_such_words_ask_for_something_else(question):
    assert not asks_relation_alone(question) and not may_mean_a_cable(question)


@given(st.text("和与的关系有是吗？张伟 howisrelatedtconbw?'", max_size=60))
def test_what_asks_for_a_relation_alone_names_two_things(text):
    if asks_relation_alone(text):
        assert asks_relation(text) and asks_over_links(text)
        assert all(name in text for name in related_pair(text))
