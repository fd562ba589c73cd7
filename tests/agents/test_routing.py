"""Which way a question goes. The one thing that must never be: a question of fact taken for small talk."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.routing import Route, classify
from agents.small_talk import REPLIES, SmallTalk, small_talk_of

SMALL_TALK = {
    SmallTalk.GREETING: ("你好", "您好！", "早上好呀", "在吗？", "Hello there!", "hi", "Good morning, Attest.", "👋 Hi"),
    SmallTalk.THANKS: ("谢谢", "非常感谢您的帮助！", "好的，谢谢", "Thanks a lot!", "ok thanks", "Thank you for your help."),
    SmallTalk.FAREWELL: ("再见", "晚安", "Bye", "see you later"),
    SmallTalk.IDENTITY: ("你是谁？", "你好，你是谁？", "请你介绍一下自己", "Who are you?", "Hey Attest, what's your name?"),
    SmallTalk.ABILITIES: ("你能做什么？", "你有什么功能？", "What can you do?", "How can you help me?", "help"),
    SmallTalk.ASSENT: ("好的", "明白了", "OK", "Got it."),
}
FACTS = (
    "TM-20 主机的保修期是多久？", "婚假有多少天？", "《你的名字》是什么？", "“你好”用英文怎么说？", "谁负责审批？", "帮助中心的电话是多少？",
    "How long is the warranty?", "Who are the founders?", "What can the TM-20 do?", "What does “thank you” cost?",
    "Who are you allowed to call after 18:00?", "help desk phone number", "Is a good morning call free?", "What is Attest?",
)  # fmt: skip
ROUTES = {
    Route.SEARCH: ("TM-20 的保修期是多久？", "谁批准差旅费？", "How long is the warranty?", "When was the 2.0 release?"),
    Route.HOPS: (
        "TM-20 和 TM-30 的保修期分别是多久？", "比较 TM-20 与 TM-30 的重量", "Compare the TM-20 and the TM-30.",
        "Who is the director of the company that makes the TM-20?", "生产 TM-20 的公司的法人是谁？",
    ),
    Route.RELATED: (
        "张伟和华盛精工有什么关系？", "请问張偉與TM-20L之間是什麼關係", "How are Acme and the TM-20 related?", "What does Acme have to do with Oslo?",
        "Are there any ties between Acme and Oslo?", "What is the relationship between Acme and the Pope?",
    ),
    Route.TABLE: ("各地区的销售额合计是多少？", "哪个城市的销量最高？", "What is the average price?", "Which city sold the most units?"),
    Route.TOOL: ("12*3 等于多少？", "计算 300 的 15%", "What is 15% of 300?", "Convert 3 miles to km"),
    Route.RESEARCH: ("写一份关于保修政策的报告", "请全面梳理公司的休假制度", "Write a report on our warranty terms", "Give me a comprehensive overview of leave."),
}  # fmt: skip
EVERY = [(kind, words) for kind, said in SMALL_TALK.items() for words in said]


@pytest.mark.parametrize(("kind", "words"), EVERY)
def test_small_talk_is_known_for_what_it_says(kind, words):
    assert small_talk_of(words) is kind and classify(words).route is Route.CHAT


@pytest.mark.parametrize("fact", FACTS)
def test_a_question_of_fact_is_no_small_talk_whatever_greeting_stands_around_it(fact):
    assert classify(fact).route is not Route.CHAT
    for _, words in EVERY:
        assert classify(f"{words} {fact}").route is not Route.CHAT, words
        assert classify(f"{fact} {words}").route is not Route.CHAT, words


@pytest.mark.parametrize(("route", "question"), [(r, q) for r, asked in ROUTES.items() for q in asked])
def test_routes(route, question):
    choice = classify(question)
    assert choice.route is route and choice.why


@pytest.mark.parametrize(
    "question",
    [
        "Who built the link between Acme and Oslo?", "When was the connection between A and B made?", "How are Acme and Oslo connected by rail?",
        "How are Acme and Oslo related, and who founded Acme?", "张伟和华盛精工的关系从哪一年开始？", "谁负责和华盛精工之间的联系？", "员工和公司有关系时怎么办？",
    ],
)  # fmt: skip
def test_what_asks_for_more_than_how_two_things_are_related_is_searched(question):
    assert classify(question).route is not Route.RELATED


@pytest.mark.parametrize(
    "question",
    [
        "谁负责写年度报告？", "出差报告多久内提交？", "出具检测报告需要几天？", "如何生成检测报告？", "系统分析师的工资是多少", "写报告要多久？",
        "Who has to make the annual report?", "How do I create a report on the TM-20?", "What research on batteries was done?",
        "Does the TM-20 give a detailed report?", "Do we make a report on each visit?",
    ],
)  # fmt: skip
def test_a_question_of_fact_about_a_report_asks_for_none(question):
    assert classify(question).route is not Route.RESEARCH


@pytest.mark.parametrize(
    "request_",
    [
        "写一份关于如何申请年假的报告", "能写一份关于保修的报告吗？", "给出一份价格调研报告，包括价格和重量", "详细介绍一下 TM-20 的校准", "请全面梳理公司有哪些福利",
        "Can you write a report on leave?", "Could you prepare a survey of prices?", "Do an in-depth analysis of our leave rules.",
        "I need a comprehensive overview of who approves what.",
    ],
)  # fmt: skip
def test_who_wants_a_report_gets_one_however_they_put_it(request_):
    assert classify(request_).route is Route.RESEARCH


@given(
    st.lists(st.sampled_from([words for _, words in EVERY]), max_size=2),
    st.one_of(
        st.text("bcdfgjklmnpqrvxz0123456789", min_size=2, max_size=12),
        st.text("保修期合同价格部门产品发票电池天月年元", min_size=2, max_size=8),
    ),
    st.sampled_from(["", " ", "，", ", ", "。", "\n"]),
    st.booleans(),
)
def test_one_word_more_than_small_talk_is_a_question(said, word, mark, is_first):
    parts = [word, *said] if is_first else [*said, word]
    assert small_talk_of(mark.join(parts)) is None


@given(st.text(max_size=120))
def test_every_text_has_a_way(text):
    assert classify(text).route in Route


def test_there_is_a_reply_to_everything_in_both_languages():
    assert all(set(replies) == set(SmallTalk) for replies in REPLIES.values())


SETS = ("cmrc2018", "drcd", "xquad", "squad2_zh", "rgb", "clapnq", "tatqa", "fetaqa", "imtqa_zh")


def test_no_question_of_the_public_sets_is_small_talk():
    folder = os.environ.get("ATTEST_EVAL_DATA")
    if not folder:
        pytest.skip("the public question sets are absent: set ATTEST_EVAL_DATA")
    asked = {q for name in SETS for path in sorted(Path(folder, name).glob("*.json*")) for q in _questions(path)}
    assert len(asked) > 5000
    assert [q for q in asked if small_talk_of(q)] == []


def _questions(path: Path) -> Iterator[str]:
    text = path.read_text(encoding="utf-8")
    waiting = [json.loads(line) for line in text.splitlines()] if path.suffix == ".jsonl" else [json.loads(text)]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            yield from (value[key] for key in ("question", "query") if isinstance(value.get(key), str))
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
