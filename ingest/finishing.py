"""The end of each file: from `writing` to `done` or `failed`, and from `deleting` to gone.

Knows in which order ledger, index and stored copies change so that a kill in between leaves
a row that says what is left to do. One thread at a time calls it.
"""

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from core.errors import FileError
from ingest.document_index import DocumentIndex
from ingest.engine import WORKER_LOST
from ingest.ledger import FileStatus, Ledger, LedgerRow
from ingest.linking import Linker, Settled
from ingest.originals import Originals
from ingest.publish import Published, Publisher
from ingest.queue import IngestQueue
from ingest.report import Outcome
from ingest.versions import document_id_of

_log = logging.getLogger(__name__)
# Failures of a file whose tables or token vectors may have been written already.
_AFTER_TABLES = ("refused", WORKER_LOST)


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a file."""

    outcome: Outcome
    published: Published | None = None
    error: FileError | None = None


@dataclass(frozen=True, slots=True)
class Work:
    """A file that was taken in: its row as `writing`, and what its end will be called. The
    others as in `ingest.accepting.Decision`; `is_ours` is false for what another run left;
    `refused` says that it needs no parsing to fail."""

    row: LedgerRow
    outcome: Outcome
    copy_of: LedgerRow | None = None
    moved_from: LedgerRow | None = None
    is_ours: bool = True
    refused: FileError | None = None


class Finisher:
    """Ends files. A version is durable in the index before the one it replaces goes."""

    def __init__(
        self,
        ledger: Ledger,
        queue: IngestQueue,
        index: DocumentIndex,
        originals: Originals,
        publisher: Publisher,
    ) -> None:
        self._ledger = ledger
        self._queue = queue
        self._index = index
        self._originals = originals
        self._publisher = publisher
        self.linker = Linker(ledger, queue, publisher.near_copies, publisher.finder, publisher)

    def finish(self, works: Sequence[tuple[Work, Published]], in_work: Collection[str] = ()) -> list[Result]:
        """Marks files `done` whose versions are in the index, after what they replace is gone.
        Versions `in_work` are about to be written by somebody else: they are left alone.
        Which of them are near copies of others is settled here."""
        settled = self.linker.settle([(work.row, work.copy_of, published) for work, published in works])
        pairs = [(work, end) for (work, _), end in zip(works, settled, strict=True)]
        self._finish([pair for pair in pairs if pair[1].error is None], in_work)
        return [
            self.fail(work, end.error) if end.error else Result(work.outcome, end.published.told)
            for work, end in pairs
        ]

    def _finish(self, works: Sequence[tuple[Work, Settled]], in_work: Collection[str]) -> None:
        done, stale = [], {}
        for work, end in works:
            row, published = work.row, end.published
            stale |= {previous: row.uri for previous in row.previous_ids if previous != row.document_id}
            owner = published.owner
            done.append(
                replace(
                    row,
                    status=FileStatus.DONE,
                    title=published.title,
                    chunks=published.chunks,
                    pages=published.pages,
                    warnings=published.warnings,
                    tables=published.tables,
                    figures=published.figures,
                    previous_ids=(),
                    published={},
                    duplicate_of="" if owner == row.uri else owner,
                    code="",
                    reason="",
                    retryable=False,
                )
            )
        if done:
            self._withdraw(done[0].collection, stale, {row.uri: row for row in done}, in_work)
        left = [i for work, _ in works for i in work.row.previous_ids if i != work.row.document_id]
        ends = [end for _, end in works]
        self._queue.finish(done, left, lambda connection: self.linker.keep(ends, connection))
        self.forget_originals(left)
        for work, _ in works:
            if work.moved_from is not None:
                self.remove(self._ledger.put(replace(work.moved_from, status=FileStatus.DELETING)))

    def holders(self, row: LedgerRow) -> list[LedgerRow]:
        """The rows that hold the version of this one, itself among them."""
        return self._ledger.holding(row.collection, row.document_id)

    def find_published(
        self, row: LedgerRow, holders: Sequence[LedgerRow] | None = None
    ) -> Published | None:
        """What another uri of the same version and settings has put there already. `holders` of
        the version are given by who has just read them."""
        holders = self.holders(row) if holders is None else holders
        done = [h for h in holders if h.uri != row.uri and h.status is FileStatus.DONE]
        if not done or row.document_id in row.previous_ids:
            return None
        twin = done[0]
        if (twin.fingerprint, twin.readers) != (row.fingerprint, row.readers):
            return None
        about = (twin.title, twin.duplicate_of or twin.uri, twin.chunks, twin.pages)
        return Published(*about, twin.warnings, twin.tables, figures=twin.figures)

    def publish_and_finish(self, work: Work) -> Result:
        """A file by itself, from its stored copy to its end."""
        row = work.row
        try:
            published = self.find_published(row) or self._publisher.publish(row.collection, row.document_id)
        except FileError as error:
            return self.fail(work, error)
        return self.finish([(work, published)])[0]

    def fail(self, work: Work, error: FileError) -> Result:
        """Records a failure. The last good version stays searchable, unless other readers
        are wanted now; half-written ones go."""
        # Until the index is right the row is `writing`, in case of a kill in between.
        row = self._ledger.put(self._with_previous(work.row))
        kept = tuple(i for i in row.previous_ids[:1] if self._is_whole(i, row))
        stale = [previous for previous in row.previous_ids if previous not in kept]
        for previous in stale:
            if all(holder.uri == row.uri for holder in self._ledger.holding(row.collection, previous)):
                self.drop(row.collection, [previous])
            else:
                self._withdraw(row.collection, {previous: row.uri})
        chunks = row.chunks if row.document_id in kept else 0
        failed = replace(row, status=FileStatus.FAILED, previous_ids=kept, chunks=chunks)
        failed = replace(failed, code=error.code, reason=str(error), retryable=error.retryable)
        if error.retryable and row.document_id:
            self._queue.try_later(failed)
        else:
            self._queue.finish([failed], stale)
        is_begun = work.copy_of is not None or error.code in _AFTER_TABLES
        if is_begun and not self._ledger.holding(row.collection, row.document_id):
            self._index.remove_document(row.collection, row.document_id)
        self.forget_originals(stale)
        return Result(Outcome.FAILED, error=error)

    def remove(self, row: LedgerRow) -> None:
        """Takes a file that is marked `deleting` out of the index and forgets it."""
        ids = {row.document_id, *row.previous_ids} - {""}
        self._withdraw(row.collection, dict.fromkeys(ids, row.uri))
        with self._ledger.transaction() as connection:
            self._queue.forget([row], connection)
            self._queue.doubt(ids, connection)
        self._ledger.remove(row.collection, row.uri)
        self.forget_originals(ids)

    def forget_originals(self, document_ids: Iterable[str]) -> None:
        """Removes the stored copies of versions that nobody needs any more."""
        with self._originals.changing:
            self._queue.forget_copies([i for i in document_ids if i], self._originals.remove)

    def set_aside(self, name: str) -> bool:
        """Moves a stored file that no row needs out of the way; False when one does by now."""
        with self._originals.changing:
            return bool(self._queue.forget_copies([name], self._originals.set_aside))

    def tidy(self) -> None:
        """Removes stored copies that a process which is gone has left behind."""
        self._originals.sweep()
        self.forget_originals(self._queue.doubtful())

    def _withdraw(
        self,
        collection: str,
        left: Mapping[str, str],
        ended: Mapping[str, LedgerRow] | None = None,
        in_work: Collection[str] = (),
    ) -> None:
        """Takes versions from the uris that held them; `ended` are rows as they will be. When
        the bytes can no longer be parsed for the holders that are left, a version goes: nobody
        may read it by a right that has ended."""
        gone = []
        for document_id, uri in left.items():
            if not self._ledger.holding(collection, document_id):
                gone.append(document_id)
                continue
            if self._publisher.hand_over(collection, document_id, uri, ended or {}):
                continue
            if document_id in in_work:  # all its holders wait for it, and one of them will write it
                self._note_begun(collection, document_id)
                continue
            try:
                self._publisher.publish_whole(collection, document_id)
            except FileError:
                gone.append(document_id)
        if gone:
            self.drop(collection, gone)

    def drop(self, collection: str, document_ids: Sequence[str]) -> None:
        """Removes versions. The row that leaves them is not at its end yet, so after a kill the
        next run comes here again; what was linked to them is taken in before."""
        self.linker.release(collection, document_ids)
        self._index.remove_documents(collection, document_ids)
        self.linker.forget(collection, document_ids)

    def _note_begun(self, collection: str, document_id: str) -> None:
        """Says in the rows that wait for a version that chunks of it are in the index."""
        for row in self._ledger.holding(collection, document_id):
            if row.status is FileStatus.WRITING and document_id not in row.previous_ids:
                self._ledger.put(replace(row, previous_ids=(*row.previous_ids, document_id)))

    def _with_previous(self, row: LedgerRow) -> LedgerRow:
        """The row with what `_note_begun` wrote since it was read."""
        now = self._ledger.get(row.collection, row.uri)
        noted = now.previous_ids if now and now.document_id == row.document_id else ()
        return replace(row, previous_ids=tuple(dict.fromkeys((*row.previous_ids, *noted))))

    def _is_whole(self, document_id: str, row: LedgerRow) -> bool:
        """Whether an earlier version may stay when the new one failed: it is for the same
        readers; of its own version a row has a number of chunks only when it was whole once."""
        is_own_half = document_id == row.document_id and not row.chunks
        return not is_own_half and self._is_for(document_id, row.readers)

    def _is_for(self, document_id: str, readers: Sequence[str]) -> bool:
        sha256 = self._originals.sha256_of(document_id)
        return bool(sha256) and document_id_of(sha256, readers) == document_id
