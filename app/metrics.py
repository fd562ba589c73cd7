"""What the API counts of its work, in the text format of Prometheus.

Labels are of fixed lists alone: no user, no collection, no name of a file, no word of a question. Knows
events, jobs and requests by their names; knows nothing of who may read this.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import aclosing
from importlib.metadata import version

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from agents.events import Failed, Finished
from agents.routing import Route
from app.jobs import Job, JobState
from core.errors import AttestError
from core.types import Label, Status
from ingest.report import Outcome

MEDIA_TYPE = CONTENT_TYPE_LATEST
OTHER = "other"
FAILED, CANCELLED = "failed", "cancelled"
STAGES = frozenset(
    {"retrieve", "gate", "plan", "hyde", "hops", "answer", "revise", "tool", "table", "first_drafted"}
    | {"first_sentence", "total"}
)
"""Of an answer's `timings_ms`, those that are kept."""
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
SECONDS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0)


class Metrics:
    """The numbers of one process. Thread-safe; each process counts for itself."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        info = Gauge("attest_info", "The version that runs.", ["version"], registry=registry)
        info.labels(version("attest")).set(1)

        def counter(name: str, words: str, *labels: str) -> Counter:
            return Counter(f"attest_{name}", words, labels, registry=registry)

        def gauge(name: str, words: str, *labels: str) -> Gauge:
            return Gauge(f"attest_{name}", words, labels, registry=registry)

        def histogram(name: str, words: str, *labels: str) -> Histogram:
            return Histogram(f"attest_{name}", words, labels, registry=registry, buckets=SECONDS)

        self._questions = counter("questions", "Questions by how they ended, and route.", "status", "route")
        self._failures = counter("question_failures", "Questions that failed, by code.", "code")
        self._asking = gauge("questions_in_progress", "Questions that are being answered.")
        self._stages = histogram("question_stage_seconds", "Stages of a question.", "stage")
        self._sentences = counter("sentences", "Sentences, by what became of them.", "fate", "verdict")
        self._tokens = counter("chat_tokens", "Tokens of the chat model for answers.", "kind")
        self._calls = counter("chat_calls", "Calls of the chat model for answers.")
        self._searches = histogram("search_seconds", "Searches without a question, whole.")
        self._jobs = gauge("ingest_jobs", "Uploads and ingests that wait or run.", "state")
        self._ended = counter("ingest_jobs_ended", "Uploads and ingests that came to an end.", "state")
        self._files = counter("ingest_files", "Files of ended jobs, by what became of them.", "outcome")
        self._chunks = counter("ingest_chunks", "Chunks that jobs have written.")
        self._queue = gauge("ingest_queue_files", "Files that are taken in and not yet at their end.")
        self._requests = counter("http_requests", "Requests, by pattern of path.", "method", "path", "status")

    async def watched(self, events: AsyncIterator[tuple[str, dict]]) -> AsyncIterator[tuple[str, dict]]:
        """The same events of one question, counted. Closing it closes them."""
        ended = False
        self._asking.inc()
        try:
            async with aclosing(events):
                async for name, payload in events:
                    if name == Finished.name:
                        ended = True
                        self._note_answer(payload)
                    elif name == Failed.name:
                        ended = True
                        self._questions.labels(FAILED, "").inc()
                        self._failures.labels(_known(payload["code"], _codes())).inc()
                    yield name, payload
        finally:
            self._asking.dec()
            if not ended:
                self._questions.labels(CANCELLED, "").inc()

    def note_search(self, seconds: float) -> None:
        """A search has ended."""
        self._searches.observe(seconds)

    def note_job(self, job: Job) -> None:
        """An upload or ingest has ended."""
        self._ended.labels(str(job.state)).inc()
        for outcome, files in job.counts.items():
            self._files.labels(_known(outcome, Outcome)).inc(files)
        self._chunks.inc(job.chunks)

    def note_request(self, method: str, path: str, status: int) -> None:
        """A request was answered; `path` is the pattern of its route, empty when there is none."""
        self._requests.labels(_known(method, METHODS), path, str(status)).inc()

    def render(self, jobs: Mapping[JobState, int], queued: Callable[[], int]) -> bytes:
        """All of it, with what waits at this moment. A queue that cannot be read is left out as NaN: the
        other numbers are wanted most when something does not answer."""
        for state in (JobState.WAITING, JobState.RUNNING):
            self._jobs.labels(str(state)).set(jobs.get(state, 0))
        try:
            self._queue.set(queued())
        except AttestError:
            self._queue.set(float("nan"))
        return generate_latest(self._registry)

    def _note_answer(self, answer: Mapping) -> None:
        self._questions.labels(_known(answer["status"], Status), _known(answer["route"], Route)).inc()
        for stage, ms in answer["timings_ms"].items():
            if stage in STAGES:
                self._stages.labels(stage).observe(ms / 1000)
        for fate, sentences in (("released", answer["sentences"]), ("withheld", answer["withheld"])):
            for sentence in sentences:
                self._sentences.labels(fate, _known(sentence["verdict"]["label"], Label)).inc()
        usage = answer["usage"]
        for kind in ("prompt", "completion", "cached"):
            self._tokens.labels(kind).inc(usage[f"{kind}_tokens"])
        self._calls.inc(usage["model_calls"])


class CountRequests:
    """Middleware. The outermost: what others refuse is counted too."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 500

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            # The pattern, never the path: that holds names.
            path = getattr(scope.get("route"), "path", "")
            self._metrics.note_request(scope["method"], path, status)


def _known(value: str, known: Iterable[str]) -> str:
    return value if value in set(known) else OTHER


def _codes() -> set[str]:
    """Of all errors of ours, and of defects."""
    found, classes = {"internal"}, [AttestError]
    while classes:
        cls = classes.pop()
        classes += cls.__subclasses__()
        found.add(cls.code)
    return found
