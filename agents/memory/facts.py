"""Long-term memory: what each user said of themselves, over all their sessions.

Every call names the owner, and every statement to the database has the owner in its condition: one
user's facts cannot be read, changed or counted by another, whatever their ids and keys. Of one key
the newest wins. Knows two tables; knows nothing of how facts are recognised or used.
"""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Boolean, Engine, Index, String, UniqueConstraint, delete, select, update
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from agents.kept_answers import now
from core.database import create_tables, insert_into, serialize
from core.errors import ConflictError, InputError, NotFoundError
from core.text import storable

MAX_FACTS = 200
"""Of one user; the one that was said longest ago goes."""
FOREVER = ""


@dataclass(frozen=True, slots=True)
class Fact:
    """What a user said: `value` under `key`. `session_id` and `turn_id` name where, empty for one
    written by hand; times are UTC, ISO 8601; `expires` is empty when it never does."""

    key: str
    value: str
    session_id: str = ""
    turn_id: str = ""
    said: str = ""
    expires: str = FOREVER
    id: str = ""


class _Tables(DeclarativeBase):
    pass


class _FactRow(_Tables):
    __tablename__ = "memory_facts"
    __table_args__ = (
        UniqueConstraint("owner", "key", name="memory_facts_owner_key"),
        Index("memory_facts_owner_said", "owner", "said"),
    )

    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    owner: Mapped[str] = mapped_column(String(128))
    key: Mapped[str] = mapped_column(String(128))
    value: Mapped[str]
    session_id: Mapped[str] = mapped_column(String(64))
    turn_id: Mapped[str] = mapped_column(String(64))
    said: Mapped[str] = mapped_column(String(32))
    expires: Mapped[str] = mapped_column(String(32))


class _SwitchRow(_Tables):
    __tablename__ = "memory_switches"

    owner: Mapped[str] = mapped_column(String(128), primary_key=True)
    enabled: Mapped[bool] = mapped_column(Boolean)


class Facts:
    """The facts of all users. Thread-safe; several processes may use it at once."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        create_tables(engine, _Tables.metadata)

    def is_enabled(self, owner: str) -> bool:
        """Whether the owner lets things be remembered; until they say otherwise they do."""
        with Session(self._engine) as session:
            row = session.get(_SwitchRow, owner)
            return row is None or row.enabled

    def switch(self, owner: str, enabled: bool) -> None:
        """Turns the owner's long-term memory on or off. What was remembered stays, unused."""
        with self._engine.begin() as connection:
            statement = insert_into(connection, _SwitchRow.__table__).values(owner=owner, enabled=enabled)
            connection.execute(
                statement.on_conflict_do_update(index_elements=["owner"], set_={"enabled": enabled})
            )

    def list(self, owner: str) -> list[Fact]:
        """Those that hold now, the latest said first."""
        where = (_FactRow.owner == owner, _holds(now()))
        query = select(_FactRow).where(*where).order_by(_FactRow.said.desc(), _FactRow.id)
        with Session(self._engine) as session:
            return [_fact(row) for row in session.scalars(query)]

    def get(self, owner: str, fact_id: str) -> Fact:
        """Raises NotFoundError when the owner has none of this id that holds."""
        where = (_FactRow.owner == owner, _FactRow.id == fact_id, _holds(now()))
        with Session(self._engine) as session:
            row = session.scalar(select(_FactRow).where(*where))
            if row is None:
                raise NotFoundError(f"there is no memory {fact_id!r}", remedy="see: attest memory list")
            return _fact(row)

    def remember(self, owner: str, facts: Sequence[Fact]) -> None:
        """Stores facts, each in place of the owner's older one of its key; one that was said
        before what is known changes nothing. What has expired is forgotten, and beyond
        MAX_FACTS the oldest."""
        with Session(self._engine) as session, session.begin():
            serialize(session.connection(), f"attest: memory of {owner}")
            own = _FactRow.owner == owner
            session.execute(delete(_FactRow).where(own, ~_holds(now())))
            for fact in facts:
                self._put(session, owner, fact)
            session.flush()
            order = select(_FactRow.id).where(own).order_by(_FactRow.said.desc(), _FactRow.id)
            if beyond := list(session.scalars(order.offset(MAX_FACTS))):
                session.execute(delete(_FactRow).where(own, _FactRow.id.in_(beyond)))

    def edit(self, owner: str, fact_id: str, value: str | None = None, expires: str | None = None) -> Fact:
        """The fact with another value, or another end (empty: none); said now.

        Raises:
            NotFoundError: as `get`.
        """
        self.get(owner, fact_id)
        changes: dict[str, str] = {"said": now()}
        if value is not None:
            # What a user has written by hand was said in no turn.
            changes |= {"value": storable(value), "session_id": "", "turn_id": ""}
        if expires is not None:
            changes["expires"] = expires
        where = (_FactRow.owner == owner, _FactRow.id == fact_id)
        with Session(self._engine) as session, session.begin():
            session.execute(update(_FactRow).where(*where).values(**changes))
        return self.get(owner, fact_id)

    def delete(self, owner: str, fact_id: str) -> None:
        """Raises NotFoundError as `get`."""
        self.get(owner, fact_id)
        with Session(self._engine) as session, session.begin():
            session.execute(delete(_FactRow).where(_FactRow.owner == owner, _FactRow.id == fact_id))

    def forget(self, owner: str, keys: Iterable[str] | None) -> int:
        """Removes the facts of these keys, None: all; returns how many of them held."""
        own = _FactRow.owner == owner
        where = [own] if keys is None else [own, _FactRow.key.in_(list(keys))]
        with Session(self._engine) as session, session.begin():
            session.execute(delete(_FactRow).where(own, ~_holds(now())))
            return session.execute(delete(_FactRow).where(*where)).rowcount

    @staticmethod
    def _put(session: Session, owner: str, fact: Fact) -> None:
        key = storable(fact.key)
        known = session.scalar(select(_FactRow).where(_FactRow.owner == owner, _FactRow.key == key))
        said = fact.said or now()
        if known is not None and known.said > said:
            return
        row = known or _FactRow(id=secrets.token_hex(6), owner=owner, key=key)
        row.value, row.session_id, row.turn_id = storable(fact.value), fact.session_id, fact.turn_id
        row.said, row.expires = said, fact.expires
        session.add(row)


def in_future(span: timedelta) -> str:
    """A moment so far ahead, in the form of `now`."""
    return (datetime.now(UTC) + span).isoformat(timespec="microseconds")


def read_expiry(text: str) -> str:
    """An end as people write it, a date or a time of ISO 8601, in the form of `now`; empty: none.
    A date means the end of that day; a time without a zone is UTC.

    Raises:
        InputError: it is neither, or is past.
    """
    if not text.strip():
        return FOREVER
    try:
        moment = datetime.fromisoformat(text.strip())
        if len(text.strip()) <= len("2026-01-01"):
            moment += timedelta(days=1)
        moment = moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError) as exc:
        raise InputError(f"{text!r} is no date", remedy="write it as 2026-12-31, or leave it empty") from exc
    if moment <= datetime.now(UTC):
        raise ConflictError(f"{text!r} is past", remedy="name a later day, or delete the memory")
    return moment.isoformat(timespec="microseconds")


def _holds(moment: str):
    return (_FactRow.expires == FOREVER) | (_FactRow.expires > moment)


def _fact(row: _FactRow) -> Fact:
    return Fact(row.key, row.value, row.session_id, row.turn_id, row.said, row.expires, row.id)
