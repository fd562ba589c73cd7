"""Which sessions an owner has, and what was asked and answered in each.

Knows two tables, of SQLite or PostgreSQL; knows nothing of the graph.
"""

import hashlib
from collections.abc import Collection
from datetime import UTC, datetime

from sqlalchemy import Engine, Integer, String, bindparam, delete, func, select, update
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from core.database import add_columns, create_tables, insert_into
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


_ASKED = (
    _TurnRow.owner == bindparam("of_owner"),
    _TurnRow.session_id == bindparam("of_session"),
)
# Of every question, and made once: to put a statement together costs more than to execute it.
_MENDED = (
    update(_TurnRow.__table__)
    .where(*_ASKED, _TurnRow.turn_id == bindparam("of_turn"), _TurnRow.turn_id != "")
    .values(answer=bindparam("answer"), status=bindparam("status"))
)
_LAST_PLACE = select(func.max(_TurnRow.place)).where(*_ASKED)
_ADDED = _TurnRow.__table__.insert()
_TURNS = (
    select(_TurnRow.question, _TurnRow.answer, _TurnRow.status, _TurnRow.turn_id, _TurnRow.said)
    .where(*_ASKED)
    .order_by(_TurnRow.place.desc())
    .limit(bindparam("most", type_=Integer))
)
_ASSISTANT = select(_SessionRow.assistant).where(
    _SessionRow.owner == bindparam("of_owner"), _SessionRow.session_id == bindparam("of_session")
)


class SessionIndex:
    """The sessions and their turns. Every call names the owner: one cannot see another's."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        create_tables(engine, _Table.metadata)
        add_columns(engine, _SessionRow.__table__)
        with engine.connect() as connection:
            named = ("owner", "session_id", "title", "turns", "updated", "assistant")
            put = insert_into(connection, _SessionRow.__table__).values({n: bindparam(n) for n in named})
        new = put.excluded
        more = {"turns": _SessionRow.turns + 1, "updated": new.updated, "assistant": new.assistant}
        self._counted = put.on_conflict_do_update(index_elements=["owner", "session_id"], set_=more)

    def record_turn(self, owner: str, session_id: str, turn: Turn, assistant: str = "") -> None:
        """Keeps a turn behind those before it; the first question is the session's title, and
        `assistant` is the one that the session goes on with. A turn of an id that is there takes that
        one's place."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        title = turn.question[:MAX_TITLE_CHARS]
        whose, of = {"owner": owner, "session_id": session_id}, _of(owner, session_id)
        said = {"answer": turn.answer, "status": turn.status.value}
        listed = {**whose, "title": title, "turns": 1, "updated": now, "assistant": assistant}
        with self._engine.begin() as connection:
            if connection.execute(_MENDED, {**of, "of_turn": turn.id, **said}).rowcount:
                return
            # First of all: who asks in the same session elsewhere waits here, so no place is given twice.
            connection.execute(self._counted, listed)
            place = (connection.scalar(_LAST_PLACE, of) or 0) + 1
            kept = {**whose, "place": place, "turn_id": turn.id, "question": turn.question, **said}
            connection.execute(_ADDED, {**kept, "said": turn.said or now})

    def turns(self, owner: str, session_id: str, limit: int = REMEMBERED_TURNS) -> list[Turn]:
        """The latest turns of a session, oldest first; none when the owner has no such session."""
        with self._engine.connect() as connection:
            rows = connection.execute(_TURNS, {**_of(owner, session_id), "most": limit}).all()[::-1]
        return [Turn(asked, answer, Status(status), *more) for asked, answer, status, *more in rows]

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
        with self._engine.connect() as connection:
            return connection.execute(_ASSISTANT, _of(owner, session_id)).first() is not None

    def assistant_of(self, owner: str, session_id: str) -> str:
        """The id of the assistant that the session goes on with; empty when it has none."""
        with self._engine.connect() as connection:
            return connection.scalar(_ASSISTANT, _of(owner, session_id)) or ""

    def has_turn(self, owner: str, session_id: str, turn_id: str) -> bool:
        """Whether a turn of this id was recorded, and no longer waits."""
        where = (*_turns_of(owner, session_id), _TurnRow.turn_id == turn_id)
        with Session(self._engine) as session:
            return (
                session.scalar(select(_TurnRow.place).where(*where, _TurnRow.status != Status.WAITING.value))
                is not None
            )

    def named(self, threads: Collection[str]) -> dict[str, tuple[str, str]]:
        """Owner and session of those threads that a session is listed for. Reads all sessions there are."""
        with self._engine.connect() as connection:
            listed = connection.execute(select(_SessionRow.owner, _SessionRow.session_id)).all()
            return {thread: tuple(of) for of in listed if (thread := thread_id(*of)) in threads}

    def forget(self, owner: str, session_id: str) -> bool:
        """Removes a session with its turns; False when there was none."""
        where = (_SessionRow.owner == owner, _SessionRow.session_id == session_id)
        with Session(self._engine) as session, session.begin():
            session.execute(delete(_TurnRow).where(*_turns_of(owner, session_id)))
            return session.execute(delete(_SessionRow).where(*where)).rowcount > 0


def _turns_of(owner: str, session_id: str) -> tuple:
    return _TurnRow.owner == owner, _TurnRow.session_id == session_id


def _of(owner: str, session_id: str) -> dict[str, str]:
    return {"of_owner": owner, "of_session": session_id}


def thread_id(owner: str, session_id: str) -> str:
    """The checkpointer's key: made of both, so that knowing a session's id is not enough."""
    return hashlib.sha256(f"{owner}\x00{session_id}".encode()).hexdigest()
