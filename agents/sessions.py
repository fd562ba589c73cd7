"""Which sessions an owner has, and what was asked and answered in each.

Knows SQLite by SQLAlchemy; knows nothing of the graph.
"""

import hashlib
from datetime import UTC, datetime

from sqlalchemy import Engine, Integer, String, delete, func, select, update
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from core.database import add_columns
from core.types import Status, Turn

MAX_TITLE_CHARS = 80
REMEMBERED_TURNS = 400
"""The latest turns of a session, which memory chooses from."""


class _Table(DeclarativeBase):
    pass


class _SessionRow(_Table):
    __tablename__ = "sessions"
    owner: Mapped[str] = mapped_column(String, primary_key=True)
    session_id: Mapped[str] = mapped_column(String, primary_key=True)
    title: Mapped[str] = mapped_column(String)
    turns: Mapped[int] = mapped_column(Integer)
    updated: Mapped[str] = mapped_column(String)
    assistant: Mapped[str] = mapped_column(String)


class _TurnRow(_Table):
    __tablename__ = "session_turns"
    owner: Mapped[str] = mapped_column(String, primary_key=True)
    session_id: Mapped[str] = mapped_column(String, primary_key=True)
    place: Mapped[int] = mapped_column(Integer, primary_key=True)
    turn_id: Mapped[str] = mapped_column(String)
    question: Mapped[str] = mapped_column(String)
    answer: Mapped[str] = mapped_column(String)
    status: Mapped[str] = mapped_column(String)
    said: Mapped[str] = mapped_column(String)


class SessionIndex:
    """The sessions and their turns. Every call names the owner: one cannot see another's."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        _Table.metadata.create_all(engine)
        add_columns(engine, _SessionRow.__table__)

    def record_turn(self, owner: str, session_id: str, turn: Turn, assistant: str = "") -> None:
        """Keeps a turn behind those before it; the first question is the session's title, and
        `assistant` is the one that the session goes on with. A turn of an id that is there takes that
        one's place."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        title = turn.question[:MAX_TITLE_CHARS]
        statement = insert(_SessionRow).values(
            owner=owner, session_id=session_id, title=title, turns=1, updated=now, assistant=assistant
        )
        statement = statement.on_conflict_do_update(
            index_elements=["owner", "session_id"],
            set_={"turns": _SessionRow.turns + 1, "updated": now, "assistant": assistant},
        )
        same = (*_turns_of(owner, session_id), _TurnRow.turn_id == turn.id, _TurnRow.turn_id != "")
        changed = update(_TurnRow).where(*same).values(answer=turn.answer, status=turn.status.value)
        last = select(func.coalesce(func.max(_TurnRow.place), 0) + 1).where(*_turns_of(owner, session_id))
        kept = {
            "owner": owner, "session_id": session_id, "place": last.scalar_subquery(), "turn_id": turn.id,
            "question": turn.question, "answer": turn.answer, "status": turn.status.value,
            "said": turn.said or now,
        }  # fmt: skip
        with Session(self._engine) as session, session.begin():
            if session.execute(changed).rowcount:
                return
            session.execute(statement)
            session.execute(insert(_TurnRow).values(**kept))

    def turns(self, owner: str, session_id: str, limit: int = REMEMBERED_TURNS) -> list[Turn]:
        """The latest turns of a session, oldest first; none when the owner has no such session."""
        query = select(_TurnRow).where(*_turns_of(owner, session_id)).order_by(_TurnRow.place.desc())
        with Session(self._engine) as session:
            rows = list(session.scalars(query.limit(limit)))[::-1]
            return [Turn(r.question, r.answer, Status(r.status), r.turn_id, r.said) for r in rows]

    def list_sessions(self, owner: str) -> list[dict]:
        """Newest first: session_id, title, turns, updated (UTC, ISO 8601), assistant (an id or empty)."""
        query = select(_SessionRow).where(_SessionRow.owner == owner).order_by(_SessionRow.updated.desc())
        with Session(self._engine) as session:
            return [
                {
                    "session_id": r.session_id,
                    "title": r.title,
                    "turns": r.turns,
                    "updated": r.updated,
                    "assistant": r.assistant,
                }
                for r in session.scalars(query)
            ]

    def has(self, owner: str, session_id: str) -> bool:
        """Whether the owner has that session."""
        with Session(self._engine) as session:
            return session.get(_SessionRow, (owner, session_id)) is not None

    def assistant_of(self, owner: str, session_id: str) -> str:
        """The id of the assistant that the session goes on with; empty when it has none."""
        with Session(self._engine) as session:
            row = session.get(_SessionRow, (owner, session_id))
            return row.assistant if row is not None else ""

    def has_turn(self, owner: str, session_id: str, turn_id: str) -> bool:
        """Whether a turn of this id was recorded, and no longer waits."""
        where = (*_turns_of(owner, session_id), _TurnRow.turn_id == turn_id)
        with Session(self._engine) as session:
            return (
                session.scalar(select(_TurnRow.place).where(*where, _TurnRow.status != Status.WAITING.value))
                is not None
            )

    def forget(self, owner: str, session_id: str) -> bool:
        """Removes a session with its turns; False when there was none."""
        where = (_SessionRow.owner == owner, _SessionRow.session_id == session_id)
        with Session(self._engine) as session, session.begin():
            session.execute(delete(_TurnRow).where(*_turns_of(owner, session_id)))
            return session.execute(delete(_SessionRow).where(*where)).rowcount > 0


def _turns_of(owner: str, session_id: str) -> tuple:
    return _TurnRow.owner == owner, _TurnRow.session_id == session_id


def thread_id(owner: str, session_id: str) -> str:
    """The checkpointer's key: made of both, so that knowing a session's id is not enough."""
    return hashlib.sha256(f"{owner}\x00{session_id}".encode()).hexdigest()
