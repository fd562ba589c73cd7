"""Curated answers to known questions, bound to the documents that they cite.

An entry answers only where each of its quotes stands in a document that the one who asks may
read now: the store is asked under the reader's own filter, every time. So it expires by itself
when a cited document changes, is deleted or gets other readers. Knows a table and the store;
knows nothing of who may curate.
"""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field

from sqlalchemy import JSON, Engine, ForeignKey, Index, Integer, String, delete, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from agents.kept_answers import now
from agents.question_form import form_of
from agents.records import read_citation, read_sentence
from agents.same_question import SameQuestion
from agents.standing import Standing, find_standing
from core.database import create_tables
from core.errors import NotFoundError
from core.seams import VectorStore
from core.text import storable
from core.types import EVERYONE, Citation, Scope, Sentence


@dataclass(frozen=True, slots=True)
class FaqEntry:
    """Some wordings of a question and its answer. `audience`: of each group of names one must
    be the reader's; the groups are the readers of the cited documents at the time, and those
    that the curator has named."""

    collection: str
    questions: tuple[str, ...]
    sentences: tuple[Sentence, ...]
    citations: tuple[Citation, ...]
    audience: tuple[tuple[str, ...], ...]
    owner: str
    id: str = field(default_factory=lambda: secrets.token_hex(6))
    created: str = field(default_factory=now)

    @property
    def is_evidenced(self) -> bool:
        """Whether every sentence cites a document."""
        return all(sentence.citations for sentence in self.sentences)

    def is_for(self, names: frozenset[str] | None) -> bool:
        """Whether one of these names may know of the entry; None is everyone at once."""
        return names is None or all(set(group) & (names | {EVERYONE}) for group in self.audience)


@dataclass(frozen=True, slots=True)
class ListedEntry:
    """An entry and whether its evidence stands."""

    entry: FaqEntry
    standing: Standing


class _Tables(DeclarativeBase):
    pass


class _EntryRow(_Tables):
    __tablename__ = "faq_entries"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    collection: Mapped[str] = mapped_column(String(128), index=True)
    sentences: Mapped[list] = mapped_column(JSON)
    citations: Mapped[list] = mapped_column(JSON)
    audience: Mapped[list] = mapped_column(JSON)
    owner: Mapped[str] = mapped_column(String(128))
    created: Mapped[str] = mapped_column(String(32))


class _QuestionRow(_Tables):
    __tablename__ = "faq_questions"
    __table_args__ = (
        Index("faq_questions_key", "collection", "key_hash"),
        Index("faq_questions_facts", "collection", "facts_hash"),
    )

    entry_id: Mapped[str] = mapped_column(ForeignKey("faq_entries.id", ondelete="CASCADE"), primary_key=True)
    place: Mapped[int] = mapped_column(Integer, primary_key=True)
    collection: Mapped[str] = mapped_column(String(128))
    question: Mapped[str]
    key_hash: Mapped[str] = mapped_column(String(64))
    facts_hash: Mapped[str] = mapped_column(String(64))


class Faq:
    """The curated answers of all collections. Thread-safe; several processes may use it."""

    def __init__(self, engine: Engine, store: VectorStore, same: SameQuestion) -> None:
        self._engine = engine
        self._store = store
        self._same = same
        create_tables(engine, _Tables.metadata)

    def answer(self, question: str, scope: Scope) -> ListedEntry | None:
        """The entry that answers the question, with citations as they stand now; None when none
        does for this reader.

        Raises:
            StoreError: the store does not answer; never None instead.
        """
        form = form_of(question)
        for entry in self._alike(question, form.key_hash, form.facts_hash, scope.collection):
            if entry.is_for(scope.readers):
                standing = find_standing(self._store, scope, entry.citations)
                if standing.stands:
                    return ListedEntry(entry, standing)
        return None

    def add(self, entry: FaqEntry) -> None:
        """Stores a new entry."""
        row = _EntryRow(
            id=entry.id,
            collection=entry.collection,
            sentences=[asdict(sentence) for sentence in entry.sentences],
            citations=[asdict(citation) for citation in entry.citations],
            audience=[list(group) for group in entry.audience],
            owner=entry.owner,
            created=entry.created,
        )
        with Session(self._engine) as session, session.begin():
            session.add(row)
            session.flush()
            session.add_all(_question_rows(entry))

    def entries(self, collection: str, names: frozenset[str] | None) -> list[ListedEntry]:
        """Those that one of the names may know of, oldest first; None: all."""
        found = self._read(_EntryRow.collection == collection)
        return [self._listed(entry) for entry in found if entry.is_for(names)]

    def get(self, entry_id: str, names: frozenset[str] | None) -> ListedEntry:
        """Raises NotFoundError when there is none that one of the names may know of."""
        for entry in self._read(_EntryRow.id == entry_id):
            if entry.is_for(names):
                return self._listed(entry)
        raise NotFoundError(f"there is no FAQ entry {entry_id!r}", remedy="see: attest faq list")

    def delete(self, entry_id: str) -> None:
        """Removes an entry, if it is there."""
        with Session(self._engine) as session, session.begin():
            session.execute(delete(_QuestionRow).where(_QuestionRow.entry_id == entry_id))
            session.execute(delete(_EntryRow).where(_EntryRow.id == entry_id))

    def drop_collection(self, collection: str) -> None:
        """Removes all entries of a collection."""
        with Session(self._engine) as session, session.begin():
            session.execute(delete(_QuestionRow).where(_QuestionRow.collection == collection))
            session.execute(delete(_EntryRow).where(_EntryRow.collection == collection))

    def _listed(self, entry: FaqEntry) -> ListedEntry:
        # As all whom its documents were for: who looks at the list has no say in what stands.
        names = frozenset(name for group in entry.audience for name in group)
        scope = Scope(entry.collection, names)
        return ListedEntry(entry, find_standing(self._store, scope, entry.citations))

    def _alike(self, question: str, key_hash: str, facts_hash: str, collection: str) -> Iterable[FaqEntry]:
        """Entries with the very question, newest first, then those with nearly the same one."""
        here = _QuestionRow.collection == collection
        query = select(_QuestionRow.entry_id, _QuestionRow.question)
        with Session(self._engine) as session:
            exact = session.execute(query.where(here, _QuestionRow.key_hash == key_hash)).all()
        yield from self._read(_EntryRow.id.in_({row.entry_id for row in exact}))[::-1] if exact else ()
        with Session(self._engine) as session:
            near = session.execute(query.where(here, _QuestionRow.facts_hash == facts_hash)).all()
        rest = [row for row in near if row.entry_id not in {known.entry_id for known in exact}]
        while (at := self._same.find(question, [row.question for row in rest])) is not None:
            found = rest[at].entry_id
            yield from self._read(_EntryRow.id == found)
            rest = [row for row in rest if row.entry_id != found]

    def _read(self, *where) -> list[FaqEntry]:
        query = select(_EntryRow).where(*where).order_by(_EntryRow.created, _EntryRow.id)
        with Session(self._engine) as session:
            rows = list(session.scalars(query))
            ids = [row.id for row in rows]
            asked = select(_QuestionRow).where(_QuestionRow.entry_id.in_(ids)).order_by(_QuestionRow.place)
            questions: dict[str, list[str]] = {}
            for row in session.scalars(asked) if ids else ():
                questions.setdefault(row.entry_id, []).append(row.question)
            return [_entry(row, questions.get(row.id, [])) for row in rows]


def _question_rows(entry: FaqEntry) -> list[_QuestionRow]:
    rows = []
    for place, question in enumerate(entry.questions):
        form = form_of(question)
        rows.append(
            _QuestionRow(
                entry_id=entry.id,
                place=place,
                collection=entry.collection,
                question=storable(question),
                key_hash=form.key_hash,
                facts_hash=form.facts_hash,
            )
        )
    return rows


def _entry(row: _EntryRow, questions: Sequence[str]) -> FaqEntry:
    return FaqEntry(
        collection=row.collection,
        questions=tuple(questions),
        sentences=tuple(map(read_sentence, row.sentences)),
        citations=tuple(map(read_citation, row.citations)),
        audience=tuple(tuple(group) for group in row.audience),
        owner=row.owner,
        id=row.id,
        created=row.created,
    )
