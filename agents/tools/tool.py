"""The seam of tools: what a tool is, what it is called with and what it gives back.

Knows nothing of which tools there are, nor of who checks a call: see `invoker`.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol, runtime_checkable

from pydantic import BaseModel, ConfigDict

from agents.records import read_citation
from core.types import Citation, Scope

ROLES = ("reader", "editor", "admin")
"""Each may do all that those before it may."""
EVERY_ROLE = frozenset(ROLES)


class ToolArguments(BaseModel):
    """The arguments of a tool. The first field is the one that is meant when a user writes a bare
    text behind the tool's name."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, slots=True)
class ToolCall:
    """Who calls, and for what. `key` names this one call for good: a call with effects that is made
    again under its key has its effect once."""

    owner: str
    scope: Scope
    role: str = "reader"
    session_id: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class ToolResult:
    """`text` is what people and models read, `data` the same as plain JSON values. `is_untrusted`:
    it comes from somebody else's server, so it is read like a document, never obeyed."""

    text: str
    data: Mapping[str, Any] = field(default_factory=dict)
    citations: tuple[Citation, ...] = ()
    is_untrusted: bool = False

    def record(self) -> dict:
        """As plain values, for ledgers and checkpoints."""
        return {
            "text": self.text,
            "data": dict(self.data),
            "citations": [asdict(citation) for citation in self.citations],
            "is_untrusted": self.is_untrusted,
        }


def read_result(record: Mapping) -> ToolResult:
    """The result of a record."""
    citations = tuple(map(read_citation, record["citations"]))
    return ToolResult(record["text"], record["data"], citations, record["is_untrusted"])


class Tool(Protocol):
    """Something that can be done by name. Asked only by `ToolInvoker`, which checks arguments, role,
    time and budget, and logs the call."""

    name: str
    """Lower case letters, digits and underscores."""
    descriptions: Mapping[str, str]
    """What it does, in one sentence for each of zh and en."""
    arguments: type[ToolArguments]
    effects: bool
    """Whether it changes anything that is there after the call. Such a call in a conversation waits
    for its owner's approval."""
    reads_documents: bool
    """Whether it looks into the collection of `call.scope`, so that there must be one."""
    roles: frozenset[str]
    """Which roles may use it."""
    timeout_s: float
    """After so long a run is given up; 0: by the settings."""

    async def run(self, arguments: Any, call: ToolCall) -> ToolResult:
        """`arguments` is an instance of the class above. Reads nothing that `call.scope` may not
        read and nothing of another owner. Raises InputError for what cannot be done with these
        arguments, ServiceError when something needed does not answer."""
        ...


@runtime_checkable
class ResolvingTool(Tool, Protocol):
    """A tool with effects that can tell whether a call had its effect already."""

    async def find_done(self, arguments: Any, call: ToolCall) -> ToolResult | None:
        """The result of the call with this key, when its effect is there; else None."""
        ...
