"""The grounding guard: does the evidence hold this sentence?

A cascade, cheapest first: exact checks, the small calibrated model over what the retriever
already has, then, for what stays unsure and where one is configured, a bigger model. Knows the
stages; knows nothing of prompts or of what happens with a verdict.
"""

from collections.abc import Sequence

from agents.guards.cascade import GuardCascade
from agents.guards.exact import ExactGuard
from agents.guards.grounding_model import GroundingModel
from agents.guards.learned import LearnedGuard
from core.seams import Guard, Passage, TokenEmbedder
from core.types import Verdict


class GroundingGuard:
    """A `Guard` with a calibrated probability."""

    name = "grounding"

    def __init__(
        self,
        embedder: TokenEmbedder,
        supported_at: float,
        unsure_at: float | None = None,
        model: GroundingModel | None = None,
        further: Sequence[Guard] = (),
    ) -> None:
        """`supported_at` is the probability from which a sentence counts as supported; from `unsure_at`
        up to it the `further` guards are asked, and without one it stays unsure."""
        learned = LearnedGuard(embedder, supported_at, unsure_at, model)
        self._cascade = GuardCascade([ExactGuard(), learned, *further])

    def check(self, sentence: str, passage: Passage, question: str) -> Verdict:
        """See `Guard.check`; the score is a probability."""
        return self._cascade.check(sentence, passage, question)
