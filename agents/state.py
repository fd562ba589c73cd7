"""What the graph carries from node to node and keeps between turns: plain values only."""

from typing import Annotated, TypedDict

REMEMBERED_TURNS = 20


def remember(turns: list[dict], new: list[dict]) -> list[dict]:
    """The session's turns with the new ones behind them, the oldest forgotten."""
    return [*(turns or []), *new][-REMEMBERED_TURNS:]


class AskState(TypedDict, total=False):
    """One question on its way. `turns` alone grows over the session. `passage` is hypothetical: it is
    searched with and shown to nobody; `spent` is what was asked of the chat model before the
    answer; `notes` say how the search was made; `route` is which way the answer came about;
    `answering` is the probability by chunk that it holds the answer; `refusal` why the question is not
    answered at all; `hostile` are documents that give orders to a model."""

    session_id: str
    question: str
    collection: str
    readers: list[str]
    effort: str
    policy: str
    started: float
    route: str
    refusal: str
    language: str
    queries: list[str]
    passage: str
    notes: list[str]
    spent: dict[str, int]
    evidence: list[dict]
    hostile: list[str]
    signals: dict[str, float]
    answering: dict[str, float]
    timings_ms: dict[str, float]
    outcome: dict
    turns: Annotated[list[dict], remember]
