"""What is taken out of what a user says."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.memory.statements import EVERYTHING, language_wish, read_said

SAID = {
    "My name is Alice": ("name", "Alice"),
    "Hello, please call me Bob.": ("name", "Bob"),
    "我叫张伟。": ("name", "张伟"),
    "I work in the Shanghai office.": ("workplace", "the Shanghai office"),
    "我在上海分公司工作": ("workplace", "上海分公司"),
    "My company is Acme": ("workplace", "Acme"),
    "我住在杭州": ("home", "杭州"),
    "I'm a nurse.": ("role", "nurse"),
    "我是财务部的经理": ("role", "财务部的经理"),
    "My favourite colour is blue": ("favourite colour", "blue"),
    "我的工号是12345": ("工号", "12345"),
    "Remember that the deadline is Friday.": ("deadline", "the deadline is Friday"),
    "请记住：项目截止日期是周五": ("项目截止日期", "项目截止日期是周五"),
    "以后请用英文回答": ("answer language", "en"),
    "Please answer in Chinese from now on.": ("answer language", "zh"),
    "我喜欢简短的回答，请记住。": ("我喜欢简短的回答", "我喜欢简短的回答"),
    "请记住我喜欢表格。": ("我喜欢表格", "我喜欢表格"),
}
NOT_SAID = (
    "What is my name?", "我在哪里工作？", "我是说保修期", "How long is the warranty?", "主机的保修期是多久",
    "Please answer in English: how long is the warranty?", "my laptop is broken", "The deadline is Friday",
    "I am a customer and my battery is dead", "TM-20 主机的保修期", "Tell me my name", "remember", "记住", "以后", "",
)  # fmt: skip


@pytest.mark.parametrize("message", SAID)
def test_a_statement_has_a_key_and_a_value(message):
    [statement] = read_said(message).statements
    assert (statement.key, statement.value) == SAID[message]
    assert read_said(message).is_all


@pytest.mark.parametrize("message", NOT_SAID)
def test_what_asks_or_tells_of_something_else_is_no_statement(message):
    said = read_said(message)
    assert said.statements == () and not said.is_all


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("Remember that the deadline is Friday", "remember the deadline is now Monday."),
        ("记住项目截止日期是周五", "请记住：项目截止日期改到周一。"),
        ("I work in Paris", "I work for Acme in Rome"),
        ("以后用中文回答", "From now on, answer in English"),
        ("我叫小李", "My name is Lee"),
    ],
)
def test_an_update_has_the_key_of_what_it_replaces(older, newer):
    assert read_said(older).statements[0].key == read_said(newer).statements[0].key


def test_of_two_in_one_message_the_last_one_holds():
    said = read_said("My name is Ann. I live in Paris; call me Anna!")
    assert {s.key: s.value for s in said.statements} == {"name": "Anna", "home": "Paris"}


def test_beside_a_question_a_statement_is_not_all():
    said = read_said("I'm a nurse. How many days of leave do I have?")
    assert said.statements and not said.is_all


@pytest.mark.parametrize(
    ("message", "key"),
    [("forget my name", "name"), ("忘记我的名字", "name"), ("Forget everything about me.", EVERYTHING), ("忘掉关于我的一切", EVERYTHING)],
)
def test_a_wish_to_forget(message, key):
    assert read_said(message).forgotten == (key,) and read_said(message).is_all


@pytest.mark.parametrize(
    ("message", "days"), [("Remember that I am on leave today", 1), ("记住本周我值班", 7), ("记住我这个月出差", 31)]
)
def test_what_holds_for_a_while_says_so(message, days):
    assert read_said(message).statements[0].lasts == timedelta(days=days)


def test_the_language_of_one_answer():
    assert language_wish("请用英文回答：保修期是多久？") == "en"
    assert language_wish("How long is the warranty? Answer in Chinese.") == "zh"
    assert language_wish("Is there an English manual?") == ""


@given(st.text(max_size=300) | st.text("请以后记住我的是在工作叫my name is remember ,.。;", max_size=400))
def test_any_text_is_read(message):
    said = read_said(message)
    assert all(s.key and s.value and len(s.key) <= 80 and len(s.value) <= 300 for s in said.statements)


@pytest.mark.parametrize("unit", ["please ", "请", "remember that ", "my is ", "我是", "以后", "is a ", "my " * 3])
def test_long_messages_take_no_time(unit):
    """A pattern that tries again and again would not come back from this."""
    read_said(unit * 4000)
