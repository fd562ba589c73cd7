"""The bodies that requests may have. Unknown fields are refused, so that a slip is seen.

Knows shapes and limits; knows nothing of what is done with them.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from agents.asking import Effort
from agents.kept_answers import Vote
from agents.policy import Policy
from app.keys import Role

DEFAULT_COLLECTION = "default"
CHAT_FIELDS_WITHOUT_EFFECT = frozenset(
    {"temperature", "top_p", "seed", "stop", "presence_penalty", "frequency_penalty", "logit_bias"}
) | frozenset(
    {"max_tokens", "max_completion_tokens", "reasoning_effort", "verbosity", "user", "metadata", "store"}
    | {"service_tier", "safety_identifier", "prompt_cache_key", "parallel_tool_calls"}
)
"""How OpenAI's models sample, how long they may write, and what is noted of it."""


class Body(BaseModel):
    """A JSON body."""

    model_config = ConfigDict(extra="forbid")


class AskBody(Body):
    """A question. `session_id` continues a session; `readers` narrows whose documents count;
    `policy` may be stricter than that of the collection, a looser one has no effect; `memory` is the
    strategy of the session from now on, as `window+vector`; so is `assistant`, a name or an id, empty for
    none. A `collection` or an `effort` that is not given is the assistant's, else `default`, `standard`.
    Without `keep` nothing that is said is remembered of the user, and the answer cannot be rated. Without
    `resumable` a client that leaves the stream cancels the turn at once."""

    question: str
    collection: str = Field("", max_length=128)
    session_id: str = Field("", max_length=64, pattern=r"^[A-Za-z0-9_-]*$")
    effort: Effort | None = None
    assistant: str | None = Field(None, max_length=128)
    policy: Policy | None = None
    memory: str = Field("", max_length=128)
    readers: list[str] | None = Field(None, max_length=100)
    keep: bool = True
    stream: bool = False
    resumable: bool = True


class ChatTextPart(BaseModel):
    """A part of a message; pictures and sounds are refused."""

    type: Literal["text"]
    text: str


class ChatMessage(BaseModel):
    """One of OpenAI's messages. What else it holds has no effect."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[ChatTextPart] | None = None

    @property
    def text(self) -> str:
        """All its parts."""
        if isinstance(self.content, list):
            return "\n".join(part.text for part in self.content)
        return self.content or ""


class ChatStreamOptions(BaseModel):
    """Whether a last chunk tells the usage."""

    include_usage: bool = False


class ChatBody(Body):
    """A conversation whose last message of the user is asked. `model` is `attest`, or `attest/NAME` for an
    assistant. `collection`, `session_id`, `readers`, `effort`, `policy` and `memory` are those of
    `/v1/ask`. OpenAI's fields of sampling, lengths and records have no effect, nor has null."""

    model: str = Field(max_length=200)
    messages: list[ChatMessage] = Field(min_length=1)
    stream: bool = False
    stream_options: ChatStreamOptions = ChatStreamOptions()
    n: Literal[1] = 1
    collection: str = Field("", max_length=128)
    session_id: str = Field("", max_length=64, pattern=r"^[A-Za-z0-9_-]*$")
    readers: list[str] | None = Field(None, max_length=100)
    effort: Effort | None = None
    policy: Policy | None = None
    memory: str = Field("", max_length=128)

    @model_validator(mode="before")
    @classmethod
    def _with_effect(cls, given: Any) -> Any:
        """Without what every client sends and an answer from documents has no use for."""
        if not isinstance(given, dict):
            return given
        return {k: v for k, v in given.items() if v is not None and k not in CHAT_FIELDS_WITHOUT_EFFECT}


class SearchBody(Body):
    """A search. `limit` is how many hits are wanted; `filter` narrows it, for example
    `{"kind": ["table"], "uri_prefix": "file:///reports/"}`."""

    query: str
    collection: str = Field(DEFAULT_COLLECTION, max_length=128)
    limit: int = Field(10, ge=1, le=100)
    readers: list[str] | None = Field(None, max_length=100)
    filter: dict[str, Any] = Field({}, max_length=20)


class DocumentBody(Body):
    """What to change of a document; a field that is not given stays as it is. `title` null: that of the file
    again. `readers` are all that it has from then on. Of `meta` the notes that are named change, and go with
    null."""

    title: str | None = Field(None, max_length=1000)
    readers: list[str] = Field([], min_length=1, max_length=256)
    meta: dict[str, str | None] = Field({}, max_length=50)


class CollectionBody(Body):
    """A new collection."""

    name: str = Field(max_length=128)


class IngestBody(Body):
    """Files of the server's own machine, or web addresses, for the holder of the local token
    alone. Under `job_id` the caller can follow it in `/v1/jobs`."""

    paths: list[str] = []
    addresses: list[str] = []
    collection: str = Field(DEFAULT_COLLECTION, max_length=128)
    readers: list[str] = Field(["everyone"], min_length=1)
    meta: dict[str, str] = {}
    dry_run: bool = False
    retry_failed: bool = False
    force: bool = False
    prune: bool = False
    job_id: str = Field("", max_length=64, pattern=r"^[A-Za-z0-9_-]*$")


class FaqBody(Body):
    """A new curated answer: `answer` in words of its own, or `from_answer`, or `suggestion`.
    `readers`: as whom the documents are read, and for whom the entry is."""

    questions: list[str] = Field([], max_length=50)
    answer: str = Field("", max_length=20_000)
    from_answer: str = Field("", max_length=64)
    suggestion: str = Field("", max_length=64)
    collection: str = Field(DEFAULT_COLLECTION, max_length=128)
    readers: list[str] | None = Field(None, max_length=100)
    force: bool = False


class FeedbackBody(Body):
    """A thumb on an answer, why, and what would have been right."""

    answer_id: str = Field(max_length=64)
    vote: Vote
    reason: str = Field("", max_length=2000)
    right_answer: str = Field("", max_length=4000)


class FactBody(Body):
    """What to change of a memory; `expires` is a day or a moment of ISO 8601, empty: no end."""

    value: str | None = Field(None, max_length=2000)
    expires: str | None = Field(None, max_length=64)


class MemorySwitchBody(Body):
    """Whether memory is on for the caller."""

    enabled: bool


Listed = Annotated[list[Annotated[str, Field(max_length=128)]], Field(max_length=50)]


class AssistantBody(Body):
    """Fields of an assistant. A field that is not given stays as it is; empty leaves it open, and so
    does null for `tools`."""

    name: str = Field("", max_length=200)
    instructions: str = Field("", max_length=20_000)
    collections: Listed = []
    tools: Listed | None = None
    memory: str = Field("", max_length=128)
    effort: Effort | Literal[""] = ""
    policy: Policy | Literal[""] = ""
    language: Literal["", "zh", "en"] = ""
    readers: Listed = []
    role: Role | Literal[""] = ""


class InstructionsBody(Body):
    """What the caller wants of all answers; empty: nothing."""

    instructions: str = Field(max_length=20_000)


class ToolBody(Body):
    """A call of a tool. With a `key` an effect is had once, however often the call is sent."""

    arguments: dict[str, Any] = Field({}, max_length=50)
    collection: str = Field(DEFAULT_COLLECTION, max_length=128)
    readers: list[str] | None = Field(None, max_length=100)
    key: str = Field("", max_length=64)


class ApprovalBody(Body):
    """What shall become of a call that waits; `arguments` go with edit, and with it alone."""

    decision: Literal["approve", "edit", "reject"]
    arguments: dict[str, Any] | None = Field(None, max_length=50)
    stream: bool = False


class ResumeBody(Body):
    """Whether events are wanted."""

    stream: bool = False


class CommunitiesBody(Body):
    """The collection whose communities are summarised; `job_id` as of an ingest."""

    collection: str = Field(DEFAULT_COLLECTION, max_length=128)
    job_id: str = Field("", max_length=64, pattern=r"^[A-Za-z0-9_-]*$")


class VerifyBody(Body):
    """What to compare: one collection, or all when it is empty."""

    collection: str = Field("", max_length=128)
    repair: bool = False
