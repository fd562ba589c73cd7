"""The gate before a draft: can the evidence hold an answer to this question at all?

Small models answer anything they are asked and refuse what they could answer, so the
decision is not theirs. Each chunk is read beside the question; the retriever's signals and what the
question demands are weighed with that. Knows nothing of drafts.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from agents.guards.demands import met_share, offers_kind
from agents.guards.logistic import LogisticModel, logit
from agents.keywords import segment_cover
from core.readers import PairReader, ProbeReader
from core.seams import TokenEmbedder
from core.text import detect_language
from core.types import Chunk

FEATURES = (
    "reading", "best", "weakest", "held", "least", "met", "offered", "across", "across_best",
    "across_weakest",
)  # fmt: skip
WEIGHTS_FILE = Path(__file__).with_name("sufficiency.json")
PROBED_FILE = Path(__file__).with_name("sufficiency_probed.json")
ANSWERING_FILE = Path(__file__).with_name("answering_probed.json")
DOUBT = (0.03, 0.97)
"""Probabilities between which the language model's states are asked too."""
PROBED_TEXTS = 2
"""Chunks that are read so at most: those that the small reader likes best. A second for each."""
ENOUGH = 0.9
"""Probability from which no further chunk is read so."""


@dataclass(frozen=True, slots=True)
class Sufficiency:
    """`score` is the probability that the chunks together hold the answer; `answering` the probability
    for each chunk, by its id, that its own text does; `best` the highest of these by the small reader, which
    has read all of them: what is beside the point is told by that."""

    score: float
    answering: Mapping[str, float]
    best: float = 0.0


class SufficiencyGate:
    """Tells how probable it is that chunks hold the answer."""

    def __init__(
        self,
        embedder: TokenEmbedder,
        reader: PairReader,
        model: LogisticModel | None = None,
        probes: ProbeReader | None = None,
    ) -> None:
        self._embedder, self._reader, self._probes = embedder, reader, probes
        self._model = model or LogisticModel(WEIGHTS_FILE)
        self._probed, self._answering = LogisticModel(PROBED_FILE), LogisticModel(ANSWERING_FILE)

    def read(self, question: str, chunks: Sequence[Chunk]) -> Sufficiency:
        """The score is 0 without evidence."""
        if not chunks:
            return Sufficiency(0.0, {})
        texts = [f"{chunk.context}\n{chunk.text}".strip() for chunk in chunks]
        logits = self._reader.read_questions([(question, text) for text in texts])
        score = self._model.probability(question_features(self._embedder, question, texts, max(logits)))
        shares = [1 / (1 + math.exp(-max(-30.0, min(30.0, value)))) for value in logits]
        best = round(max(shares), 4)
        if self._probes is not None and DOUBT[0] <= score <= DOUBT[1]:
            score = self._read_again(question, texts, score, shares)
        answering = {chunk.id: round(share, 4) for chunk, share in zip(chunks, shares, strict=True)}
        return Sufficiency(round(score, 4), answering, best)

    def _read_again(self, question: str, texts: Sequence[str], score: float, shares: list[float]) -> float:
        """The score with the probes' word on the chunks that the small reader likes best, one by one until
        one is enough; puts their word into `shares` too."""
        probed: list[float] = []
        found = score
        for at in sorted(range(len(texts)), key=lambda at: -shares[at])[:PROBED_TEXTS]:
            probed += self._probes.read_answers(question, [texts[at]])
            shares[at] = self._answering.probability({"small": logit(shares[at]), "probe": probed[-1]})
            found = self._probed.probability({"small": logit(score), "probe": max(probed)})
            if found >= ENOUGH:
                break
        return found


def question_features(
    embedder: TokenEmbedder, question: str, passages: Sequence[str], reading: float
) -> Mapping[str, float]:
    """What the model reads of a question and its passages.

    `reading`: the best logit that a passage answers, as a reader of pairs gives it. `best`, `weakest`:
    MaxSim of the passage that matches best, and of the lowest quarter of the question's tokens in it;
    `held`, `least`: mean and least share of a content segment's terms;
    `met`, `offered`: whether the best passage names what the question names, and brings the kind
    of value that it asks for. When question and passage differ in language, `across` is 1,
    the words say nothing, and the cosines stand in the fields `across_…` instead, because
    they are lower there.
    """
    words, *tables = embedder.embed_tokens([question, *passages])
    matches = [(words @ table.T).max(axis=1) for table in tables if len(table) and len(words)]
    if not matches:
        return dict.fromkeys(FEATURES, 0.0) | {"reading": reading}
    at = int(np.argmax([match.mean() for match in matches]))
    best = [passage for passage, table in zip(passages, tables, strict=True) if len(table)][at]
    weakest = np.sort(matches[at])[: max(1, len(words) // 4)]
    values = {"best": float(matches[at].mean()), "weakest": float(weakest.mean())}
    found = dict.fromkeys(FEATURES, 0.0) | {"reading": reading}
    language = detect_language(question)
    if detect_language(best) != language:
        return found | {"across": 1.0} | {f"across_{name}": value for name, value in values.items()}
    covers = [segment_cover(question, p) for p in passages if detect_language(p) == language]
    fullest = max((cover for cover in covers if cover), key=sum, default=[0.0])
    return found | values | {
        "held": sum(fullest) / len(fullest),
        "least": min(fullest),
        "met": met_share(question, best),
        "offered": float(offers_kind(question, best)),
    }
