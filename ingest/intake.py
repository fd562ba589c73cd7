"""Taking files in: from candidates to rows, copies and queue items that a kill does not lose.

Knows the ledger, the stored copies and the queue. A run takes in what it works on at once; an
upload that must not wait for a run that goes on is taken in for later.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from core.errors import ConflictError, FileError
from ingest.accepting import Acceptor, Decision
from ingest.discover import Candidate
from ingest.finishing import Work
from ingest.ledger import FileStatus, Ledger, LedgerRow
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
        """For a run that works on them at once and is the only one that writes to the index."""
        with self._lock:
            decisions = self._without_halves(self._acceptor.decide(candidates, request))
            return self._write(decisions, lease=True)

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

    def _write(
        self, decisions: Sequence[Decision], lease: bool, seen: Mapping[str, LedgerRow] | None = None
    ) -> Taken:
        self._queue.doubt(d.row.document_id for d in decisions if d.row and d.is_work)
        with self._acceptor.originals.changing:
            decisions = [self._acceptor.keep(decision) for decision in decisions]
            accepted = [decision for decision in decisions if decision.is_work]
            put = self._queue.accept([d.row for d in accepted], lease, seen)
            rows = {row.uri: row for row in put}
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

    def _without_halves(self, decisions: Sequence[Decision]) -> list[Decision]:
        """The same after versions that a kill left half-written, and that no file has any more,
        are out of the index: nothing later could tell them from a good earlier version."""
        begun = [decision.row for decision in decisions if decision.row]
        known = self._ledger.get_many(begun[0].collection, [row.uri for row in begun]) if begun else {}
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
