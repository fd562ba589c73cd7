"""Files in, searchable documents out: the write path of the product, safe against kills.

One file: found and hashed → stored → ledger `writing` (with the ids of earlier versions)
→ parsed, cut, written to the index → earlier versions removed → ledger `done`. After a
kill at any point the next run finishes what stands as `writing` or `deleting`.
Knows the order of steps; publish.py knows how one version gets into the index.
"""

import hashlib
import json
import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from core.errors import FileError
from core.settings import IngestSettings
from core.types import EVERYONE
from ingest import chunker
from ingest.discover import FoundFile, RefusedFile, find_candidates, inspect_file
from ingest.document_index import DocumentIndex
from ingest.ledger import CollectionCount, FileStatus, Ledger, LedgerRow
from ingest.originals import Originals
from ingest.parsers.registry import PARSER_VERSIONS
from ingest.parsing import ParserRunner
from ingest.publish import Published, Publisher
from ingest.report import FileFailure, FileWarning, IngestReport, Outcome, Progress
from ingest.request import IngestRequest, named, version_of, wanted_row
from ingest.versions import document_id_of

_log = logging.getLogger(__name__)

_MAX_ATTEMPTS = 3
# Named here, since `list` is also a verb of the Ingestor.
Rows = list[LedgerRow]
Counts = list[CollectionCount]


@dataclass(frozen=True, slots=True)
class _Result:
    outcome: Outcome
    published: Published | None = None
    error: FileError | None = None


class Ingestor:
    """Ingests, lists and deletes documents. Safe to call from threads: writers wait for each
    other. One process at a time over a data directory (Milvus Lite sees to that)."""

    def __init__(
        self,
        ledger: Ledger,
        index: DocumentIndex,
        originals: Originals,
        settings: IngestSettings,
        parser_runner: ParserRunner,
    ) -> None:
        self._ledger = ledger
        self._index = index
        self._originals = originals
        self._settings = settings
        self._runner = parser_runner
        self._writing = threading.RLock()
        self._publisher = Publisher(ledger, index, originals, parser_runner, settings)

    def ingest(
        self,
        sources: Sequence[Path],
        request: IngestRequest,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> IngestReport:
        """Brings the collection up to date with the sources. Files go one by one; what one
        file does to its parser is in the report and stops no other. The report tells of
        these sources alone; what an earlier run left half-way is finished and logged.

        Raises:
            InputError: no source exists.
            ConflictError: the collection was made by another embedder.
            ServiceError: the store or the ledger fails; the next run goes on from there.
        """
        with self._writing:
            return self._ingest(sources, request, on_progress)

    def _ingest(
        self,
        sources: Sequence[Path],
        request: IngestRequest,
        on_progress: Callable[[Progress], None] | None,
    ) -> IngestReport:
        started, report = time.monotonic(), IngestReport()
        candidates = [named(c, request) for c in find_candidates(sources, request.root)]
        candidates += request.fetched
        if not request.dry_run:
            self._index.open_collection(request.collection)
            self._finish_deletions(request.collection)
        seen = {candidate.uri for candidate in candidates}
        left = [] if request.dry_run else self._unfinished(request.collection, seen)
        total = len(candidates)
        for done, candidate in enumerate(candidates, start=1):
            found = inspect_file(candidate, int(self._settings.max_file_mb * 2**20))
            if found is not None:
                self._report(self._ingest_one(found, request), found.uri, (done, total), report, on_progress)
        self._finish_writing(left)
        report.seconds = time.monotonic() - started
        return report

    def rechunk(self, collection: str, on_progress: Callable[[Progress], None] | None = None) -> IngestReport:
        """Parses, cuts and embeds every searchable file again from its stored copy, with the
        present settings, one by one: the others are searched meanwhile. What a kill left
        half-way is finished by the next call or ingest. Raises as `ingest` does."""
        with self._writing:
            started, report = time.monotonic(), IngestReport()
            self._index.open_collection(collection)
            self._finish_deletions(collection)
            self._finish_writing(self._unfinished(collection, set()))
            rows = self._ledger.rows(collection, FileStatus.DONE)
            for done, row in enumerate(rows, start=1):
                wanted = replace(
                    row,
                    status=FileStatus.WRITING,
                    fingerprint=self.fingerprint(row.media_type),
                    previous_ids=(row.document_id,),
                )
                result = self._repair(self._ledger.put(wanted))
                self._report(result, row.uri, (done, len(rows)), report, on_progress)
            report.seconds = time.monotonic() - started
            return report

    def note_reembedded(self, collection: str, former: str) -> int:
        """After the index gave all chunks new vectors: files that the embedder `former` had
        indexed as they would be now count as indexed by the present one. Returns how many;
        the others, whose chunks would be cut otherwise now, stay due."""
        with self._writing:
            rows = [
                row
                for row in self._ledger.rows(collection, FileStatus.DONE)
                if row.fingerprint == self.fingerprint(row.media_type, former)
            ]
            for row in rows:
                self._ledger.put(replace(row, fingerprint=self.fingerprint(row.media_type)))
            return len(rows)

    def delete(self, collection: str, uri_or_document_id: str) -> bool:
        """Removes a document by its uri, or every copy of it by its id; False when there is none."""
        with self._writing:
            row = self._ledger.get(collection, uri_or_document_id)
            rows = [row] if row else self._ledger.with_document(collection, uri_or_document_id)
            if rows:
                self._index.open_collection(collection)
            for found in rows:
                self._remove(self._ledger.put(replace(found, status=FileStatus.DELETING)))
            return bool(rows)

    def list(self, collection: str, readers: Sequence[str] | None = None) -> Rows:
        """Searchable documents by uri; with `readers`, only those that one of them may read."""
        rows = self._ledger.rows(collection, FileStatus.DONE)
        if readers is None:
            return rows
        names = {*readers, EVERYONE}
        return [row for row in rows if names & set(row.readers)]

    def show(self, collection: str, uri_or_document_id: str) -> LedgerRow | None:
        """The ledger row of a uri, or of the first document with that id."""
        row = self._ledger.get(collection, uri_or_document_id)
        rows = [row] if row else self._ledger.with_document(collection, uri_or_document_id)
        return rows[0] if rows else None

    def failures(self, collection: str) -> Rows:
        """Files that could not be ingested, with code and reason."""
        return self._ledger.rows(collection, FileStatus.FAILED)

    def collections(self) -> Counts:
        """Collections with counts; those that are still empty too."""
        counted = {count.name: count for count in self._ledger.collections()}
        names = sorted({*counted, *self._index.collections()})
        return [counted.get(name, CollectionCount(name, 0, 0, 0)) for name in names]

    def drop_collection(self, collection: str) -> bool:
        """Removes a collection with its documents; False when there was none."""
        with self._writing:
            rows = self._ledger.rows(collection)
            # Marked first: a kill in between must not leave rows that say `done`.
            self._ledger.mark_collection(collection, FileStatus.DELETING)
            dropped = self._index.drop_collection(collection)
            self._ledger.remove_collection(collection)
            self._forget_originals({i for row in rows for i in (row.document_id, *row.previous_ids)})
            return dropped or bool(rows)

    def close(self) -> None:
        """Ends the parse process and closes the ledger; the index belongs to who made it."""
        self._runner.close()
        self._ledger.close()

    def fingerprint(self, media_type: str, embedder: str = "") -> str:
        """Changes whenever a file of this kind would be indexed otherwise; `embedder` stands
        for another embedder than the present one."""
        values = {
            "chunk_tokens": self._settings.chunk_tokens,
            "overlap_tokens": self._settings.overlap_tokens,
            "chunker": chunker.VERSION,
            "parser": PARSER_VERSIONS[media_type],
            "index": embedder or self._index.fingerprint,
        }
        return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]

    def _ingest_one(self, found: FoundFile | RefusedFile, request: IngestRequest) -> _Result:
        row = self._ledger.get(request.collection, found.uri)
        fingerprint = self.fingerprint(found.media_type) if isinstance(found, FoundFile) else ""
        if row and not request.force and self._is_settled(row, found, request, fingerprint):
            if row.status is FileStatus.DONE:
                return _Result(Outcome.SKIPPED)
            error = FileError(row.reason, code=row.code, retryable=row.retryable)
            return _Result(Outcome.FAILED, error=error)
        wanted = wanted_row(row, found, request, fingerprint)
        if isinstance(found, RefusedFile):
            return self._refuse(wanted, found.error, request.dry_run)
        was_there = row and (row.status is FileStatus.DONE or row.previous_ids)
        outcome = Outcome.UPDATED if was_there else Outcome.ADDED
        if request.dry_run:
            return _Result(outcome)
        try:
            self._originals.keep(found.path, wanted.document_id, found.sha256)
        except FileError as error:
            return self._fail(wanted, error)
        return self._write(self._ledger.put(wanted), outcome)

    @staticmethod
    def _is_settled(
        row: LedgerRow, found: FoundFile | RefusedFile, request: IngestRequest, fingerprint: str
    ) -> bool:
        """Whether this run would do again what an earlier one did."""
        same = (row.document_id, row.readers, dict(row.meta), row.fingerprint) == (
            version_of(found, request),
            request.readers,
            dict(request.meta),
            fingerprint,
        )
        if row.status is FileStatus.DONE:
            return same
        retry = request.retry_failed or (row.retryable and row.attempts < _MAX_ATTEMPTS)
        return row.status is FileStatus.FAILED and same and not retry and bool(found.sha256)

    def _refuse(self, wanted: LedgerRow, error: FileError, dry_run: bool) -> _Result:
        return _Result(Outcome.FAILED, error=error) if dry_run else self._fail(wanted, error)

    def _write(self, row: LedgerRow, outcome: Outcome) -> _Result:
        """From `writing` to `done`: the new version is durable before the old one goes."""
        try:
            published = self._find_published(row) or self._publisher.publish(row.collection, row.document_id)
        except FileError as error:
            return self._fail(row, error)
        stale = [previous for previous in row.previous_ids if previous != row.document_id]
        for previous in stale:
            self._withdraw(row.collection, previous)
        self._ledger.put(
            replace(
                row,
                status=FileStatus.DONE,
                title=published.title,
                chunks=published.chunks,
                pages=published.pages,
                warnings=published.warnings,
                previous_ids=(),
                duplicate_of="" if published.owner == row.uri else published.owner,
            )
        )
        self._forget_originals(stale)
        return _Result(outcome, published)

    def _find_published(self, row: LedgerRow) -> Published | None:
        """What another uri of the same version and settings has put there already."""
        holders = [h for h in self._ledger.holding(row.collection, row.document_id) if h.uri != row.uri]
        if not holders or row.document_id in row.previous_ids:
            return None
        twin = holders[0]
        same = (twin.status, twin.fingerprint, twin.readers) == (
            FileStatus.DONE,
            row.fingerprint,
            row.readers,
        )
        if not same:
            return None
        return Published(twin.title, twin.uri, twin.chunks, twin.pages, twin.warnings)

    def _fail(self, row: LedgerRow, error: FileError) -> _Result:
        """Records a failure. The last good version stays searchable, unless other readers
        are wanted now; half-written ones go."""
        # Until the index is right the row is `writing`, in case of a kill in between.
        row = self._ledger.put(row)
        kept = tuple(i for i in row.previous_ids[:1] if self._is_for(i, row.readers))
        stale = [previous for previous in row.previous_ids if previous not in kept]
        for previous in stale:
            if all(holder.uri == row.uri for holder in self._ledger.holding(row.collection, previous)):
                self._index.remove_document(row.collection, previous)
            else:
                self._withdraw(row.collection, previous)
        failed = replace(row, status=FileStatus.FAILED, previous_ids=kept)
        failed = replace(failed, code=error.code, reason=str(error), retryable=error.retryable)
        self._ledger.put(failed)
        self._forget_originals(stale)
        return _Result(Outcome.FAILED, error=error)

    def _is_for(self, document_id: str, readers: Sequence[str]) -> bool:
        sha256 = self._originals.sha256_of(document_id)
        return bool(sha256) and document_id_of(sha256, readers) == document_id

    def _withdraw(self, collection: str, document_id: str) -> None:
        """Takes a version from its old holder. When its bytes can no longer be parsed for
        the holders that are left, it goes: nobody may read it by a right that has ended."""
        try:
            self._publisher.publish(collection, document_id)
        except FileError:
            self._index.remove_document(collection, document_id)

    def _unfinished(self, collection: str, seen: set[str]) -> Rows:
        rows = self._ledger.rows(collection, FileStatus.WRITING)
        return [row for row in rows if row.uri not in seen]

    def _finish_writing(self, rows: Rows) -> None:
        """Not reported: who runs this may be somebody who may not know of these files."""
        for row in rows:
            result = self._repair(row)
            _log.warning("%s was left half-way by an earlier run: now %s", row.uri, result.outcome)

    def _repair(self, row: LedgerRow) -> _Result:
        """Finishes from the stored copy a file that an earlier run left half-way."""
        outcome = Outcome.UPDATED if row.previous_ids else Outcome.ADDED
        begun = (row.document_id,) if row.document_id else ()
        previous = tuple(dict.fromkeys((*row.previous_ids, *begun)))
        return self._write(replace(row, previous_ids=previous, chunks=0), outcome)

    def _finish_deletions(self, collection: str) -> None:
        for row in self._ledger.rows(collection, FileStatus.DELETING):
            self._remove(row)

    def _remove(self, row: LedgerRow) -> None:
        ids = {row.document_id, *row.previous_ids} - {""}
        for document_id in ids:
            self._withdraw(row.collection, document_id)
        self._ledger.remove(row.collection, row.uri)
        self._forget_originals(ids)

    def _forget_originals(self, document_ids: Iterable[str]) -> None:
        for document_id in document_ids:
            if document_id and not self._ledger.mentions(document_id):
                self._originals.remove(document_id)

    @staticmethod
    def _report(
        result: _Result,
        uri: str,
        place: tuple[int, int],
        report: IngestReport,
        on_progress: Callable[[Progress], None] | None,
    ) -> None:
        published = result.published
        chunks, pages = (published.chunks, published.pages) if published else (0, 0)
        report.count(result.outcome, chunks, pages)
        if published is not None:
            report.warnings.extend(FileWarning(uri, code, words) for code, words in published.warnings)
        if result.error is not None:
            report.failures.append(FileFailure(uri, result.error.code, str(result.error)))
        if on_progress is not None:
            on_progress(Progress(uri, result.outcome, *place, chunks))
