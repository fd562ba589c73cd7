"""The guard that reads twice: where the small model is in doubt, the language model's states are asked.

Knows both readings; knows nothing of what comes before or after it.
"""

from pathlib import Path

from agents.guards.learned import LearnedGuard, evidence_text
from agents.guards.logistic import LogisticModel, logit
from core.readers import ProbeReader
from core.seams import Passage
from core.types import Label, Verdict

FEATURES = ("small", "probe")
WEIGHTS_FILE = Path(__file__).with_name("grounding_probed.json")
DOUBT = (0.03, 0.97)
"""Probabilities by the small model between which it is read again: a second for a sentence. From far below
what it lets out, for the order of what stays unsure: it doubts right sentences over long evidence most."""
STEP = 1e-4
"""By so much less than supported a sentence stays that the small model alone would not let out."""


class ProbedGuard:
    """A `Guard` whose score is a calibrated probability, as that of `LearnedGuard` is."""

    name = LearnedGuard.name

    def __init__(
        self, learned: LearnedGuard, probes: ProbeReader, model: LogisticModel | None = None
    ) -> None:
        self._learned, self._probes = learned, probes
        self._model = model or LogisticModel(WEIGHTS_FILE)

    def check(self, sentence: str, passage: Passage, question: str) -> Verdict:
        """See `Guard.check`; a claim of several sentences is read as a whole."""
        first = self._learned.check(sentence, passage, question)
        is_doubtful = DOUBT[0] <= first.score <= DOUBT[1] and first.label is not Label.CONTRADICTED
        if not passage.quotes or not is_doubtful:
            return first
        read = self._probes.read_claim(sentence, evidence_text(passage))
        score = round(self._model.probability({"small": logit(first.score), "probe": read}), 4)
        if first.label is not Label.SUPPORTED:
            # An order that stands in a document is held by it too: what begins an answer is raised elsewhere,
            # within bounds, and nothing else is.
            score = min(score, round(self._learned.supported_at - STEP, 4))
        return self._learned.verdict(score, sentence, passage)
