"""The ledger of effects: what is done once is never done again, whatever process dies when.

Before a tool with effects runs, its key is written down as intended, and after it as done with its
result. A key that is done gives that result. One that is only intended belongs to a process that
died, or broke off, in between: the tool itself is asked whether the effect is there. Where it cannot
tell, nothing is done, and that is said: at most once. The result of a tool that can tell is not kept here:
it would outlive what the user has deleted there. Knows a table; knows nothing of single tools.
"""

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable, Collection

from sqlalchemy import JSON, Engine, String, delete, null, select, update
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from agents.kept_answers import now
from agents.tools.tool import ResolvingTool, Tool, ToolArguments, ToolCall, ToolResult, read_result
from core.database import create_tables, insert_into
from core.errors import ConflictError, InputError
from core.shared_locks import SharedLocks

INTENDED, DONE = "intended", "done"
GONE = ToolResult("已完成；其结果后来已不在。 Done; what it left is no longer there.")


class _Tables(DeclarativeBase):
    pass


class _EffectRow(_Tables):
    __tablename__ = "tool_effects"

    owner: Mapped[str] = mapped_column(String(128), primary_key=True)
    key: Mapped[str] = mapped_column(String(128), primary_key=True)
    tool: Mapped[str] = mapped_column(String(64))
    digest: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(16))
    written: Mapped[str] = mapped_column(String(32))
    result: Mapped[dict | None] = mapped_column(JSON)


class EffectLedger:
    """The effects of all owners over one database. A key is its owner's: another owner's key of the
    same name is another one."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._locks = SharedLocks(engine)
        create_tables(engine, _Tables.metadata)

    async def once(
        self, tool: Tool, arguments: ToolArguments, call: ToolCall, run: Callable[[], Awaitable[ToolResult]]
    ) -> ToolResult:
        """The result of the call with this key; `run` has its effect, where it is not there yet.

        Raises:
            ConflictError: the key was used for something else, or it cannot be told whether the
                effect is there.
        """
        # One that runs still has not broken off: the same call beside it, here or in another process, waits
        # for its result.
        async with self._locks.alone(f"attest: effect {call.owner}\x1f{call.key}"):
            return await self._once(tool, arguments, call, run)

    async def _once(
        self, tool: Tool, arguments: ToolArguments, call: ToolCall, run: Callable[[], Awaitable[ToolResult]]
    ) -> ToolResult:
        is_new, row = await asyncio.to_thread(self._intend, tool, arguments, call)
        if row.result is not None:
            return read_result(row.result)
        if row.state == DONE and isinstance(tool, ResolvingTool):
            # Not to be done again where it has been undone since.
            return await tool.find_done(arguments, call) or GONE
        try:
            result = await run() if is_new else await self._resolve(tool, arguments, call, run)
        except InputError:
            # Refused by the tool itself: nothing was done, so nothing need be resolved.
            if is_new:
                await asyncio.to_thread(self._withdraw, call)
            raise
        kept = None if isinstance(tool, ResolvingTool) else result.record()
        await asyncio.to_thread(self._finish, call, kept)
        return result

    def erase_results(self, tools: Collection[str]) -> None:
        """Of these tools, which can tell what they did: an earlier version kept what they gave."""
        where = (_EffectRow.tool.in_(list(tools)), _EffectRow.state == DONE)
        with self._engine.begin() as connection:
            connection.execute(update(_EffectRow).where(*where).values(result=null()))

    async def _resolve(
        self, tool: Tool, arguments: ToolArguments, call: ToolCall, run: Callable[[], Awaitable[ToolResult]]
    ) -> ToolResult:
        if not isinstance(tool, ResolvingTool):
            raise ConflictError(
                f"a call of {tool.name} broke off, and it cannot be told whether it had its effect",
                remedy="look whether it had; if not, call it anew",
            )
        found = await tool.find_done(arguments, call)
        return found if found is not None else await run()

    def _intend(self, tool: Tool, arguments: ToolArguments, call: ToolCall) -> tuple[bool, _EffectRow]:
        digest = _digest(tool.name, arguments)
        values = {"tool": tool.name, "digest": digest, "state": INTENDED, "written": now(), "result": None}
        with Session(self._engine, expire_on_commit=False) as session, session.begin():
            statement = insert_into(session.connection(), _EffectRow.__table__)
            statement = statement.values(owner=call.owner, key=call.key, **values).on_conflict_do_nothing()
            is_new = session.execute(statement).rowcount > 0
            row = session.scalar(select(_EffectRow).where(*_is(call)))
        if row.digest != digest:
            raise ConflictError(
                f"the key {call.key[:40]!r} was used for another call",
                remedy="send each call under a key of its own",
            )
        return is_new, row

    def _finish(self, call: ToolCall, kept: dict | None) -> None:
        values = {"state": DONE, "result": null() if kept is None else kept, "written": now()}
        with self._engine.begin() as connection:
            connection.execute(update(_EffectRow).where(*_is(call)).values(**values))

    def _withdraw(self, call: ToolCall) -> None:
        with self._engine.begin() as connection:
            connection.execute(delete(_EffectRow).where(*_is(call), _EffectRow.state == INTENDED))


def _is(call: ToolCall) -> tuple:
    return _EffectRow.owner == call.owner, _EffectRow.key == call.key


def _digest(tool: str, arguments: ToolArguments) -> str:
    written = json.dumps([tool, arguments.model_dump(mode="json")], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(written.encode("utf-8", "replace")).hexdigest()
