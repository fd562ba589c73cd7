"""What is said to a chat model and what comes back.

Plain values; `core.seams` has the `ChatModel` that takes them.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from core.types import Usage


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation with the chat model; role system, user or assistant."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class ChatOptions:
    """How to sample. `temperature=0` is greedy."""

    max_tokens: int = 256
    temperature: float = 0.0
    stop: tuple[str, ...] = ()
    frequency_penalty: float = 0.0
    tenant: str = ""
    """For whom; empty: for nobody in particular. What a server keeps of a prompt may serve the
    same tenant only, where the settings say so."""


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool that the model may call. `parameters` is a JSON schema of an object."""

    name: str
    description: str
    parameters: Mapping


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call that the model wants made. Nothing was run."""

    name: str
    arguments: Mapping


@dataclass(frozen=True, slots=True)
class ChatDelta:
    """A piece of a reply. The last one carries `usage` and `finish_reason` (stop, length)."""

    text: str = ""
    usage: Usage | None = None
    finish_reason: str | None = None
