"""The lexical leg: BM25 over character bigrams for Chinese and stemmed words elsewhere.

Terms and weights are computed on our side, so that the same sparse vectors work on
Milvus Lite and on a server. The saturated term frequency is the document's weight and
idf is the query's, so that their inner product is BM25 (Robertson and Zaragoza 2009);
the document frequencies live in the ledger's database (`Lexicon`) and follow each delete.

Knows nothing of Milvus or of fusion.
"""

import json
import math
import zlib
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy import BigInteger, Connection, Engine, Index, Integer, bindparam, delete, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from core.database import MAX_VARIABLES, TEXT, create_tables, insert_into, serialize
from core.text import detect_language, has_letters
from retrieval.terms import EXACT, exact_forms, query_terms, split_terms

K1 = 1.2
B = 0.75
# A fixed pivot instead of the running mean keeps a stored vector right for ever; chunks
# are of one size, so the mean hardly moves.
PIVOT_TERMS = 180
TERM_IDS = 2**32 - 2
EXACT_SHARE = 0.5
"""What a word's exact form weighs beside its stem. Chosen on public development sets: 0.25 to
1 gain the same on tables and computer science, 0.5 loses least elsewhere."""

TEXTS_KEPT = 2048
"""Best documents of recent questions, whose terms are not split again."""


@dataclass(frozen=True, slots=True)
class LexicalDocument:
    """The sparse vector of one chunk, its length in terms, and its language, if it has words."""

    weights: Mapping[int, float]
    length: int
    language: str = ""


def term_id(term: str) -> int:
    """A term's dimension in the sparse vectors, stable over time and machines."""
    return zlib.crc32(term.encode()) % TERM_IDS


def encode_document(text: str) -> LexicalDocument:
    """The document side of BM25, without idf."""
    counts = Counter(map(term_id, split_terms(text)))
    length = sum(counts.values())  # of the terms that every language has
    counts.update(map(term_id, exact_forms(text)))
    norm = K1 * (1 - B + B * length / PIVOT_TERMS)
    weights = {term: tf * (K1 + 1) / (tf + norm) for term, tf in counts.items()}
    return LexicalDocument(weights, length, detect_language(text) if has_letters(text) else "")


def query_shares(text: str) -> dict[int, float]:
    """What each term of a question counts beside its idf: 1, or EXACT_SHARE for the exact form
    of a word. Repeats count once, and words that only ask are left out."""
    terms = sorted(query_terms(text))
    return {term_id(term): EXACT_SHARE if term.startswith(EXACT) else 1.0 for term in terms}


def weigh_query(
    shares: Mapping[int, float], total: int, frequencies: Mapping[int, int]
) -> dict[int, float]:
    """The query side of BM25: the idf of each term in `total` chunks, times its share. An
    exact form that no chunk holds is left out: its stem stands for it."""
    return {
        term: share * idf(total, frequencies.get(term, 0))
        for term, share in shares.items()
        if share == 1.0 or frequencies.get(term, 0) > 0
    }


@lru_cache(TEXTS_KEPT)
def terms_of(text: str) -> frozenset[int]:
    """The terms of a document's sparse vector, without their weights."""
    return frozenset(term_id(term) for term in {*split_terms(text), *exact_forms(text)})


def inner_product(query: Mapping[int, float], document: Mapping[int, float]) -> float:
    """BM25 of a document for a query."""
    return sum(weight * document.get(term, 0.0) for term, weight in query.items())


def coverage(query: Mapping[int, float], documents: Iterable[Container[int]]) -> float:
    """Share (0…1) of the query's idf mass that its best document, a set of terms, holds.

    Near 0 when the leg is blind, as for a Chinese question over English documents."""
    mass = sum(query.values())
    if not mass:
        return 0.0
    found = (sum(w for term, w in query.items() if term in document) for document in documents)
    return max(found, default=0.0) / mass


# Counted like terms, which no text can hold: a blank is never part of one.
_MARKERS = {language: term_id(f"in {language}") for language in ("zh", "en")}
_WITH_EXACT = term_id("with exact forms")
"""How many chunks were counted with their exact forms: earlier versions knew none, and
beside their chunks those of a new one would be taken for the only ones with a word."""


class _Table(DeclarativeBase):
    pass


class _IndexedDocument(_Table):
    __tablename__ = "lexical_documents"
    collection: Mapped[str] = mapped_column(TEXT, primary_key=True)
    document_id: Mapped[str] = mapped_column(TEXT, primary_key=True)
    chunks: Mapped[int] = mapped_column(Integer)
    counts: Mapped[str] = mapped_column(TEXT)


class _Term(_Table):
    __tablename__ = "lexical_terms"
    collection: Mapped[str] = mapped_column(TEXT, primary_key=True)
    term: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    frequency: Mapped[int] = mapped_column(Integer)


# So that the number of chunks is added up without reading the counts beside it.
_CHUNKS = Index("lexical_documents_chunks", _IndexedDocument.collection, _IndexedDocument.chunks)

# Made once: to put a statement together takes longer than the database needs for it.
_TOTAL = select(func.sum(_IndexedDocument.chunks)).where(
    _IndexedDocument.collection == bindparam("collection")
)
_FOUND = select(_Term.term, _Term.frequency).where(
    _Term.collection == bindparam("collection"), _Term.term.in_(bindparam("terms", expanding=True))
)


class Lexicon:
    """How many chunks of a collection hold each term.

    A document's contribution is kept with it and added or taken away in one
    transaction, so repeating a call after a kill changes nothing.
    """

    def __init__(self, engine: Engine) -> None:
        """Creates its tables in the ledger's database when they are not there."""
        self._engine = engine
        create_tables(engine, _Table.metadata)
        _CHUNKS.create(engine, checkfirst=True)  # a table of an earlier version has none

    def add_document(
        self, collection: str, document_id: str, chunks: Sequence[LexicalDocument]
    ) -> None:
        """Counts a document's chunks; what the same document counted before is replaced."""
        self.add_documents(collection, {document_id: chunks})

    def add_documents(
        self, collection: str, documents: Mapping[str, Sequence[LexicalDocument]]
    ) -> None:
        """Counts the chunks of several documents, in one transaction."""
        total: Counter[int] = Counter()
        with self._changing(collection) as session:
            for document_id, chunks in documents.items():
                counts = Counter(term for chunk in chunks for term in chunk.weights)
                counts.update(_MARKERS[chunk.language] for chunk in chunks if chunk.language)
                counts[_WITH_EXACT] = len(chunks)
                total.update(counts)
                self._subtract(session, collection, document_id)
                self._keep(session, (collection, document_id), len(chunks), json.dumps(counts))
            self._change(session, collection, total, 1)

    def copy_document(self, collection: str, source_id: str, document_id: str) -> None:
        """Counts a document's chunks under another id too; nothing when it is not there."""
        with self._changing(collection) as session:
            row = session.get(_IndexedDocument, (collection, source_id))
            if row is not None:
                self._subtract(session, collection, document_id)
                self._keep(session, (collection, document_id), row.chunks, row.counts)
                counts = {int(term): count for term, count in json.loads(row.counts).items()}
                self._change(session, collection, counts, 1)

    def count_chunks(self, collection: str) -> dict[str, int]:
        """Chunks of each document that are counted."""
        counted = select(_IndexedDocument.document_id, _IndexedDocument.chunks)
        with Session(self._engine) as session:
            return dict(session.execute(counted.where(_IndexedDocument.collection == collection)).all())

    def remove_document(self, collection: str, document_id: str) -> None:
        """Takes a document's chunks out of the counts; nothing when it is not there."""
        with self._changing(collection) as session:
            self._subtract(session, collection, document_id)

    def drop_collection(self, collection: str) -> None:
        """Forgets a collection."""
        with self._changing(collection) as session:
            for table in (_IndexedDocument, _Term):
                session.execute(delete(table).where(table.collection == collection))

    def encode_query(self, collection: str, text: str) -> dict[int, float]:
        """The query side of BM25, see `weigh_query`; without exact forms as long as there are
        chunks that an earlier version counted."""
        shares = query_shares(text)
        with self._engine.connect() as connection:
            total = connection.scalar(_TOTAL, {"collection": collection})
            found = dict(self._frequencies(connection, collection, [*shares, _WITH_EXACT]))
        if found.get(_WITH_EXACT, 0) < (total or 0):
            shares = {term: share for term, share in shares.items() if share == 1.0}
        return weigh_query(shares, total or 0, found)

    def languages(self, collection: str) -> tuple[str, ...]:
        """The languages that chunks of a collection are written in; all of them where they
        were not counted, as in an index of an earlier version."""
        with self._engine.connect() as connection:
            found = dict(self._frequencies(connection, collection, list(_MARKERS.values())))
        present = tuple(name for name, marker in _MARKERS.items() if found.get(marker, 0) > 0)
        return present or tuple(_MARKERS)

    @contextmanager
    def _changing(self, collection: str) -> Iterator[Session]:
        """A transaction; those on one collection wait for each other, since they add to the
        same rows in different orders."""
        with Session(self._engine) as session, session.begin():
            serialize(session.connection(), f"attest: words of {collection}")
            yield session

    def _frequencies(
        self, connection: Connection, collection: str, terms: Sequence[int]
    ) -> Iterator[tuple[int, int]]:
        for at in range(0, len(terms), MAX_VARIABLES):
            part = terms[at : at + MAX_VARIABLES]
            for row in connection.execute(_FOUND, {"collection": collection, "terms": part}):
                yield tuple(row)

    @staticmethod
    def _keep(session: Session, key: tuple[str, str], chunks: int, counts: str) -> None:
        collection, document_id = key
        session.add(
            _IndexedDocument(collection=collection, document_id=document_id, chunks=chunks, counts=counts)
        )

    def _subtract(self, session: Session, collection: str, document_id: str) -> None:
        row = session.get(_IndexedDocument, (collection, document_id))
        if row is not None:
            counts = {int(term): count for term, count in json.loads(row.counts).items()}
            self._change(session, collection, counts, -1)
            session.delete(row)
            session.flush()

    def _change(
        self, session: Session, collection: str, counts: Mapping[int, int], sign: int
    ) -> None:
        if not counts:
            return
        statement = insert_into(session.connection(), _Term.__table__)
        statement = statement.on_conflict_do_update(
            index_elements=[_Term.collection, _Term.term],
            set_={"frequency": _Term.frequency + statement.excluded.frequency},
        )
        session.execute(
            statement,
            [
                {"collection": collection, "term": term, "frequency": sign * count}
                for term, count in counts.items()
            ],
        )


def idf(total: int, frequency: int) -> float:
    """Weight of a term that `frequency` of `total` chunks hold; above 0 even when all do."""
    return math.log(1 + (total - frequency + 0.5) / (frequency + 0.5))
