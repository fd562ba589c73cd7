"""Questions that were not answered well, and why: thumbs down, and what the guards held back.

A case outlives its kept answer. Every read names the owner, or says by None that the caller
may see all. Knows a table; knows nothing of how a case is mended.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum

from sqlalchemy import JSON, Engine, Index, String, delete, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from agents.draft_stream import Fault
from agents.kept_answers import KeptAnswer, Owner, Vote, days_ago, now
from core.database import create_tables
from core.text import storable
from core.types import Answer, Scope, Status


class CauseKind(StrEnum):
    """Why a question became a case."""

    THUMB_DOWN = "thumb_down"
    WITHHELD = "withheld"
    ABSTAINED = "abstained"
    DEGENERATED = "degenerated"


@dataclass(frozen=True, slots=True)
class Cause:
    """One reason. `text` is a sentence that was held back, or what the one who asked wrote;
    `detail` the guard's word on it."""

    kind: CauseKind
    text: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class BadCase:
    """A question that needs care. `answer_id` names the answer, which may be forgotten by now."""

    answer_id: str
    question: str
    owner: str
    scope: Scope
    session_id: str
    causes: tuple[Cause, ...]
    right_answer: str = ""
    sources: tuple[str, ...] = ()
    created: str = field(default_factory=now)


class _Tables(DeclarativeBase):
    pass


class _CaseRow(_Tables):
    __tablename__ = "bad_cases"
    __table_args__ = (Index("bad_cases_owner", "owner", "session_id"),)

    answer_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    owner: Mapped[str] = mapped_column(String(128))
    session_id: Mapped[str]
    collection: Mapped[str] = mapped_column(String(128), index=True)
    readers: Mapped[list] = mapped_column(JSON)
    question: Mapped[str]
    causes: Mapped[list] = mapped_column(JSON)
    right_answer: Mapped[str] = mapped_column(default="")
    sources: Mapped[list] = mapped_column(JSON)
    created: Mapped[str] = mapped_column(String(32), index=True)


class BadCases:
    """The table of cases. Thread-safe; several processes may use it at once."""

    def __init__(self, engine: Engine, keep_days: float) -> None:
        """After `keep_days` a case is forgotten; with 0 none is kept."""
        self._engine = engine
        self._keep_days = keep_days
        create_tables(engine, _Tables.metadata)

    def note_answer(self, kept: KeptAnswer, had_evidence: bool) -> None:
        """A case of an answer of which the guards held something back; else nothing."""
        if causes := causes_of(kept.answer, had_evidence):
            self._put(_case_of(kept, causes))

    def note_rating(self, kept: KeptAnswer) -> None:
        """What the thumb says now, in place of what it said before. A case without a cause left
        is none."""
        [known] = self._find(None, _CaseRow.answer_id == kept.answer.id) or [_case_of(kept, ())]
        causes = [cause for cause in known.causes if cause.kind is not CauseKind.THUMB_DOWN]
        rating = kept.rating
        if rating is not None and rating.vote is Vote.DOWN:
            causes.append(Cause(CauseKind.THUMB_DOWN, rating.reason))
        right_answer = rating.right_answer if rating is not None else ""
        case = replace(known, causes=tuple(causes), right_answer=right_answer)
        if causes:
            self._put(case)
        else:
            self._delete(_CaseRow.answer_id == case.answer_id)

    def cases(self, collection: str, owner: Owner) -> list[BadCase]:
        """Oldest first."""
        return self._find(owner, _CaseRow.collection == collection)

    def forget_session(self, owner: str, session_id: str) -> None:
        """Forgets the cases of a session."""
        self._delete(_CaseRow.owner == owner, _CaseRow.session_id == session_id)

    def drop_collection(self, collection: str) -> None:
        """Forgets the cases of a collection."""
        self._delete(_CaseRow.collection == collection)

    def _put(self, case: BadCase) -> None:
        if not self._keep_days:
            return
        row = _CaseRow(
            answer_id=case.answer_id,
            owner=case.owner,
            session_id=case.session_id,
            collection=case.scope.collection,
            readers=sorted(case.scope.readers),
            question=storable(case.question),
            causes=[asdict(cause) for cause in case.causes],
            right_answer=storable(case.right_answer),
            sources=list(case.sources),
            created=case.created,
        )
        with Session(self._engine) as session, session.begin():
            session.execute(delete(_CaseRow).where(_CaseRow.created < days_ago(self._keep_days)))
            session.merge(row)

    def _delete(self, *where) -> None:
        with Session(self._engine) as session, session.begin():
            session.execute(delete(_CaseRow).where(*where))

    def _find(self, owner: Owner, *where) -> list[BadCase]:
        own = () if owner is None else (_CaseRow.owner == owner,)
        query = select(_CaseRow).where(*where, *own).order_by(_CaseRow.created, _CaseRow.answer_id)
        with Session(self._engine) as session:
            return [_read(row) for row in session.scalars(query)]


def causes_of(answer: Answer, had_evidence: bool) -> tuple[Cause, ...]:
    """What the guards held back of an answer, an abstention in spite of evidence, and drafts that
    looped, broke off, were empty or in another language."""
    causes = [
        Cause(CauseKind.WITHHELD, sentence.text, f"{sentence.verdict.guard}: {sentence.verdict.reason}")
        for sentence in answer.withheld
    ]
    if answer.status is Status.ABSTAINED and had_evidence:
        causes.append(Cause(CauseKind.ABSTAINED))
    causes += [Cause(CauseKind.DEGENERATED, detail=fault) for fault in Fault if fault in answer.guarded]
    return tuple(causes)


def _case_of(kept: KeptAnswer, causes: Sequence[Cause]) -> BadCase:
    answer = kept.answer
    sources = tuple(dict.fromkeys(citation.uri for citation in answer.citations))
    return BadCase(
        answer.id, kept.question, kept.owner, kept.scope, answer.session_id, tuple(causes), "", sources
    )


def _read(row: _CaseRow) -> BadCase:
    causes = tuple(Cause(CauseKind(c["kind"]), c["text"], c["detail"]) for c in row.causes)
    return BadCase(
        answer_id=row.answer_id,
        question=row.question,
        owner=row.owner,
        scope=Scope(row.collection, frozenset(row.readers)),
        session_id=row.session_id,
        causes=causes,
        right_answer=row.right_answer,
        sources=tuple(row.sources),
        created=row.created,
    )
