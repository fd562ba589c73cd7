"""What waits for its owner's word: calls of tools with effects that a conversation wants to make.

A proposal is written before the conversation pauses, and the decision before it goes on, so a kill
at any moment loses neither. Every call names the owner: nobody else can see or decide it. Knows a
table; knows nothing of the graph.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Engine, String, delete, select, update
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from agents.kept_answers import now
from core.database import create_tables, insert_into
from core.errors import ConflictError, NotFoundError


class Decision(StrEnum):
    """What became of a proposal. `edited`: approved with other arguments."""

    WAITING = "waiting"
    APPROVED = "approved"
    EDITED = "edited"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Approval:
    """One call that waits or was decided. `collection` and `readers` are where it was asked;
    `proposed` is UTC, ISO 8601."""

    id: str
    owner: str
    session_id: str
    collection: str
    readers: tuple[str, ...]
    tool: str
    arguments: Mapping[str, Any]
    proposed: str = ""
    decision: Decision = Decision.WAITING


class _Tables(DeclarativeBase):
    pass


class _ApprovalRow(_Tables):
    __tablename__ = "tool_approvals"

    owner: Mapped[str] = mapped_column(String(128), primary_key=True)
    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    session_id: Mapped[str] = mapped_column(String(64), index=True)
    collection: Mapped[str] = mapped_column(String(128))
    readers: Mapped[list] = mapped_column(JSON)
    tool: Mapped[str] = mapped_column(String(64))
    arguments: Mapped[dict] = mapped_column(JSON)
    proposed: Mapped[str] = mapped_column(String(32))
    decision: Mapped[str] = mapped_column(String(16))


class Approvals:
    """The proposals of all owners over one database. Thread-safe."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        create_tables(engine, _Tables.metadata)

    def propose(self, wanted: Approval) -> Approval:
        """Writes a proposal down; one of its id that is there already stays as it is, and is given."""
        with Session(self._engine) as session, session.begin():
            values = {name: getattr(wanted, name) for name in Approval.__slots__}
            values |= {"proposed": now(), "decision": Decision.WAITING.value}
            values |= {"readers": list(wanted.readers), "arguments": dict(wanted.arguments)}
            statement = insert_into(session.connection(), _ApprovalRow.__table__)
            session.execute(statement.values(**values).on_conflict_do_nothing())
            return _read(session.get_one(_ApprovalRow, (wanted.owner, wanted.id)))

    def waiting(self, owner: str, session_id: str = "") -> list[Approval]:
        """What waits for the owner, in all sessions or in one, the oldest first."""
        where = [_ApprovalRow.owner == owner, _ApprovalRow.decision == Decision.WAITING.value]
        where += [_ApprovalRow.session_id == session_id] if session_id else []
        query = select(_ApprovalRow).where(*where).order_by(_ApprovalRow.proposed, _ApprovalRow.id)
        with Session(self._engine) as session:
            return [_read(row) for row in session.scalars(query)]

    def get(self, owner: str, approval_id: str) -> Approval:
        """Raises NotFoundError when the owner has none of this id."""
        with Session(self._engine) as session:
            row = session.get(_ApprovalRow, (owner, approval_id))
            if row is None:
                raise NotFoundError(
                    f"nothing of the id {approval_id[:64]!r} waits for your approval",
                    remedy="see: attest approvals list",
                )
            return _read(row)

    def decide(
        self, owner: str, approval_id: str, decision: Decision, arguments: Mapping[str, Any] | None = None
    ) -> Approval:
        """Writes a decision down; the same one again changes nothing, so that it may be sent again
        after a failure.

        Raises:
            NotFoundError: as `get`.
            ConflictError: it was decided otherwise.
        """
        known = self.get(owner, approval_id)
        wanted = replace(
            known, decision=decision, arguments=known.arguments if arguments is None else arguments
        )
        where = (
            _ApprovalRow.owner == owner,
            _ApprovalRow.id == approval_id,
            _ApprovalRow.decision == Decision.WAITING.value,
        )
        values = {"decision": decision.value, "arguments": dict(wanted.arguments)}
        with Session(self._engine) as session, session.begin():
            session.execute(update(_ApprovalRow).where(*where).values(**values))
        decided = self.get(owner, approval_id)
        if (decided.decision, decided.arguments) != (decision, dict(wanted.arguments)):
            raise ConflictError(
                f"it was {decided.decision.value} already", remedy="ask again for another call"
            )
        return decided

    def forget_session(self, owner: str, session_id: str) -> None:
        """Forgets what waited in a session that is forgotten."""
        where = (_ApprovalRow.owner == owner, _ApprovalRow.session_id == session_id)
        with Session(self._engine) as session, session.begin():
            session.execute(delete(_ApprovalRow).where(*where))


def check_free(waiting: Sequence[Approval]) -> None:
    """Raises ConflictError where something waits in a session: a new question would drop it."""
    if waiting:
        raise ConflictError(
            f"this session waits for your approval of {waiting[0].tool}",
            remedy=f"run: attest approvals approve {waiting[0].id} (or reject)",
        )


def _read(row: _ApprovalRow) -> Approval:
    values = {name: getattr(row, name) for name in Approval.__slots__}
    return Approval(**values | {"readers": tuple(row.readers), "decision": Decision(row.decision)})
