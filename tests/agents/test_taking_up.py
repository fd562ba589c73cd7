"""A turn that was killed before its first step was written is taken up as itself."""

import asyncio
import threading
from dataclasses import replace

import pytest

from agents.sessions import thread_id
from core.errors import TamperedError
from tests.agents.doubles import ScriptedChat
from tests.agents.test_graph import GOOD, QUESTION, OneShelf, events_of
from tests.agents.test_tool_route import opened  # noqa: F401

pytestmark = pytest.mark.anyio


class Blocked:
    """Recalls nothing, and takes its time."""

    strategies = None

    def __init__(self) -> None:
        self.begun, self.go = threading.Event(), threading.Event()

    def recall(self, *asked):
        self.begun.set()
        self.go.wait(120)
        return ""


@pytest.mark.parametrize("is_first", [True, False])
async def test_a_turn_that_died_while_it_was_planned_goes_on_as_what_was_asked(opened, is_first):  # noqa: F811
    asker = await opened(chat=ScriptedChat(GOOD, GOOD), shelf=OneShelf())
    if not is_first:
        await events_of(asker, "What is 1+1?")
    blocked = Blocked()
    asker._context = replace(asker._context, recaller=blocked)
    dying = asyncio.create_task(events_of(asker, QUESTION))
    await asyncio.to_thread(blocked.begun.wait, 30)
    asker._turns.close()  # as the death of its process does
    other = await opened(chat=ScriptedChat(GOOD, GOOD), shelf=OneShelf())
    checked = []
    events = [event async for event in other.resume("ann", "s", "reader", checked.append)]
    assert events[-1].answer.text.startswith("TM-20 主机的保修期为 18 个月。")
    last = (await other.history("ann", "s"))[-1]
    assert last.question == QUESTION and len(checked) == 1
    blocked.go.set()
    await dying


async def test_what_another_session_was_asked_is_not_taken_up(opened, tmp_path):  # noqa: F811
    asker = await opened(chat=ScriptedChat(GOOD), shelf=OneShelf())
    blocked = Blocked()
    asker._context = replace(asker._context, recaller=blocked)
    dying = asyncio.create_task(events_of(asker, QUESTION))
    await asyncio.to_thread(blocked.begun.wait, 30)
    saver, mine = asker._graph.checkpointer, thread_id("ann", "s")
    with saver.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE checkpoints SET thread_id = ? WHERE thread_id = ?", (thread_id("eve", "t"), mine)
        )
    with pytest.raises(TamperedError):
        await saver.aget_tuple({"configurable": {"thread_id": thread_id("eve", "t"), "checkpoint_ns": ""}})
    blocked.go.set()
    await dying
