"""Files in, searchable documents out: the write path of the product, safe against kills.

One file: found and hashed → stored → ledger `writing` and an item in the queue → parsed, cut,
embedded, written to the index → earlier versions removed → ledger `done`, item gone. After a
kill at any point the next run goes on with what stands in the queue or as `deleting`.
Knows what is done with a set of files; stages.py knows how many of them overlap.
"""

import logging
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

from core.database import WriterLock
from core.errors import ConflictError
from core.settings import IngestSettings
from core.types import EVERYONE
from ingest.accepting import Acceptor, Fingerprints
from ingest.amended import Amendment
from ingest.amending import Amender
from ingest.describing import FigureDescriber
from ingest.discover import find_candidates
from ingest.document_index import DocumentIndex
from ingest.engine import LocalEngine
from ingest.extras import IngestExtras
from ingest.finishing import Finisher, Result, Work
from ingest.intake import Intake, Taken
from ingest.ledger import CollectionCount, FileStatus, Ledger, LedgerRow
from ingest.leftovers import Leftovers
from ingest.near_copies import NearCopy
from ingest.originals import Originals
from ingest.parsing import ParserRunner
from ingest.pruning import Vanished, find_vanished, warn_of_vanished
from ingest.publish import Publisher
from ingest.queue import IngestQueue
from ingest.report import IngestReport, Outcome
from ingest.request import IngestRequest, named
from ingest.run import OnProgress, Run, end_of
from ingest.searched import begun, searched
from ingest.stages import Stages
from ingest.verify import Verification, Verifier

__all__ = ["IngestRequest", "Ingestor"]
_log = logging.getLogger(__name__)
_FILES_AT_ONCE = 32
IN_WORK = ("in_work", "another process is ingesting it: see its report, or run this again")
WOULD_GO = ("would_be_removed", "it is gone from the folder, and --prune would remove it")
# Named here, since `list` is also a verb of the Ingestor.
Rows = list[LedgerRow]
Counts = list[CollectionCount]


class Ingestor:
    """Ingests, lists and deletes documents. Safe to call from threads: writers wait for each
    other. So do processes over a PostgreSQL ledger; over SQLite there is one process at a time
    (Milvus Lite sees to that)."""

    def __init__(
        self,
        ledger: Ledger,
        index: DocumentIndex,
        originals: Originals,
        settings: IngestSettings,
        parser_runner: ParserRunner,
        extras: IngestExtras = IngestExtras(),  # noqa: B008
    ) -> None:
        """Files are read by the engine of `extras`; where it has none, by threads of this process with the
        runner, which is closed with the rest."""
        self._ledger = ledger
        self._index = index
        self._originals = originals
        lines, describer = extras.context_lines, extras.describer or FigureDescriber()
        self._engine = extras.engine or LocalEngine(
            parser_runner, lambda text: index.count_tokens(text), settings, describer
        )
        self._writing = WriterLock(ledger.engine)
        self._fingerprints = Fingerprints(
            settings,
            lambda: index.fingerprint,
            lines.fingerprint if lines else "",
            lambda: describer.fingerprint,
            lambda: index.graph_fingerprint,
        )
        self._queue = IngestQueue(ledger)
        acceptor = Acceptor(ledger, originals, self._fingerprints, settings)
        self._publisher = Publisher(ledger, index, originals, self._engine, settings, lines)
        self._finisher = Finisher(ledger, self._queue, index, originals, self._publisher)
        self._leftovers = Leftovers(
            ledger, index, self._publisher.near_copies, settings, self._fingerprints.of
        )
        self._intake = Intake(ledger, self._queue, self._finisher.drop, acceptor)
        self._amender = Amender(ledger, self._queue, self._intake, originals, self._stages)

    @property
    def queue(self) -> IngestQueue:
        """What is taken in and not yet at its end."""
        return self._queue

    def ingest(
        self,
        sources: Sequence[Path],
        request: IngestRequest,
        on_progress: OnProgress | None = None,
    ) -> IngestReport:
        """Brings the collection up to date with the sources. What one file does to its parser
        is in the report and stops no other. The report tells of these sources alone; what an
        earlier run left half-way is finished and logged.

        `on_progress` is called by several threads, one at a time; what it raises stops the
        run, which the next one goes on with.

        Raises:
            InputError: no source exists; or one to be pruned is empty now.
            ConflictError: the collection was made by another embedder.
            ServiceError: the store or the ledger fails; the next run goes on from there.
        """
        with self._writing:
            candidates = [named(c, request) for c in find_candidates(sources, request.root)]
            candidates += request.fetched
            pruned = Vanished([], [])
            if request.prune:
                pruned = find_vanished(self._ledger, request, sources, candidates)
            gone = pruned.rows
            run = Run(len(candidates) + len(gone), on_progress, pruned.warnings)
            if request.dry_run:
                self._say_what_would_be(run, candidates, gone, request)
                return run.ended()
            self._index.open_collection(request.collection)
            self._finish_deletions(request.collection)
            with self._stages(run).running() as stages:
                waiting = iter(candidates)
                while not request.is_cancelled() and (batch := list(islice(waiting, _FILES_AT_ONCE))):
                    self._submit(self._intake.take_in(batch, request), run, stages)
                self._submit_left(request.collection, stages, run)
            for row in [] if request.is_cancelled() else self._still_there(gone):
                if marked := self._ledger.mark(row.collection, row.uri, FileStatus.DELETING):
                    self._finisher.remove(marked)
                run.tell(row.uri, Result(Outcome.REMOVED))
            self._index_released(request.collection)
            self._leftovers.remove(request.collection)
            self._finisher.tidy()
            if not request.prune:
                run.warn(warn_of_vanished(self._ledger, request, sources, candidates))
            return run.ended()

    def accept(self, sources: Sequence[Path], request: IngestRequest) -> Taken:
        """Takes files in without waiting for a run that goes on: when this returns, their copies
        are on disk and they stand in the queue. `finish_accepted` or any later run does the rest.

        Raises:
            InputError: no source exists.
            ConflictError: one of them is in the queue already.
            ServiceError: the ledger or the disk fails.
        """
        candidates = [named(c, request) for c in find_candidates(sources, request.root)]
        return self._intake.take_in_for_later(candidates, request)

    def finish_accepted(
        self, collection: str, taken: Taken, on_progress: OnProgress | None = None
    ) -> IngestReport:
        """Brings files that were accepted to their end and reports on them, also when another
        run has done so meanwhile. Raises as `ingest` does."""
        awaited = {work.row.uri: work for work in taken.works if work.refused is None}
        with self._writing:
            run = Run(len(taken.settled) + len(taken.works), on_progress, awaited=awaited)
            for decision in taken.settled:
                run.tell(decision.uri, Result(decision.outcome, error=decision.error))
            for work in taken.works:
                if work.refused is not None:
                    run.tell(work.row.uri, Result(Outcome.FAILED, error=work.refused))
            self._index.open_collection(collection)
            self._finish_deletions(collection)
            with self._stages(run).running() as stages:
                self._submit_left(collection, stages, run)
            for uri, work in sorted(run.awaited.items()):
                run.tell(uri, *end_of(self.show(collection, uri), work))
            self._index_released(collection)
            return run.ended()

    def rechunk(self, collection: str, on_progress: OnProgress | None = None) -> IngestReport:
        """Parses, cuts and embeds every searchable file again from its stored copy, with the
        present settings, some at a time: the others are searched meanwhile. What a kill left
        half-way is finished by the next call or ingest. Raises as `ingest` does."""
        with self._writing:
            self._index.open_collection(collection)
            self._finish_deletions(collection)
            self._resume(collection)
            rows = iter(self._ledger.rows(collection, FileStatus.DONE))
            run = Run(self._ledger.count(collection, FileStatus.DONE), on_progress)
            with self._stages(run).running() as stages:
                while batch := list(islice(rows, _FILES_AT_ONCE)):
                    # The list may be hours old: what an upload has replaced since is not its matter.
                    now = self._ledger.get_many(collection, [row.uri for row in batch])
                    done = {uri: row for uri, row in now.items() if row.status is FileStatus.DONE}
                    again = [begun(replace(row, previous_ids=())) for row in done.values()]
                    for row in self._queue.accept(again, seen=done):
                        stages.submit(Work(row, Outcome.UPDATED))
            self._index_released(collection)
            self._leftovers.remove(collection)
            return run.ended()

    def resume(self) -> int:
        """Finishes what stands in the queue, of every collection, and is due; returns how many
        files that were. Raises as `ingest` does."""
        with self._writing:
            self._queue.release_dead()
            self._finisher.tidy()
            names = {*self._queue.due_collections()}
            for status in (FileStatus.WRITING, FileStatus.DELETING):
                names |= {*self._ledger.names_with(status)}
            done = 0
            for collection in sorted(names):
                try:
                    self._index.open_collection(collection)
                except ConflictError as exc:  # its files wait for a rebuild, the others do not
                    _log.warning("files of %s wait: %s", collection, exc)
                    continue
                self._finish_deletions(collection)
                done += self._resume(collection)
                self._index_released(collection)
            return done

    def verify(self, collection: str = "", repair: bool = False) -> Verification:
        """Compares ledger, stored copies and index, of one collection or of all; see
        `ingest.verify`. With `repair` what is amiss is mended."""
        with self._writing:
            names = {count.name for count in self._ledger.collections()} | set(self._index.collections())
            verifier = Verifier(self._ledger, self._index, self._originals, self._publisher, self._finisher)
            chosen = [collection] if collection else sorted(names)
            found = verifier.verify(chosen, repair, self.resume, every=not collection)
            for name in chosen:
                found.faults += self._leftovers.faults(name, repair)
            return found

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
            with self._ledger.transaction() as connection:
                now = [replace(row, fingerprint=self.fingerprint(row.media_type)) for row in rows]
                self._ledger.amend(now, connection)
            return len(rows)

    def delete(self, collection: str, uri_or_document_id: str) -> bool:
        """Removes a document by its uri, or every copy of it by its id; False when there is none."""
        with self._writing:
            row = self._ledger.get(collection, uri_or_document_id)
            rows = [row] if row else self._ledger.with_document(collection, uri_or_document_id)
            if rows:
                self._index.open_collection(collection)
            for found in rows:
                # As it stands now: a new version of it may have been taken in meanwhile.
                version = "" if row else found.document_id
                if marked := self._ledger.mark(collection, found.uri, FileStatus.DELETING, version):
                    self._finisher.remove(marked)
            self._index_released(collection)
            return bool(rows)

    def amend(self, collection: str, uri: str, amendment: Amendment) -> LedgerRow:
        """See `Amender.amend`; raises as `ingest` does, too."""
        with self._writing:
            self._index.open_collection(collection)
            self._finish_deletions(collection)
            amended = self._amender.amend(collection, uri, amendment)
            self._index_released(collection)
            return amended

    def list(self, collection: str, readers: Sequence[str] | None = None) -> Rows:
        """Searchable documents by uri, also those whose newer version is on its way; with
        `readers`, only those that one of them may read."""
        rows = self._publisher.near_copies.tell(searched(self._ledger.published(collection)))
        if readers is None:
            return rows
        names = {*readers, EVERYONE}
        return [row for row in rows if names & set(row.readers)]

    def show(self, collection: str, uri_or_document_id: str) -> LedgerRow | None:
        """The ledger row of a uri, or of the first document with that id."""
        row = self._ledger.get(collection, uri_or_document_id)
        rows = [row] if row else self._ledger.with_document(collection, uri_or_document_id)
        return self._publisher.near_copies.tell(rows[:1])[0] if rows else None

    def near_copies(self, rows: Sequence[LedgerRow]) -> dict[str, NearCopy]:
        """See `NearCopies.of_rows`."""
        return self._publisher.near_copies.of_rows(rows)

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
            # Marked first: a kill in between must not leave rows that say `done`. What is taken in
            # from now on is none of these, and outlives them.
            rows = self._ledger.mark_collection(collection, FileStatus.DELETING)
            self._queue.forget_collection(collection)
            ids = {i for row in rows for i in (row.document_id, *row.previous_ids)}
            self._queue.doubt(ids)
            dropped = self._index.drop_collection(collection)
            self._ledger.remove_collection(collection, FileStatus.DELETING)
            self._publisher.near_copies.forget_collection(collection)
            self._finisher.forget_originals(ids)
            return dropped or bool(rows)

    def close(self) -> None:
        """Ends the engine's processes and closes the ledger; the index belongs to who made it."""
        self._engine.close()
        self._ledger.close()

    def fingerprint(self, media_type: str, embedder: str = "") -> str:
        """See `ingest.accepting.Fingerprints.of`."""
        return self._fingerprints.of(media_type, embedder)

    def _stages(self, run: Run) -> Stages:
        return Stages(self._publisher, self._finisher, self._queue, self._engine, run)

    def _submit(self, taken: Taken, run: Run, stages: Stages) -> None:
        for decision in taken.settled:
            run.tell(decision.uri, Result(decision.outcome, error=decision.error))
        for uri in taken.held:
            run.tell(uri, Result(Outcome.SKIPPED), (IN_WORK,))
        for work in taken.works:
            if work.refused is not None:
                # What an earlier run left of this file must not be finished beside its failure.
                self._queue.drop(work.row.collection, work.row.uri)
            stages.submit(work)

    def _submit_left(self, collection: str, stages: Stages, run: Run) -> None:
        """What stands in the queue. Of what is not awaited by this run there is no report: who
        runs this may be somebody who may not know of these files."""
        while claimed := self._queue.claim(collection, _FILES_AT_ONCE):
            rows = self._ledger.get_many(collection, [uri for uri, _ in claimed])
            for uri, attempts in claimed:
                row = rows.get(uri)
                if row is None or row.status in (FileStatus.DONE, FileStatus.DELETING):
                    self._queue.drop(collection, uri)
                    continue
                again = row if row.status is FileStatus.WRITING else replace(row, attempts=row.attempts + 1)
                again = begun(again) if attempts > 1 else again
                outcome = Outcome.UPDATED if row.previous_ids else Outcome.ADDED
                ours = run.awaited.get(uri)
                if ours and ours.row.document_id != row.document_id:
                    run.tell(uri, *end_of(row, ours))
                    ours = None
                outcome = ours.outcome if ours else outcome
                stages.submit(Work(self._ledger.put(again), outcome, is_ours=ours is not None))

    def _resume(self, collection: str) -> int:
        run = Run(0, None)
        with self._stages(run).running() as stages:
            self._adopt(collection)
            self._submit_left(collection, stages, run)
        return run.left

    def _index_released(self, collection: str) -> None:
        """Files that were linked to what went in this run are indexed themselves."""
        while self._finisher.linker.take_released(collection):
            self._resume(collection)

    def _adopt(self, collection: str) -> None:
        """Rows that stand as `writing` without an item: of a version before there was a queue."""
        rows = self._ledger.rows(collection, FileStatus.WRITING)
        lost = [row for row in rows if not self._queue.has(collection, row.uri)]
        self._queue.accept([begun(row) for row in lost], lease=False)

    def _finish_deletions(self, collection: str) -> None:
        self._queue.release_dead()
        self._finisher.tidy()
        self._adopt(collection)
        for row in self._ledger.rows(collection, FileStatus.DELETING):
            self._finisher.remove(row)

    def _still_there(self, rows: Rows) -> Rows:
        """Without those whose file was found again in another place."""
        return [row for row in rows if self._ledger.get(row.collection, row.uri)]

    def _say_what_would_be(self, run: Run, candidates, gone: Rows, request: IngestRequest) -> None:
        for decision in self._intake.decide(candidates, request):
            run.tell(decision.uri, Result(decision.outcome, error=decision.error))
        for row in gone:
            run.tell(row.uri, Result(Outcome.REMOVED), (WOULD_GO,))
