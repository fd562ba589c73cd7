"""One run while it goes on: its counts, and who hears of them."""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence

from core.errors import FileError
from ingest.finishing import Result, Work
from ingest.ledger import FileStatus, LedgerRow
from ingest.publish import Published
from ingest.report import FileFailure, FileWarning, IngestReport, Outcome, Progress

_log = logging.getLogger(__name__)
REPLACED = ("replaced", "a newer version of it was sent before this one was read")
OnProgress = Callable[[Progress], None]


class Run:
    """The report of one run. Thread-safe. `awaited` are files, by uri, that an earlier call took in for
    this one; `left` counts what others left half-way."""

    def __init__(
        self,
        total: int,
        on_progress: OnProgress | None,
        warnings: Sequence[FileWarning] = (),
        awaited: Mapping[str, Work] | None = None,
    ) -> None:
        self._started = time.monotonic()
        self._total = total
        self._on_progress = on_progress
        self._lock = threading.Lock()
        self._report = IngestReport(warnings=list(warnings))
        self._done = self._parsed = self._embedded = 0
        self.awaited = dict(awaited or {})
        self.left = 0

    def passed(self, parsed: int, embedded_chunks: int) -> None:
        """A stage has dealt with so many more files or chunks."""
        with self._lock:
            self._parsed += parsed
            self._embedded += embedded_chunks

    def end(self, work: Work, result: Result) -> None:
        """A file that was work has come to its end."""
        if work.is_ours:
            self.tell(work.row.uri, result)
            return
        self.left += 1
        _log.warning("%s was left half-way by an earlier run: now %s", work.row.uri, result.outcome)

    def tell(self, uri: str, result: Result, warnings: Sequence[tuple[str, str]] = ()) -> None:
        """Counts a file and tells of it."""
        published = result.published
        chunks, pages = (published.chunks, published.pages) if published else (0, 0)
        with self._lock:
            self.awaited.pop(uri, None)
            self._done += 1
            self._report.count(result.outcome, chunks, pages)
            for code, words in published.warnings if published else warnings:
                self._report.warnings.append(FileWarning(uri, code, words))
            if result.error is not None:
                self._report.failures.append(FileFailure(uri, result.error.code, str(result.error)))
            if self._on_progress is not None:
                place = (self._done, self._total)
                stages = (self._parsed, self._embedded)
                self._on_progress(Progress(uri, result.outcome, *place, chunks, pages, *stages))

    def warn(self, warnings: Sequence[FileWarning]) -> None:
        """Adds to the report what is of no single file of the run."""
        with self._lock:
            self._report.warnings.extend(warnings)

    def ended(self) -> IngestReport:
        """The report, with the time it took."""
        self._report.seconds = time.monotonic() - self._started
        return self._report


def end_of(row: LedgerRow | None, work: Work) -> tuple[Result, tuple[tuple[str, str], ...]]:
    """What became of a file that another run has brought to its end, by its row; and warnings."""
    if row is None:
        return Result(Outcome.REMOVED), ()
    if row.document_id != work.row.document_id:
        return Result(Outcome.SKIPPED), (REPLACED,)
    if row.status is FileStatus.DONE:
        about = (row.title, row.duplicate_of or row.uri, row.chunks, row.pages)
        return Result(work.outcome, Published(*about, row.warnings, row.tables)), ()
    code, reason = (row.code, row.reason) if row.code else ("in_work", "another process works on it")
    return Result(Outcome.FAILED, error=FileError(reason, code=code, retryable=row.retryable)), ()
