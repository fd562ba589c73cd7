"""The log of calls of tools: who called what, when, with which arguments, and how it ended.

Secrets in arguments are masked before they are stored. Knows a table; knows nothing of tools.
"""

import math
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Engine, Float, String, delete, select, update
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from agents.kept_answers import now
from core.database import create_tables
from core.text import storable

MASK = "***"
MAX_ARGUMENT_CHARS = 500
MAX_ITEMS = 50
MAX_DEPTH = 4
_SECRET_NAME = re.compile(r"secret|passw|token|api_?key|authorization|credential|cookie", re.IGNORECASE)
_SECRET_VALUE = re.compile(
    r"\b(?:attest_|sk-|ghp_|github_pat_|xox[abp]-|AKIA)[A-Za-z0-9_\-]{8,}|\bBearer\s+\S+|eyJ[\w-]{10,}\.[\w-]{5,}\.[\w-]+"
)


class Outcome(StrEnum):
    """How a call ended. One that says `running` and is old never ended: its process died."""

    RUNNING = "running"
    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One call. `called` is UTC, ISO 8601; `code` is that of the error it ended in."""

    id: str
    called: str
    owner: str
    role: str
    collection: str
    session_id: str
    tool: str
    arguments: Mapping[str, Any]
    outcome: Outcome
    code: str
    ms: float


class _Tables(DeclarativeBase):
    pass


class _CallRow(_Tables):
    __tablename__ = "tool_calls"

    id: Mapped[str] = mapped_column(String(24), primary_key=True)
    called: Mapped[str] = mapped_column(String(32), index=True)
    owner: Mapped[str] = mapped_column(String(128))
    role: Mapped[str] = mapped_column(String(16))
    collection: Mapped[str] = mapped_column(String(128))
    session_id: Mapped[str] = mapped_column(String(64))
    tool: Mapped[str] = mapped_column(String(64))
    arguments: Mapped[dict] = mapped_column(JSON)
    outcome: Mapped[str] = mapped_column(String(16))
    code: Mapped[str] = mapped_column(String(64))
    ms: Mapped[float] = mapped_column(Float)


class ToolAudit:
    """The log over one database. With `days` of 0 nothing is kept. Thread-safe."""

    def __init__(self, engine: Engine, days: float) -> None:
        self._engine = engine
        self._days = days
        create_tables(engine, _Tables.metadata)

    def begin(self, row: AuditRow) -> None:
        """Before the tool runs: a call that kills its process stands in the log too. What is older
        than the days goes."""
        if not self._days:
            return
        values = {name: getattr(row, name) for name in AuditRow.__slots__}
        values |= {"outcome": row.outcome.value, "arguments": dict(row.arguments)}
        oldest = (datetime.now(UTC) - timedelta(days=self._days)).isoformat(timespec="microseconds")
        with Session(self._engine) as session, session.begin():
            session.execute(delete(_CallRow).where(_CallRow.called < oldest))
            session.add(_CallRow(**values))

    def end(self, call_id: str, outcome: Outcome, code: str, ms: float) -> None:
        """How the call ended."""
        values = {"outcome": outcome.value, "code": code, "ms": round(ms, 1)}
        with self._engine.begin() as connection:
            connection.execute(update(_CallRow).where(_CallRow.id == call_id).values(**values))

    def rows(self, limit: int = 100, owner: str = "", tool: str = "") -> list[AuditRow]:
        """The latest calls, newest first; of one owner or tool where it is named."""
        query = select(_CallRow).order_by(_CallRow.called.desc(), _CallRow.id).limit(limit)
        if owner:
            query = query.where(_CallRow.owner == owner)
        if tool:
            query = query.where(_CallRow.tool == tool)
        with Session(self._engine) as session:
            return [_read(row) for row in session.scalars(query)]


def new_row(call: Any, tool: str, arguments: Mapping[str, Any]) -> AuditRow:
    """The row of a call that begins now; `call` is a `ToolCall`."""
    return AuditRow(
        id=secrets.token_hex(12),
        called=now(),
        owner=storable(call.owner)[:128],
        role=call.role,
        collection=storable(call.scope.collection)[:128],
        session_id=storable(call.session_id)[:64],
        tool=storable(tool)[:64],
        arguments=masked(arguments),
        outcome=Outcome.RUNNING,
        code="",
        ms=0.0,
    )


def masked(arguments: Any, depth: int = 0) -> Any:
    """Arguments as they are logged: secrets as ***, long texts cut, no more than some items."""
    if isinstance(arguments, Mapping):
        items = list(arguments.items())[:MAX_ITEMS] if depth < MAX_DEPTH else []
        return {
            _tellable(str(name))[:64]: MASK if _SECRET_NAME.search(str(name)) else masked(value, depth + 1)
            for name, value in items
        }
    if isinstance(arguments, list | tuple):
        return [masked(value, depth + 1) for value in arguments[:MAX_ITEMS]] if depth < MAX_DEPTH else []
    is_number = isinstance(arguments, bool | int | float) and math.isfinite(arguments)
    if arguments is None or is_number:
        return arguments
    text = _SECRET_VALUE.sub(MASK, _tellable(str(arguments)))
    return text if len(text) <= MAX_ARGUMENT_CHARS else f"{text[:MAX_ARGUMENT_CHARS]}…"


def _tellable(text: str) -> str:
    """Whatever it is, it is logged before it is checked: so that a database and a reply take it."""
    return storable(text.encode("utf-8", "replace").decode())


def _read(row: _CallRow) -> AuditRow:
    values = {name: getattr(row, name) for name in AuditRow.__slots__}
    return AuditRow(**values | {"outcome": Outcome(row.outcome)})
