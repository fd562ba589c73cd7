"""What the graph itself takes of a question: bench/results/graph_overhead.json.

Model, index and vectors are stand-ins that answer at once; nodes, events, checks by rule, checkpoints and the
session's record are the real ones, on a real SQLite file. `python -m bench.graph_overhead`. Measures nothing
of what an answer is worth.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
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
FILLER = " It was written for the service desk and is kept with the contracts." * 12
SIZE = 8
GOAL_MS, GOAL_KB = 15.0, 200.0


def passage(number: int) -> Chunk:
    """One of the passages; no two are copies of each other."""
    text = f"{SENTENCE} Paragraph {number}{number}.{FILLER}"
    name = f"handbook-{number}"
    return Chunk(f"{name}-00000", name, 0, text, f"Handbook {number}", f"file:///{name}.md")


class SameSearch:
    """Finds the same four passages."""

    def search(self, query: str, scope: Scope, limit: int) -> SearchResult:
        """See `Retriever.search`."""
        hits = tuple(Hit(passage(number), 0.9, Stage.RERANKED, {"reranked": 1}) for number in range(4))
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


async def measure(folder: Path, turns: int, sessions: int) -> dict:
    """Milliseconds a question and the size of one session's checkpoints after its turns."""
    settings = Settings(_env_file=None, data=folder, guard={"sufficient_at": 0.0})
    models = GuardModels(SameVectors(), SureReader())
    asker = await open_asker(SameSearch(), models, SameChat(), settings, folder / "sessions.db")
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
        "turns": turns,
        "ms": spread(ordered),
        "p90_ms": round(ordered[int(len(ordered) * 0.9)], 3),
        "processor_ms": spread(worked[turns:]),
        "goal_ms": GOAL_MS,
        "checkpoint_kb": round(statistics.median(sizes), 1),
        "goal_kb": GOAL_KB,
    }


def main() -> None:
    """Measures in a folder that is removed again; the first session warms up."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=50)
    parser.add_argument("--sessions", type=int, default=4)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = asyncio.run(measure(Path(folder), asked.turns, asked.sessions))
    write_result("graph_overhead", "python -m bench.graph_overhead", figures)


if __name__ == "__main__":
    main()
