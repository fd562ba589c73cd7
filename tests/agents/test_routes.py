"""Small talk, and routes that have a node of their own, through the whole graph."""

import pytest

from agents.graph import build_graph
from agents.routing import Route
from agents.small_talk import REPLIES, SmallTalk
from core.types import Status
from tests.agents.doubles import ScriptedChat
from tests.agents.test_graph import GOOD, QUESTION, OneShelf, events_of, open_agent  # noqa: F401

pytestmark = pytest.mark.anyio
OUTCOME = {
    "status": "answered", "text": "36", "sentences": [], "citations": [], "withheld": [],
    "usage": {"prompt_tokens": 0, "completion_tokens": 0, "model_calls": 0},
}  # fmt: skip


@pytest.mark.parametrize(("said", "words"), [("您好，你是谁？", "我是 Attest"), ("Thanks a lot!", "You are welcome")])
async def test_small_talk_is_answered_in_its_language_without_search_or_model(open_agent, said, words):  # noqa: F811
    chat, shelf = ScriptedChat(), OneShelf()
    answer = (await events_of(await open_agent(chat, shelf), said))[-1].answer
    assert (answer.route, answer.status, answer.citations) == ("chat", Status.ANSWERED, ())
    assert answer.text.startswith(words) and chat.asked == [] and shelf.queries == []


async def test_a_follow_up_behind_small_talk_goes_on_from_the_question_before_it(open_agent):  # noqa: F811
    shelf = OneShelf()
    asker = await open_agent(ScriptedChat(GOOD, "电池的保修期为 6 个月。[1]"), shelf)
    for said in (QUESTION, "好的，谢谢", "那电池呢？"):
        await events_of(asker, said)
    assert [q for q, _ in shelf.queries] == [QUESTION, f"{QUESTION} 那电池呢？"]


@pytest.mark.parametrize(("leaves", "route"), [({"outcome": OUTCOME, "route": "tool"}, "tool"), ({}, "search")])
async def test_a_route_has_its_own_node_and_is_searched_where_that_led_nowhere(open_agent, leaves, route):  # noqa: F811
    async def counted(state, runtime):
        return leaves

    shelf = OneShelf()
    asker = await open_agent(ScriptedChat(GOOD), shelf)
    asker._graph = build_graph(asker._graph.checkpointer, {Route.TOOL: counted})
    answer = (await events_of(asker, "计算 12*3"))[-1].answer
    assert answer.route == route and bool(shelf.queries) is (route == "search")
    assert (answer.text == "36") is (route == "tool")


async def test_what_one_turn_could_not_find_is_not_missing_in_the_next(open_agent):  # noqa: F811
    async def half(state, runtime):
        return {"outcome": OUTCOME, "route": "tool", "missing": ["望远镜"]}

    asker = await open_agent(ScriptedChat(), OneShelf())
    asker._graph = build_graph(asker._graph.checkpointer, {Route.TOOL: half})
    first, second = [(await events_of(asker, said))[-1].answer for said in ("计算 12*3", "谢谢")]
    assert first.status is Status.PARTIAL and "望远镜" in first.text
    assert (second.status, second.text) == (Status.ANSWERED, REPLIES["zh"][SmallTalk.THANKS])
