"""One question and what has come back so far, folded from the stream's events.

Knows the answer's JSON. Does not know where the events come from nor how they are drawn.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ui.client import AskEvent, Json

RUNNING = "running"
STOPPED = "stopped"
FAILED = "failed"
ABSTAINED = "abstained"
PARTIAL = "partial"
WAITING = "waiting"
"""A call of a tool waits for its owner's word, or the turn broke off and may be taken up again."""
RESUMING = "resuming"


@dataclass
class ToolStep:
    """A call of a tool, and what it gave; None while it runs, and where it gave nothing."""

    tool: str
    arguments: Json
    text: str | None = None


@dataclass
class Turn:
    """`status` is running, stopped or failed, or the answer's own: answered, partial, abstained, waiting.

    `approval` is the call that a waiting turn waits for, as `GET /v1/approvals` tells it: None when that
    was not looked up, empty when nothing waits.
    """

    question: str
    status: str = RUNNING
    stage: str = ""
    detail: str = ""
    text: str = ""
    sentences: list[Json] = field(default_factory=list)
    citations: dict[int, Json] = field(default_factory=dict)
    withheld: list[Json] = field(default_factory=list)
    hits: list[Json] = field(default_factory=list)
    looked_for: list[str] = field(default_factory=list)
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    session_id: str = ""
    answer_id: str = ""
    route: str = ""
    cut_short: bool = False
    vote: str = ""
    message: str = ""
    remedy: str = ""
    steps: list[ToolStep] = field(default_factory=list)
    approval: Json | None = None
    taken_up: bool = False

    @property
    def running(self) -> bool:
        """Whether more may come."""
        return self.status == RUNNING

    def apply(self, event: AskEvent) -> None:
        """Takes in one event. Events of an unknown name are passed over: the API may grow."""
        data = event.data
        match event.name:
            case "status":
                self.stage, self.detail = _text(data, "stage"), _text(data, "detail")
            case "retrieved":
                self.hits = _objects(data, "hits")
                self.looked_for = _texts(data, "queries") or self.looked_for
            case "tool_call":
                self._call(data)
            case "tool_result":
                self._return(data)
            case "sentence":
                self._release(data)
            case "revised":
                self._revise(data)
            case "finished":
                self._finish(data)
            case "failed":
                self.fail(_text(data, "message"), _text(data, "remedy"))

    def fail(self, message: str, remedy: str = "") -> None:
        """The turn ended in an error; what was released before stays readable. One that had been taken up
        waits again: the API goes on from its last step."""
        self.status = WAITING if self.taken_up else FAILED
        self.message, self.remedy = message, remedy

    def stop(self) -> None:
        """The reader went elsewhere before the end."""
        self.status = WAITING if self.taken_up else STOPPED

    def take_up(self) -> None:
        """A waiting turn goes on: its events come from here on."""
        self.status, self.stage, self.detail, self.text = RUNNING, RESUMING, "", ""
        self.sentences, self.steps = [], []
        self.approval, self.taken_up = None, True
        self.message = self.remedy = ""

    def cited(self) -> list[Json]:
        """The citations in marker order."""
        return [self.citations[marker] for marker in sorted(self.citations)]

    def chunk_text(self, chunk_id: str) -> str:
        """The text of a retrieved chunk; empty when it did not come with this turn."""
        return next((_text(hit, "text") for hit in self.hits if hit.get("chunk_id") == chunk_id), "")

    def _release(self, data: Json) -> None:
        if isinstance(sentence := data.get("sentence"), dict):
            self.sentences.append(sentence)
        self._add_citations(_objects(data, "citations"))

    def _call(self, data: Json) -> None:
        arguments = data.get("arguments")
        self.steps.append(ToolStep(_text(data, "tool"), arguments if isinstance(arguments, dict) else {}))

    def _return(self, data: Json) -> None:
        tool = _text(data, "tool")
        for step in self.steps:
            if step.tool == tool and step.text is None:
                step.text = _text(data, "text")
                return

    def _revise(self, data: Json) -> None:
        if isinstance(replacement := data.get("replacement"), dict):
            self.sentences.append(replacement)
            self._add_citations(_objects(data, "citations"))
        else:
            self.withheld.append({"text": _text(data, "withheld"), "verdict": data.get("verdict") or {}})

    def _finish(self, answer: Json) -> None:
        # The finished answer is the whole truth: what was shown on the way is replaced by it.
        self.status = _text(answer, "status") or "answered"
        self.approval, self.taken_up = None, False
        self.text = _text(answer, "text")
        self.sentences = _objects(answer, "sentences")
        self.withheld = _objects(answer, "withheld")
        self.looked_for = _texts(answer, "looked_for") or self.looked_for
        self.session_id = _text(answer, "session_id")
        self.answer_id, self.route = _text(answer, "id"), _text(answer, "route")
        guarded = answer.get("guarded")
        self.cut_short = isinstance(guarded, dict) and bool(guarded.get("cut_short"))
        timings = answer.get("timings_ms")
        self.timings_ms = timings if isinstance(timings, dict) else {}
        self.citations = {}
        self._add_citations(_objects(answer, "citations"))

    def _add_citations(self, citations: list[Json]) -> None:
        for citation in citations:
            if isinstance(marker := citation.get("marker"), int):
                self.citations[marker] = citation


def recalled(record: Json, session_id: str) -> Turn:
    """A turn of an older session. The API keeps its words, or its whole answer."""
    turn = Turn(question=_text(record, "question"), session_id=session_id)
    answer = record.get("answer")
    if isinstance(answer, dict):
        turn._finish({"session_id": session_id, **answer})
    else:
        turn.status = _text(record, "status") or "answered"
        turn.text = _text(record, "answer")
    return turn


def _text(data: Mapping[str, Any], key: str) -> str:
    value = data.get(key)
    return value if isinstance(value, str) else ""


def _texts(data: Mapping[str, Any], key: str) -> list[str]:
    value = data.get(key)
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _objects(data: Mapping[str, Any], key: str) -> list[Json]:
    value = data.get(key)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
