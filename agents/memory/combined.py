"""Several memories as one: each has its part of the budget, and what it leaves goes to the next.

Knows the seam alone.
"""

from collections.abc import Sequence

from agents.memory.rendering import Budget, as_said
from core.seams import Memory
from core.types import Recollection, Remark

ASKED_AGAIN = 3
"""So often a member is asked, for more each time, while it names what others have named."""
WORTH_ASKING = 20
"""Tokens of room, about a short remark."""


class CombinedMemory:
    """A `Memory` of what several recall, each line once."""

    def __init__(self, members: Sequence[Memory]) -> None:
        """The last member may take what the others left."""
        self._members = tuple(members)
        self.name = "+".join(member.name for member in members)

    def recall(self, history: Sequence[Remark], question: str, budget: int) -> list[Recollection]:
        """See `Memory.recall`. A remark as it was said takes the place of a note of it."""
        purse, found = Budget(budget), dict[str, Recollection]()
        for at, member in enumerate(self._members):
            share = asked = purse.left / (len(self._members) - at)
            floor = purse.left - share
            for _ in range(ASKED_AGAIN):
                lines = member.recall(history, question, int(asked))
                has_known = any(line.text in found for line in lines)
                for line in lines:
                    if line.text not in found and purse.left > floor and purse.take(line):
                        found[line.text] = line
                # What was known already cost nothing, so there is room for more.
                asked += purse.left - floor
                if not has_known or purse.left - floor < WORTH_ASKING:
                    break
        places = {remark.id: at for at, remark in enumerate(history)}
        spoken = {as_said(remark).text: remark.id for remark in history}
        whole = {spoken[text] for text in found if text in spoken}
        kept = [line for text, line in found.items() if text in spoken or not whole.issuperset(line.sources)]
        return sorted(
            kept, key=lambda line: (bool(line.said), min(places[source] for source in line.sources))
        )
