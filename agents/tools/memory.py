"""The tools `remember` and `recall`: what a user wants kept over their sessions, and what is kept.

Know long-term memory by its owner, who is the caller; nobody else's can be named.
"""

import asyncio
from collections.abc import Callable, Mapping

from pydantic import Field

from agents.memory.background import recall_facts
from agents.memory.facts import Fact
from agents.memory.rendering import Budget
from agents.memory.statements import Statement, read_said
from agents.memory.user_memory import UserMemory
from agents.tools.tool import EVERY_ROLE, ToolArguments, ToolCall, ToolResult
from core.errors import ConflictError, InputError
from core.text import detect_language

RECALL_TOKENS = 1_000
KEPT = {"zh": "已记住：{what}", "en": "Remembered: {what}"}
NOTHING = {"zh": "没有记住任何有关的内容。", "en": "Nothing that bears on it is remembered."}


class RememberArguments(ToolArguments):
    """What to remember, in the user's own words."""

    text: str = Field(
        min_length=2, max_length=500, description="a statement: my department is purchasing; 会议改到周五"
    )


class RememberTool:
    """Keeps a statement of the user over their sessions."""

    name = "remember"
    descriptions: Mapping[str, str] = {
        "zh": "记住用户说的一件事，以后的会话也能用。",
        "en": "Remembers something that the user says, for later sessions too.",
    }
    arguments = RememberArguments
    effects = True
    reads_documents = False
    roles = EVERY_ROLE
    timeout_s = 0.0

    def __init__(self, memory: Callable[[], UserMemory]) -> None:
        self._memory = memory

    async def run(self, arguments: RememberArguments, call: ToolCall) -> ToolResult:
        """See `Tool.run`. Raises InputError for what states nothing, ConflictError when the user's
        memory is off."""
        statements = _statements(arguments.text)
        await asyncio.to_thread(self._keep, statements, call)
        return _kept({s.key: s.value for s in statements}, arguments.text)

    async def find_done(self, arguments: RememberArguments, call: ToolCall) -> ToolResult | None:
        """See `ResolvingTool.find_done`: facts carry the key of the call that wrote them."""
        facts = await asyncio.to_thread(lambda: self._memory().facts.list(call.owner))
        mine = {fact.key: fact.value for fact in facts if fact.turn_id == call.key}
        return _kept(mine, arguments.text) if mine else None

    def _keep(self, statements: tuple[Statement, ...], call: ToolCall) -> None:
        memory = self._memory()
        if not (memory.settings.facts and memory.facts.is_enabled(call.owner)):
            raise ConflictError("memory is switched off", remedy="turn it on with: attest memory switch on")
        memory.keep(call.owner, statements, Fact("", "", call.session_id, call.key))


class RecallArguments(ToolArguments):
    """What it should bear on; nothing: all that is remembered."""

    about: str = Field("", max_length=500, description="words or a question; empty: everything")


class RecallTool:
    """What is remembered of the user."""

    name = "recall"
    descriptions: Mapping[str, str] = {
        "zh": "查看记住的关于用户的内容。",
        "en": "Shows what is remembered of the user.",
    }
    arguments = RecallArguments
    effects = False
    reads_documents = False
    roles = EVERY_ROLE
    timeout_s = 0.0

    def __init__(self, memory: Callable[[], UserMemory]) -> None:
        self._memory = memory

    async def run(self, arguments: RecallArguments, call: ToolCall) -> ToolResult:
        """See `Tool.run`."""
        facts = await asyncio.to_thread(lambda: self._memory().facts.list(call.owner))
        if arguments.about.strip():
            lines = recall_facts(facts, arguments.about, Budget(RECALL_TOKENS))
            wanted = {source for line in lines for source in line.sources}
            facts = [fact for fact in facts if fact.id in wanted]
        shown = "\n".join(f"{fact.key}: {fact.value}" for fact in facts)
        data = {"facts": [{"id": f.id, "key": f.key, "value": f.value, "said": f.said} for f in facts]}
        return ToolResult(shown or NOTHING[detect_language(arguments.about or "en")], data)


def _statements(text: str) -> tuple[Statement, ...]:
    said = read_said(text)
    frame = "记住：" if detect_language(text) == "zh" else "remember that "
    found = said.statements or read_said(f"{frame}{text}").statements
    if not found:
        raise InputError(
            "this states nothing that can be remembered", remedy="write a statement, no question"
        )
    return found


def _kept(facts: Mapping[str, str], text: str) -> ToolResult:
    language = detect_language(text)
    mark = "；" if language == "zh" else "; "
    what = mark.join(value if key in value.casefold() else f"{key}: {value}" for key, value in facts.items())
    return ToolResult(KEPT[language].format(what=what), {"facts": dict(facts)})
