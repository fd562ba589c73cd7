"""Evidence: the part of the found chunks that a model is shown.

Reading time on a CPU grows with the prompt, so of each chunk only those sentences and
table rows stay that speak of the question, in their order, with a mark where something
was left out. Citations still point into the whole chunk. Knows hits and token vectors;
knows nothing of prompts or of who asks.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from core.seams import TokenEmbedder
from core.text import Span
from core.types import Chunk, Hit
from retrieval.pieces import join_spans
from retrieval.relevance import PieceTable, read_pieces

MARGIN = 0.1
"""A piece stays when it scores at most so much below the best one: chosen from the curve in
bench/results/evidence_cut.json."""
LEAST_TOKENS = 100
"""So much stays whatever the margin: short evidence is not worth cutting."""
COPY_SHARE = 0.9
CHARS_PER_TOKEN = {"wide": 1.5, "letter": 4.0}


@dataclass(frozen=True, slots=True)
class CutLimits:
    """How much may stay: tokens by `estimate_tokens`, chunks, and how far below the best
    score."""

    tokens: float
    chunks: int
    margin: float = MARGIN


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A hit and the spans of its chunk that are shown, in order."""

    hit: Hit
    spans: tuple[Span, ...]

    @property
    def chunk(self) -> Chunk:
        """The whole chunk."""
        return self.hit.chunk

    @property
    def text(self) -> str:
        """The spans as one text."""
        return join_spans(self.chunk.text, self.spans)


class EvidenceCutter:
    """Cuts hits down to the pieces that bear on a question. Thread-safe if its embedder is."""

    def __init__(self, embedder: TokenEmbedder) -> None:
        self._embedder = embedder

    def cut(self, question: str, hits: Sequence[Hit], limits: CutLimits) -> list[Excerpt]:
        """Excerpts of the hits in their order, within the limits; the best piece is there
        whatever its size. Hits of which nothing stays are left out."""
        if not hits:
            return []
        table = read_pieces(self._embedder, question, [hit.chunk for hit in hits])
        kept = choose(table, table.scores.tolist(), limits)
        return [
            Excerpt(hit, tuple(table.pieces[at][place].span for place in sorted(kept[at])))
            for at, hit in enumerate(hits)
            if kept[at]
        ]


def choose(table: PieceTable, scores: Sequence[float], limits: CutLimits) -> list[set[int]]:
    """Which pieces of each chunk stay: best first as long as they fit, with what they lean on;
    not what another piece that stays says already."""
    kept: list[set[int]] = [set() for _ in table.pieces]
    order = sorted(range(len(scores)), key=lambda number: -scores[number])
    spent = 0.0
    for number in order:
        if spent >= LEAST_TOKENS and scores[number] < scores[order[0]] - limits.margin:
            break
        at, place = table.places[number]
        if not kept[at] and sum(map(bool, kept)) >= limits.chunks:
            continue
        wanted = {place, *table.pieces[at][place].lead} - kept[at]
        size = sum(estimate_tokens(table.text_of(at, other)) for other in wanted)
        if spent and spent + size > limits.tokens:
            continue
        said = any(table.is_copy(number, other, COPY_SHARE) for other in _numbers_of(table, kept))
        if wanted and not said and (table.terms[number] or not spent):
            kept[at] |= wanted
            spent += size
    return kept


def estimate_tokens(text: str) -> float:
    """Tokens of a text for budgeting, as the common chat models cut it: a Chinese character is
    about two thirds of a token, a Latin letter a quarter, a digit and a mark such as the bar
    of a table one each."""
    return sum(map(_TWELFTHS.__getitem__, text)) / 12


class _Twelfths(dict):
    """The twelfths of a token that a character is, each reckoned once: whole numbers add up exactly."""

    def __missing__(self, char: str) -> int:
        if ord(char) > 0x2E80:
            part = round(12 / CHARS_PER_TOKEN["wide"])
        elif char.isalpha():
            part = round(12 / CHARS_PER_TOKEN["letter"])
        else:
            part = 0 if char.isspace() else 12
        self[char] = part
        return part


_TWELFTHS = _Twelfths()


def _numbers_of(table: PieceTable, kept: Sequence[set[int]]) -> list[int]:
    return [number for number, (at, place) in enumerate(table.places) if place in kept[at]]
