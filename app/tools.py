"""What can be done with tools, and with what waits for approval, for REST and the command line alike.

Knows that everybody uses the tools of their role and decides what is theirs alone, and that the log
is the admins'; knows nothing of HTTP or terminals.
"""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from app.asking import stream_turn
from app.auth import Caller
from app.keys import Role
from app.library import Library
from app.rendering import render_citation
from app.services import Services
from app.threads import run_read
from core.errors import InputError
from core.types import Scope

if TYPE_CHECKING:
    from agents.asker import Asker
    from agents.events import Event
    from agents.tools.approvals import Approval
    from agents.tools.tool import Tool

KEY = re.compile(r"[A-Za-z0-9_\-]{0,64}")
CHOICES = {"approve": "approved", "edit": "edited", "reject": "rejected"}


@dataclass(frozen=True, slots=True)
class ToolOrder:
    """One call. With a `key` an effect is had once, however often the call is sent."""

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    collection: str = "default"
    readers: tuple[str, ...] | None = None
    key: str = ""


@dataclass(frozen=True, slots=True)
class ApprovalWish:
    """What shall become of a call that waits: approve, edit (with other arguments) or reject."""

    approval_id: str
    decision: str
    arguments: Mapping[str, Any] | None = None


class ToolBox:
    """The tools of one data directory."""

    def __init__(self, services: Services, library: Library) -> None:
        self._services = services
        self._library = library

    def list(self, caller: Caller) -> dict:
        """`{"tools": […]}`: those that the caller's role may use, with the JSON schema of their
        arguments."""
        registry = self._services.tools().registry
        return {"tools": [_render_tool(tool) for tool in registry.usable(caller.role.value)]}

    async def call(self, caller: Caller, order: ToolOrder) -> dict:
        """What the tool gives. Who calls a tool themselves has approved of it.

        Raises:
            NotFoundError: there is no such tool or collection.
            AccessError: the caller's role may not use it, or the caller is not one of `readers`.
            InputError: the arguments are not what it takes.
        """
        from agents.masking import build_mask
        from agents.tools.tool import ToolCall

        if not KEY.fullmatch(order.key):
            raise InputError("a key has up to 64 letters, digits, - and _", remedy="write another key")
        tools = await run_read(self._services.tools)
        tool = tools.registry.get(order.name, caller.role.value)
        scope = caller.scope(order.collection, order.readers)
        if tool.reads_documents:
            await run_read(self._library.require_collection, order.collection, caller.viewers)
        # Of keys that conversations make none begins so.
        key = f"call:{order.key}" if order.key else ""
        call = ToolCall(caller.owner, scope, caller.role.value, key=key)
        result = await tools.invoke(order.name, order.arguments, call)
        if (mask := build_mask(self._services.settings)) is not None:
            result = mask.result(result)
        return {
            "tool": order.name,
            "text": result.text,
            "data": dict(result.data),
            "citations": [render_citation(citation) for citation in result.citations],
            "is_untrusted": result.is_untrusted,
        }

    def calls(self, caller: Caller, limit: int, owner: str = "", tool: str = "") -> dict:
        """`{"calls": […]}`, the latest first. Raises AccessError for all but admins."""
        caller.require(Role.ADMIN)
        rows = self._services.tool_audit().rows(limit, owner, tool)
        return {"calls": [asdict(row) | {"outcome": row.outcome.value} for row in rows]}

    def waiting(self, caller: Caller) -> dict:
        """`{"approvals": […]}`: what waits for the caller, the oldest first."""
        waiting = self._services.tools().approvals.waiting(caller.owner)
        return {"approvals": [_render_approval(approval) for approval in waiting]}

    async def decide(self, caller: Caller, wish: ApprovalWish) -> AsyncIterator[tuple[str, dict]]:
        """Writes the decision down and goes on with the conversation: its events, as of a question.

        Raises:
            InputError: there is no such decision.
            NotFoundError: nothing of this id waits for the caller.
            AccessError: the caller may not read any more as whoever asked.
        """
        from agents.asker import Decided
        from agents.tools.approvals import Decision

        if wish.decision not in CHOICES:
            raise InputError(f"{wish.decision[:40]!r} is no decision", remedy=f"choose: {', '.join(CHOICES)}")
        if (wish.arguments is not None) is not (wish.decision == "edit"):
            raise InputError("edit takes arguments, and nothing else does", remedy="send both or neither")
        approvals = self._services.tools().approvals
        approval = await run_read(approvals.get, caller.owner, wish.approval_id)
        caller.scope(approval.collection, approval.readers)
        decided = Decided(
            caller.owner, caller.role.value, approval.id, Decision(CHOICES[wish.decision]), wish.arguments
        )

        def begin(asker: "Asker") -> "AsyncIterator[Event]":
            return asker.decide(decided)

        async with aclosing(stream_turn(self._services, begin)) as pairs:
            async for pair in pairs:
                yield pair

    async def resume(self, caller: Caller, session_id: str) -> AsyncIterator[tuple[str, dict]]:
        """Goes on with a turn of the caller's session that was broken off.

        Raises:
            AccessError: the caller may not read any more as whoever asked.
        """

        def check(scope: Scope) -> None:
            caller.scope(scope.collection, sorted(scope.readers))

        def begin(asker: "Asker") -> "AsyncIterator[Event]":
            return asker.resume(caller.owner, session_id, caller.role.value, check)

        async with aclosing(stream_turn(self._services, begin)) as pairs:
            async for pair in pairs:
                yield pair


def _render_tool(tool: "Tool") -> dict:
    return {
        "name": tool.name,
        "description": dict(tool.descriptions),
        "effects": tool.effects,
        "arguments": tool.arguments.model_json_schema(),
    }


def _render_approval(approval: "Approval") -> dict:
    return {
        "id": approval.id,
        "session_id": approval.session_id,
        "tool": approval.tool,
        "arguments": dict(approval.arguments),
        "proposed": approval.proposed,
    }
