"""Changes of title, readers and notes of one document, in the ledger and in the index.

Other readers are another version of the same bytes, and a title is part of what is embedded: both go the
way of a file that is taken in, so that a kill at any moment leaves the old or the new version. Notes stand
in the ledger alone.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from core.errors import ConflictError, FileError
from ingest.accepting import Decision
from ingest.amended import Amendment
from ingest.finishing import Work
from ingest.intake import Intake
from ingest.ledger import FileStatus, Ledger, LedgerRow
from ingest.originals import Originals
from ingest.queue import IngestQueue
from ingest.report import Outcome
from ingest.run import Run
from ingest.searched import begun, published_in
from ingest.stages import Stages
from ingest.versions import document_id_of


class Amender:
    """Amends one document at a time; the caller holds the writer's lock and has opened the collection."""

    def __init__(
        self,
        ledger: Ledger,
        queue: IngestQueue,
        intake: Intake,
        originals: Originals,
        stages_of: Callable[[Run], Stages],
    ) -> None:
        self._ledger = ledger
        self._queue = queue
        self._intake = intake
        self._originals = originals
        self._stages_of = stages_of

    def amend(self, collection: str, uri: str, amendment: Amendment) -> LedgerRow:
        """The row as it is then; it is searched so when this returns. A title is given to all files of
        these bytes and readers: they share their passages.

        Raises:
            ConflictError: it is not there, or another version of it is on its way or has failed.
            FileError: it cannot be read any more as it must be.
            NotFoundError: its stored copy is gone.
        """
        row = self._settled(collection, uri)
        changed = amendment.changed(row)
        if changed.readers != row.readers:
            self._finish(self._taken_in_for_others(row, changed))
        elif changed != row:
            self._ledger.amend([changed])
        row = self._settled(collection, uri)
        if amendment.title is not None and amendment.titled(row).amended != row.amended:
            self._finish(self._begun_with_title(row, amendment))
        return self._settled(collection, uri)

    def _settled(self, collection: str, uri: str) -> LedgerRow:
        row = self._ledger.get(collection, uri)
        if row is None or row.status is not FileStatus.DONE or self._queue.has(collection, uri):
            raise ConflictError(
                f"{uri!r} cannot be changed now: a version of it is being read, or has failed",
                remedy="wait for it (GET /v1/jobs), or ingest the file again",
            )
        return row

    def _taken_in_for_others(self, row: LedgerRow, changed: LedgerRow) -> list[Work]:
        """The same bytes for other readers. Their chunks are copied, not read and embedded again."""
        path = self._originals.path(row.document_id)
        sha256 = row.sha256 or self._originals.sha256_of(row.document_id)
        wanted = replace(
            changed,
            document_id=document_id_of(sha256, changed.readers),
            sha256=sha256,
            status=FileStatus.WRITING,
            previous_ids=tuple(dict.fromkeys((*row.previous_ids, row.document_id))),
            published=published_in(row),
            chunks=0,
            attempts=1,
            duplicate_of="",
        )
        decision = Decision(row.uri, Outcome.UPDATED, wanted, None, path, row)
        works = self._intake.take_in_amended([decision], {row.uri: row}).works
        return self._all_of(works, [row])

    def _begun_with_title(self, row: LedgerRow, amendment: Amendment) -> list[Work]:
        """All files of the version, to be read and embedded with the title."""
        holders = self._ledger.holding(row.collection, row.document_id)
        done = {holder.uri: holder for holder in holders if holder.status is FileStatus.DONE}
        again = [begun(replace(amendment.titled(holder), previous_ids=())) for holder in done.values()]
        put = self._queue.accept(again, seen=done)
        return self._all_of([Work(holder, Outcome.UPDATED) for holder in put], again)

    def _all_of(self, works: Sequence[Work], wanted: Sequence[LedgerRow]) -> list[Work]:
        if len(works) < len(wanted):
            raise ConflictError(
                f"{wanted[0].uri!r} was changed by somebody else at the same time", remedy="send it again"
            )
        return list(works)

    def _finish(self, works: Sequence[Work]) -> None:
        """Raises the first failure among them."""
        run = Run(len(works), None)
        with self._stages_of(run).running() as stages:
            for work in works:
                stages.submit(work)
        for failure in run.ended().failures:
            raise FileError(failure.reason, code=failure.code, remedy="ingest the file again")
