"""gather: the evidence for the planned queries, within a token budget.

Knows the retriever; knows nothing of drafts.
"""

import asyncio
from collections.abc import Sequence

from langgraph.runtime import Runtime

from agents.asking import BUDGETS, Effort
from agents.context import AskContext
from agents.events import Retrieved, StatusChanged
from agents.records import hit_record, read_scope
from agents.state import AskState
from core.types import Hit

CHARS_PER_TOKEN = {"zh": 1.5, "en": 4.0}
WEAK_SHARE = 0.8


async def gather(state: AskState, runtime: Runtime[AskContext]) -> dict:
    """Sets `evidence` (best first, at most what the budget holds) and `signals`."""
    context = runtime.context
    queries = state["queries"]
    runtime.stream_writer(StatusChanged("searching", " · ".join(queries)))
    factor = BUDGETS[Effort(state["effort"])].evidence
    limit = max(1, round(context.retrieval.evidence_chunks * factor))
    results = [
        await asyncio.to_thread(context.retriever.search, query, read_scope(state), limit * 2)
        for query in queries
    ]
    hits = _merge([result.hits for result in results])
    chosen = fit_budget(hits, limit, round(context.retrieval.evidence_tokens * factor))
    score = await asyncio.to_thread(
        context.gate.score, queries[0], [hit.chunk for hit in chosen]
    )
    runtime.stream_writer(Retrieved(tuple(chosen), tuple(queries)))
    timings = {"retrieve": round(sum(sum(r.timings_ms.values()) for r in results), 1)}
    return {
        "evidence": [hit_record(hit) for hit in chosen],
        "signals": {**results[0].signals, "sufficiency": score},
        "timings_ms": {**state["timings_ms"], **timings},
    }


def fit_budget(hits: Sequence[Hit], max_chunks: int, max_tokens: int) -> list[Hit]:
    """The best hits whose text fits; the first always. A chunk that is far behind the first
    is left out: it costs reading time and misleads a small model."""
    chosen: list[Hit] = []
    spent = 0.0
    for hit in hits[:max_chunks]:
        size = count_roughly(hit.chunk.text)
        if chosen and (spent + size > max_tokens or hit.score < WEAK_SHARE * chosen[0].score):
            continue
        chosen.append(hit)
        spent += size
    return chosen


def count_roughly(text: str) -> float:
    """Tokens of a text for budgeting: a Chinese character is about two thirds of a token, a
    Latin one a quarter."""
    wide = sum(1 for char in text if ord(char) > 0x2E80)
    return wide / CHARS_PER_TOKEN["zh"] + (len(text) - wide) / CHARS_PER_TOKEN["en"]


def _merge(lists: Sequence[Sequence[Hit]]) -> list[Hit]:
    """Hits of several queries, each chunk once with its best score."""
    best: dict[str, Hit] = {}
    for hit in (hit for hits in lists for hit in hits):
        if hit.chunk.id not in best or hit.score > best[hit.chunk.id].score:
            best[hit.chunk.id] = hit
    return sorted(best.values(), key=lambda hit: -hit.score)
