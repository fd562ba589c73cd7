"""gather: the evidence for the planned queries, within a token budget.

Knows the retriever; knows nothing of drafts.
"""

import asyncio
import time

from langgraph.runtime import Runtime

from agents.asking import BUDGETS, Effort
from agents.context import AskContext
from agents.events import Retrieved, StatusChanged
from agents.gathering import SEVERAL_FACTS, find, find_hostile
from agents.records import excerpt_record, read_scope
from agents.routing import Route
from agents.several_facts import asks_several_facts
from agents.state import AskState
from retrieval.evidence import CutLimits


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
    found = await find(context, queries, read_scope(state), limit, state["passage"])
    limits = CutLimits(context.retrieval.evidence_tokens * factor, limit)
    kept = found.hits if several else found.to_the_point
    begun = time.perf_counter()
    excerpts = await asyncio.to_thread(context.cutter.cut, queries[0], kept, limits)
    hostile = await find_hostile(context, queries[0], found.hits)
    notes = tuple(dict.fromkeys([*state["notes"], *found.notes]))
    runtime.stream_writer(Retrieved(tuple(excerpt.hit for excerpt in excerpts), tuple(queries), notes))
    cut_ms = round((time.perf_counter() - begun) * 1000, 1)
    return {
        "route": Route.SEARCH.value,
        "evidence": [excerpt_record(excerpt) for excerpt in excerpts],
        "hostile": hostile,
        "signals": {**found.signals, "sufficiency": found.sufficiency.score},
        "answering": dict(found.sufficiency.answering),
        "timings_ms": {**state["timings_ms"], **found.timings_ms, "cut": cut_ms},
    }
