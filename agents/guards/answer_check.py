"""Whether a sentence that is to begin an answer is what its evidence answers.

The gate before the draft and the guard behind it decide together here: how surely the evidence holds an
answer, how surely it holds the sentence, and whether the sentence says what a reader of question and
evidence takes for the answer. A right answer in other words is told from a wrong one that way, where each
signal alone is in doubt. Knows readings and verdicts; knows nothing of drafts.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from agents.guards.learned import LearnedGuard
from agents.guards.logistic import LogisticModel, logit
from agents.keywords import segments
from core.readers import AnswerReading, PairReader, ProbeReader
from core.settings import GuardSettings
from core.text import CJK
from core.types import Label, Verdict
from retrieval.terms import simplify, split_terms

ANSWERING = "answering"
"""Guard of the verdict on a true sentence that does not answer."""
GROUNDING = LearnedGuard.name
FEATURES = ("claim", "reading", "new", "said", "sufficiency")
WEIGHTS_FILE = Path(__file__).with_name("answer_check.json")
PROBED_FEATURES = (*FEATURES, "fit")
PROBED_FILE = Path(__file__).with_name("answer_check_probed.json")
"""Weighs what the first file does, as the second reading leaves it, and the second reading of the answer."""
PROBED_TEXTS = 2
LEAST_HELD = 0.1
"""Below this probability that the evidence holds it no sentence is raised: it says more than the answer."""
_LEAST = 0.02
"""Added to shares before their logarithm."""
_WORD = re.compile(f"(?:(?![{CJK}_])\\w)+")


class AnswerCheck:
    """Raises and lowers verdicts on the first sentence of an answer."""

    def __init__(
        self,
        reader: PairReader,
        settings: GuardSettings,
        model: LogisticModel | None = None,
        probes: ProbeReader | None = None,
    ) -> None:
        self._reader, self._settings, self._probes = reader, settings, probes
        self._model = model or LogisticModel(WEIGHTS_FILE)
        self._probed = LogisticModel(PROBED_FILE)

    def weigh(
        self, question: str, sentence: str, texts: Sequence[str], sufficiency: float, verdict: Verdict
    ) -> Verdict:
        """`texts` are the chunks that the sentence rests on, `sufficiency` the gate's score. Verdicts of
        exact checks, bigger models and contradictions stay as they are; a sentence that says more than
        question and texts is not raised."""
        if verdict.guard != GROUNDING or verdict.label is Label.CONTRADICTED or not texts:
            return verdict
        readings = self._reader.find_answers(question, texts)
        features = answer_features(question, sentence, readings, sufficiency, verdict.score)
        if self._probes is None:
            score = self._model.probability(features)
        else:
            fit = max(self._probes.read_fit(question, sentence, texts[:PROBED_TEXTS]))
            score = self._probed.probability({**features, "fit": fit})
        score = round(score, 4)
        if verdict.label is Label.SUPPORTED:
            if score >= self._settings.answer_at:
                return verdict
            return Verdict(Label.UNSUPPORTED, score, ANSWERING, "it is hardly what its evidence answers")
        is_doubted = verdict.score >= self._settings.supported_at  # by exact checks, for a word of its own
        if is_doubted or verdict.score < LEAST_HELD or score < self._settings.answer_at:
            return verdict
        if says_more(sentence, [question, *texts]):
            return verdict
        return replace(verdict, label=Label.SUPPORTED, score=score, reason="")


def says_more(sentence: str, known: Sequence[str]) -> bool:
    """Whether a sentence has a content word, or a stretch of Chinese, of which nothing stands in the known
    texts: a second statement hides behind a right answer."""
    held = {term for text in known for term in split_terms(text)}
    return any(not held & set(split_terms(part)) for part in segments(sentence))


def answer_features(
    question: str, sentence: str, readings: Sequence[AnswerReading], sufficiency: float, score: float
) -> Mapping[str, float]:
    """What the model weighs, by the names of `FEATURES`.

    `claim`, `sufficiency`: logits of guard and gate; `reading`: logit that the best of the texts answers;
    `new`, `said`: logarithms of how much of its answer the sentence says, without words of the question
    and with them.
    """
    best = max(readings, key=lambda reading: reading.logit)
    new, said = said_share(question, sentence, best)
    return {
        "claim": logit(score),
        "reading": best.logit,
        "new": math.log(new + _LEAST),
        "said": math.log(said + _LEAST),
        "sufficiency": logit(sufficiency),
    }


def said_share(question: str, sentence: str, reading: AnswerReading) -> tuple[float, float]:
    """How much (0…1) of where the answer is thought to stand the sentence repeats: in words that the question
    has not, and in any."""
    text, said, asked = (simplify(part.casefold()) for part in (reading.text, sentence, question))
    if len(text) != len(reading.text):  # some letters are two in lower case
        text = reading.text
    said_words, asked_words = set(_WORD.findall(said)), set(_WORD.findall(asked))
    words = list(_WORD.finditer(text))
    new = whole = 0.0
    for span, share in reading.shares:
        word = next((w.group() for w in words if w.start() < span.end and w.end() > span.start), "")
        piece = text[span.start : span.end].strip()
        if not any(letter.isalnum() for letter in piece):
            continue
        is_said = word in said_words if word else piece in said
        is_asked = word in asked_words if word else piece in asked
        whole += share * is_said
        new += share * (is_said and not is_asked)
    return new, whole

