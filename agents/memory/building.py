"""The memory strategies by their names, alone or joined by `+`.

Knows every strategy and what it is made of; knows nothing of sessions.
"""

from collections.abc import Callable

from agents.memory.combined import CombinedMemory
from agents.memory.conversation_graph import ConversationGraph
from agents.memory.entities import EntityNotes
from agents.memory.key_turns import KeyTurns
from agents.memory.model_summary import ModelSummary
from agents.memory.places import FirstAndLatest, FullBuffer, SlidingWindow
from agents.memory.summary import RollingSummary
from agents.memory.vectors import VectorRecall
from core.errors import InputError
from core.seams import Embedder, Memory

NAMES = (
    "full", "window", "first-and-latest", "key-turns", "summary", "entities", "graph", "vector",
)  # fmt: skip
JOIN = "+"


class MemoryStrategies:
    """Each strategy made once, when it is first asked for. Thread-safe."""

    def __init__(self, embedder: Embedder, write_summary: Callable[[str, str], str] | None = None) -> None:
        """With `write_summary` the strategy summary is a `ModelSummary`."""
        self._makers: dict[str, Callable[[], Memory]] = {
            "full": FullBuffer,
            "window": SlidingWindow,
            "first-and-latest": FirstAndLatest,
            "key-turns": KeyTurns,
            "summary": RollingSummary if write_summary is None else lambda: ModelSummary(write_summary),
            "entities": EntityNotes,
            "graph": ConversationGraph,
            "vector": lambda: VectorRecall(embedder),
        }
        self._embedder = embedder
        self._made: dict[str, Memory] = {}

    def written_by(self, write_summary: Callable[[str, str], str]) -> "MemoryStrategies":
        """The same with another writer of summaries."""
        return MemoryStrategies(self._embedder, write_summary)

    def get(self, strategy: str) -> Memory:
        """The memory of a name such as `vector`, or of several as `window+vector`.

        Raises:
            InputError: there is none of that name.
        """
        names = check_strategy(strategy)
        members = [self._made.setdefault(name, self._makers[name]()) for name in names]
        return members[0] if len(members) == 1 else CombinedMemory(members)


def check_strategy(strategy: str) -> tuple[str, ...]:
    """The names of a strategy. Raises InputError for one that is not there or is named twice."""
    names = tuple(strategy.split(JOIN))
    unknown = next((name for name in names if name not in NAMES), None)
    if unknown is not None:
        raise InputError(
            f"there is no memory strategy {unknown!r}", remedy=f"choose of: {', '.join(NAMES)}; join with +"
        )
    if len(set(names)) < len(names):
        raise InputError(f"{strategy!r} names a memory strategy twice", remedy="name it once")
    return names
