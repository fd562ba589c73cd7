"""The second reading: when it is asked, and what its word counts."""

import pytest

from agents.guards.answer_check import AnswerCheck
from agents.guards.grounding import GroundingGuard
from agents.guards.learned import LearnedGuard
from agents.guards.probed import ProbedGuard
from agents.guards.sufficiency import PROBED_TEXTS, SufficiencyGate
from core.seams import Passage
from core.settings import GuardSettings
from core.types import Chunk, Label, Verdict
from tests.agents.doubles import CharacterVectors, LetterReader

PASSAGE = Passage(("The port was opened in 1931.",), ("The port was opened in 1931.",))
SAID = "Ships have called there since the thirties."


class Says:
    """A logistic model of one opinion."""

    def __init__(self, probability: float) -> None:
        self._probability = probability

    def probability(self, features) -> float:
        return self._probability


class Probes:
    """A `ProbeReader` that says one thing of everything, and counts how often it is asked."""

    fingerprint = "probes"

    def __init__(self, logit: float) -> None:
        self._logit, self.asked = logit, 0

    def read_answers(self, question, texts):
        self.asked += len(texts)
        return [self._logit] * len(texts)

    def read_claim(self, sentence, text):
        self.asked += 1
        return self._logit

    def read_fit(self, question, sentence, texts):
        self.asked += len(texts)
        return [self._logit] * len(texts)


def probed(small: float, probes: Probes, unsure_at: float = 0.35) -> ProbedGuard:
    return ProbedGuard(LearnedGuard(LetterReader(), 0.5, unsure_at, Says(small)), probes)


@pytest.mark.parametrize(
    ("small", "logit", "label"),
    [
        (0.6, 2.0, Label.SUPPORTED),
        (0.6, -2.0, Label.UNSUPPORTED),
        (0.3, -2.0, Label.UNSUPPORTED),
    ],
)
def test_in_doubt_the_second_reading_decides(small, logit, label):
    probes = Probes(logit)
    verdict = probed(small, probes).check(SAID, PASSAGE, "")
    assert (verdict.label, verdict.guard, probes.asked) == (label, LearnedGuard.name, 1)


@pytest.mark.parametrize("small", [0.11, 0.3, 0.49])
def test_it_lets_nothing_out_that_the_small_model_would_not(small):
    """A document holds the orders too that stand in it."""
    verdict = probed(small, Probes(9.0)).check(SAID, PASSAGE, "")
    assert verdict.label is Label.UNSURE and verdict.score < 0.5


@pytest.mark.parametrize(("small", "label"), [(0.99, Label.SUPPORTED), (0.001, Label.UNSUPPORTED)])
def test_where_the_small_model_is_sure_nothing_more_is_read(small, label):
    probes = Probes(2.0 if small < 0.5 else -2.0)
    assert probed(small, probes).check(SAID, PASSAGE, "").label is label
    assert probes.asked == 0


def test_a_contradiction_is_not_read_again():
    probes = Probes(5.0)
    said = "The port was not opened in 1931."
    assert probed(0.3, probes).check(said, PASSAGE, "").label is Label.CONTRADICTED
    assert probes.asked == 0


def test_without_evidence_nothing_is_read():
    probes = Probes(2.0)
    assert probed(0.5, probes).check(SAID, Passage((), ()), "").label is Label.UNSUPPORTED
    assert probes.asked == 0


def test_an_objection_of_exact_checks_is_not_read_again():
    probes = Probes(5.0)
    guard = GroundingGuard(LetterReader(), 0.5, 0.35, Says(0.5), probes=probes)
    verdict = guard.check("The port was opened in 1974.", PASSAGE, "")
    assert verdict.label is not Label.SUPPORTED and probes.asked == 0


@pytest.mark.parametrize(("logit", "asked"), [(3.0, 1), (-3.0, PROBED_TEXTS)])
def test_the_gate_reads_chunk_by_chunk_until_one_is_enough(logit, asked):
    probes = Probes(logit)
    chunks = [Chunk(str(n), "d", n, f"The port was opened in 19{n}0.", "", "d.txt") for n in range(4)]
    found = SufficiencyGate(CharacterVectors(), LetterReader(), Says(0.5), probes).read("When was it?", chunks)
    assert probes.asked == asked
    assert (found.score > 0.5) is (logit > 0)
    assert set(found.answering) == {chunk.id for chunk in chunks}


@pytest.mark.parametrize("small", [0.001, 0.999])
def test_a_sure_gate_reads_nothing_more(small):
    probes = Probes(0.0)
    chunks = [Chunk("0", "d", 0, "The port was opened in 1931.", "", "d.txt")]
    found = SufficiencyGate(CharacterVectors(), LetterReader(), Says(small), probes).read("When?", chunks)
    assert probes.asked == 0 and found.score == pytest.approx(small)


@pytest.mark.parametrize(("logit", "label"), [(3.0, Label.SUPPORTED), (-3.0, Label.UNSUPPORTED)])
def test_a_true_first_sentence_is_weighed_by_the_second_reading(logit, label):
    probes = Probes(logit)
    check = AnswerCheck(LetterReader(), GuardSettings(), Says(0.5), probes)
    verdict = Verdict(Label.SUPPORTED, 0.8, LearnedGuard.name)
    weighed = check.weigh("When was the port opened?", "It was opened in 1931.", PASSAGE.surroundings, 0.6, verdict)
    assert weighed.label is label and probes.asked == 1
