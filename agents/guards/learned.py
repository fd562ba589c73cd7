"""The guard of the small model: how probable is it that the evidence holds the sentence?

Knows the model and where the band of doubt lies; knows nothing of what comes before or after it.
"""

from agents.guards.contrasts import OPPOSITES, QUANTIFIERS, contrast
from agents.guards.exact import SIMILAR, negation_differs, overlap
from agents.guards.grounding_model import GroundingModel, shipped_model
from agents.guards.reading import ClaimReader
from core.seams import Passage, TokenEmbedder
from core.types import Label, Verdict


class LearnedGuard:
    """A `Guard` whose score is a calibrated probability. Between `unsure_at` and `supported_at` it
    is unsure."""

    name = "grounding"

    def __init__(
        self,
        embedder: TokenEmbedder,
        supported_at: float,
        unsure_at: float | None = None,
        model: GroundingModel | None = None,
    ) -> None:
        """Without `unsure_at` there is no doubt: what is not supported is unsupported."""
        self._model = model or shipped_model()
        self._reader = ClaimReader(embedder, self._model.centre)
        self._supported_at = supported_at
        self._unsure_at = supported_at if unsure_at is None else min(unsure_at, supported_at)

    def check(self, sentence: str, passage: Passage, question: str) -> Verdict:
        """See `Guard.check`."""
        if not passage.quotes:
            return Verdict(Label.UNSUPPORTED, 0.0, self.name, "no evidence")
        score = round(self._model.probability(self._reader.read(sentence, passage, question)), 4)
        if score >= self._supported_at:
            return Verdict(Label.SUPPORTED, score, self.name)
        if score >= self._unsure_at:
            return Verdict(Label.UNSURE, score, self.name, "the evidence may hold it")
        if against := _against(sentence, passage):
            return Verdict(Label.CONTRADICTED, score, self.name, against)
        return Verdict(Label.UNSUPPORTED, score, self.name, "the evidence does not hold it")


def _against(sentence: str, passage: Passage) -> str:
    """What in the nearest quote speaks against the sentence; empty when it is just not said."""
    nearest = max(passage.quotes, key=lambda quote: overlap(sentence, quote))
    if overlap(sentence, nearest) < SIMILAR:
        return ""
    if negation_differs(sentence, nearest):
        return "negated on one side only"
    if pair := contrast(sentence, nearest, (*OPPOSITES, *QUANTIFIERS)):
        return f"the opposite: {pair}"
    return ""
