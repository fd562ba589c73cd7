"""Questions about one's own facts: which are, which are not, and what is answered."""

import pytest

from agents.memory.acknowledging import acknowledge
from agents.memory.background import Background
from agents.memory.facts import Fact
from agents.memory.own_questions import answer_about_oneself, asked_key
from agents.memory.statements import ANSWER_LANGUAGE, EVERYTHING, read_said

SAID = "2026-11-26T08:00:00.000000+00:00"


def known(*facts: tuple[str, str]) -> Background:
    return Background((), tuple(Fact(key, value, "s", "t", SAID) for key, value in facts), True)


@pytest.mark.parametrize(
    ("question", "key"),
    [
        ("What is my name?", "name"), ("what's my name", "name"), ("Who am I?", "name"), ("Do you know my name?", "name"),
        ("Do you remember what my name is?", "name"), ("Please tell me my name.", "name"), ("Who’s my manager?", "manager"),
        ("Where do I work?", "workplace"), ("Can you tell me where I work?", "workplace"), ("Where do I live?", "home"),
        ("What is my job?", "role"), ("What do I do for a living?", "role"), ("When is my birthday?", "birthday"),
        ("What is my employee number?", "employee number"), ("What do you know about me?", EVERYTHING),
        ("What have I told you about myself?", EVERYTHING), ("What did I ask you to remember?", EVERYTHING),
        ("我叫什么？", "name"), ("我叫什么名字", "name"), ("你还记得我叫什么吗？", "name"), ("我是谁？", "name"),
        ("请问我的名字是什么？", "name"), ("你记得我的名字吗？", "name"), ("我在哪里工作？", "workplace"),
        ("我在哪家公司上班？", "workplace"), ("我住在哪儿？", "home"), ("我是做什么的？", "role"), ("我的职位是什么？", "role"),
        ("我的工号是多少？", "工号"), ("我的经理是谁？", "经理"), ("我在哪个部门？", "部门"), ("我的生日是几号？", "生日"),
        ("你知道关于我的什么？", EVERYTHING), ("关于我，你都记得什么？", EVERYTHING), ("我让你记住了什么？", EVERYTHING),
    ],
)  # fmt: skip
def test_what_a_question_about_oneself_asks_for(question, key):
    assert asked_key(question) == key


@pytest.mark.parametrize(
    "question",
    [
        "What is the name of the product?", "Who is the manager?", "Where do I report a lost laptop?",
        "What do I do?", "What do I do if my battery is dead?", "What do you know about TM-20?", "How do I change my name?",
        "What is my notice period and who must sign?", "What did I tell you about the warranty?",
        "产品叫什么名字？", "经理是谁？", "我在哪里报销？", "我应该找谁？", "我的电池坏了怎么办？", "这台机器在哪里工作？",
        "部门经理是做什么的？", "我叫张伟。", "My name is Ann.",
    ],
)  # fmt: skip
def test_other_questions_are_answered_with_no_fact(question):
    background = known(("name", "Ann"), ("manager", "Bob"), ("role", "nurse"), ("workplace", "Rome"), ("home", "Rome"))
    assert answer_about_oneself(question, background) == ""


def test_the_answer_says_when_it_was_said():
    told = known(("name", "Ann"), ("department", "Sales"))
    assert answer_about_oneself("What is my name?", told) == "Your name is Ann (you said so on 2026-11-26)."
    assert answer_about_oneself("我在哪个部门？", told) == "你的部门：Sales（你在 2026-11-26 说过）。"
    by_hand = Background((), (Fact("name", "张伟", said=SAID),), True)
    assert answer_about_oneself("我叫什么？", by_hand) == "你叫张伟（你在 2026-11-26 记下）。"
    note = known(("deadline", "the deadline is Friday."))
    assert answer_about_oneself("When is my deadline?", note) == "the deadline is Friday (you said so on 2026-11-26)."
    everything = answer_about_oneself("What do you know about me?", told)
    assert everything.count("2026-11-26") == 2 and "Ann" in everything and "Sales" in everything


def test_the_wished_language_is_answered_in():
    background = known(("name", "张伟"), ("answer language", "zh"))
    assert answer_about_oneself("What is my name?", background).startswith("你叫张伟")


def test_without_such_a_fact_the_question_goes_its_way():
    assert answer_about_oneself("What is my name?", known(("home", "Rome"))) == ""
    assert answer_about_oneself("What is my notice period?", known(("name", "Ann"))) == ""
    assert answer_about_oneself("What do you know about me?", Background(keeps_facts=True)) == ""


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        ("My name is Ann Lee.", "What's my name?"), ("我叫张伟。", "我叫什么？"), ("I work at Acme.", "Where do I work?"),
        ("我在上海分公司工作。", "我在哪里工作？"), ("My department is Sales.", "What is my department?"),
        ("我的工号是12345。", "我的工号是多少？"), ("I live in Rome.", "Where do I live?"), ("我是财务部的经理。", "我是做什么的？"),
    ],
)  # fmt: skip
def test_what_is_taken_up_can_be_asked_for(said, asked):
    [statement] = read_said(said).statements
    assert read_said(asked).statements == ()
    assert statement.value in answer_about_oneself(asked, known((statement.key, statement.value)))


def test_the_language_of_an_assistant_goes_before_that_of_the_user():
    told = known(("name", "Ann"), (ANSWER_LANGUAGE, "en"))
    assert answer_about_oneself("What is my name?", told, "zh").startswith("你叫Ann")
    assert acknowledge("My team is red.", told, "zh").startswith("已记住")
    assert acknowledge("Answer in English.", told, "zh").startswith("Noted"), "but for what is wished just now"
