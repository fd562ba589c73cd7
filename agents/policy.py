"""What a verdict allows: whether a sentence leaves, and whether it leaves marked.

Knows labels; knows nothing of how a verdict was reached.
"""

from collections.abc import Mapping
from enum import StrEnum

from core.types import Label, Verdict


class Policy(StrEnum):
    """How sure a sentence must be. What the evidence contradicts never leaves.

    `strict`: only what is supported. `balanced`: what is unsure leaves too, marked. `open`:
    what the evidence does not hold leaves as well, marked and without citations.
    """

    STRICT = "strict"
    BALANCED = "balanced"
    OPEN = "open"

    def lets_pass(self, verdict: Verdict) -> bool:
        """Whether a sentence with this verdict leaves."""
        return verdict.label in _LEAVES[self]

    def stricter(self, other: "Policy | None") -> "Policy":
        """The stricter of both: who asks may demand more than the collection does, never less."""
        order = list(Policy)
        return self if other is None else min(self, other, key=order.index)


_LEAVES = {
    Policy.STRICT: frozenset({Label.SUPPORTED}),
    Policy.BALANCED: frozenset({Label.SUPPORTED, Label.UNSURE}),
    Policy.OPEN: frozenset({Label.SUPPORTED, Label.UNSURE, Label.UNSUPPORTED}),
}


def policy_of(collection: str, default: str, by_collection: Mapping[str, str]) -> Policy:
    """The policy of a collection by the settings."""
    return Policy(by_collection.get(collection, default))
