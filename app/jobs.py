"""What the API is doing to documents: uploads and ingests, as jobs that can be watched.

Jobs live in this process; what they took in lives in the queue on disk and is finished
after a kill without them. Knows counts and times; knows nothing of HTTP.
"""

import threading
import time
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from core.errors import AttestError, ConflictError, NotFoundError

if TYPE_CHECKING:
    from ingest.report import Progress

JOBS_KEPT = 200
FAILURES_KEPT = 1000
RECENT_FILES = 20


class JobState(StrEnum):
    """Where a job is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(slots=True)
class Job:
    """An upload, an ingest or other work on a collection. `owner` is who asked for it. Changed by one thread
    at a time."""

    id: str
    kind: str
    collection: str
    owner: str
    state: JobState = JobState.WAITING
    created_at: str = ""
    started: float = 0.0
    seconds: float = 0.0
    done: int = 0
    total: int = 0
    pages: int = 0
    chunks: int = 0
    stages: dict[str, int] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    recent: list[dict] = field(default_factory=list)
    report: dict | None = None
    error: dict | None = None
    wants_cancel: bool = False

    def note(self, step: "Progress") -> None:
        """A file has come to its end."""
        self.done, self.total = step.done, step.total
        self.pages += step.pages
        self.chunks += step.chunks
        self.stages = {"parsed": step.parsed, "embedded_chunks": step.embedded_chunks}
        self.counts[str(step.outcome)] = self.counts.get(str(step.outcome), 0) + 1
        self.recent = [*self.recent[1 - RECENT_FILES :], {"uri": step.uri, "outcome": str(step.outcome)}]

    def count(self, done: int, total: int) -> None:
        """So much of the work that is no file is done."""
        self.done, self.total = done, total

    def to_dict(self) -> dict:
        """The JSON of `/v1/jobs/{id}`; `seconds_left` is None while there is nothing to tell."""
        running = self.state is JobState.RUNNING
        seconds = time.monotonic() - self.started if running else self.seconds
        rate = 1 / seconds if seconds > 0 else 0.0
        left = (self.total - self.done) * seconds / self.done if running and self.done else None
        return {
            "id": self.id,
            "kind": self.kind,
            "collection": self.collection,
            "state": str(self.state),
            "created_at": self.created_at,
            "seconds": round(seconds, 2),
            "seconds_left": None if left is None else round(left, 1),
            "done": self.done,
            "total": self.total,
            "pages": self.pages,
            "chunks": self.chunks,
            "pages_per_second": round(self.pages * rate, 2),
            "chunks_per_second": round(self.chunks * rate, 2),
            "stages": dict(self.stages),
            "counts": dict(self.counts),
            "recent": list(self.recent),
            "report": self.report,
            "error": self.error,
        }


class JobBook:
    """The jobs of one process, the newest of them kept. Thread-safe."""

    def __init__(self, on_end: Callable[[Job], None] = lambda job: None) -> None:
        """`on_end` hears of each job that has come to its end."""
        self._on_end = on_end
        self._jobs: dict[str, Job] = {}
        self._lock = threading.Lock()

    def open(self, kind: str, collection: str, owner: str, job_id: str = "") -> Job:
        """A new job that waits for its turn, under an id that the caller may choose."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        job = Job(job_id or uuid.uuid4().hex[:12], kind, collection, owner, created_at=now)
        with self._lock:
            if job.id in self._jobs:
                raise ConflictError(f"there is a job {job.id!r} already", remedy="give it another id")
            self._jobs[job.id] = job
            over = [j.id for j in self._jobs.values() if j.state not in (JobState.WAITING, JobState.RUNNING)]
            for old in over[: max(0, len(self._jobs) - JOBS_KEPT)]:
                del self._jobs[old]
        return job

    @contextmanager
    def waiting(self, job: Job) -> Iterator[None]:
        """A job whose turn never came, since who asked for it has left, is cancelled."""
        try:
            yield
        finally:
            if job.state is JobState.WAITING:
                job.state = JobState.CANCELLED
                self._on_end(job)

    def run(self, job: Job, work: Callable[[], dict]) -> dict:
        """What `work` gives, an ingest report with `exit_code`; the job tells how it ends.

        Raises:
            AttestError: what `work` raises.
        """
        with self._running(job):
            report = work()
        return self._told(job, report)

    async def run_here(self, job: Job, work: Awaitable[dict]) -> dict:
        """The same for work of the event loop."""
        with self._running(job):
            report = await work
        return self._told(job, report)

    @contextmanager
    def _running(self, job: Job) -> Iterator[None]:
        job.state, job.started = JobState.RUNNING, time.monotonic()
        try:
            yield
        except AttestError as exc:
            self._end(job, JobState.FAILED)
            job.error = {"code": exc.code, "message": exc.message, "remedy": exc.remedy}
            raise
        except BaseException:
            self._end(job, JobState.FAILED)
            raise

    def _told(self, job: Job, report: dict) -> dict:
        failures = report.get("failures", [])
        job.report = {**report, "failures": failures[:FAILURES_KEPT]}
        self._end(job, JobState.CANCELLED if job.wants_cancel else JobState.DONE)
        return report

    def jobs(self, owner: str | None) -> dict:
        """`{"jobs": […]}`, newest first; with `owner` only what they asked for."""
        with self._lock:
            found = [job for job in self._jobs.values() if owner in (None, job.owner)]
        return {"jobs": [job.to_dict() for job in reversed(found)]}

    def waiting_count(self) -> int:
        """How many jobs wait for their turn."""
        with self._lock:
            return sum(job.state is JobState.WAITING for job in self._jobs.values())

    def count_states(self) -> Counter[JobState]:
        """How many jobs are in each state, of those that are kept."""
        with self._lock:
            return Counter(job.state for job in self._jobs.values())

    def get(self, job_id: str, owner: str | None) -> Job:
        """One job. Raises NotFoundError when it is another's, too."""
        with self._lock:
            job = self._jobs.get(job_id)
        if job is None or owner not in (None, job.owner):
            raise NotFoundError(f"there is no job {job_id!r}", remedy="see: GET /v1/jobs")
        return job

    def cancel(self, job_id: str, owner: str | None) -> dict:
        """Takes in no more files; those taken in come to their end. Nothing when it is over."""
        job = self.get(job_id, owner)
        job.wants_cancel = True
        if job.state is JobState.WAITING:
            job.state = JobState.CANCELLED
        return job.to_dict()

    def _end(self, job: Job, state: JobState) -> None:
        job.seconds = time.monotonic() - job.started
        job.state = state
        self._on_end(job)
