"""Taking files in: from candidates to rows, copies and queue items that a kill does not lose.

Knows the ledger, the stored copies and the queue. A run takes in what it works on at once; an
upload that must not wait for a run that goes on is taken in for later.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from core.errors import ConflictError, FileError, NotFoundError
from ingest.accepting import Acceptor, Decision
from ingest.discover import Candidate
from ingest.finishing import Work
from ingest.ledger import FileStatus, Ledger, LedgerRow, state_of
from ingest.queue import IngestQueue
from ingest.report import Outcome
from ingest.request import IngestRequest

Drop = Callable[[str, Sequence[str]], None]
"""Takes versions of a collection out of the index, as `Finisher.drop` does."""


@dataclass(frozen=True, slots=True)
class Taken:
    """`settled` need no work; `works` do, among them those that are refused. `held` are uris
    that another process is working on."""

    settled: tuple[Decision, ...]
    works: tuple[Work, ...]
    held: tuple[str, ...] = ()


class Intake:
    """Decides about candidates and writes the decisions, one call at a time. Thread-safe."""

    def __init__(self, ledger: Ledger, queue: IngestQueue, drop: Drop, acceptor: Acceptor) -> None:
        self._ledger = ledger
        self._queue = queue
        self._drop = drop
        self._acceptor = acceptor
        self._lock = threading.Lock()

    def decide(self, candidates: Sequence[Candidate], request: IngestRequest) -> list[Decision]:
        """What would be done; writes nothing."""
        return self._acceptor.decide(candidates, request)

    def take_in(self, candidates: Sequence[Candidate], request: IngestRequest) -> Taken:
        """For a run that works on them at once and is the only one that writes to the index. A file
        that another process took in for later while this one looked at it is looked at again,
        and replaced as one that was known to wait: the version that comes last is the one that stays."""
        waiting, parts = list(candidates), []
        with self._lock:
            while waiting:
                seen = self._ledger.get_many(request.collection, [candidate.uri for candidate in waiting])
                decisions = self._without_halves(self._acceptor.decide(waiting, request), seen)
                taken = self._write(decisions, lease=True, seen=seen)
                changed = self._changed(request.collection, taken.held, seen)
                waiting = [candidate for candidate in waiting if candidate.uri in changed]
                parts.append(replace(taken, held=tuple(uri for uri in taken.held if uri not in changed)))
        return Taken(
            tuple(decision for part in parts for decision in part.settled),
            tuple(work for part in parts for work in part.works),
            tuple(uri for part in parts for uri in part.held),
        )

    def take_in_amended(self, decisions: Sequence[Decision], seen: Mapping[str, LedgerRow]) -> Taken:
        """What was decided of stored files, for whoever works on them at once; `seen` are their rows as
        they were."""
        with self._lock:
            return self._write(decisions, lease=True, seen=seen)

    def _changed(self, collection: str, uris: Sequence[str], seen: Mapping[str, LedgerRow]) -> set[str]:
        """Those of the uris whose row is of another status or version than the one that was seen."""
        now = self._ledger.get_many(collection, uris) if uris else {}
        return {uri for uri in uris if state_of(now.get(uri)) != state_of(seen.get(uri))}

    def take_in_for_later(self, candidates: Sequence[Candidate], request: IngestRequest) -> Taken:
        """For whichever run comes next. What is refused is not recorded: who sent it is told.

        Raises:
            ConflictError: one of the files is in the queue already, with other bytes perhaps.
        """
        with self._lock:
            seen = self._ledger.get_many(request.collection, [candidate.uri for candidate in candidates])
            for candidate in candidates:
                row = seen.get(candidate.uri)
                unfinished = row and row.status in (FileStatus.WRITING, FileStatus.DELETING)
                if unfinished or self._queue.has(request.collection, candidate.uri):
                    raise ConflictError(
                        f"{candidate.name or candidate.uri} is being ingested already",
                        remedy="send it again when that is done, see: GET /v1/jobs",
                    )
            taken = self._write(self._acceptor.decide(candidates, request), lease=False, seen=seen)
            return replace(taken, works=(*taken.works, *_refuse(taken.held, request)), held=())

    def _write(self, decisions: Sequence[Decision], lease: bool, seen: Mapping[str, LedgerRow]) -> Taken:
        decisions, rows = self._keep_and_accept(decisions, lease, seen)
        accepted = [decision for decision in decisions if decision.is_work]
        with self._ledger.transaction() as connection:
            noted = [d.row for d in decisions if d.row and not d.is_work and d.error is None]
            self._ledger.amend(noted, connection)
        works = [
            Work(rows[decision.uri], decision.outcome, decision.copy_of, decision.moved_from)
            for decision in accepted
            if decision.uri in rows
        ]
        settled = []
        for decision in decisions:
            if decision.error and decision.row:
                works.append(Work(decision.row, Outcome.FAILED, refused=decision.error))
            elif not decision.is_work:
                settled.append(decision)
        held = tuple(decision.uri for decision in accepted if decision.uri not in rows)
        return Taken(tuple(settled), tuple(works), held)

    def _keep_and_accept(
        self, decisions: Sequence[Decision], lease: bool, seen: Mapping[str, LedgerRow], tries: int = 5
    ) -> tuple[list[Decision], dict[str, LedgerRow]]:
        """The decisions after their copies are kept, and the rows that were written, by uri. A copy
        that was there already, and that another process removed meanwhile, is made again."""
        originals = self._acceptor.originals
        with originals.changing:
            self._queue.doubt(d.row.document_id for d in decisions if d.row and d.is_work)
            kept = [self._acceptor.keep(decision) for decision in decisions]
            wanted = [d.row for d in kept if d.is_work and d.row]
            try:
                put = self._queue.accept(wanted, lease, seen, originals.check)
            except NotFoundError:
                if tries <= 1:
                    raise
                return self._keep_and_accept(decisions, lease, seen, tries - 1)
        return kept, {row.uri: row for row in put}

    def _without_halves(
        self, decisions: Sequence[Decision], known: Mapping[str, LedgerRow]
    ) -> list[Decision]:
        """The same after versions that a kill left half-written, and that no file has any more,
        are out of the index: nothing later could tell them from a good earlier version."""
        freed = []
        for decision in decisions:
            row = known.get(decision.uri)
            half = row.document_id if row and row.status is FileStatus.WRITING and not row.chunks else ""
            if not decision.row or half in ("", decision.row.document_id):
                freed.append(decision)
                continue
            if all(holder.uri == row.uri for holder in self._ledger.holding(row.collection, half)):
                self._queue.doubt([half])
                self._drop(row.collection, [half])
            previous = tuple(i for i in decision.row.previous_ids if i != half)
            freed.append(replace(decision, row=replace(decision.row, previous_ids=previous)))
        return freed


def _refuse(held: Sequence[str], request: IngestRequest) -> list[Work]:
    """Files that somebody else deleted, replaced or began to work on while they were looked at."""
    error = FileError(
        "it was changed by somebody else at the same time",
        code="in_work",
        remedy="send it again",
        retryable=True,
    )
    rows = [LedgerRow(request.collection, uri, "", "", "", 0, FileStatus.FAILED) for uri in held]
    return [Work(row, Outcome.FAILED, refused=error) for row in rows]
