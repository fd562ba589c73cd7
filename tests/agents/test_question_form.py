"""What makes two questions one, and what tells them apart, by their words alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.question_form import form_of
from agents.same_question import is_comparable

ONE = [
    ("TM-20 的保修期是多久？", "ＴＭ-20的保修期是多久"),
    ("TM-20 的保修期是多久？", "請問TM-20的保修期是多久呢"),
    ("How long is the warranty?", "how long is the warranty"),
    ("How long is the warranty?", "Please tell me: how long is the warranty?"),
    ("What's the limit?", "what’s the limit"),
    ("3—5 天内可以退货吗？", "3~5天内可以退货吗"),
    ("年假 有多少天？", "年假有多少天?"),
    ("公司年假有多少天？", "您好，公司年假有多少天"),
]
TWO = [
    ("TM-20 的保修期是多久？", "TM-20L 的保修期是多久？"),
    ("2023 年的营收是多少？", "2024 年的营收是多少？"),
    ("三天内可以退货吗？", "七天内可以退货吗？"),
    ("保修期是 3.5 年吗？", "保修期是 35 年吗？"),
    ("从北京到上海的车票多少钱？", "从上海到北京的车票多少钱？"),
    ("谁可以报销？", "谁不可以报销？"),
    ("报销的上限是多少？", "报销的下限是多少？"),
    ("什么时候发工资？", "怎么发工资？"),
    ("副校长是谁？", "校长是谁？"),
    ("Is travel refunded?", "Is travel not refunded?"),
    ("Does Ann report to Bob?", "Does Bob report to Ann?"),
    ("Who is the director?", "Who was the director?"),
    ("Who is Ann's manager?", "Who is Eve's manager?"),
    ("What is the highest fare?", "What is the lowest fare?"),
    ("What must the employer pay?", "What must the employee pay?"),
    ("What must IT approve?", "What must it approve?"),
    ("Can I leave before noon?", "Can I leave after noon?"),
    ("Is C++ allowed?", "Is C allowed?"),
    ("零下 -5 度能用吗？", "零下 5 度能用吗？"),
    ("3—5 天内可以退货吗？", "3、5 天内可以退货吗？"),
    ("员工必须打卡吗？", "员工可以打卡吗？"),
    ("张三和李四谁审批？", "张三或李四谁审批？"),
    ("今年的预算是多少？", "明年的预算是多少？"),
    ("What is his salary?", "What is her salary?"),
    ("Must I sign and date it?", "Must I sign or date it?"),
    ("How many days of leave are there?", "How many hours of leave are there?"),
    ("年假有多少天？", "How many days of leave are there?"),
]


@pytest.mark.parametrize(("one", "other"), ONE)
def test_the_same_question_has_the_same_key(one, other):
    assert form_of(one).key == form_of(other).key


@pytest.mark.parametrize(("one", "other"), TWO)
def test_another_question_has_another_key_and_other_facts_or_another_order(one, other):
    first, second = form_of(one), form_of(other)
    assert first.key != second.key
    assert not is_comparable(first, second) and not is_comparable(second, first)


@given(st.text(max_size=60))
def test_any_text_has_a_form_and_is_comparable_with_itself(text):
    form = form_of(text)
    assert form == form_of(text) and is_comparable(form, form)
    assert len(form.key_hash) == len(form.facts_hash) == 64


@given(st.text(alphabet="年假保修期有多少天TM20 ab", min_size=1, max_size=30))
def test_courtesy_and_marks_at_the_ends_change_nothing(text):
    assert form_of(f" {text}？").key == form_of(text).key


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_other_numbers_are_other_questions(one, other):
    forms = [form_of(f"第 {number} 条规定的是什么？") for number in (one, other)]
    assert (forms[0].facts == forms[1].facts) == (one == other)


def test_a_form_is_made_once():
    assert form_of("TM-20 的保修期是多久？") is form_of("TM-20 的保修期是多久？")
