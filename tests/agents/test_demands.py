"""What a question demands by its form."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.guards.demands import (
    DATE,
    NUMBER,
    PERSON,
    PLACE,
    adds_something,
    constraints,
    demanded_kinds,
    met_share,
    offers_kind,
    speaks_of,
)


@pytest.mark.parametrize(
    ("question", "kinds"),
    [
        ("2022年特斯拉交付量", {NUMBER}),
        ("公司员工的婚假有多少天？", {NUMBER}),
        ("安倍晋三的国葬时间？", {DATE}),
        ("《重生之门》的导演", {PERSON}),
        ("2014年冬奥会在哪举办", {PLACE}),
        ("C919的全称是什么？", set()),
        ("这台设备几乎不需要维护吗", set()),
        ("When was GPT-3 released?", {DATE}),
        ("How many seats are there?", {NUMBER}),
        ("Who is the CEO of Apple in 2021?", {PERSON}),
        ("Super Bowl 2021 location", {PLACE}),
        ("What is the warranty?", set()),
        ("What happens to the alarm when a filter is removed?", set()),
        ("Which seal was changed, and when was it changed?", {DATE}),
        ("By when must it be paid?", {DATE}),
    ],
)
def test_kinds(question, kinds):
    assert demanded_kinds(question) == kinds


@pytest.mark.parametrize(
    ("question", "text", "offered"),
    [
        ("2022年特斯拉交付量是多少？", "2022年特斯拉的交付量再创新高。", False),
        ("2022年特斯拉交付量是多少？", "2022年特斯拉交付131万辆。", True),
        ("安倍晋三的国葬时间？", "国葬将在东京举行。", False),
        ("安倍晋三的国葬时间？", "国葬定于9月27日举行。", True),
        ("When was it released?", "It was released in June.", True),
        ("When was it released?", "It was released to great applause.", False),
        ("导演是谁？", "导演是张三。", True),
        ("微软花了多少钱收购动视暴雪", "分手费是股权价值的3.75%。", False),
        ("微软花了多少钱收购动视暴雪", "微软以687亿美元收购。", True),
        ("准确率是多少？", "它在7800个标记上微调。", False),
        ("准确率是多少？", "准确率为50%。", True),
        ("What is the list price?", "It weighs 20 kg.", False),
        ("What is the list price?", "It costs EUR 20.", True),
        ("What amount of the stock is sold?", "Over half of the stock is sold.", True),
        ("What amount of the stock is sold?", "The stock is sold.", False),
        ("库存卖出了多少？", "库存卖出了一半以上。", True),
        ("When was the bridge burnt down?", "It was burnt down in the siege (1288).", True),
        ("When was the bridge burnt down?", "It was burnt down with 128,800 planks.", False),
    ],
)
def test_what_a_text_offers(question, text, offered):
    assert offers_kind(question, text) is offered


def test_a_bare_answer_speaks_of_the_question_by_its_quote():
    question = "《重生之门》的导演是谁？"
    assert speaks_of(question, "《重生之门》的导演是杨冬。") and not speaks_of(question, "张译")
    assert speaks_of(question, "杨冬", ["《重生之门》由导演杨冬执导。"])
    assert not speaks_of(question, "张译", ["张译出席了活动。"])
    assert speaks_of(question, "Yang", ["Directed by Yang."])


def test_constraints_are_what_is_named():
    assert constraints("2022年《心居》的主演") == {"#2022", "心居"}
    assert constraints("How long is the warranty of the TM-20L?") == {"tm20l"}
    assert "superbowl" in constraints("Super Bowl 2021 location")


def test_constraints_are_met_letter_for_letter():
    assert met_share("2022年G20峰会的地点", "G20 峰会 2022 年在巴厘岛举行") == 1.0
    assert met_share("2022年G20峰会的地点", "2023 年的 G20 峰会") == 0.5
    assert met_share("峰会的地点", "别的") == 1.0


@given(st.text(max_size=60), st.text(max_size=120))
def test_a_share_is_a_share_and_a_question_meets_its_own_demands(question, text):
    assert 0.0 <= met_share(question, text) <= 1.0
    offers_kind(question, text)
    assert met_share(question, question) == 1.0


@pytest.mark.parametrize(
    ("question", "sentence", "adds"),
    [
        ("Who plays Billy Batson in Shazam?", "Billy Batson plays Billy Batson in Shazam.", False),
        ("Who plays Billy Batson in Shazam?", "Asher Angel plays Billy Batson.", True),
        ("谁是神舟十四号的指令长？", "神舟十四号的指令长。", False),
        ("谁是神舟十四号的指令长？", "陈冬。", True),
        ("How many rooms has the house?", "The house has 4 rooms.", True),
        ("试用期员工可以远程办公吗？", "试用期员工可以远程办公。", True),
        ("Must visitors register?", "Visitors must register.", True),
    ],
)
def test_an_answer_says_more_than_the_question(question, sentence, adds):
    assert adds_something(question, sentence) is adds
