"""Binds a sentence to the smallest evidence that holds it.

Candidates are the sentences and table rows of the chunks that the model was shown, so a
citation can only come from there, and a quote is a slice of the chunk's text, never text
that a model wrote. Markers in a draft are a hint and no more: a small model misnumbers
them. Knows nothing of verdicts.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from agents.guards.evidence_screen import UNSCREENED, ScreenedEvidence
from agents.quantities import split_facts
from core.seams import Passage, TokenEmbedder
from core.text import Span
from core.types import Chunk
from core.wording import numbers
from retrieval.pieces import split_pieces
from retrieval.relevance import max_sim
from retrieval.terms import split_terms

MARKER = re.compile(r"\s*[\[【](\d{1,2}(?:\s*[,，、]\s*\d{1,2})*)[\]】]")
# What a small model writes instead of a number: `[evidence 2]`, `[资料1]`, an empty pair.
_LOOSE_MARKER = re.compile(
    r"\s*[\[【](?:(?:evidence|资料|编号|来源|source)[-\s\w,，、]{0,22}|[0-9a-f]{6,16}|\s*)[\]】](?=[。.！!？?\s]*$)"
)
MAX_SPANS = 3
MIN_GAIN = 0.12
HINT_BONUS = 0.05
NUMBER_WEIGHT = 3.0
MAX_QUOTE_CHARS = 600


@dataclass(frozen=True, slots=True)
class BoundSpan:
    """`chunk.text[span.start:span.end]` is the quote; `similarity` is MaxSim of the claim;
    `around` is what of the chunk may be read beside it."""

    chunk: Chunk
    span: Span
    similarity: float
    header: str = ""
    around: str = ""

    @property
    def readable(self) -> str:
        """The quote as it is understood: a table's row with its header, any text with its
        headings."""
        return f"{self.chunk.context}\n{self.header}\n{self.quote}"

    @property
    def spoken(self) -> str:
        """The quote as a sentence: a table's row as `column: value` pairs."""
        if not self.header:
            return " ".join(self.quote.split())
        cells = [cell.strip() for cell in self.quote.strip("|").split("|")]
        columns = [cell.strip() for cell in self.header.strip("|").split("|")]
        if len(cells) != len(columns):
            return " ".join(self.quote.strip("| ").split())
        pairs = zip(columns, cells, strict=True)
        return "; ".join(f"{column}: {cell}" if column else cell for column, cell in pairs if cell)

    @property
    def quote(self) -> str:
        """The quote itself."""
        return self.span.of(self.chunk.text)


@dataclass(frozen=True, slots=True)
class _Candidate:
    chunk: Chunk
    span: Span
    terms: frozenset[str]
    vectors: np.ndarray
    header: str
    around: str

    def bound(self, similarity: float) -> BoundSpan:
        """The span for a claim that is so similar."""
        return BoundSpan(self.chunk, self.span, similarity, self.header, self.around)


class EvidenceBinder:
    """Makes an `EvidencePool` of the chunks of one question."""

    def __init__(self, embedder: TokenEmbedder) -> None:
        self._embedder = embedder

    def pool(
        self, chunks: Sequence[Chunk], screened: ScreenedEvidence = UNSCREENED
    ) -> "EvidencePool":
        """Reads the chunks once; the pool then binds any number of sentences. What the screen
        bars is no evidence."""
        return EvidencePool(chunks, self._embedder, screened)


class EvidencePool:
    """The evidence of one question, cut into quotable spans."""

    def __init__(
        self, chunks: Sequence[Chunk], embedder: TokenEmbedder, screened: ScreenedEvidence
    ) -> None:
        self.chunks = tuple(chunks)
        self.screened = screened
        self._embedder = embedder
        open_texts = {chunk.id: screened.open_text(chunk) for chunk in chunks}
        self.open_text = "\n".join(open_texts.values())
        places = [
            (chunk, span, header)
            for chunk in chunks
            for span, header in _quotable(chunk.text)
            if not screened.is_barred(chunk, span)
        ]
        texts = [f"{header}\n{span.of(chunk.text)}".strip() for chunk, span, header in places]
        vectors = embedder.embed_tokens(texts)
        self._candidates = [
            _Candidate(chunk, span, frozenset(_terms(text)), table, header, open_texts[chunk.id])
            for (chunk, span, header), text, table in zip(places, texts, vectors, strict=True)
        ]

    @property
    def spans(self) -> list[BoundSpan]:
        """All quotable spans, in the order of the evidence; their similarity is 0."""
        return [candidate.bound(0.0) for candidate in self._candidates]

    def bind(self, claim: str, hints: Sequence[int] = ()) -> list[BoundSpan]:
        """The one to three spans that together hold most of the claim, best first; none
        when the evidence is empty. `hints` are markers (from 1) that the draft gave."""
        wanted = _weights(claim)
        total = sum(wanted.values())
        words = self._embedder.embed_tokens([claim])[0]
        hinted = {self.chunks[i - 1].id for i in hints if 0 < i <= len(self.chunks)}
        similarity = [max_sim(words, candidate.vectors) for candidate in self._candidates]
        chosen: list[int] = []
        while len(chosen) < MAX_SPANS:
            scored = [
                (
                    _cover(wanted, candidate.terms, total)
                    + HINT_BONUS * (candidate.chunk.id in hinted)
                    + (0.0 if chosen else similarity[at]),
                    at,
                )
                for at, candidate in enumerate(self._candidates)
                if at not in chosen
            ]
            gain, best = max(scored, default=(0.0, -1))
            if best < 0 or (chosen and gain < MIN_GAIN + HINT_BONUS):
                break
            chosen.append(best)
            wanted = {t: w for t, w in wanted.items() if t not in self._candidates[best].terms}
        return [self._candidates[at].bound(similarity[at]) for at in chosen]

    def rank(self, question: str) -> list[BoundSpan]:
        """All spans, those that speak most of the question first: for extractive answers."""
        wanted = _weights(question)
        words = self._embedder.embed_tokens([question])[0]
        scored = []
        for candidate in self._candidates:
            similarity = max_sim(words, candidate.vectors)
            cover = _cover(wanted, candidate.terms, sum(wanted.values()))
            scored.append((similarity + cover, candidate.bound(similarity)))
        scored.sort(key=lambda pair: -pair[0])
        return [bound for _, bound in scored]


def passage_of(bound: Sequence[BoundSpan]) -> Passage:
    """The evidence of a sentence as guards read it."""
    around = {span.chunk.id: f"{span.chunk.context}\n{span.around}" for span in bound}
    facts = [fact for span in bound for fact in split_facts(span.quote, span.header)]
    headings = {span.chunk.id: f"{span.chunk.context} {span.header}" for span in bound}
    return Passage(
        readable=tuple(span.readable for span in bound),
        quotes=tuple(span.quote for span in bound),
        surroundings=tuple(around.values()),
        facts=tuple(facts),
        headings=tuple(headings.values()),
    )


def _quotable(text: str) -> Iterator[tuple[Span, str]]:
    """The sentences and table rows that may be quoted; a row comes with its table's header,
    without which its numbers mean nothing."""
    for piece in split_pieces(text):
        line = piece.span.of(text)
        if re.search(r"\w", line) and len(line) <= MAX_QUOTE_CHARS:
            yield piece.span, piece.header


def count_invented(sentence: str, shown: int) -> int:
    """How many markers of a draft sentence name nothing that was shown: numbers beyond the last
    one, and what a model writes instead of a number."""
    _, hints = strip_markers(sentence)
    loose = _LOOSE_MARKER.findall(MARKER.sub("", sentence))
    return len(loose) + sum(not 0 < hint <= shown for hint in hints)


def strip_markers(sentence: str) -> tuple[str, list[int]]:
    """The sentence without `[1]` marks, and the numbers that stood in them."""
    hints = [int(n) for group in MARKER.findall(sentence) for n in re.findall(r"\d+", group)]
    return _LOOSE_MARKER.sub("", MARKER.sub("", sentence)).strip(), hints


def _terms(text: str) -> list[str]:
    return [*split_terms(text), *(f"#{value:g}" for value in numbers(text))]


def _weights(text: str) -> dict[str, float]:
    return {term: NUMBER_WEIGHT if term.startswith("#") else 1.0 for term in _terms(text)}


def _cover(wanted: dict[str, float], terms: frozenset[str], total: float) -> float:
    return sum(w for term, w in wanted.items() if term in terms) / total if total else 0.0
