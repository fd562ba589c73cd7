"""Turns that are taken up again: what was asked, whether a report was begun already, what it took so far.

Knows what the graph has stored of a thread; knows nothing of events or of who may go on.
"""

import time
from typing import Any

from langgraph.constants import START

from agents.asking import Ask, Effort, Guidance
from agents.checkpoints import ASKED
from agents.graph import FREE
from agents.policy import Policy
from agents.records import read_scope
from agents.report import usage_of
from agents.routing import Route
from core.types import Usage

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
