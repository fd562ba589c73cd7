"""Many files at once: parsing, embedding and writing overlap, with little between them.

    submit → [parse and cut: several] → [embed: one or more] → [write and finish: one] → result

The model is the slow part, so the stages before it keep its queue filled, and it gets the
chunks of several files together; the writer puts several files behind one flush. What waits
between stages is bounded in chunks, so memory does not grow with the number of files. Where
files are read and vectors made is the engine's matter: a thread here waits for each.
Knows the order of stages; what each does stands in publish.py and finishing.py.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from core.errors import FileError
from ingest.engine import IngestEngine
from ingest.finishing import Finisher, Result, Work
from ingest.pipe import Pipe, Stopped
from ingest.publish import CutDocument, Published, Publisher
from ingest.queue import IngestQueue
from retrieval.index import EmbeddedDocument

FILES_AHEAD = 64
"""Files that are taken in and not yet parsed."""
CHUNKS_AHEAD = 512
"""Chunks that are cut and wait for the model."""
CHUNKS_PER_PASS = 256
"""As many as the model gets at a time, unless one file has more."""
CHUNKS_PER_FLUSH = 256
FILES_PER_FLUSH = 64
FLUSH_WAIT_S = 1.0
"""How long the writer waits for more before it flushes what it has."""


class Listener(Protocol):
    """Hears of what goes on. Called by several threads; `end` by one at a time."""

    def passed(self, parsed: int, embedded_chunks: int) -> None:
        """So many more files were parsed, and chunks embedded."""
        ...

    def end(self, work: Work, result: Result) -> None:
        """A file is at its end."""
        ...


class Stages:
    """One run's threads. The listener hears of each file once."""

    def __init__(
        self,
        publisher: Publisher,
        finisher: Finisher,
        queue: IngestQueue,
        engine: IngestEngine,
        listener: Listener,
    ) -> None:
        self._publisher = publisher
        self._finisher = finisher
        self._queue = queue
        self._engine = engine
        self._listener = listener
        self._work: Pipe[Work] = Pipe(FILES_AHEAD)
        self._cut: Pipe[tuple[Work, CutDocument]] = Pipe(CHUNKS_AHEAD)
        self._written: Pipe[tuple[Work, Any]] = Pipe(2 * CHUNKS_PER_FLUSH)
        self._lock = threading.Lock()
        self._in_work: dict[str, list[Work]] = {}
        self._failure: BaseException | None = None

    @contextmanager
    def running(self) -> Iterator["Stages"]:
        """Files may be submitted while the block runs; all of them are at their end behind it.

        Raises:
            AttestError: what stopped a stage. Files that were not at their end stay taken in.
        """
        parsers = self._threads(self._parse, self._engine.workers)
        embedders = self._threads(self._embed, self._engine.embedders)
        writers = self._threads(self._write, 1)
        for thread in (*parsers, *embedders, *writers):
            thread.start()
        stages = ((parsers, self._work), (embedders, self._cut), (writers, self._written))
        with self._queue.working():
            try:
                yield self
                _finish(stages)
            except BaseException:  # also an interrupt while the stages come to their end
                self._stop()
                _finish(stages)
                raise
        if self._failure is not None:
            raise self._failure

    def submit(self, work: Work) -> None:
        """Hands a file over; waits while there is much ahead of it. A file of a version that is
        in work already waits for that one's end. Raises what stopped a stage."""
        if work.refused is None:
            with self._lock:
                followers = self._in_work.get(work.row.document_id)
                if followers is not None:
                    followers.append(work)
                    return
                self._in_work[work.row.document_id] = []
        try:
            self._work.put(work)
        except Stopped:
            raise self._failure or Stopped() from None

    def _threads(self, stage: Callable[[], None], number: int) -> list[threading.Thread]:
        return [threading.Thread(target=self._guarded, args=(stage,)) for _ in range(number)]

    def _guarded(self, stage: Callable[[], None]) -> None:
        """A stage that cannot go on stops the others; `running` raises what it raised."""
        try:
            stage()
        except Stopped:
            return
        except BaseException as exc:
            with self._lock:
                self._failure = self._failure or exc
            self._stop()
            if not isinstance(exc, Exception):
                raise

    def _stop(self) -> None:
        for pipe in (self._work, self._cut, self._written):
            pipe.stop()

    def _parse(self) -> None:
        while (work := self._work.take()) is not None:
            row = work.row
            if work.refused:
                self._written.put((work, work.refused))
                continue
            holders = self._finisher.holders(row)
            if work.copy_of or self._finisher.find_published(row, holders):
                self._written.put((work, None))
                continue
            try:
                cut = self._publisher.cut(row.collection, row.document_id, holders=holders)
            except FileError as error:
                self._written.put((work, error))
                continue
            if cut is None:  # nothing holds it any more
                self._written.put((work, None))
                continue
            self._listener.passed(1, 0)
            self._cut.put((work, cut), len(cut.chunks))

    def _embed(self) -> None:
        while batch := self._next_cut():
            self._embed_batch(batch)

    def _embed_batch(self, batch: Sequence[tuple[Work, CutDocument]]) -> None:
        try:
            embedded = self._publisher.embed([cut for _, cut in batch])
        except FileError as error:  # one of them ends its worker: each by itself, to see which
            if len(batch) > 1:
                for one in batch:
                    self._embed_batch([one])
            else:
                self._written.put((batch[0][0], error))
            return
        self._listener.passed(0, sum(len(cut.chunks) for _, cut in batch))
        for (work, cut), one in zip(batch, embedded, strict=True):
            self._written.put((work, (cut, one)), len(cut.chunks))

    def _next_cut(self) -> list[tuple[Work, CutDocument]]:
        """What waits for the model, up to a pass; it does not wait for a pass to be full."""
        first = self._cut.take()
        batch, size = [first] if first else [], len(first[1].chunks) if first else 0
        while batch and size < CHUNKS_PER_PASS and (more := self._cut.take(0.0)):
            batch.append(more)
            size += len(more[1].chunks)
        return batch

    def _write(self) -> None:
        while batch := self._next_embedded():
            embedded = [(work, made) for work, made in batch if isinstance(made, tuple)]
            if embedded:
                self._end_embedded(embedded)
            for work, made in batch:
                if not isinstance(made, tuple):
                    self._end(work, self._end_alone(work, made))

    def _next_embedded(self) -> list[tuple[Work, Any]]:
        first = self._written.take()
        batch, size = [first] if first else [], 1
        while batch and size < CHUNKS_PER_FLUSH and len(batch) < FILES_PER_FLUSH:
            more = self._written.take(FLUSH_WAIT_S)
            if more is None:
                break
            batch.append(more)
            size += len(more[1][0].chunks) if isinstance(more[1], tuple) else 1
        return batch

    def _end_embedded(self, batch: list[tuple[Work, tuple[CutDocument, EmbeddedDocument]]]) -> None:
        failures = self._publisher.write(batch[0][0].row.collection, [made for _, (_, made) in batch])
        good = [pair for pair, failure in zip(batch, failures, strict=True) if failure is None]
        with self._lock:
            in_work = set(self._in_work) - {work.row.document_id for work, _ in batch}
        results = self._finisher.finish([(work, cut.published) for work, (cut, _) in good], in_work)
        for (work, _), result in zip(good, results, strict=True):
            self._end(work, result)
        for (work, _), failure in zip(batch, failures, strict=True):
            if failure is not None:
                self._end(work, self._finisher.fail(work, failure))

    def _end_alone(self, work: Work, error: FileError | None) -> Result:
        if error is not None:
            return self._finisher.fail(work, error)
        if work.copy_of is not None and not self._finisher.find_published(work.row):
            copied: Published | None = self._publisher.copy(work.row, work.copy_of)
            if copied is not None:
                return self._finisher.finish([(work, copied)])[0]
        return self._finisher.publish_and_finish(work)

    def _end(self, work: Work, result: Result) -> None:
        self._listener.end(work, result)
        if work.refused is not None:
            return
        with self._lock:
            followers = self._in_work.pop(work.row.document_id, [])
        for follower in followers:
            self._listener.end(follower, self._finisher.publish_and_finish(follower))


def _finish(stages: Sequence[tuple[Sequence[threading.Thread], Pipe]]) -> None:
    """Waits for each stage in turn, once nothing more can come to it."""
    for threads, pipe in stages:
        pipe.close()
        for thread in threads:
            thread.join()
