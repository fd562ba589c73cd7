"""Which questions refer back, by rule."""

import pytest

from agents.follow_ups import refers_back, standalone_query
from agents.keywords import segment_cover, segments
from agents.memory.background import Background
from agents.routing import Route, classify
from core.types import Status, Turn


@pytest.mark.parametrize(
    "question", ["那电池呢？", "它的重量是多少？", "其价格是多少？", "What about the battery?", "How heavy is it?"]
)
def test_questions_that_refer_back(question):
    assert refers_back(question)
    assert standalone_query(question, ["TM-20 的保修期？"]).startswith("TM-20")
    assert standalone_query(question, []) == question


@pytest.mark.parametrize(
    "question",
    ["TM-20 的保修期是多久？", "其他产品的价格是多少？", "Which items may be claimed?", "公司有多少员工？"],
)
def test_questions_that_stand_alone(question):
    assert not refers_back(question)


def test_a_chain_of_follow_ups_is_about_the_question_that_stands_alone():
    earlier = ["TM-20 的保修期？", "食堂几点开门？", "那周末呢？"]
    assert standalone_query("那节假日呢？", earlier) == "食堂几点开门？ 那节假日呢？"
    assert standalone_query("那节假日呢？", ["那周末呢？"]) == "那周末呢？ 那节假日呢？"


def test_segments_are_the_content_words():
    assert segments("公司员工的婚假有多少天？") == ["公司员工", "婚假"]
    assert segments("What is the list price of the FS-80?") == ["list", "price", "fs-80"]
    assert segments("？") == []


def test_cover_tells_which_part_of_the_question_a_text_speaks_of():
    covers = segment_cover("公司员工的婚假有多少天？", "公司员工的年假为 10 天。")
    assert covers[0] == 1.0 and covers[1] == 0.0


@pytest.mark.parametrize("between", ["/calculate 1+1", "谢谢", "/note a\n/note b"])
def test_a_follow_up_goes_on_from_what_was_asked_of_the_documents(between):
    asked = ["TM-20 的保修期？", between]
    background = Background(tuple(Turn(question, "", Status.ANSWERED) for question in asked))
    query = standalone_query("那电池呢？", background.questions)
    assert query == "TM-20 的保修期？ 那电池呢？" and classify(query).route is Route.SEARCH
