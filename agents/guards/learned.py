"""The guard of the small model: how probable is it that the evidence holds the sentence?

A reader of pairs gives a logit for each sentence and its evidence; a logistic model over it and the
share of words held makes it a probability (Platt 1999). Knows where the band of doubt lies; knows
nothing of what comes before or after it.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from agents.guards.contrasts import OPPOSITES, QUANTIFIERS, contrast
from agents.guards.exact import SIMILAR, negation_differs, overlap
from agents.guards.logistic import LogisticModel
from core.readers import PairReader
from core.seams import Passage
from core.text import detect_language, split_sentences
from core.types import Label, Verdict
from core.wording import in_digits
from retrieval.terms import split_terms

FEATURES = ("reading", "cover", "across", "chinese", "chinese_cover")
WEIGHTS_FILE = Path(__file__).with_name("grounding.json")
MOST_SENTENCES = 12
_GOES_ON = re.compile(
    r"(?:它|其(?!中|他|它|实|余)|该|這|这|此(?!外)|他|她|上述|前者|后者|二者|两者)"
    r"|(?:it|its|this|that|these|those|they|their|he|she|his|her|such|both|the (?:former|latter))\b",
    re.IGNORECASE,
)


class LearnedGuard:
    """A `Guard` whose score is a calibrated probability. Between `unsure_at` and `supported_at` it
    is unsure."""

    name = "grounding"

    def __init__(
        self,
        reader: PairReader,
        supported_at: float,
        unsure_at: float | None = None,
        model: LogisticModel | None = None,
    ) -> None:
        """Without `unsure_at` there is no doubt: what is not supported is unsupported."""
        self._reader = reader
        self._model = model or LogisticModel(WEIGHTS_FILE)
        self.supported_at = supported_at
        self._unsure_at = supported_at if unsure_at is None else min(unsure_at, supported_at)

    def check(self, sentence: str, passage: Passage, question: str) -> Verdict:
        """See `Guard.check`; of several sentences the weakest decides."""
        if not passage.quotes:
            return Verdict(Label.UNSUPPORTED, 0.0, self.name, "no evidence")
        return self.verdict(min(self._probabilities(cut_claim(sentence), passage)), sentence, passage)

    def verdict(self, score: float, sentence: str, passage: Passage) -> Verdict:
        """What a probability that the evidence holds the sentence comes to."""
        if score >= self.supported_at:
            return Verdict(Label.SUPPORTED, score, self.name)
        if score >= self._unsure_at:
            return Verdict(Label.UNSURE, score, self.name, "the evidence may hold it")
        if against := _against(sentence, passage):
            return Verdict(Label.CONTRADICTED, score, self.name, against)
        return Verdict(Label.UNSUPPORTED, score, self.name, "the evidence does not hold it")

    def _probabilities(self, sentences: list[str], passage: Passage) -> list[float]:
        evidence = in_digits(evidence_text(passage))
        logits = self._reader.read_claims([(in_digits(sentence), evidence) for sentence in sentences])
        features = (claim_features(s, x, passage) for s, x in zip(sentences, logits, strict=True))
        return [round(self._model.probability(row), 4) for row in features]


def claim_features(sentence: str, logit: float, passage: Passage) -> Mapping[str, float]:
    """What the logistic model reads, by the names of `FEATURES`."""
    around = "\n".join(passage.surroundings)
    language = detect_language(sentence)
    across = float(detect_language(around) != language)
    terms = set(split_terms(sentence))
    cover = len(terms & set(split_terms(around))) / max(1, len(terms)) if not across else 0.0
    chinese = float(language == "zh")
    return {
        "reading": logit,
        "cover": cover,
        "across": across,
        "chinese": chinese,
        "chinese_cover": chinese * cover,
    }


def evidence_text(passage: Passage) -> str:
    """The quotes, each with its headings; one that begins with a pronoun with the sentence before it,
    which names what is meant."""
    parts: dict[str, None] = {}
    for quote, readable in zip(passage.quotes, passage.readable or passage.quotes, strict=True):
        before = _sentence_before(quote, passage.surroundings) if _GOES_ON.match(quote.strip()) else ""
        heading, _, rest = readable.rpartition(quote)
        for part in (*heading.strip().splitlines(), before, quote, rest):
            parts.setdefault(part.strip())
    return "\n".join(part for part in parts if part)


def cut_claim(claim: str) -> list[str]:
    """The sentences of a claim; never none."""
    found = [span.of(claim) for span in split_sentences(claim)]
    found = [sentence for sentence in found if any(c.isalnum() for c in sentence)]
    return found[:MOST_SENTENCES] or [claim]


def _sentence_before(quote: str, surroundings: tuple[str, ...]) -> str:
    for text in surroundings:
        at = text.find(quote)
        if at > 0:
            earlier = split_sentences(text[:at])
            return earlier[-1].of(text) if earlier else ""
    return ""


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
