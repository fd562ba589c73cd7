"""What happens while a question is answered, in order. `Finished` or `Failed` is the last.

The same events leave as server-sent events: `name` is the event's name on the wire.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from core.types import Answer, Citation, Hit, Sentence, Verdict


@dataclass(frozen=True, slots=True)
class StatusChanged:
    """A stage has begun: planning, searching, screening, reckoning, answering, checking; or `refused`, which
    ends the turn without an answer."""

    name: ClassVar[str] = "status"
    stage: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Retrieved:
    """The evidence that the model will be shown, in marker order from 1. `notes` say what was
    left out of the search, or searched with beside the queries."""

    name: ClassVar[str] = "retrieved"
    hits: tuple[Hit, ...]
    queries: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SentenceReleased:
    """A checked sentence that may be shown, with the citations that are new with it."""

    name: ClassVar[str] = "sentence"
    sentence: Sentence
    citations: tuple[Citation, ...] = ()


@dataclass(frozen=True, slots=True)
class SentenceRevised:
    """A sentence was withheld; or, when `replacement` is given, that sentence now stands in the
    place of one that was, with the citations that are new with it."""

    name: ClassVar[str] = "revised"
    withheld: str
    verdict: Verdict
    replacement: Sentence | None = None
    citations: tuple[Citation, ...] = ()


@dataclass(frozen=True, slots=True)
class ToolCalled:
    """A tool is being called."""

    name: ClassVar[str] = "tool_call"
    tool: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ToolReturned:
    """What it gave, in words; where it `has_failed`, why."""

    name: ClassVar[str] = "tool_result"
    tool: str
    text: str
    has_failed: bool = False


@dataclass(frozen=True, slots=True)
class ApprovalNeeded:
    """The conversation waits for its owner's word on a call; `Finished` with the status `waiting`
    follows."""

    name: ClassVar[str] = "approval"
    id: str
    tool: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Finished:
    """The turn is over and remembered."""

    name: ClassVar[str] = "finished"
    answer: Answer


@dataclass(frozen=True, slots=True)
class Failed:
    """The turn ended in an error; nothing of it is remembered."""

    name: ClassVar[str] = "failed"
    code: str
    message: str
    remedy: str = ""
    meta: Mapping[str, str] = field(default_factory=dict)


Event = (
    StatusChanged
    | Retrieved
    | ToolCalled
    | ToolReturned
    | ApprovalNeeded
    | SentenceReleased
    | SentenceRevised
    | Finished
    | Failed
)
