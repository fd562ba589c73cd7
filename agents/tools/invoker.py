"""Runs tools: the one place where a call is checked, timed, counted, logged, and kept from having
its effect twice.

Knows the seam of tools; knows nothing of who asks for a call, nor of what tools do.
"""

import asyncio
import math
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError

from agents.tools.approvals import Approvals
from agents.tools.audit import Outcome, ToolAudit, new_row
from agents.tools.effects import EffectLedger
from agents.tools.registry import ToolRegistry
from agents.tools.tool import Tool, ToolArguments, ToolCall, ToolResult
from core.errors import AccessError, AttestError, InputError, ToolError
from core.settings_tools import ToolSettings


@dataclass(slots=True)
class ToolBudget:
    """How many calls one question may still make."""

    left: int

    def spend(self) -> None:
        """Raises InputError when nothing is left."""
        if self.left < 1:
            raise InputError(
                "the question has made as many calls of tools as it may",
                remedy="ask for less at once, or raise ATTEST_TOOLS__CALLS_PER_TURN",
            )
        self.left -= 1


class ToolInvoker:
    """Calls tools of a registry. `approvals` is where a conversation's calls with effects wait; the
    settings say how long tools may take that name no time of their own, and how many calls a
    question may make."""

    def __init__(
        self,
        registry: ToolRegistry,
        audit: ToolAudit,
        effects: EffectLedger,
        approvals: Approvals,
        settings: ToolSettings,
    ) -> None:
        self.registry = registry
        self.approvals = approvals
        self.calls_per_turn = settings.calls_per_turn
        self._audit = audit
        self._effects = effects
        self._timeout_s = settings.timeout_s

    async def invoke(
        self, name: str, arguments: Mapping[str, Any], call: ToolCall, budget: ToolBudget | None = None
    ) -> ToolResult:
        """What the tool gives.

        Raises:
            NotFoundError: there is no such tool.
            AccessError: the caller's role may not use it.
            InputError: the arguments are not what it takes, or the budget is spent.
            ConflictError: it is not known whether an earlier call of this key had its effect.
            ToolError: it took too long.
            AttestError: whatever the tool raises.
        """
        row = new_row(call, name, arguments)
        await asyncio.to_thread(self._audit.begin, row)
        begun = time.perf_counter()
        outcome, code = Outcome.CANCELLED, ""
        try:
            result = await self._checked(name, arguments, call, budget)
            outcome = Outcome.DONE
            return result
        except AttestError as exc:
            outcome = Outcome.REFUSED if isinstance(exc, InputError | AccessError) else Outcome.FAILED
            code = exc.code
            raise
        finally:
            spent_ms = (time.perf_counter() - begun) * 1000
            await asyncio.shield(asyncio.to_thread(self._audit.end, row.id, outcome, code, spent_ms))

    async def _checked(
        self, name: str, arguments: Mapping[str, Any], call: ToolCall, budget: ToolBudget | None
    ) -> ToolResult:
        tool = self.registry.get(name, call.role)
        checked = check_arguments(tool, arguments)
        if budget is not None:
            budget.spend()
        if not tool.effects:
            return await self._timed(tool, checked, call)
        named = replace(call, key=call.key or secrets.token_hex(16))
        return await self._effects.once(tool, checked, named, lambda: self._timed(tool, checked, named))

    async def _timed(self, tool: Tool, arguments: ToolArguments, call: ToolCall) -> ToolResult:
        limit = tool.timeout_s or self._timeout_s
        try:
            async with asyncio.timeout(limit):
                return await tool.run(arguments, call)
        except TimeoutError as exc:
            raise ToolError(
                f"the tool {tool.name} took longer than {limit:g} s",
                remedy="ask for less, or raise ATTEST_TOOLS__TIMEOUT_S",
            ) from exc


def check_arguments(tool: Tool, arguments: Mapping[str, Any]) -> ToolArguments:
    """The arguments as the tool takes them. Raises InputError, which names what is wrong."""
    if not _is_plain(arguments):
        raise InputError(
            f"{tool.name}: a value is no finite number, or no valid Unicode",
            remedy="write numbers and texts as JSON has them",
        )
    try:
        return tool.arguments.model_validate(dict(arguments))
    except ValidationError as exc:
        fault = exc.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in fault["loc"]) or "arguments"
        known = ", ".join(tool.arguments.model_fields)
        raise InputError(f"{tool.name}: {where}: {fault['msg']}", remedy=f"it takes: {known}") from exc


def _is_plain(value: Any) -> bool:
    """Whether databases and replies take it: Python's reader of JSON lets NaN and halves of surrogate
    pairs pass, which could never be told again."""
    if isinstance(value, Mapping):
        return all(_is_plain(part) for pair in value.items() for part in pair)
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    if isinstance(value, float):
        return math.isfinite(value)
    return not isinstance(value, str) or not any("\ud800" <= char <= "\udfff" for char in value)
