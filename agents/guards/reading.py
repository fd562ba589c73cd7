"""Reads a claim beside its evidence: tokens aligned, signals of its words.

What the grounding model judges and what it is trained on come from here, so both are the
same. Knows the embedder; knows nothing of weights or verdicts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from agents.guards.alignment import Alignment, align
from agents.guards.signals import SIGNALS, text_signals
from core.seams import Passage, TokenEmbedder
from core.text import split_sentences
from retrieval.pieces import split_pieces

# Of several sentences the weakest counts: the least for these, the largest for the others.
_LEAST = frozenset(
    {
        "cover_quoted",
        "cover_around",
        "segment_mean",
        "segment_least",
        "likeness",
        "across",
        "chinese",
        "length",
    }
)
MOST_SENTENCES = 12
MOST_PIECES = 400


@dataclass(frozen=True, slots=True)
class Reading:
    """A claim of one or more sentences. `signals` in the order of `SIGNALS`."""

    sentences: tuple[str, ...]
    aligned: tuple[Alignment, ...]
    signals: np.ndarray


class ClaimReader:
    """Makes readings; safe to share between threads when the embedder is."""

    def __init__(self, embedder: TokenEmbedder, centre: np.ndarray) -> None:
        """`centre`: (dimensions,), the mean of token vectors."""
        self._embedder = embedder
        self._centre = centre

    def read(self, claim: str, passage: Passage, question: str) -> Reading:
        """Each sentence of the claim against all quotes of the passage."""
        sentences = cut_claim(claim)
        quotes = list(passage.readable or passage.quotes)
        around = [piece for piece in pieces_of(passage) if piece not in quotes][:MOST_PIECES]
        tables = self._embedder.embed_tokens([*sentences, *quotes, *around])
        words, rest = tables[: len(sentences)], tables[len(sentences) :]
        aligned = [align(table, rest[: len(quotes)], rest[len(quotes) :], self._centre) for table in words]
        signals = [text_signals(sentence, passage, question) for sentence in sentences]
        return Reading(tuple(sentences), tuple(aligned), _weakest(signals))


def cut_claim(claim: str) -> list[str]:
    """The sentences of a claim; never none."""
    found = [span.of(claim) for span in split_sentences(claim)]
    found = [sentence for sentence in found if any(c.isalnum() for c in sentence)]
    return found[:MOST_SENTENCES] or [claim]


def pieces_of(passage: Passage) -> list[str]:
    """The sentences and rows around the quotes, written as the binder embeds them."""
    return [piece.readable(text) for text in passage.surroundings for piece in split_pieces(text)]


def _weakest(signals: Sequence[Mapping[str, float]]) -> np.ndarray:
    return np.array(
        [(min if name in _LEAST else max)(signal[name] for signal in signals) for name in SIGNALS], np.float32
    )
