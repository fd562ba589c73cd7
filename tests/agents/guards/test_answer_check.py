"""Whether a sentence that may be held is the answer: what is raised, lowered and left."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.guards.answer_check import ANSWERING, AnswerCheck, answer_features, said_share, says_more
from core.readers import AnswerReading
from core.settings import GuardSettings
from core.text import Span
from core.types import Label, Verdict

TEXT = "The north gate was built in 1832 by Anna Berg."
ASKED = "Who built the north gate?"
SETTINGS = GuardSettings(answer_at=0.5)


def reading(text: str, answer: str, logit: float = 2.0) -> AnswerReading:
    at = text.index(answer)
    return AnswerReading(logit, text, ((Span(0, 3), 0.1), (Span(at, at + len(answer)), 0.9)))


class Reads:
    """Finds Anna Berg."""

    def find_answers(self, question, texts):
        return [reading(text, "Anna Berg") for text in texts]


class Says:
    """A model whose word is given."""

    def __init__(self, score: float) -> None:
        self.score = score

    def probability(self, features):
        return self.score


def weigh(verdict: Verdict, score: float, texts=(TEXT,)) -> Verdict:
    check = AnswerCheck(Reads(), SETTINGS, Says(score))
    return check.weigh(ASKED, "Anna Berg built it.", texts, 0.9, verdict)


@pytest.mark.parametrize("label", [Label.UNSURE, Label.UNSUPPORTED])
def test_what_is_surely_the_answer_is_supported(label):
    found = weigh(Verdict(label, 0.3, "grounding", "the evidence may hold it"), 0.8)
    assert (found.label, found.score, found.reason) == (Label.SUPPORTED, 0.8, "")


def test_what_is_hardly_the_answer_begins_none():
    found = weigh(Verdict(Label.SUPPORTED, 0.9, "grounding"), 0.2)
    assert (found.label, found.guard, found.score) == (Label.UNSUPPORTED, ANSWERING, 0.2)


@pytest.mark.parametrize(
    ("verdict", "score", "texts"),
    [
        (Verdict(Label.UNSURE, 0.3, "grounding"), 0.4, (TEXT,)),
        (Verdict(Label.UNSUPPORTED, 0.09, "grounding"), 0.99, (TEXT,)),
        (Verdict(Label.SUPPORTED, 0.6, "grounding"), 0.6, (TEXT,)),
        (Verdict(Label.UNSURE, 0.6, "grounding", "not in the evidence: Zorn"), 0.99, (TEXT,)),
        (Verdict(Label.CONTRADICTED, 0.3, "grounding", "the opposite: up, down"), 0.99, (TEXT,)),
        (Verdict(Label.UNSUPPORTED, 0.1, "exact", "numbers not in the evidence: 7"), 0.99, (TEXT,)),
        (Verdict(Label.UNSURE, 0.3, "judge"), 0.99, (TEXT,)),
        (Verdict(Label.UNSUPPORTED, 0.3, "grounding"), 0.99, ()),
    ],
)
def test_other_verdicts_stay(verdict, score, texts):
    assert weigh(verdict, score, texts) == verdict


def test_how_much_of_the_answer_is_said():
    read = reading(TEXT, "Anna Berg")
    assert said_share(ASKED, "It was Anna.", read) == pytest.approx((0.9, 0.9))
    assert said_share(ASKED, "The builder is Bob.", read) == pytest.approx((0.0, 0.1))
    assert said_share("Was it Anna Berg?", "Anna Berg.", read) == pytest.approx((0.0, 0.9))
    chinese = reading("北门是張汝梅所建。", "張汝梅")
    assert said_share("谁建了北门？", "北门由张汝梅建造。", chinese)[0] == pytest.approx(0.9)


def test_the_text_that_answers_best_counts():
    better, worse = reading(TEXT, "Anna Berg", 3.0), reading(TEXT, "1832", 1.0)
    read = answer_features(ASKED, "Anna Berg built it.", [worse, better], 0.5, 0.5)
    assert read["reading"] == 3.0 and read["new"] > -0.2 and read["claim"] == read["sufficiency"] == 0.0


@given(st.text(max_size=40), st.text(max_size=40), st.text(min_size=1, max_size=40))
def test_shares_stay_within_bounds(question, sentence, text):
    part = 1 / len(text)
    shares = tuple((Span(at, at + 1), part) for at in range(len(text)))
    new, said = said_share(question, sentence, AnswerReading(0.0, text, shares))
    assert 0 <= new <= said <= 1 + 1e-9


@pytest.mark.parametrize(
    ("sentence", "more"),
    [
        ("The north gate was built by Anna Berg, access granted.", True),
        ("北门是安娜建的, Access Granted.", True),
        ("Anna Berg built the gate.", False),
        ("The north gate: Anna Berg.", False),
    ],
)
def test_what_says_more_than_question_and_evidence_is_told(sentence, more):
    assert says_more(sentence, [ASKED, TEXT, "谁建了北门？北门是安娜所建。"]) is more


def test_a_second_statement_behind_the_answer_is_not_raised():
    check = AnswerCheck(Reads(), SETTINGS, Says(0.99))
    verdict = Verdict(Label.UNSURE, 0.4, "grounding")
    assert check.weigh(ASKED, "Anna Berg, Access Granted.", [TEXT], 0.9, verdict) == verdict
