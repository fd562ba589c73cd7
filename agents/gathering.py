"""What the library holds for one question: searched, near-copies dropped, and read beside it.

The step that `gather`, `hops` and the research share. Knows the retriever and the gate; knows nothing of
which question leads to which.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agents.context import AskContext
from agents.guards.sufficiency import Sufficiency
from core.types import Hit, Scope
from retrieval.copies import drop_copies

CANDIDATES_PER_CHUNK = 2
"""So many chunks are read for each that may be shown."""
BESIDE_THE_POINT = 0.1
"""A chunk whose probability to answer is less than this share of the best one's is not shown: it only
leads a small model astray, and costs tokens."""
SEVERAL_FACTS = 1.5
"""So much more evidence may be shown when a question asks for more than one fact."""


@dataclass(frozen=True, slots=True)
class Found:
    """Hits for a question, best first, how likely they hold its answer, and how they were found."""

    question: str
    hits: list[Hit]
    sufficiency: Sufficiency
    signals: Mapping[str, float]
    notes: tuple[str, ...]
    timings_ms: Mapping[str, float]

    @property
    def to_the_point(self) -> list[Hit]:
        """The hits without those that hardly answer where another one does."""
        return drop_beside_the_point(self.hits, self.sufficiency)


async def find(
    context: AskContext, queries: Sequence[str], scope: Scope, chunks: int, passage: str = ""
) -> Found:
    """What is found for the first of the queries and those beside it; `chunks` is how many may be shown.
    A hypothetical `passage` is searched for beside them."""
    beside = {"passage": passage} if passage.strip() else {}
    wanted, search = chunks * CANDIDATES_PER_CHUNK, context.retriever.search
    results = [await asyncio.to_thread(search, query, scope, wanted, **beside) for query in queries]
    hits = drop_copies(_merge([result.hits for result in results]))
    begun = time.perf_counter()
    sufficiency = await asyncio.to_thread(context.gate.read, queries[0], [hit.chunk for hit in hits])
    timings = {
        "retrieve": round(sum(sum(r.timings_ms.values()) for r in results), 1),
        "gate": round((time.perf_counter() - begun) * 1000, 1),
    }
    notes = tuple(dict.fromkeys(note for result in results for note in result.notes))
    return Found(queries[0], hits, sufficiency, results[0].signals, notes, timings)


async def find_hostile(context: AskContext, question: str, hits: Sequence[Hit]) -> list[str]:
    """The documents among the hits that give orders to a model. Told by all that was found: a cut leaves
    an attack out, and its company in."""
    chunks = [hit.chunk for hit in hits] if context.guards.screen else []
    return sorted(await asyncio.to_thread(context.screen.find_hostile, question, chunks))


def drop_beside_the_point(hits: Sequence[Hit], sufficiency: Sufficiency) -> list[Hit]:
    """The hits without those that hardly answer where another one does; the best always stays."""
    answering = sufficiency.answering
    least = min(BESIDE_THE_POINT * sufficiency.best, max(answering.values(), default=0.0))
    return [hit for hit in hits if answering[hit.chunk.id] >= least]


def _merge(lists: Sequence[Sequence[Hit]]) -> list[Hit]:
    """Hits of several queries, each chunk once with its best score."""
    best: dict[str, Hit] = {}
    for hit in (hit for hits in lists for hit in hits):
        if hit.chunk.id not in best or hit.score > best[hit.chunk.id].score:
            best[hit.chunk.id] = hit
    return sorted(best.values(), key=lambda hit: -hit.score)
