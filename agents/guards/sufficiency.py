"""The gate before a draft: can the evidence hold an answer to this question at all?

Small models answer anything they are asked and refuse what they could answer, so the
decision is not theirs. Knows the retriever's signals; knows nothing of drafts.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from agents.guards.logistic import LogisticModel
from agents.keywords import segment_cover
from core.seams import TokenEmbedder
from core.text import detect_language
from core.types import Chunk

FEATURES = ("best", "weakest", "held", "least", "across", "across_best", "across_weakest")
WEIGHTS_FILE = Path(__file__).with_name("sufficiency.json")


class SufficiencyGate:
    """Gives the probability that the chunks hold the answer."""

    def __init__(self, embedder: TokenEmbedder, model: LogisticModel | None = None) -> None:
        self._embedder = embedder
        self._model = model or LogisticModel(WEIGHTS_FILE)

    def score(self, question: str, chunks: Sequence[Chunk]) -> float:
        """0 without evidence."""
        if not chunks:
            return 0.0
        texts = [f"{chunk.context}\n{chunk.text}" for chunk in chunks]
        return round(self._model.probability(question_features(self._embedder, question, texts)), 4)


def question_features(
    embedder: TokenEmbedder, question: str, passages: Sequence[str]
) -> Mapping[str, float]:
    """What the model reads of a question and its passages, for the passage that matches best.

    `best`: MaxSim; `weakest`: the lowest quarter of the question's tokens; `held`, `least`:
    mean and least share of a content segment's terms. When question and passage differ in
    language, `across` is 1, the words say nothing, and the cosines stand in the fields
    `across_…` instead, because they are lower there.
    """
    words, *tables = embedder.embed_tokens([question, *passages])
    matches = [(words @ table.T).max(axis=1) for table in tables if len(table) and len(words)]
    if not matches:
        return dict.fromkeys(FEATURES, 0.0)
    top = max(matches, key=lambda match: float(match.mean()))
    weakest = np.sort(top)[: max(1, len(top) // 4)]
    language = detect_language(question)
    covers = [segment_cover(question, p) for p in passages if detect_language(p) == language]
    covers = [cover for cover in covers if cover]
    across = detect_language(passages[int(np.argmax([m.mean() for m in matches]))]) != language
    fullest = max(covers, key=sum, default=[0.0])
    values = (float(top.mean()), float(weakest.mean()))
    if across:
        return dict(zip(FEATURES, (0.0, 0.0, 0.0, 0.0, 1.0, *values), strict=True))
    held = (sum(fullest) / len(fullest), min(fullest))
    return dict(zip(FEATURES, (*values, *held, 0.0, 0.0, 0.0), strict=True))
