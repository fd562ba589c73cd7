"""Turns that are taken up again: what was asked, whether a report was begun already, what it took so far.

Knows what the graph has stored of a thread; knows nothing of events or of who may go on.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from langgraph.constants import START

from agents.asking import Ask, Effort, Guidance
from agents.checkpoints import ASKED
from agents.graph import FREE
from agents.nodes.finish import made_answer
from agents.policy import Policy
from agents.records import read_scope
from agents.report import usage_of
from agents.routing import Route
from agents.sessions import SessionIndex, thread_id
from core.errors import ConflictError, NotFoundError
from core.types import Answer, Status, Usage

SAME_RUN = ("question", "collection", "readers", "effort", "policy", "wishes", "wished_language")
WITHIN_S = 3600.0
"""What was noted longer ago may no longer stand in the documents."""


async def standing(graph, config: dict) -> tuple[Any, dict]:
    """The snapshot of a thread, and its state with what was asked last: before the first step is written
    the question lies beside the state of the turn before."""
    snapshot = await graph.aget_state(config)
    saved = await graph.checkpointer.aget_tuple(config)
    asked = saved.checkpoint["channel_values"].get(ASKED, {}) if saved else {}
    return snapshot, {**snapshot.values, **asked}


async def is_begun(graph, state: dict, config: dict) -> bool:
    """Whether the same report ended in its middle, with the process: then it goes on from its last step."""
    if state["effort"] != Effort.DEEP.value:
        return False
    snapshot, former = await standing(graph, config)
    is_same = all(former.get(name) == state.get(name) for name in SAME_RUN)
    is_young = time.time() - former.get("started", 0.0) < WITHIN_S
    return bool(snapshot.tasks) and former.get("route") == Route.RESEARCH and is_same and is_young


async def spent_before(graph, config: dict) -> Usage:
    """What an unfinished turn took before its answer: its plan, and the notes of a report, those too that are
    not yet part of the state."""
    snapshot = await graph.aget_state(config)
    if any(task.name in (START, *FREE) for task in snapshot.tasks):
        return Usage()  # what is stored is of the turn before
    noted = dict(snapshot.values.get("noted", {}))
    for task in snapshot.tasks:
        noted |= (task.result or {}).get("noted", {})
    return Usage(**snapshot.values.get("spent", {})).plus(usage_of(list(noted.values())))


async def stored_answer(
    graph, sessions: SessionIndex, place: tuple[str, str, str], check: Callable[[Ask], object]
) -> Answer:
    """The answer of the latest turn of a session, which is over; `place` is owner, session and the id of
    the answer. `check` raises where the caller may not have it.

    Raises:
        NotFoundError: the owner has no such session, or it has gone on since.
        ConflictError: the turn is not at its end: it was broken off, or waits for an approval.
    """
    owner, session_id, run = place
    _, state = await standing(graph, {"configurable": {"thread_id": thread_id(owner, session_id)}})
    if state.get("run") != run:
        raise NotFoundError(f"the session {session_id!r} has no such turn, or has gone on")
    check(ask_of(state, owner, ""))
    turns = await asyncio.to_thread(sessions.turns, owner, session_id)
    told = next((turn for turn in turns if turn.id == run and turn.status is not Status.WAITING), None)
    if told is None:
        raise ConflictError(
            f"the turn of the session {session_id!r} was broken off, or waits for an approval",
            remedy=f"send: POST /v1/sessions/{session_id}/resume; or see GET /v1/approvals",
        )
    answer = made_answer(state)
    # When it was over is not part of the state, nor which limit ended it.
    timings = {name: ms for name, ms in answer.timings_ms.items() if name != "total"}
    return replace(answer, text=told.answer, status=told.status, timings_ms=timings)


def ask_of(state: dict, owner: str, role: str) -> Ask:
    """The question of a turn that is taken up again, asked by whoever its owner is now."""
    return Ask(
        question=state["question"],
        scope=read_scope(state),
        owner=owner,
        session_id=state["session_id"],
        effort=Effort(state["effort"]),
        policy=Policy(state["policy"]),
        guidance=Guidance(state["assistant"]),
        role=role,
    )
