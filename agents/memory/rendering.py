"""How recollections are written in a prompt, and what that costs.

Lines of one sitting stand under its date, so that a date costs once. Pure; knows nothing of
how lines are chosen.
"""

from collections.abc import Callable, Iterable, Sequence

from core.types import Recollection, Remark
from retrieval.evidence import estimate_tokens


def render(recollections: Iterable[Recollection]) -> str:
    """The lines under the dates of their sittings; those without a date first."""
    sittings: dict[str, list[str]] = {}
    for found in recollections:
        sittings.setdefault(found.said, []).append(found.text)
    undated = sittings.pop("", [])
    return "\n".join(
        [*undated, *(line for said, lines in sittings.items() for line in (_heading(said), *lines))]
    )


def as_said(remark: Remark) -> Recollection:
    """The whole remark."""
    return Recollection(_spoken(remark, remark.text), (remark.id,), remark.said)


def note_of(remark: Remark, words: str) -> Recollection:
    """Some words of a remark, with who said them."""
    return Recollection(_spoken(remark, words), (remark.id,), remark.said)


class Budget:
    """Tokens that are left, as `render` spends them. Not thread-safe: one for each recall."""

    def __init__(self, tokens: float, count: Callable[[str], float] = estimate_tokens) -> None:
        self.left = tokens
        self._count = count
        self._sittings: set[str] = set()

    @staticmethod
    def cost_of(line: Recollection) -> float:
        """Tokens of a line without a date."""
        return estimate_tokens(line.text)

    def take(self, line: Recollection) -> bool:
        """Whether the line fits; it is paid for then."""
        cost = self._count(line.text)
        is_new = bool(line.said) and line.said not in self._sittings
        if is_new:
            cost += self._count(_heading(line.said))
        if cost > self.left:
            return False
        self.left -= cost
        if is_new:
            self._sittings.add(line.said)
        return True


def take_remarks(history: Sequence[Remark], places: Iterable[int], budget: Budget) -> list[Recollection]:
    """The remarks at these places as far as they fit, tried in the order given; in the order of
    the history."""
    lines = {at: as_said(history[at]) for at in dict.fromkeys(places)}
    kept = sorted(at for at, line in lines.items() if budget.take(line))
    return [lines[at] for at in kept]


def _spoken(remark: Remark, words: str) -> str:
    flat = " ".join(words.split())
    return f"{remark.speaker}: {flat}" if remark.speaker else flat


def _heading(said: str) -> str:
    return f"[{said}]"
