"""Seams of reading: models that read a text beside a claim or a question. Each has a contract test in
tests/contracts/.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from core.text import Span

Pair = tuple[str, str]
"""A claim or a question, and the text it is read beside."""


@dataclass(frozen=True, slots=True)
class AnswerReading:
    """How a text answers a question: the `logit` that it does, and of the `text` that was read where the
    answer is thought to stand: stretches with their shares, together at most 1."""

    logit: float
    text: str
    shares: tuple[tuple[Span, float], ...]


class PairReader(Protocol):
    """Reads two texts together, token by token: does the second hold the claim, does it answer the
    question? Gives logits, which only a map fitted on labelled pairs makes probabilities."""

    fingerprint: str
    """Changes whenever the same pair would get another logit."""

    def read_claims(self, pairs: Sequence[Pair]) -> list[float]:
        """Of each pair, in its order, the logit that the second text holds what the first states. Of
        a long second text the sentences that speak most of the first are read."""
        ...

    def read_questions(self, pairs: Sequence[Pair]) -> list[float]:
        """Of each pair, in its order, the logit that an answer to the first stands in the second."""
        ...

    def find_answers(self, question: str, texts: Sequence[str]) -> list[AnswerReading]:
        """The same of one question beside each text, with where the answer is thought to stand."""
        ...


class ProbeReader(Protocol):
    """Reads a text with a language model, which takes a second where a `PairReader` takes milliseconds, and
    tells from the model's states what it has understood. Gives logits, which only a map fitted on labelled
    readings makes probabilities.

    All raise ModelFileError when the model cannot be opened, at the first use.
    """

    fingerprint: str
    """Changes whenever the same reading would get another logit."""

    def read_answers(self, question: str, texts: Sequence[str]) -> list[float]:
        """Of each text, in its order, the logit that it states the answer to the question. Of a long text
        the sentences that speak most of the question are read."""
        ...

    def read_claim(self, sentence: str, text: str) -> float:
        """The logit that the text states all that the sentence says."""
        ...

    def read_fit(self, question: str, sentence: str, texts: Sequence[str]) -> list[float]:
        """Of each text the logit that it states the sentence, and that this is the answer to the question."""
        ...
