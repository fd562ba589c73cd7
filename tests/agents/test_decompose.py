"""Questions of several parts come apart; questions that are one stay whole."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.bridging import find_entity
from agents.decompose import decompose

SIDE_BY_SIDE = {
    "TM-20 和 TM-30 的保修期分别是多久？": ("TM-20的保修期是多久？", "TM-30的保修期是多久？"),
    "TM-20 的重量和价格分别是多少": ("TM-20的重量是多少？", "TM-20的价格是多少？"),
    "北京、上海和广州的人口分别是多少？": ("北京的人口是多少？", "上海的人口是多少？", "广州的人口是多少？"),
    "婚假和产假分别有多少天？": ("婚假有多少天？", "产假有多少天？"),
    "TM-20 和 FS-85 在中国大陆的保修期分别是多久？": ("TM-20 在中国大陆的保修期是多久？", "FS-85 在中国大陆的保修期是多久？"),
    "TM-20 和 TM-30 在低温下分别能用多久？": ("TM-20 在低温下能用多久？", "TM-30 在低温下能用多久？"),
    "苏州现在和将来的产量分别是多少？": ("苏州现在的产量是多少？", "将来的产量是多少？"),
    "老客户和潜在客户的数量分别是多少": ("老客户的数量是多少？", "潜在客户的数量是多少？"),
    "旧风险与潜在风险的等级分别是什么？": ("旧风险的等级是什么？", "潜在风险的等级是什么？"),
    "总部和所在城市的名称分别是什么？": ("总部的名称是什么？", "所在城市的名称是什么？"),
    "已修设备和正在维修设备的数量分别是多少？": ("已修设备的数量是多少？", "正在维修设备的数量是多少？"),
    "面授课程和免费在线课程的价格分别是多少？": ("面授课程的价格是多少？", "免费在线课程的价格是多少？"),
    "王兰在苏州和李明在成都的津贴分别是多少？": ("王兰在苏州的津贴是多少？", "李明在成都的津贴是多少？"),
    "比较 TM-20 与 FS80 的重量": ("TM-20的重量是什么？", "FS80的重量是什么？"),
    "TM-20 和 FS80 哪个更重？": ("TM-20更重？", "FS80更重？"),
    "TM-20 的保修期是多久，由谁负责维修？": ("TM-20 的保修期是多久？", "TM-20 由谁负责维修？"),
    "What are the warranties of the TM-20 and the FS80 respectively?": (
        "What are the warranties of the TM-20?", "What are the warranties of the FS80?",
    ),
    "Compare the weight of the TM-20 and the FS80": ("the weight of the TM-20?", "the weight of the FS80?"),
    "Which is heavier, the TM-20 or the FS80?": ("Which is heavier the TM-20?", "Which is heavier the FS80?"),
    "Who wrote the report and when did the meeting take place?": ("Who wrote the report?", "when did the meeting take place?"),
}  # fmt: skip
CHAINS = {
    "生产 TM-20 的公司的法人是谁？": ("生产 TM-20 的公司是哪个？", "{}的法人是谁？"),
    "更换供应商的那款产品的出厂价是多少？": ("更换供应商的那款产品是哪个？", "{}的出厂价是多少？"),
    "Who is the director of the company that makes the TM-20?": ("Which company makes the TM-20?", "Who is the director of {}?"),
    "What is the population of the city where the meeting was held?": ("Where the meeting was held?", "What is the population of {}?"),
}  # fmt: skip
WHOLE = (
    "TM-20 的保修期是多久？", "谁批准差旅费？", "研发部和生产部共用哪个会议室？", "",
    "How long is the warranty of the FS80?", "Who chairs the research and development board?", "?" * 400,
)  # fmt: skip


@pytest.mark.parametrize(("question", "parts"), SIDE_BY_SIDE.items())
def test_parts_side_by_side(question, parts):
    found = decompose(question, 4)
    assert found is not None and (found.questions, found.then) == (parts, "")


@pytest.mark.parametrize(("question", "chain"), CHAINS.items())
def test_what_is_described_is_asked_for_first(question, chain):
    found = decompose(question, 4)
    assert found is not None and (found.questions[0], found.then) == chain


@pytest.mark.parametrize("question", WHOLE)
def test_one_question_stays_one(question):
    assert decompose(question, 4) is None


def test_more_parts_than_may_be_are_left_together():
    assert decompose("北京、上海和广州的人口分别是多少？", 2) is None
    assert decompose("TM-20 和 TM-30 的保修期分别是多久？", 0) is None


@given(st.text(max_size=200), st.integers(0, 6))
def test_whatever_is_asked_the_parts_are_few_and_say_something(question, limit):
    parts = decompose(question, limit)
    assert parts is None or (parts.questions and len(parts.questions) <= max(limit, 1))
    assert parts is None or (all(parts.questions) and (not parts.then or parts.then.count("{}") >= 1))


@pytest.mark.parametrize(
    ("question", "text", "name"),
    [
        ("生产 TM-20 的公司是哪个？", "TM-20 由星河仪器有限公司生产，自 2019 年起销售。", "星河仪器有限公司"),
        ("负责校准的人是哪个？", "校准工作由顾承远负责。", "顾承远"),
        ("Which company makes the TM-20?", "The TM-20 is made by Nova Instruments in Leiden.", "Nova Instruments"),
        ("Which manager chairs the review?", "The review. Chair of the review: Marieke de Wit (manager).", "Marieke de Wit"),
        ("Which centre buys the small bench?", "Decided: the small bench is bought by the Rotterdam centre.", "Rotterdam"),
        ("Which director chairs the review?", "Managing Director: Ann Lee.", "Ann Lee"),
        ("Which city hosts the fair?", "It is rainy. The fair is hosted by Rotterdam each May.", "Rotterdam"),
    ],
)
def test_what_the_evidence_names(question, text, name):
    assert find_entity(question, ["无关的一句话。", text]) == name


def test_no_half_of_a_name_is_taken():
    text = "The TM-20 is made by the company Nova Instruments: see page 4."
    assert find_entity("Which company makes the TM-20?", [text]) == text


def test_without_a_name_the_sentence_itself_is_what_is_known():
    assert find_entity("which team repairs pumps?", ["pumps are repaired by the night shift."]) == (
        "pumps are repaired by the night shift."
    )
    assert find_entity("which team repairs pumps?", []) == ""


@given(st.text(max_size=120), st.lists(st.text(max_size=120), max_size=3))
def test_an_entity_always_stands_in_the_text(question, texts):
    found = find_entity(question, texts)
    assert not found or any(found in text for text in texts)
