"""What the graph itself takes of a question: bench/results/graph_overhead.json.

Model, index and vectors are stand-ins that answer at once; nodes, events, checks by rule, checkpoints and the
session's record are the real ones, on a real SQLite file. Measured twice: with evidence of the usual size,
which is cut, screened and checked by rule, and with a single sentence of it, which leaves the graph's own
part. `python -m bench.graph_overhead`. Measures nothing of what an answer is worth.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path

import numpy as np

from agents.asker import Asker, open_asker
from agents.asking import Ask
from agents.events import Finished
from agents.guards.building import GuardModels
from core.seams import ChatDelta
from core.settings import Settings
from core.types import Chunk, Hit, Label, Scope, Stage, Usage, Verdict
from evals.record import spread, write_result
from retrieval.retriever import SearchResult

SENTENCE = "The warranty of the TM-20 main unit is 18 months."
QUESTION = "How long is the warranty of the TM-20 main unit?"
FILLER = " Copy {number} was written for desk {place} of the service and is kept with the contracts."
SIZE = 8
USUAL, LEAST = (4, 12), (1, 0)
"""Passages, and sentences of each behind its first one."""
GOAL_MS, GOAL_KB = 15.0, 200.0


def passage(number: int, sentences: int) -> Chunk:
    """One of the passages. No two sentences but the first are the same in a whole run: what is kept of a text
    from one question to the next saves nothing here."""
    text = SENTENCE + "".join(FILLER.format(number=number, place=place) for place in range(sentences))
    name = f"handbook-{number}"
    return Chunk(f"{name}-00000", name, 0, text, f"Handbook {number}", f"file:///{name}.md")


class NewSearch:
    """Finds other passages each time."""

    def __init__(self, passages: int, sentences: int) -> None:
        self._found, self._passages, self._sentences = count(step=passages), passages, sentences

    def search(self, query: str, scope: Scope, limit: int) -> SearchResult:
        """See `Retriever.search`."""
        first = next(self._found)
        found = [passage(number, self._sentences) for number in range(first, first + self._passages)]
        hits = tuple(Hit(chunk, 0.9, Stage.RERANKED, {"reranked": 1}) for chunk in found)
        return SearchResult(hits, (query,), {"dense": 0.0}, {"similarity": 0.9})


class SameVectors:
    """Every token has the same vector."""

    def embed_tokens(self, texts: Sequence[str]) -> list[np.ndarray]:
        """See `TokenEmbedder`."""
        return [np.full((4, SIZE), SIZE**-0.5, dtype=np.float32) for _ in texts]


class SureReader:
    """Is sure of every pair."""

    fingerprint = "sure"

    def read_claims(self, pairs: Sequence) -> list[float]:
        """See `PairReader`."""
        return [9.0] * len(pairs)

    def read_questions(self, pairs: Sequence) -> list[float]:
        """See `PairReader`."""
        return [9.0] * len(pairs)


class SureGuard:
    """Believes everything."""

    name = "sure"

    def check(self, sentence: str, passage, question: str) -> Verdict:
        """See `Guard`."""
        return Verdict(Label.SUPPORTED, 1.0, self.name)


class SameChat:
    """Says the same sentence at once."""

    name = "same"

    async def stream(self, messages, options):
        """See `ChatModel`."""
        yield ChatDelta(f"{SENTENCE}[1]", Usage(100, 12, 1), "stop")


def checkpoint_bytes(asker: Asker) -> int:
    """What the checkpoints of all sessions take."""
    columns = (("checkpoints", "checkpoint"), ("writes", "value"))
    with asker._graph.checkpointer.engine.connect() as connection:
        return sum(
            connection.exec_driver_sql(f"SELECT coalesce(sum(length({column})), 0) FROM {table}").scalar_one()
            for table, column in columns
        )


async def measure(folder: Path, search: NewSearch, turns: int, sessions: int) -> dict:
    """Milliseconds a question and the size of one session's checkpoints after its turns."""
    folder.mkdir()
    settings = Settings(_env_file=None, data=folder, guard={"sufficient_at": 0.0})
    models = GuardModels(SameVectors(), SureReader())
    asker = await open_asker(search, models, SameChat(), settings, folder / "sessions.db")
    asker._context = replace(asker._context, guard=SureGuard())
    taken, worked, sizes = [], [], []
    try:
        for session in range(sessions):
            for _ in range(turns):
                ask = Ask(QUESTION, Scope("default"), "ann", f"s{session}")
                begun, cpu = time.perf_counter(), time.process_time()
                events = [event async for event in asker.ask(ask)]
                taken.append((time.perf_counter() - begun) * 1000)
                worked.append((time.process_time() - cpu) * 1000)
                if not isinstance(events[-1], Finished) or not events[-1].answer.sentences:
                    raise RuntimeError(f"a question of the bench was not answered: {events[-1]}")
            sizes.append(checkpoint_bytes(asker) / (session + 1) / 1000)
    finally:
        await asker.close()
    ordered = sorted(taken[turns:])
    return {
        "ms": spread(ordered),
        "p90_ms": round(ordered[int(len(ordered) * 0.9)], 3),
        "processor_ms": spread(worked[turns:]),
        "checkpoint_kb": round(statistics.median(sizes), 1),
    }


def main() -> None:
    """Measures in a folder that is removed again; the first session warms up."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=50)
    parser.add_argument("--sessions", type=int, default=4)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place, often = Path(folder), (asked.turns, asked.sessions)
        usual = asyncio.run(measure(place / "usual", NewSearch(*USUAL), *often))
        alone = asyncio.run(measure(place / "alone", NewSearch(*LEAST), *often))
    figures = {"turns": asked.turns, **usual, "alone": alone, "goal_ms": GOAL_MS, "goal_kb": GOAL_KB}
    write_result("graph_overhead", "python -m bench.graph_overhead", figures)


if __name__ == "__main__":
    main()
