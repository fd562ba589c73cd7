"""What the graph carries from node to node and keeps between turns: plain values only.

The turns of a session are not among them (agents/sessions.py): each step writes all of this anew.
"""

from typing import Annotated, TypedDict


def add_notes(noted: dict[str, dict], new: dict[str, dict]) -> dict[str, dict]:
    """Notes of sections that were written beside each other; an empty one begins anew."""
    return {**noted, **new} if new else {}


class AskState(TypedDict, total=False):
    """One question on its way. `run` is its id and that of its answer, `thread` that of the session;
    `steps` are calls of tools, `done` what those made so far gave. `memory` is the strategy of the session,
    empty: that of the settings; `recalled` is what of the conversation and of the user's facts the model is
    told; `assistant` is that of the session, `wishes` what it and the user want of answers,
    `wished_language` the language of them, `allowed_tools` those that the assistant may use (None: all).
    `passage` is hypothetical: it is searched with and shown to nobody; `spent` is what was asked of the chat
    model before the answer; `notes` say how the search was made; `route` is which way the answer came about
    (agents/routing.py), `why` the rule that chose it; `answering` is the probability by chunk that it holds
    the answer; `apart` is how the question was taken apart (`questions`, and `then` of a chain), `parts` are
    the questions that it is made of, `found` the chunks that may answer each of them, `missing` those that
    the library has nothing for; of a report `topic`,
    `sections`, and what is `noted` for each, `number` being the one in hand; `refusal` why the question is
    not answered at all; `hostile` are documents that give orders to a model."""

    run: str
    thread: str
    session_id: str
    question: str
    collection: str
    readers: list[str]
    effort: str
    policy: str
    started: float
    route: str
    why: str
    refusal: str
    memory: str
    recalled: str
    assistant: str
    wishes: str
    wished_language: str
    allowed_tools: list[str] | None
    language: str
    queries: list[str]
    apart: dict
    parts: list[str]
    missing: list[str]
    found: list[list[str]]
    topic: str
    sections: list[dict]
    number: int
    noted: Annotated[dict[str, dict], add_notes]
    passage: str
    notes: list[str]
    spent: dict[str, int]
    evidence: list[dict]
    hostile: list[str]
    signals: dict[str, float]
    answering: dict[str, float]
    timings_ms: dict[str, float]
    steps: list[dict]
    done: list[dict]
    outcome: dict
