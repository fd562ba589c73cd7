"""Answers kept for a while, so that who asked can rate them and a curator can take them up.

Every read names the owner, or says by None that the caller may see all. Knows a table; knows
nothing of what an answer is used for.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from sqlalchemy import JSON, Engine, Index, String, delete, select, update
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from agents.records import read_answer
from core.database import create_tables
from core.errors import NotFoundError
from core.text import storable
from core.types import Answer, Scope

Owner = str | None
"""Whose rows are read; None: everyone's, for the owner of the data and for admins."""


class Vote(StrEnum):
    """What the one who asked says of an answer."""

    UP = "up"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Rating:
    """A vote, and in one's own words why, and what would have been right."""

    vote: Vote
    reason: str = ""
    right_answer: str = ""


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """An answer with the question, who asked and in which scope. `created` is UTC, ISO 8601."""

    answer: Answer
    question: str
    owner: str
    scope: Scope
    created: str = ""
    rating: Rating | None = None


class _Tables(DeclarativeBase):
    pass


class _AnswerRow(_Tables):
    __tablename__ = "kept_answers"
    __table_args__ = (Index("kept_answers_owner", "owner", "session_id"),)

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    owner: Mapped[str] = mapped_column(String(128))
    session_id: Mapped[str]
    collection: Mapped[str] = mapped_column(String(128), index=True)
    readers: Mapped[list] = mapped_column(JSON)
    question: Mapped[str]
    answer: Mapped[dict] = mapped_column(JSON)
    created: Mapped[str] = mapped_column(String(32), index=True)
    vote: Mapped[str | None] = mapped_column(String(8), default=None)
    reason: Mapped[str] = mapped_column(default="")
    right_answer: Mapped[str] = mapped_column(default="")


class KeptAnswers:
    """The table of kept answers. Thread-safe; several processes may use it at once."""

    def __init__(self, engine: Engine, keep_days: float) -> None:
        """After `keep_days` an answer is forgotten; with 0 none is kept."""
        self._engine = engine
        self._keep_days = keep_days
        create_tables(engine, _Tables.metadata)

    def keep(self, kept: KeptAnswer) -> None:
        """Keeps it, and forgets what is too old."""
        if not self._keep_days:
            return
        answer = kept.answer
        row = _AnswerRow(
            id=answer.id,
            owner=kept.owner,
            session_id=answer.session_id,
            collection=kept.scope.collection,
            readers=sorted(kept.scope.readers),
            question=storable(kept.question),
            answer=asdict(answer),
            created=now(),
        )
        with Session(self._engine) as session, session.begin():
            session.execute(delete(_AnswerRow).where(_AnswerRow.created < days_ago(self._keep_days)))
            session.add(row)

    def get(self, answer_id: str, owner: Owner) -> KeptAnswer:
        """Raises NotFoundError when there is none of this id, or it is another one's."""
        with Session(self._engine) as session:
            row = session.get(_AnswerRow, answer_id)
            if row is None or (owner is not None and row.owner != owner):
                raise NotFoundError(
                    f"there is no kept answer {answer_id!r}", remedy="see feedback.keep_answers_days"
                )
            return _kept(row)

    def rate(self, answer_id: str, owner: str, rating: Rating) -> KeptAnswer:
        """Stores the rating in place of an earlier one. Only who asked may.

        Raises:
            NotFoundError: as `get`.
        """
        kept = self.get(answer_id, owner)
        values = {
            "vote": rating.vote.value,
            "reason": storable(rating.reason),
            "right_answer": storable(rating.right_answer),
        }
        with Session(self._engine) as session, session.begin():
            session.execute(update(_AnswerRow).where(_AnswerRow.id == answer_id).values(**values))
        return replace(kept, rating=rating)

    def liked(self, collection: str, owner: Owner) -> list[KeptAnswer]:
        """Those with a thumb up, oldest first."""
        return self._find(owner, _AnswerRow.collection == collection, _AnswerRow.vote == Vote.UP.value)

    def find_many(self, answer_ids: Sequence[str], owner: Owner) -> dict[str, KeptAnswer]:
        """Those that are kept still and may be seen, by id."""
        found: dict[str, KeptAnswer] = {}
        for start in range(0, len(answer_ids), 500):
            part = answer_ids[start : start + 500]
            found |= {kept.answer.id: kept for kept in self._find(owner, _AnswerRow.id.in_(part))}
        return found

    def forget_session(self, owner: str, session_id: str) -> None:
        """Forgets the answers of a session."""
        where = (_AnswerRow.owner == owner, _AnswerRow.session_id == session_id)
        with Session(self._engine) as session, session.begin():
            session.execute(delete(_AnswerRow).where(*where))

    def drop_collection(self, collection: str) -> None:
        """Forgets the answers of a collection."""
        with Session(self._engine) as session, session.begin():
            session.execute(delete(_AnswerRow).where(_AnswerRow.collection == collection))

    def _find(self, owner: Owner, *where) -> list[KeptAnswer]:
        own = () if owner is None else (_AnswerRow.owner == owner,)
        query = select(_AnswerRow).where(*where, *own).order_by(_AnswerRow.created, _AnswerRow.id)
        with Session(self._engine) as session:
            return [_kept(row) for row in session.scalars(query)]


def now() -> str:
    """UTC, ISO 8601, in a form that is ordered as text."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def days_ago(days: float) -> str:
    """The same, of a moment that is so far back."""
    return (datetime.now(UTC) - timedelta(days=days)).isoformat(timespec="microseconds")


def _kept(row: _AnswerRow) -> KeptAnswer:
    rating = Rating(Vote(row.vote), row.reason, row.right_answer) if row.vote else None
    scope = Scope(row.collection, frozenset(row.readers))
    return KeptAnswer(read_answer(row.answer), row.question, row.owner, scope, row.created, rating)
