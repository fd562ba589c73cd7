"""Where a command's work is done: in this process, or in the API that owns the data.

One process owns a local store. So a command first looks for a running API and talks to
it with the local token; only when there is none does it open the store itself. Commands
are written once, against `Backend`.
"""

import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from core.errors import AttestError, BusyError, ConflictError, InputError, NotFoundError
from core.paths import DataPaths
from core.settings import Settings, load_settings

if TYPE_CHECKING:
    from app.entity_view import EntityWish

Progress = Callable[[dict], None]
"""Is told how far an ingest or other work is, as `/v1/jobs` tells it."""
TOO_MANY_QUESTIONS = "too_many_questions"
"""What the API says when one user asks more than it takes in a minute."""


@dataclass(frozen=True, slots=True)
class Query:
    """What `attest search` asks. `narrowed` is the filter, as in the REST API."""

    text: str
    collection: str
    readers: Sequence[str] | None = None
    limit: int = 10
    narrowed: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Question:
    """What `attest ask` asks. Without `keep` nothing of it is remembered of the user."""

    text: str
    collection: str
    readers: Sequence[str] | None = None
    session_id: str = ""
    effort: str = ""
    policy: str = ""
    memory: str = ""
    assistant: str | None = None
    keep: bool = True


@dataclass(frozen=True, slots=True)
class IngestJob:
    """What `attest ingest` asks. Paths are absolute; addresses are of the web."""

    paths: tuple[Path, ...]
    collection: str
    readers: tuple[str, ...] = ("everyone",)
    meta: dict[str, str] = field(default_factory=dict)
    dry_run: bool = False
    retry_failed: bool = False
    force: bool = False
    addresses: tuple[str, ...] = ()
    prune: bool = False


@dataclass(frozen=True, slots=True)
class FaqWish:
    """What `attest faq add` asks."""

    collection: str
    questions: tuple[str, ...] = ()
    answer: str = ""
    from_answer: str = ""
    suggestion: str = ""
    readers: Sequence[str] | None = None
    force: bool = False


@dataclass(frozen=True, slots=True)
class ToolWish:
    """What `attest tools call` asks. `written` are the arguments, as a JSON object or as the bare
    text of the first one."""

    name: str
    written: str
    collection: str
    readers: Sequence[str] | None = None
    key: str = ""


class Backend(Protocol):
    """All that commands need; results are the JSON of the REST API. Raises AttestError."""

    def search(self, query: Query) -> dict: ...

    def ask(self, question: Question) -> AsyncIterator[tuple[str, dict]]:
        """Event names and payloads; the last is `finished` or `failed`."""
        ...

    async def forget_session(self, session_id: str) -> None:
        """Raises NotFoundError when the caller has none such."""
        ...

    def ingest(self, job: IngestJob, on_progress: Progress) -> dict: ...

    def verify(self, collection: str, repair: bool) -> dict:
        """Of all collections when the name is empty."""
        ...

    def documents(self, collection: str, readers: Sequence[str] | None) -> dict: ...

    def document(self, collection: str, reference: str, readers: Sequence[str] | None) -> dict: ...

    def edit_document(
        self, collection: str, reference: str, given: Mapping[str, Any], readers: Sequence[str] | None
    ) -> dict:
        """`given` as the body of `PATCH /v1/documents/{id}`."""
        ...

    def delete_document(self, collection: str, reference: str, readers: Sequence[str] | None) -> dict: ...

    def failures(self, collection: str, readers: Sequence[str] | None) -> dict: ...

    def duplicates(self, collection: str, readers: Sequence[str] | None) -> dict:
        """Documents that are the same as others, exactly or nearly."""
        ...

    def collections(self, readers: Sequence[str] | None) -> dict: ...

    def create_collection(self, name: str) -> dict: ...

    def drop_collection(self, name: str) -> dict: ...

    def entity(self, collection: str, wish: "EntityWish", readers: Sequence[str] | None) -> dict:
        """What is known of an entity, or how two are related."""
        ...

    def communities(self, collection: str, limit: int, readers: Sequence[str] | None) -> dict:
        """Summaries of groups of entities."""
        ...

    async def make_communities(self, collection: str, on_progress: Progress) -> dict:
        """Makes those anew whose sources have changed."""
        ...

    def faq_entries(self, collection: str, readers: Sequence[str] | None) -> dict: ...

    def add_faq_entry(self, wish: FaqWish) -> dict: ...

    def delete_faq_entry(self, entry_id: str) -> dict: ...

    def faq_suggestions(self, collection: str, readers: Sequence[str] | None, min_count: int) -> dict: ...

    def rate(self, answer_id: str, vote: str, reason: str, right_answer: str) -> dict: ...

    def bad_cases(self, collection: str) -> dict: ...

    def golden_rows(self, collection: str) -> dict:
        """Bad cases as rows of the answers evaluation."""
        ...

    def memory(self) -> dict:
        """What is remembered of the caller, and whether it is used."""
        ...

    def memory_fact(self, fact_id: str) -> dict: ...

    def edit_memory(self, fact_id: str, value: str | None, expires: str | None) -> dict: ...

    def delete_memory(self, fact_id: str) -> dict:
        """All of it when the id is empty."""
        ...

    def switch_memory(self, enabled: bool) -> dict: ...

    def assistants(self) -> dict: ...

    def assistant(self, reference: str) -> dict: ...

    def create_assistant(self, given: Mapping[str, Any]) -> dict: ...

    def edit_assistant(self, reference: str, given: Mapping[str, Any]) -> dict: ...

    def delete_assistant(self, reference: str) -> dict: ...

    def instructions(self) -> dict:
        """What the caller wants of all answers."""
        ...

    def instruct(self, text: str) -> dict:
        """None when the text is empty."""
        ...

    def tools(self) -> dict: ...

    def call_tool(self, wish: ToolWish) -> dict: ...

    def tool_calls(self, limit: int, owner: str, tool: str) -> dict: ...

    def approvals(self) -> dict: ...

    def decide(
        self, approval_id: str, decision: str, arguments: dict | None
    ) -> AsyncIterator[tuple[str, dict]]:
        """The events of the conversation that goes on, as of `ask`."""
        ...

    def resume(self, session_id: str) -> AsyncIterator[tuple[str, dict]]:
        """The events of a turn that was broken off, from its last step on."""
        ...

    def close(self) -> None: ...


def open_backend(
    data: Path | None, config: Path | None, ingest: Mapping[str, Any] | None = None
) -> Backend:
    """The backend for a data directory: the API that owns it when one runs. `ingest` are
    settings of that section that the command's flags put on top.

    Raises:
        ConflictError: there are some, and a running API would do the work with its own.
    """
    settings = read_settings(data, config)
    if ingest:
        changed = settings.ingest.model_copy(update=dict(ingest))
        settings = settings.model_copy(update={"ingest": changed})
    record_path = DataPaths(settings.data).server_record
    if record_path.exists():
        from app.server_record import find_server

        record = find_server(record_path)
        if record is not None and ingest:
            names = ", ".join(f"--{name}" for name in ingest)
            raise ConflictError(
                f"the API at {record.url} owns these documents and knows nothing of {names}",
                remedy=f"stop it, or set ingest.{next(iter(ingest))} for it and leave the flag out",
            )
        if record is not None:
            from app.cli.http_backend import HttpBackend

            return HttpBackend(record.url, record.token)
    from app.cli.local_backend import LocalBackend

    return LocalBackend(settings)


def read_settings(data: Path | None, config: Path | None) -> Settings:
    """The settings with the command's own flags on top, and what follows from them at once:
    quiet libraries and the log level."""
    from core.logs import configure_logging
    from core.telemetry import silence_libraries

    silence_libraries()
    settings = load_settings(config, **({"data": data} if data else {}))
    configure_logging(settings.log_level)
    return settings


def read_object(written: str) -> dict:
    """Raises InputError for what is no JSON object."""
    try:
        found = json.loads(written)
    except (ValueError, RecursionError) as exc:
        raise InputError(f"{written[:60]!r} is no JSON object", remedy='write {"name": "value"}') from exc
    if not isinstance(found, dict):
        raise InputError(f"{written[:60]!r} is no JSON object", remedy='write {"name": "value"}')
    return found


def tool_arguments(tools: dict, wish: ToolWish) -> dict:
    """The arguments of a call, among the `tools` that there are. Raises NotFoundError, InputError."""
    if not wish.written or wish.written.lstrip().startswith("{"):
        return read_object(wish.written) if wish.written else {}
    schemas = {tool["name"]: tool["arguments"].get("properties") for tool in tools["tools"]}
    if wish.name in schemas and not schemas[wish.name]:
        raise InputError(f"{wish.name} takes a JSON object", remedy='write {"name": "value"} behind it')
    if not schemas.get(wish.name):
        raise NotFoundError(f"there is no tool {wish.name!r}", remedy="see: attest tools list")
    return {next(iter(schemas[wish.name])): wish.written}


def failed_turn(payload: dict) -> AttestError:
    """The error that the event `failed` tells of, with its class by its code."""
    cls = BusyError if payload["code"] == TOO_MANY_QUESTIONS else _classes().get(payload["code"], AttestError)
    return cls(payload["message"], remedy=payload.get("remedy", ""))


def _classes() -> dict[str, type[AttestError]]:
    """Every class of our errors by its code."""
    found: dict[str, type[AttestError]] = {}
    left = [AttestError]
    while left:
        cls = left.pop()
        found.setdefault(cls.code, cls)
        left += cls.__subclasses__()
    return found
