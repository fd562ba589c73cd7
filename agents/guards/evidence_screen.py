"""Keeps text that speaks to a model out of the evidence of an answer.

Orders (drop your instructions, reveal the prompt, marks of chat) are never shown to the model
and never quoted. Whatever else speaks to whoever writes the answer, and all other sentences of
a document that holds such text, must itself speak of the question: an attack does not know
what will be asked. Headings and titles must so too, for they stand beside each sentence that
is checked. Where the question is about such texts, they are what it asks for, and
their citations are marked. Knows texts and token vectors; knows nothing of prompts.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from agents.guards.speech_to_models import (
    Speech,
    asks_about_code,
    asks_about_instructions,
    gives_orders,
    speech_of,
    speeches_of,
)
from agents.keywords import segments
from core.seams import TokenEmbedder
from core.text import Span, detect_language
from core.types import Chunk
from retrieval.evidence import Excerpt
from retrieval.pieces import Piece, split_pieces
from retrieval.relevance import max_sim
from retrieval.terms import split_terms

SPEAKS_OF = 0.745
"""Mean best cosine of the question's tokens from which a sentence speaks of it: 1 in 100 of the
sentences that answer a question of XQuAD or CMRC lies below, 99 in 100 of the attacks of BIPIA."""
SPEAKS_OF_ACROSS = 0.70
"""The same when question and sentence are in different languages: 1 in 20 of XQuAD below."""
MARGIN = 0.1
"""Beside text that speaks to a model a sentence may be so much less near than the nearest one."""
DEMAND_MORE = 0.055
"""A demand on the reply, or a line of code, must be so much nearer: one sentence of 200 is one, and
is quoted rarely. So must all that speaks to a model in a document that holds such text elsewhere."""
MOST_ENCLOSED = 3
"""Sentences in a row; more of them are a document between two lines."""
KEPT = 256
"""Texts of chunks of which it is kept how their pieces speak."""
_PLAIN = (Speech.ORDER, Speech.UNREADABLE)


@dataclass(frozen=True, slots=True)
class ScreenedEvidence:
    """What of some chunks may not be quoted (`barred`) and what speaks to a model and may
    (`flagged`), as spans by chunk id. `taken_terms` are the words of what is barred as such, `barred_names`
    the headings and titles that are no context, with their documents; `titles` those of documents;
    `asked_terms` are the words of barred questions, which an FAQ is full of too."""

    barred: Mapping[str, frozenset[Span]] = field(default_factory=dict)
    flagged: Mapping[str, frozenset[Span]] = field(default_factory=dict)
    taken_terms: frozenset[str] = frozenset()
    passages: int = 0
    barred_names: frozenset[tuple[str, str]] = frozenset()
    titles: Mapping[str, str] = field(default_factory=dict)
    asked_terms: frozenset[str] = frozenset()

    def is_barred(self, chunk: Chunk, span: Span) -> bool:
        """Whether the span may not be quoted."""
        return span in self.barred.get(chunk.id, ())

    def is_flagged(self, chunk_id: str, start: int, end: int) -> bool:
        """Whether a quotable span overlaps text that speaks to a model."""
        return any(span.start < end and start < span.end for span in self.flagged.get(chunk_id, ()))

    def open_text(self, chunk: Chunk) -> str:
        """The chunk's text without what is barred in it."""
        text, end, parts = chunk.text, 0, []
        for span in sorted(self.barred.get(chunk.id, ()), key=lambda span: span.start):
            parts.append(text[end : span.start])
            end = span.end
        return "".join([*parts, text[end:]])

    def trim(self, excerpts: Sequence[Excerpt]) -> list[Excerpt]:
        """The excerpts without what is barred; those of which nothing stays are left out."""
        kept = []
        for excerpt in excerpts:
            spans = tuple(span for span in excerpt.spans if not self.is_barred(excerpt.chunk, span))
            if spans:
                hit = replace(excerpt.hit, chunk=self.rename(excerpt.chunk))
                kept.append(Excerpt(hit, spans))
        return kept

    def rename(self, chunk: Chunk) -> Chunk:
        """The chunk without the headings and the title that are barred."""
        barred = {name for document, name in self.barred_names if document == chunk.document_id}
        if barred.isdisjoint((chunk.title, *chunk.headings)):
            return chunk
        headings = tuple(heading for heading in chunk.headings if heading not in barred)
        return replace(chunk, headings=headings, title="" if chunk.title in barred else chunk.title)

    def title_of(self, chunk: Chunk) -> str:
        """The title by which a reader knows the chunk's document."""
        return chunk.title or self.titles.get(chunk.document_id, "")

    def words_taken(self, sentence: str, held: Sequence[str], is_borne_out: bool = True) -> list[str]:
        """Content words of a sentence that stand in barred text and in none of `held`; of barred
        questions too when no evidence bears the sentence out."""
        taken = self.taken_terms if is_borne_out else self.taken_terms | self.asked_terms
        if not taken:
            return []
        known = {term for text in held for term in split_terms(text)}
        return [
            word
            for word in segments(sentence)
            if (terms := set(split_terms(word)) - known) and terms <= taken
        ]


UNSCREENED = ScreenedEvidence()
"""Everything may be quoted."""


@dataclass(frozen=True, slots=True)
class _Place:
    chunk: Chunk
    span: Span
    readable: str
    speech: Speech


class EvidenceScreen:
    """Screens the chunks of one question. Thread-safe if its embedder is."""

    def __init__(self, embedder: TokenEmbedder) -> None:
        self._embedder = embedder

    def find_hostile(self, question: str, chunks: Sequence[Chunk]) -> frozenset[str]:
        """The documents that are told by a chunk: one order, one line that nobody can read, or one
        demand that has nothing to do with what is asked."""
        if asks_about_instructions(question):
            return frozenset()
        places = _places(question, chunks)
        demands = [place for place in places if place.speech is Speech.DEMAND]
        told = {place.chunk.document_id for place in self._stray(question, demands)}
        told |= {place.chunk.document_id for place in places if place.speech is Speech.UNREADABLE}
        return frozenset(told | {c.document_id for c in chunks if gives_orders(f"{c.context}\n{c.text}")})

    def screen(
        self, question: str, chunks: Sequence[Chunk], hostile_documents: Collection[str] = ()
    ) -> ScreenedEvidence:
        """What may be quoted of these chunks in an answer to this question; of `hostile_documents`
        it is known that they are told elsewhere."""
        places = _places(question, chunks)
        spoken = [place for place in places if place.speech]
        if asks_about_instructions(question):
            plain = [place for place in spoken if place.speech in (*_PLAIN, Speech.DEMAND)]
            return ScreenedEvidence(flagged=_by_chunk(plain), passages=len(plain))
        stray = self._stray(question, spoken)
        orders = [p for p in spoken if p.speech in _PLAIN]
        hostile = orders + [p for p in stray if p.speech is Speech.DEMAND]
        documents = {*hostile_documents, *(p.chunk.document_id for p in hostile)}
        beside = [p for p in spoken if p.chunk.document_id in documents]
        stray += [p for p in self._stray(question, beside, DEMAND_MORE) if p not in stray]
        tainted = self._tainted(question, places, documents)
        flagged = [p for p in spoken if p.speech is Speech.DEMAND and p not in stray]
        names = self._barred_names(question, chunks, documents)
        taken = [*hostile, *tainted, *(p for p in stray if p.speech in (Speech.REQUEST, Speech.CODE))]
        words = [*(name for _, name in names), *(place.readable for place in taken)]
        return ScreenedEvidence(
            barred=_by_chunk([*orders, *stray, *tainted]),
            flagged=_by_chunk(flagged),
            taken_terms=frozenset(term for text in words for term in split_terms(text)),
            passages=len(hostile),
            asked_terms=frozenset(
                term for p in stray if p.speech is Speech.QUESTION for term in split_terms(p.readable)
            ),
            barred_names=names,
            titles={chunk.document_id: chunk.title for chunk in chunks},
        )

    def _stray(self, question: str, spoken: Sequence[_Place], more: float = 0.0) -> list[_Place]:
        """Those that do not speak of the question; they must be so much nearer it by `more`."""
        near = self._similarities(question, [place.readable for place in spoken])
        return [p for p, value in zip(spoken, near, strict=True) if value < _least(p, question) + more]

    def _barred_names(
        self, question: str, chunks: Sequence[Chunk], documents: Collection[str]
    ) -> frozenset[tuple[str, str]]:
        """Headings and titles that give orders; in one of these documents those without a word of
        the question, for they are too short to be compared; and elsewhere those of them that
        speak to a model and not of the question."""
        asked = set(split_terms(question))
        told = [
            _Place(chunk, Span(0, 0), name, speech)
            for chunk in chunks
            for name in (chunk.title, *chunk.headings)
            if name and ((speech := _asked_of(speech_of(name), question)) or chunk.document_id in documents)
        ]
        foreign = [name for name in told if asked.isdisjoint(split_terms(name.readable))]
        barred = [name for name in told if name.speech in _PLAIN]
        barred += [name for name in foreign if name.chunk.document_id in documents]
        doubtful = [name for name in told if name.speech is Speech.DEMAND or name in foreign]
        barred += self._stray(question, doubtful)
        return frozenset((name.chunk.document_id, name.readable) for name in barred)

    def _tainted(self, question: str, places: Sequence[_Place], documents: Collection[str]) -> list[_Place]:
        """The plain sentences of these documents that are far from the question; what stands
        between two lines to a model is theirs, and must be nearer than the rest."""
        if not documents:
            return []
        plain = [place for place in places if not place.speech]
        near = self._similarities(question, [place.readable for place in plain])
        nearest = max(near, default=0.0) - MARGIN
        enclosed = _enclosed(places)
        return [
            place
            for place, value in zip(plain, near, strict=True)
            if place.chunk.document_id in documents
            and value < max(nearest, _least(place, question) + DEMAND_MORE * (place in enclosed))
        ]

    def _similarities(self, question: str, texts: Sequence[str]) -> list[float]:
        if not texts:
            return []
        words, *tables = self._embedder.embed_tokens([question, *texts])
        return [max_sim(words, table) for table in tables]


def _places(question: str, chunks: Sequence[Chunk]) -> list[_Place]:
    """All pieces of the chunks."""
    found = []
    for chunk in chunks:
        for piece, speech in _spoken(chunk.text):
            found.append(_Place(chunk, piece.span, piece.readable(chunk.text), _asked_of(speech, question)))
    return found


# What was found is looked at for hostile documents, and what is shown of it is screened.
@lru_cache(KEPT)
def _spoken(text: str) -> tuple[tuple[Piece, Speech], ...]:
    pieces = split_pieces(text)
    return tuple(zip(pieces, speeches_of([piece.span.of(text) for piece in pieces]), strict=True))


def _enclosed(places: Sequence[_Place]) -> list[_Place]:
    """The plain sentences, few in a row, between two of a chunk that speak to a model."""
    found: list[_Place] = []
    row: list[_Place] = []
    opened = ""
    for place in places:
        if place.speech:
            found += row if opened == place.chunk.id and len(row) <= MOST_ENCLOSED else []
            row, opened = [], place.chunk.id
        else:
            row.append(place)
    return found


def _asked_of(speech: Speech, question: str) -> Speech:
    """How that speaks to a model under a question: code that is asked for is as prose."""
    return Speech.NONE if speech is Speech.CODE and asks_about_code(question) else speech


def _least(place: _Place, question: str) -> float:
    """The similarity from which a sentence speaks of a question."""
    if place.speech is Speech.CODE:  # of no language
        return SPEAKS_OF + DEMAND_MORE
    same = detect_language(place.readable) == detect_language(question)
    return (SPEAKS_OF if same else SPEAKS_OF_ACROSS) + DEMAND_MORE * (place.speech is Speech.DEMAND)


def _by_chunk(places: Sequence[_Place]) -> dict[str, frozenset[Span]]:
    found: dict[str, set[Span]] = {}
    for place in places:
        found.setdefault(place.chunk.id, set()).add(place.span)
    return {chunk_id: frozenset(spans) for chunk_id, spans in found.items()}
