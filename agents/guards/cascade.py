"""Guards one after another, the cheapest first: the first that is sure decides.

Knows the order and what becomes of an outage; knows nothing of how a guard judges.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from core.seams import ChatModel, Guard, Passage, SpendingGuard
from core.types import Label, Usage, Verdict


class GuardCascade:
    """A `Guard` of guards. What none is sure of stays `unsure`, with the last score that one gave
    and the reasons of those that could not judge."""

    name = "cascade"

    def __init__(self, stages: Sequence[Guard]) -> None:
        """`stages` from the cheapest to the dearest; at least one."""
        self._stages = tuple(stages)

    def spending(
        self, spend: Callable[[Usage], None], chat_model: ChatModel | None = None
    ) -> "GuardCascade":
        """See `SpendingGuard.spending`."""
        spenders = (stage for stage in self._stages if isinstance(stage, SpendingGuard))
        counted = {stage: stage.spending(spend, chat_model) for stage in spenders}
        return GuardCascade([counted.get(stage, stage) for stage in self._stages])

    def check(self, sentence: str, passage: Passage, question: str) -> Verdict:
        """See `Guard.check`."""
        if not passage.quotes:
            return Verdict(Label.UNSUPPORTED, 0.0, self.name, "no evidence")
        doubts: list[Verdict] = []
        for stage in self._stages:
            verdict = stage.check(sentence, passage, question)
            if verdict.label is not Label.UNSURE:
                return verdict
            doubts.append(verdict)
        # Scored is who weighed something: without an opinion the score is 0.5 to the digit.
        scored = next((doubt for doubt in reversed(doubts) if doubt.score != 0.5), doubts[-1])
        reasons = "; ".join(dict.fromkeys(doubt.reason for doubt in doubts if doubt.reason))
        return replace(scored, reason=reasons)
