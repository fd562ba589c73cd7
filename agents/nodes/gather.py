"""gather: the evidence for the planned queries, within a token budget.

Knows the retriever; knows nothing of drafts.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence

from langgraph.runtime import Runtime

from agents.asking import BUDGETS, Effort
from agents.context import AskContext
from agents.events import Retrieved, StatusChanged
from agents.records import excerpt_record, read_scope
from agents.routing import Route
from agents.several_facts import asks_several_facts
from agents.state import AskState
from core.types import Hit
from retrieval.copies import drop_copies
from retrieval.evidence import CutLimits

CANDIDATES_PER_CHUNK = 2
"""So many chunks are read for each that may be shown."""
BESIDE_THE_POINT = 0.1
"""A chunk whose probability to answer is less than this share of the best one's is not shown: it only
leads a small model astray, and costs tokens."""
SEVERAL_FACTS = 1.5
"""So much more evidence may be shown when a question asks for more than one fact."""


async def gather(state: AskState, runtime: Runtime[AskContext]) -> dict:
    """Sets `evidence` (excerpts, best chunk first, at most what the budget holds), `signals`,
    `answering` and `route`: whatever was chosen, this is the search."""
    context = runtime.context
    queries = state["queries"]
    runtime.stream_writer(StatusChanged("searching", " · ".join(queries)))
    factor = BUDGETS[Effort(state["effort"])].evidence
    several = asks_several_facts(queries[0])
    factor *= SEVERAL_FACTS if several else 1
    limit = max(1, round(context.retrieval.evidence_chunks * factor))
    scope, wanted = read_scope(state), limit * CANDIDATES_PER_CHUNK
    passage = {"passage": state["passage"]} if state["passage"].strip() else {}
    results = [
        await asyncio.to_thread(context.retriever.search, query, scope, wanted, **passage)
        for query in queries
    ]
    hits = drop_copies(_merge([result.hits for result in results]))
    limits = CutLimits(context.retrieval.evidence_tokens * factor, limit)
    begun = time.perf_counter()
    sufficiency = await asyncio.to_thread(context.gate.read, queries[0], [hit.chunk for hit in hits])
    read = time.perf_counter()
    kept = hits if several else drop_beside_the_point(hits, sufficiency.answering)
    excerpts = await asyncio.to_thread(context.cutter.cut, queries[0], kept, limits)
    # Told by all that was found: the cut leaves an attack out, and its company in.
    found = [hit.chunk for hit in hits] if context.guards.screen else []
    hostile = await asyncio.to_thread(context.screen.find_hostile, queries[0], found)
    notes = tuple(dict.fromkeys([*state["notes"], *(note for r in results for note in r.notes)]))
    runtime.stream_writer(Retrieved(tuple(excerpt.hit for excerpt in excerpts), tuple(queries), notes))
    timings = {
        "retrieve": round(sum(sum(r.timings_ms.values()) for r in results), 1),
        "gate": round((read - begun) * 1000, 1),
        "cut": round((time.perf_counter() - read) * 1000, 1),
    }
    return {
        "route": Route.SEARCH.value,
        "evidence": [excerpt_record(excerpt) for excerpt in excerpts],
        "hostile": sorted(hostile),
        "signals": {**results[0].signals, "sufficiency": sufficiency.score},
        "answering": dict(sufficiency.answering),
        "timings_ms": {**state["timings_ms"], **timings},
    }


def drop_beside_the_point(hits: Sequence[Hit], answering: Mapping[str, float]) -> list[Hit]:
    """The hits without those that hardly answer where another one does; the best always stays."""
    least = BESIDE_THE_POINT * max(answering.values(), default=0.0)
    return [hit for hit in hits if answering[hit.chunk.id] >= least]


def _merge(lists: Sequence[Sequence[Hit]]) -> list[Hit]:
    """Hits of several queries, each chunk once with its best score."""
    best: dict[str, Hit] = {}
    for hit in (hit for hits in lists for hit in hits):
        if hit.chunk.id not in best or hit.score > best[hit.chunk.id].score:
            best[hit.chunk.id] = hit
    return sorted(best.values(), key=lambda hit: -hit.score)
