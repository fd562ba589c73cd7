"""Assistants: saved profiles of how questions are answered, and each user's own instructions.

A profile narrows what its user may do and never widens it: whoever uses it asks as themselves. Knows
two tables; knows nothing of roles, nor of who may change what.
"""

import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from sqlalchemy import JSON, Engine, String, UniqueConstraint, delete, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from agents.kept_answers import now
from core.database import create_tables, insert_into, serialize
from core.errors import ConflictError
from core.text import normalise

MAX_ASSISTANTS = 100
"""Of one owner."""


@dataclass(frozen=True, slots=True)
class Assistant:
    """`collections` it may be asked about, the first by default; none: all that its user may see.
    `tools` that it may use; None: all that its user may use. `effort`, `policy`, `language` and `memory`
    are empty where it leaves them open. `readers` may use it beside its owner, if their role is `role` or
    a higher one. Times are UTC, ISO 8601."""

    name: str
    owner: str
    instructions: str = ""
    collections: tuple[str, ...] = ()
    tools: tuple[str, ...] | None = None
    memory: str = ""
    effort: str = ""
    policy: str = ""
    language: str = ""
    readers: tuple[str, ...] = ()
    role: str = ""
    id: str = ""
    created: str = ""
    updated: str = ""


class _Tables(DeclarativeBase):
    pass


class _AssistantRow(_Tables):
    __tablename__ = "assistants"
    __table_args__ = (UniqueConstraint("owner", "name_key", name="assistants_owner_name"),)

    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    owner: Mapped[str] = mapped_column(String(128))
    name: Mapped[str] = mapped_column(String(128))
    name_key: Mapped[str] = mapped_column(String(128))
    instructions: Mapped[str]
    collections: Mapped[list] = mapped_column(JSON)
    tools: Mapped[list | None] = mapped_column(JSON)
    memory: Mapped[str] = mapped_column(String(128))
    effort: Mapped[str] = mapped_column(String(16))
    policy: Mapped[str] = mapped_column(String(16))
    language: Mapped[str] = mapped_column(String(16))
    readers: Mapped[list] = mapped_column(JSON)
    role: Mapped[str] = mapped_column(String(16))
    created: Mapped[str] = mapped_column(String(32))
    updated: Mapped[str] = mapped_column(String(32))


class _InstructionsRow(_Tables):
    __tablename__ = "user_instructions"

    owner: Mapped[str] = mapped_column(String(128), primary_key=True)
    text: Mapped[str]


class AssistantTable:
    """All assistants, and all users' instructions. Thread-safe; several processes may use it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        create_tables(engine, _Tables.metadata)

    def all(self) -> list[Assistant]:
        """Every assistant, by name. Who may see which is the caller's matter."""
        query = select(_AssistantRow).order_by(_AssistantRow.name_key, _AssistantRow.id)
        with Session(self._engine) as session:
            return [_assistant(row) for row in session.scalars(query)]

    def add(self, assistant: Assistant) -> Assistant:
        """Stores a new one; it has its id and times then.

        Raises:
            ConflictError: its owner has one of that name, or MAX_ASSISTANTS.
        """
        made = replace(assistant, id=secrets.token_hex(8), created=now(), updated=now())
        with Session(self._engine) as session, session.begin():
            serialize(session.connection(), "attest: names of assistants")
            own = _AssistantRow.owner == made.owner
            if session.scalar(select(func.count()).select_from(_AssistantRow).where(own)) >= MAX_ASSISTANTS:
                raise ConflictError(f"you have {MAX_ASSISTANTS} assistants", remedy="delete one")
            _check_name_free(session, made)
            session.add(_AssistantRow(**_values(made)))
        return made

    def change(self, assistant: Assistant) -> Assistant:
        """Stores one in place of what was under its id.

        Raises:
            ConflictError: its owner has another one of that name, or it was deleted meanwhile.
        """
        changed = replace(assistant, updated=now())
        with Session(self._engine) as session, session.begin():
            serialize(session.connection(), "attest: names of assistants")
            _check_name_free(session, changed)
            row = session.get(_AssistantRow, changed.id)
            if row is None:
                raise ConflictError(
                    f"the assistant {changed.name!r} was deleted meanwhile", remedy="make it anew"
                )
            for name, value in _values(changed).items():
                setattr(row, name, value)
        return changed

    def delete(self, assistant_id: str) -> None:
        """Removes one; nothing when it is gone already."""
        with Session(self._engine) as session, session.begin():
            session.execute(delete(_AssistantRow).where(_AssistantRow.id == assistant_id))

    def instructions(self, owner: str) -> str:
        """What the owner wants of all answers; empty: nothing."""
        with Session(self._engine) as session:
            row = session.get(_InstructionsRow, owner)
            return row.text if row is not None else ""

    def instruct(self, owner: str, text: str) -> None:
        """Stores what the owner wants of all answers; an empty text removes it."""
        with self._engine.begin() as connection:
            if not text:
                connection.execute(delete(_InstructionsRow).where(_InstructionsRow.owner == owner))
                return
            statement = insert_into(connection, _InstructionsRow.__table__).values(owner=owner, text=text)
            connection.execute(statement.on_conflict_do_update(index_elements=["owner"], set_={"text": text}))


def _check_name_free(session: Session, assistant: Assistant) -> None:
    same = select(_AssistantRow.id).where(
        _AssistantRow.owner == assistant.owner,
        _AssistantRow.name_key == normalise(assistant.name),
        _AssistantRow.id != assistant.id,
    )
    if session.scalar(same) is not None:
        raise ConflictError(
            f"you have an assistant {assistant.name!r} already",
            remedy="choose another name, or edit that one",
        )


def _values(assistant: Assistant) -> Mapping[str, Any]:
    lists = {
        "collections": list(assistant.collections),
        "tools": None if assistant.tools is None else list(assistant.tools),
        "readers": list(assistant.readers),
    }
    return {**asdict(assistant), **lists, "name_key": normalise(assistant.name)}


def _assistant(row: _AssistantRow) -> Assistant:
    return Assistant(
        name=row.name,
        owner=row.owner,
        instructions=row.instructions,
        collections=tuple(row.collections),
        tools=None if row.tools is None else tuple(row.tools),
        memory=row.memory,
        effort=row.effort,
        policy=row.policy,
        language=row.language,
        readers=tuple(row.readers),
        role=row.role,
        id=row.id,
        created=row.created,
        updated=row.updated,
    )
