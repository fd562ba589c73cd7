"""hops: a question of several parts is searched for part by part, and the evidence joined.

Rules took it apart, or the model (agents/planner.py). Parts side by side share the budget. Of one that
describes a thing instead of naming it the thing is looked for first, and what the evidence names goes into
the second search. Knows how questions come apart; knows nothing of drafts.
"""

import asyncio
import time
from collections.abc import Sequence

from langgraph.runtime import Runtime

from agents.asking import BUDGETS, Budget, Effort
from agents.bridging import find_entity
from agents.context import AskContext
from agents.decompose import Parts, decompose
from agents.events import Retrieved, StatusChanged
from agents.gathering import SEVERAL_FACTS, Found, find, find_hostile
from agents.guards.outgoing import strip_links
from agents.guards.speech_to_models import Speech, speech_of
from agents.keywords import segments
from agents.records import excerpt_record, parts_record, read_parts, read_scope
from agents.routing import Route
from agents.state import AskState
from core.text import Span
from core.types import Scope
from retrieval.evidence import CutLimits, Excerpt


async def hops(state: AskState, runtime: Runtime[AskContext]) -> dict:
    """Sets `evidence` of all parts within one budget, `apart`, `parts`, `missing` (parts whose evidence is
    too thin), `found`, `signals` and `answering`; nothing where the question does not come apart."""
    context, budget = runtime.context, BUDGETS[Effort(state["effort"])]
    parts = read_parts(state.get("apart", {})) or decompose(state["queries"][0], budget.hops)
    if parts is None:
        return {}
    begun = time.perf_counter()
    chunks = max(1, round(context.retrieval.evidence_chunks * budget.evidence))
    found = await _search(parts, chunks, read_scope(state), runtime)
    if found is None:
        return {}
    excerpts = await _cut(context, budget, found)
    asked = [one.question for one in found]
    hits = [hit for one in found for hit in one.hits]
    notes = tuple(dict.fromkeys([*state["notes"], *(note for one in found for note in one.notes)]))
    runtime.stream_writer(Retrieved(tuple(excerpt.hit for excerpt in excerpts), tuple(asked), notes))
    answering: dict[str, float] = {}
    for one in found:
        for chunk, share in one.sufficiency.answering.items():
            answering[chunk] = max(share, answering.get(chunk, 0.0))
    sufficient_at = context.guards.sufficient_at
    thin = [one.question for one in found if one.sufficiency.score < sufficient_at and _asks(one.question)]
    return {
        "route": Route.HOPS.value,
        "queries": [state["queries"][0], *asked],
        "apart": parts_record(parts),
        "parts": asked,
        "missing": [] if parts.then else thin,
        "found": [[hit.chunk.id for hit in one.to_the_point] for one in found],
        "evidence": [excerpt_record(excerpt) for excerpt in excerpts],
        "hostile": await find_hostile(context, state["queries"][0], hits),
        "signals": {**found[0].signals, "sufficiency": await _sufficiency(state, parts, found, context)},
        "answering": answering,
        "timings_ms": {**state["timings_ms"], "hops": round((time.perf_counter() - begun) * 1000, 1)},
    }


async def _search(
    parts: Parts, chunks: int, scope: Scope, runtime: Runtime[AskContext]
) -> list[Found] | None:
    """What each part finds; None when a thing that is only described is not found."""
    context = runtime.context
    runtime.stream_writer(StatusChanged("searching", " · ".join(parts.questions)))
    found = [await find(context, [question], scope, chunks) for question in parts.questions]
    if not parts.then:
        return found
    first = found[0]
    if first.sufficiency.score < context.guards.sufficient_at:
        return None
    limits = CutLimits(context.retrieval.evidence_tokens, chunks)
    excerpts = await asyncio.to_thread(context.cutter.cut, first.question, first.to_the_point, limits)
    hostile = await find_hostile(context, first.question, first.hits)
    texts = [excerpt.text for excerpt in excerpts if excerpt.chunk.document_id not in hostile]
    named = find_entity(first.question, texts)
    # The user reads what was searched for, and nobody has checked these words of a document.
    named = "" if speech_of(named) is Speech.ORDER else strip_links(named, "")[0].strip()
    if not named:
        return None
    second = parts.then.replace("{}", named)
    runtime.stream_writer(StatusChanged("searching", second))
    return [first, await find(context, [second], scope, chunks)]


async def _sufficiency(state: AskState, parts: Parts, found: Sequence[Found], context: AskContext) -> float:
    """That of the last of a chain, of the best of those side by side; where no part says much by itself,
    as in "compare A and B", that of the whole question."""
    score = found[-1].sufficiency.score if parts.then else max(one.sufficiency.score for one in found)
    if parts.then or score >= context.guards.sufficient_at:
        return score
    chunks = {hit.chunk.id: hit.chunk for one in found for hit in one.hits}
    whole = await asyncio.to_thread(context.gate.read, state["queries"][0], list(chunks.values()))
    return max(score, whole.score)


def _asks(part: str) -> bool:
    """A bare name asks for nothing that could be missing."""
    return len(segments(part)) > 1


async def _cut(context: AskContext, budget: Budget, found: Sequence[Found]) -> list[Excerpt]:
    """Each part's share of the evidence, the parts in their order, a chunk once."""
    share = budget.evidence * SEVERAL_FACTS / len(found)
    chunks = max(1, round(context.retrieval.evidence_chunks * share))
    limits = CutLimits(context.retrieval.evidence_tokens * share, chunks)
    joined: dict[str, Excerpt] = {}
    for one in found:
        for excerpt in await asyncio.to_thread(context.cutter.cut, one.question, one.to_the_point, limits):
            known = joined.get(excerpt.chunk.id)
            spans = excerpt.spans if known is None else union((*known.spans, *excerpt.spans))
            joined[excerpt.chunk.id] = Excerpt((known or excerpt).hit, spans)
    return list(joined.values())


def union(spans: Sequence[Span]) -> tuple[Span, ...]:
    """The spans in order, those that overlap as one."""
    merged: list[Span] = []
    for span in sorted(spans, key=lambda span: (span.start, span.end)):
        if merged and span.start < merged[-1].end:
            merged[-1] = Span(merged[-1].start, max(merged[-1].end, span.end))
        else:
            merged.append(span)
    return tuple(merged)
