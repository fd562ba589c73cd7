"""How much each piece of some chunks speaks of a question, by late interaction.

A piece is read twice: alone, and within its chunk, where 它 and "it" have met what they
stand for. The mean of both keeps more answers than either (bench/results/evidence_cut.json).
Knows token vectors; knows nothing of budgets or prompts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from core.seams import TokenEmbedder
from core.types import Chunk
from core.wording import numbers
from retrieval.pieces import Piece, split_pieces
from retrieval.terms import split_terms

KEPT = 1024
"""Pieces whose numbers are kept."""


@dataclass(frozen=True, slots=True)
class PieceTable:
    """All pieces of some chunks, numbered through: `places[n]` is (chunk, piece in it), both
    from 0. `alone[n]` and `within[n]` are MaxSim (-1…1) of the question in piece n."""

    chunks: Sequence[Chunk]
    pieces: Sequence[Sequence[Piece]]
    places: Sequence[tuple[int, int]]
    alone: np.ndarray
    within: np.ndarray
    terms: Sequence[frozenset[str]]

    @property
    def scores(self) -> np.ndarray:
        """One score for each piece."""
        return (self.alone + self.within) / 2

    def text_of(self, at: int, place: int) -> str:
        """A piece as it stands in its chunk."""
        return self.pieces[at][place].span.of(self.chunks[at].text)

    def is_copy(self, number: int, other: int, share: float) -> bool:
        """Whether piece `other` says all of piece `number`: nearly all of its terms, and every
        number. Two versions of a sentence that differ in a number are no copies."""
        mine, theirs = self.terms[number], self.terms[other]
        if not mine or len(mine & theirs) < share * len(mine):
            return False
        return _numbers(self.text_of(*self.places[number])) <= _numbers(self.text_of(*self.places[other]))


# The same piece is compared with many.
@lru_cache(KEPT)
def _numbers(text: str) -> frozenset[float]:
    return frozenset(numbers(text))


def read_pieces(embedder: TokenEmbedder, question: str, chunks: Sequence[Chunk]) -> PieceTable:
    """The pieces of the chunks with their scores."""
    pieces = [split_pieces(chunk.text) for chunk in chunks]
    places = [(at, place) for at, parts in enumerate(pieces) for place in range(len(parts))]
    readable = [pieces[at][place].readable(chunks[at].text) for at, place in places]
    contexts = [chunk.context for chunk in chunks]
    wholes = [f"{chunk.context}\n{chunk.text}" for chunk in chunks]
    words, *tables = embedder.embed_tokens([question, *readable, *contexts, *wholes])
    own, rest = tables[: len(places)], tables[len(places) :]
    lengths = [len(table) for table in own]
    within: list[float] = []
    for at, (context, whole) in enumerate(zip(rest[: len(chunks)], rest[len(chunks) :], strict=True)):
        sizes = _sizes(pieces[at], lengths[len(within) : len(within) + len(pieces[at])])
        within += _sim_of_parts(words, whole, len(context) if contexts[at] else 0, sizes)
    return PieceTable(
        chunks,
        pieces,
        places,
        np.array([max_sim(words, table) for table in own]),
        np.array(within),
        [frozenset(split_terms(text)) for text in readable],
    )


def max_sim(words: np.ndarray, table: np.ndarray) -> float:
    """Mean over the rows of `words` of the greatest cosine with a row of `table`; 0 when
    either is empty."""
    if not len(words) or not len(table):
        return 0.0
    return float((words @ table.T).max(axis=1).mean())


def _sizes(pieces: Sequence[Piece], lengths: Sequence[int]) -> list[int]:
    """Tokens of each piece itself: a row was encoded with its header."""
    return [
        max(1, length - lengths[piece.lead[0]]) if piece.header and piece.lead else length
        for piece, length in zip(pieces, lengths, strict=True)
    ]


def _sim_of_parts(words: np.ndarray, whole: np.ndarray, begin: int, sizes: Sequence[int]) -> list[float]:
    """MaxSim within each part of a chunk's table. Where the parts lie follows from their
    sizes, which is right but for a token or two: pieces are cut at stops."""
    total = sum(sizes)
    if not total:
        return [0.0] * len(sizes)
    ends = begin + np.cumsum([0, *sizes]) * (len(whole) - begin) / total
    edges = np.rint(ends).astype(int)
    return [max_sim(words, whole[a:b]) for a, b in zip(edges, edges[1:], strict=False)]
