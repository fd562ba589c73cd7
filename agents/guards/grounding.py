"""The grounding guard: does the evidence hold this sentence?

A cascade, cheapest first: exact checks, then a small logistic model over what the
retriever already has (word cover, MaxSim of token vectors). Knows nothing of prompts or
of what happens with a verdict.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from agents.guards.exact import ExactGuard
from agents.guards.logistic import LogisticModel
from core.seams import Passage, TokenEmbedder
from core.text import detect_language
from core.types import Label, Verdict
from retrieval.terms import split_terms

# Across languages nothing but cosines speaks, and they cannot tell a crossed subject: there
# the guard rather withholds a true sentence than releases a false one.
SUPPORTED_ACROSS = 0.8
WEIGHTS_FILE = Path(__file__).with_name("grounding.json")


class GroundingGuard:
    """A `Guard` with a calibrated probability."""

    name = "grounding"

    def __init__(
        self, embedder: TokenEmbedder, supported_at: float, model: LogisticModel | None = None
    ) -> None:
        """`supported_at` is the probability from which a sentence counts as supported."""
        self._embedder = embedder
        self._supported_at = supported_at
        self._model = model or LogisticModel(WEIGHTS_FILE)
        self._exact = ExactGuard()

    def check(self, sentence: str, passage: Passage, question: str) -> Verdict:
        """See `Guard.check`; the score is a probability."""
        if not passage.quotes:
            return Verdict(Label.UNSUPPORTED, 0.0, self.name, "no evidence")
        objection = self._exact.check(sentence, passage, question)
        if objection.label is not Label.UNSURE:
            return objection
        features = claim_features(self._embedder, sentence, passage.readable)
        score = round(self._model.probability(features), 4)
        reason = "negated on one side only"
        if self._exact.negation_differs(sentence, passage):
            return Verdict(Label.CONTRADICTED, min(score, 0.1), self.name, reason)
        if features["across"] and self._exact.is_negated_otherwise(sentence, passage.quotes[0]):
            return Verdict(Label.UNSUPPORTED, min(score, 0.3), self.name, reason)
        needed = max(self._supported_at, SUPPORTED_ACROSS) if features["across"] else self._supported_at
        if score >= needed:
            return Verdict(Label.SUPPORTED, score, self.name)
        return Verdict(Label.UNSUPPORTED, score, self.name, "the evidence does not hold it")


def claim_features(embedder: TokenEmbedder, claim: str, quotes: Sequence[str]) -> dict[str, float]:
    """What the model reads of a claim and its quotes, each 0…1.

    `cover`: share of the claim's terms in the quotes; `low`: lowest tenth of the best cosine
    of each claim token. When the languages differ (`across`), words say nothing: then
    `across_mean` and `across_low` hold the mean and the lowest tenth instead.
    """
    words, *tables = embedder.embed_tokens([claim, *quotes])
    best = (words @ np.concatenate(tables).T).max(axis=1) if len(words) else np.zeros(1)
    lowest = np.sort(best)[: max(1, len(best) // 10)]
    terms = set(split_terms(claim))
    held = {term for quote in quotes for term in split_terms(quote)}
    across = detect_language(claim) != detect_language("\n".join(quotes))
    cover = len(terms & held) / len(terms) if terms else 0.0
    return {
        "cover": 0.0 if across else cover,
        "low": 0.0 if across else float(lowest.mean()),
        "across": float(across),
        "across_mean": float(best.mean()) if across else 0.0,
        "across_low": float(lowest.mean()) if across else 0.0,
    }
