"""Small tools at the border, and an invoker over real tables. Test material only."""

import asyncio
from pathlib import Path

from agents.tools.approvals import Approvals
from agents.tools.audit import ToolAudit
from agents.tools.effects import EffectLedger
from agents.tools.invoker import ToolInvoker
from agents.tools.registry import ToolRegistry
from agents.tools.tool import EVERY_ROLE, ToolArguments, ToolCall, ToolResult
from core.database import open_database
from core.errors import InputError
from core.settings_tools import ToolSettings
from core.types import Scope

SCOPE = Scope("default", frozenset({"ann"}))


def call(owner: str = "ann", role: str = "reader", key: str = "") -> ToolCall:
    """A call of a reader."""
    return ToolCall(owner, SCOPE, role, "s", key)


class Killed(BaseException):
    """Ends a run as a kill would: nothing behind it is done."""


class NoteArguments(ToolArguments):
    """What to write down."""

    text: str
    api_key: str = ""


class NoteTool:
    """Has an effect that can be counted. `breaks` is raised after the effect, as a kill would come."""

    name = "note"
    descriptions = {"zh": "写下", "en": "Writes down."}
    arguments = NoteArguments
    effects = True
    reads_documents = False
    roles = EVERY_ROLE
    timeout_s = 0.0

    def __init__(self, breaks: BaseException | None = None) -> None:
        self.written: list[tuple[str, str]] = []
        self.breaks = breaks

    async def run(self, arguments: NoteArguments, call: ToolCall) -> ToolResult:
        if not arguments.text.strip():
            raise InputError("there is nothing to write down", remedy="write something")
        self.written.append((call.key, arguments.text))
        if self.breaks:
            raise self.breaks
        return ToolResult(f"noted {arguments.text}", {"count": len(self.written)})


class KnowingNoteTool(NoteTool):
    """The same, which can tell what it has written."""

    async def find_done(self, arguments: NoteArguments, call: ToolCall) -> ToolResult | None:
        found = [text for key, text in self.written if key == call.key]
        return ToolResult(f"noted {found[0]}", {"count": 1}) if found else None


class SlowTool:
    """Takes as long as it is let."""

    name = "slow"
    descriptions = {"zh": "慢", "en": "Slow."}
    arguments = NoteArguments
    effects = False
    reads_documents = False
    roles = frozenset({"editor", "admin"})
    timeout_s = 0.02

    async def run(self, arguments: NoteArguments, call: ToolCall) -> ToolResult:
        await asyncio.sleep(30)
        return ToolResult("late")


def open_invoker(folder: Path, *tools, roles=None) -> tuple[ToolInvoker, ToolAudit]:
    """An invoker over files of its own, and its log."""
    engine = open_database(folder / "tools.db")
    audit = ToolAudit(engine, 30)
    registry = ToolRegistry(tools, roles)
    return ToolInvoker(registry, audit, EffectLedger(engine), Approvals(engine), ToolSettings()), audit
