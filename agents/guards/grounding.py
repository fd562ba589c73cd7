"""The grounding guard: does the evidence hold this sentence?

A cascade, cheapest first: exact checks, the small calibrated model that reads sentence and evidence
together, for what it is in doubt about the states of the built-in chat model, then, for what stays unsure
and where one is configured, a bigger model. Knows the
stages; knows nothing of prompts or of what happens with a verdict.
"""

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import replace

from agents.guards.cascade import GuardCascade
from agents.guards.exact import ExactGuard
from agents.guards.learned import LearnedGuard
from agents.guards.logistic import LogisticModel
from agents.guards.probed import ProbedGuard
from core.readers import PairReader, ProbeReader
from core.seams import ChatModel, Guard, Passage
from core.types import Label, Usage, Verdict

OBJECTED = 0.34
"""What is left of the model's probability where an exact check objects: never as much as what is unsure."""
SURE = 0.8
"""Below this a sentence with words of its own, in a near copy of its evidence, stays unsure."""


class GroundingGuard:
    """A `Guard` with a calibrated probability."""

    name = "grounding"

    def __init__(
        self,
        reader: PairReader,
        supported_at: float,
        unsure_at: float | None = None,
        model: LogisticModel | None = None,
        further: Sequence[Guard] = (),
        probes: ProbeReader | None = None,
    ) -> None:
        """`supported_at` is the probability from which a sentence counts as supported; from `unsure_at`
        up to it the `further` guards are asked, and without one it stays unsure. Where there are `probes`
        they read what the small model is in doubt about."""
        self._exact, self._learned = ExactGuard(), LearnedGuard(reader, supported_at, unsure_at, model)
        reading = self._learned if probes is None else ProbedGuard(self._learned, probes)
        self._cascade = GuardCascade([reading, *further])

    def spending(
        self, spend: Callable[[Usage], None], chat_model: ChatModel | None = None
    ) -> "GroundingGuard":
        """See `SpendingGuard.spending`."""
        counted = copy(self)
        counted._cascade = self._cascade.spending(spend, chat_model)
        return counted

    def check(self, sentence: str, passage: Passage, question: str) -> Verdict:
        """See `Guard.check`; the score is a probability."""
        word = self._exact.check(sentence, passage, question)
        if not passage.quotes:
            return word
        if word.label is not Label.UNSURE:
            # How far the model would have believed it tells objections apart that are not alike.
            learned = self._learned.check(sentence, passage, question)
            return replace(word, score=round(OBJECTED * learned.score, 4))
        verdict = self._cascade.check(sentence, passage, question)
        if word.reason and verdict.label is Label.SUPPORTED and verdict.score < SURE:
            return replace(verdict, label=Label.UNSURE, reason=word.reason)
        return verdict
