"""related: how two things are related is told by the way from one to the other in the graph of entities.

No passage alone may say it, so the gate would let none through; but each sentence of the way names both its
ends. They are quoted word for word, in the order of the way, and nobody adds a word. Knows the way; knows
nothing of how it is found.
"""

import asyncio
import re
from collections.abc import Sequence

from langgraph.runtime import Runtime

from agents.answering import AnswerWork
from agents.binding import BoundSpan
from agents.context import AskContext
from agents.drafting import DraftChecker
from agents.events import Retrieved, StatusChanged
from agents.gathering import find_hostile
from agents.records import excerpt_record, read_scope
from agents.routing import Route
from agents.state import AskState
from core.text import normalise
from core.types import Hit, Stage
from retrieval.evidence import Excerpt
from retrieval.graph.ways import Link
from retrieval.pieces import split_pieces

MOST_DIRECT = 2
"""Sentences that are quoted where one link leads from one thing to the other; over a third thing each link
is told by one."""
# A question that a document asks tells nothing; its answer need not speak of both.
_ASKS = re.compile(r"[?？][”’」』）)\"'\s]*$")


async def related(state: AskState, runtime: Runtime[AskContext]) -> dict:
    """Sets `outcome`, `evidence`, `hostile` and `route`; nothing where no way leads from one thing to the
    other, or a link of it may not be quoted."""
    context, question = runtime.context, state["queries"][0]
    runtime.stream_writer(StatusChanged("searching", question))
    way = await asyncio.to_thread(context.retriever.find_way, question, read_scope(state))
    if not way:
        return {}
    hits = _hits(way)
    found = {
        "evidence": [excerpt_record(_whole(hit)) for hit in hits],
        "hostile": await find_hostile(context, question, hits),
    }
    work = AnswerWork({**state, **found}, runtime)
    await work.open_evidence()
    quotes = choose_quotes(way, work.checker)
    if not quotes:
        return {}
    runtime.stream_writer(Retrieved(tuple(hits), tuple(state["queries"]), ()))
    work.is_extracted = True
    for bound in quotes:
        work.release(work.checker.quote(bound))
    return {**found, **work.update(Route.RELATED.value), "route": Route.RELATED.value}


def choose_quotes(way: Sequence[Link], checker: DraftChecker) -> list[BoundSpan]:
    """The sentences that tell each link, in the order of the way, each once however many documents hold
    it; none where a link cannot be told."""
    most = MOST_DIRECT if len(way) == 1 else 1
    chosen: dict[str, BoundSpan] = {}
    for link in way:
        told: dict[str, BoundSpan] = {}
        for evidence in link.evidence:
            bound = checker.quotable(evidence.chunk.id, evidence.start, evidence.end)
            if bound and not _ASKS.search(bound.quote):
                told.setdefault(normalise(bound.quote), bound)
        if not told:
            return []
        for words in list(told)[:most]:
            chosen.setdefault(words, told[words])
    return list(chosen.values())


def _hits(way: Sequence[Link]) -> list[Hit]:
    """The passages of the way, in its order."""
    chunks = {evidence.chunk.id: evidence.chunk for link in way for evidence in link.evidence}
    stage = Stage.GRAPH
    return [Hit(chunk, 1.0, stage, {stage.value: at}) for at, chunk in enumerate(chunks.values(), start=1)]


def _whole(hit: Hit) -> Excerpt:
    return Excerpt(hit, tuple(piece.span for piece in split_pieces(hit.chunk.text)))
