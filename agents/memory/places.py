"""Memory by place: strategies that look at when something was said, and at nothing else.

Pure; they know neither words nor vectors.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from agents.memory.rendering import Budget, take_remarks
from core.types import Recollection, Remark


class FullBuffer:
    """A `Memory` of everything; of what does not fit, the latest."""

    name = "full"

    def recall(self, history: Sequence[Remark], question: str, budget: int) -> list[Recollection]:
        """See `Memory.recall`."""
        return take_latest(history, Budget(budget))


@dataclass(frozen=True, slots=True)
class SlidingWindow:
    """A `Memory` of the latest remarks, `size` at most."""

    size: int = 6
    name: str = "window"

    def recall(self, history: Sequence[Remark], question: str, budget: int) -> list[Recollection]:
        """See `Memory.recall`."""
        return take_latest(history[-self.size :], Budget(budget))


@dataclass(frozen=True, slots=True)
class FirstAndLatest:
    """A `Memory` of how the conversation began, where its subject is set, and of where it stands:
    attention sinks and a window (Xiao et al., StreamingLLM, 2023), of remarks instead of tokens."""

    first: int = 4
    name: str = "first-and-latest"

    def recall(self, history: Sequence[Remark], question: str, budget: int) -> list[Recollection]:
        """See `Memory.recall`. The beginning may take half of the budget."""
        opening, begun = Budget(budget / 2), []
        for at in range(min(self.first, len(history))):
            if not (taken := take_remarks(history, [at], opening)):
                break
            begun += taken
        rest = Budget(budget / 2 + opening.left)
        return [*begun, *take_latest(history[len(begun) :], rest)]


def take_latest(history: Sequence[Remark], budget: Budget) -> list[Recollection]:
    """The latest remarks without a gap, as many as fit."""
    kept: list[Recollection] = []
    for at in range(len(history) - 1, -1, -1):
        taken = take_remarks(history, [at], budget)
        if not taken:
            break
        kept += taken
    return kept[::-1]
