"""Which sessions an owner has. The turns themselves lie in the graph's checkpoints.

Knows SQLite by SQLAlchemy; knows nothing of the graph.
"""

import hashlib
from datetime import UTC, datetime

from sqlalchemy import Engine, Integer, String, delete, select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

MAX_TITLE_CHARS = 80


class _Table(DeclarativeBase):
    pass


class _SessionRow(_Table):
    __tablename__ = "sessions"
    owner: Mapped[str] = mapped_column(String, primary_key=True)
    session_id: Mapped[str] = mapped_column(String, primary_key=True)
    title: Mapped[str] = mapped_column(String)
    turns: Mapped[int] = mapped_column(Integer)
    updated: Mapped[str] = mapped_column(String)


class SessionIndex:
    """The list of sessions. Every call names the owner: one cannot see another's."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        _Table.metadata.create_all(engine)

    def record_turn(self, owner: str, session_id: str, question: str) -> None:
        """Counts a turn; the first question is the session's title."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        statement = insert(_SessionRow).values(
            owner=owner, session_id=session_id, title=question[:MAX_TITLE_CHARS], turns=1, updated=now
        )
        statement = statement.on_conflict_do_update(
            index_elements=["owner", "session_id"],
            set_={"turns": _SessionRow.turns + 1, "updated": now},
        )
        with Session(self._engine) as session, session.begin():
            session.execute(statement)

    def list_sessions(self, owner: str) -> list[dict]:
        """Newest first: session_id, title, turns, updated (UTC, ISO 8601)."""
        query = select(_SessionRow).where(_SessionRow.owner == owner).order_by(_SessionRow.updated.desc())
        with Session(self._engine) as session:
            return [
                {"session_id": r.session_id, "title": r.title, "turns": r.turns, "updated": r.updated}
                for r in session.scalars(query)
            ]

    def has(self, owner: str, session_id: str) -> bool:
        """Whether the owner has that session."""
        with Session(self._engine) as session:
            return session.get(_SessionRow, (owner, session_id)) is not None

    def forget(self, owner: str, session_id: str) -> bool:
        """Removes the entry; False when there was none."""
        where = (_SessionRow.owner == owner, _SessionRow.session_id == session_id)
        with Session(self._engine) as session, session.begin():
            return session.execute(delete(_SessionRow).where(*where)).rowcount > 0


def thread_id(owner: str, session_id: str) -> str:
    """The checkpointer's key: made of both, so that knowing a session's id is not enough."""
    return hashlib.sha256(f"{owner}\x00{session_id}".encode()).hexdigest()
