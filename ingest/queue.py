"""The queue of accepted files, in the ledger's database: who works on which, until when.

An item is there from the moment that a file is accepted until it is done or has failed for
good. Whoever works on it holds a lease and renews it; the lease of a process that is gone
ends at once on its own machine, and by its time elsewhere. Knows nothing of files.
"""

import random
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Double,
    Integer,
    MetaData,
    Table,
    delete,
    func,
    select,
    update,
)

from core.database import MAX_VARIABLES, TEXT, create_tables, insert_into, replace_rows, serialize
from ingest.ledger import Ledger, LedgerRow
from ingest.workers import is_dead, is_here, own_name

LEASE_S = 60.0
MAX_ATTEMPTS = 3
DOUBT_S = 3600.0
"""As long a doubt of another machine stands before somebody else settles it."""
BACKOFF_S = 30.0
"""Before the second attempt; twice as long before each later one."""

_ACCEPTING = "attest: who takes files in"
_METADATA = MetaData()
_ITEMS = Table(
    "ingest_queue",
    _METADATA,
    Column("collection", TEXT, primary_key=True),
    Column("uri", TEXT, primary_key=True),
    Column("accepted_at", Double),
    Column("owner", TEXT),
    Column("leased_until", Double),
    Column("attempts", Integer),
    Column("not_before", Double),
)

_DOUBTS = Table(
    "ingest_doubts",
    _METADATA,
    Column("document_id", TEXT, primary_key=True),
    Column("owner", TEXT),
)


@dataclass(frozen=True, slots=True)
class QueueCount:
    """How many items wait, are being worked on, and wait for another attempt."""

    waiting: int
    leased: int
    later: int


class IngestQueue:
    """The items of one data directory, as one worker sees them. Thread-safe."""

    def __init__(
        self, ledger: Ledger, lease_s: float = LEASE_S, now: Callable[[], float] = time.time
    ) -> None:
        """`now` gives seconds since 1970; times are kept, so no clock of this process alone."""
        self._ledger = ledger
        self._lease_s = lease_s
        self._now = now
        self._owner = f"{own_name()}-{uuid.uuid4().hex[:8]}"
        create_tables(ledger.engine, _METADATA)

    def accept(
        self,
        rows: Sequence[LedgerRow],
        lease: bool = True,
        seen: Mapping[str, LedgerRow] | None = None,
        check_copies: Callable[[Sequence[str]], None] = lambda _: None,
    ) -> list[LedgerRow]:
        """Writes rows to the ledger and their items here, together; on disk when it returns.
        With `lease` they are this worker's at once. What another worker holds stays as it is,
        and is not among what is returned; nor is, with `seen`, what has come to another status or
        version since those rows were read. What `check_copies` raises of the versions, while
        nobody can remove a copy, is raised, and nothing is written."""
        owner = self._owner if lease else ""
        with self._ledger.transaction() as connection:
            if rows:
                serialize(connection, _ACCEPTING)
                check_copies([row.document_id for row in rows])
            if seen is not None and rows:
                rows = self._ledger.unchanged(rows, seen, connection)
            keys = [(row.collection, row.uri) for row in rows]
            self._put_items(keys, lease, connection)
            taken = self._of_owner(owner, rows, connection)
            put = [row for row in rows if (row.collection, row.uri) in taken]
            put = self._ledger.put_many(put, connection)
            self._clear([row.document_id for row in put], connection)
        return put

    def wait(self, collection: str, uris: Sequence[str], connection: Connection) -> None:
        """Lets files whose rows are `writing` wait for whoever comes next, within a transaction."""
        self._put_items([(collection, uri) for uri in uris], False, connection)

    def _put_items(self, keys: Sequence[tuple[str, str]], lease: bool, connection: Connection) -> None:
        """Over those that are there already, but for what another worker holds."""
        now = self._now()
        item = {
            "accepted_at": now,
            "owner": self._owner if lease else "",
            "leased_until": now + self._lease_s if lease else 0.0,
            "attempts": 1 if lease else 0,
            "not_before": 0.0,
        }
        # In one order everywhere: two workers must not wait for each other.
        items = [{"collection": name, "uri": uri, **item} for name, uri in sorted(set(keys))]
        if items:
            statement = insert_into(connection, _ITEMS)
            values = {column.name: statement.excluded[column.name] for column in _ITEMS.columns}
            free = _is_free(now)
            if lease:
                free |= _ITEMS.c.owner == self._owner
            keys = [_ITEMS.c.collection, _ITEMS.c.uri]
            statement = statement.on_conflict_do_update(index_elements=keys, set_=values, where=free)
            connection.execute(statement, items)

    @staticmethod
    def _of_owner(owner: str, rows: Sequence[LedgerRow], connection: Connection) -> set[tuple[str, str]]:
        found = set()
        for at in range(0, len(rows), MAX_VARIABLES):
            uris = [row.uri for row in rows[at : at + MAX_VARIABLES]]
            chosen = select(_ITEMS.c.collection, _ITEMS.c.uri).where(_ITEMS.c.owner == owner)
            found |= {tuple(key) for key in connection.execute(chosen.where(_ITEMS.c.uri.in_(uris)))}
        return found

    def doubt(self, document_ids: Iterable[str], connection: Connection | None = None) -> None:
        """Notes stored copies that may be needless soon, or are not yet needed: before they
        are made, or with the change after which they are to go. A kill in between would leave
        them for good otherwise."""
        owner = f"{self._owner}/{int(self._now())}"
        document_ids = sorted({*document_ids} - {""})  # once: it may be a generator
        values = [{"document_id": document_id, "owner": owner} for document_id in document_ids]
        if not values:
            return
        if connection is None:
            with self._ledger.transaction() as connection:
                self.doubt(document_ids, connection)
        else:
            replace_rows(connection, _DOUBTS, values)

    def doubtful(self) -> list[str]:
        """What this worker, or one that is gone, has noted and not settled. Whether a worker of
        another machine is gone cannot be seen: what it noted is doubtful after `DOUBT_S`."""
        with self._ledger.transaction() as connection:
            found = connection.execute(select(_DOUBTS.c.document_id, _DOUBTS.c.owner)).all()
        return [i for i, owner in found if self._is_settled_here(owner)]

    def _is_settled_here(self, noted: str) -> bool:
        """`noted` is an owner and the second at which it wrote; earlier versions wrote no time."""
        owner, _, second = noted.rpartition("/")
        if noted.count("/") < 3:
            owner, second = noted, "0"
        old = int(second) < self._now() - DOUBT_S
        return owner == self._owner or is_dead(owner) or (old and not is_here(owner))

    def forget_copies(self, document_ids: Sequence[str], remove: Callable[[str], object]) -> list[str]:
        """Calls `remove` for those of the versions whose copy no row needs, and returns them. While
        it goes on nobody accepts a file: whoever found the copy there before looks again as it
        accepts (`check_copies`), in whichever process. Doubts about the versions end here, but
        for those of workers that are about to keep them."""
        if not document_ids:
            return []
        with self._ledger.transaction() as connection:
            serialize(connection, _ACCEPTING)
            needless = [i for i in document_ids if not self._ledger.mentions(i)]
            for document_id in needless:
                remove(document_id)
            self._settle(document_ids, connection)
        return needless

    def _settle(self, document_ids: Sequence[str], connection: Connection) -> None:
        for at in range(0, len(document_ids), MAX_VARIABLES):
            about = _DOUBTS.c.document_id.in_(document_ids[at : at + MAX_VARIABLES])
            found = connection.execute(select(_DOUBTS.c.document_id, _DOUBTS.c.owner).where(about)).all()
            for document_id, owner in found:
                if self._is_settled_here(owner):
                    noted = (_DOUBTS.c.document_id == document_id) & (_DOUBTS.c.owner == owner)
                    connection.execute(delete(_DOUBTS).where(noted))

    @staticmethod
    def _clear(document_ids: Sequence[str], connection: Connection) -> None:
        for at in range(0, len(document_ids), MAX_VARIABLES):
            part = document_ids[at : at + MAX_VARIABLES]
            connection.execute(delete(_DOUBTS).where(_DOUBTS.c.document_id.in_(part)))

    def claim(self, collection: str, limit: int) -> list[tuple[str, int]]:
        """Leases items that wait and are due, oldest first: pairs of uri and how many attempts
        that makes with this one."""
        now = self._now()
        with self._ledger.transaction() as connection:
            free = (_ITEMS.c.collection == collection) & _is_due(now)
            oldest = select(_ITEMS.c.uri).where(free).order_by(_ITEMS.c.accepted_at).limit(limit)
            # One statement, so that two processes cannot claim the same. On PostgreSQL each
            # passes over what the other is about to take; SQLite lets them in one by one.
            oldest = oldest.with_for_update(skip_locked=True).cte("oldest")
            claimed = connection.execute(
                update(_ITEMS)
                .where(_ITEMS.c.collection == collection, _ITEMS.c.uri.in_(select(oldest.c.uri)))
                .values(owner=self._owner, leased_until=now + self._lease_s, attempts=_ITEMS.c.attempts + 1)
                .returning(_ITEMS.c.uri, _ITEMS.c.attempts)
            )
            return [(uri, attempts) for uri, attempts in claimed]

    def finish(
        self,
        rows: Iterable[LedgerRow],
        left: Iterable[str] = (),
        also: Callable[[Connection], None] = lambda _: None,
    ) -> None:
        """Writes rows that came to their end, forgets their items, doubts the versions that
        they have left and does `also`, together."""
        with self._ledger.transaction() as connection:
            also(connection)
            self.doubt(left, connection)
            ended = self._ledger.put_many(list(rows), connection)
            self.forget(ended, connection)

    def try_later(self, row: LedgerRow) -> None:
        """Writes a row that failed and may succeed later. Its item waits for that, a time that
        doubles with each attempt and is drawn so that files do not come back all at once;
        after the last attempt it goes."""
        with self._ledger.transaction() as connection:
            self._ledger.put_many([row], connection)
            if row.attempts >= MAX_ATTEMPTS:
                self.forget([row], connection)
                return
            wait_s = BACKOFF_S * 2 ** max(0, row.attempts - 1) * random.uniform(0.5, 1.5)
            connection.execute(
                update(_ITEMS)
                .where(_ITEMS.c.collection == row.collection, _ITEMS.c.uri == row.uri)
                .values(owner="", leased_until=0.0, not_before=self._now() + wait_s)
            )

    def forget(self, rows: Iterable[LedgerRow], connection: Connection) -> None:
        """Drops the items of rows, within a transaction; nothing where there are none."""
        uris: dict[str, list[str]] = {}
        for row in rows:
            uris.setdefault(row.collection, []).append(row.uri)
        for collection, named in uris.items():
            for at in range(0, len(named), MAX_VARIABLES):
                part = _ITEMS.c.uri.in_(named[at : at + MAX_VARIABLES])
                connection.execute(delete(_ITEMS).where(_ITEMS.c.collection == collection, part))

    def drop(self, collection: str, uri: str) -> None:
        """Drops one item; nothing when it is not there."""
        with self._ledger.transaction() as connection:
            connection.execute(delete(_ITEMS).where(_ITEMS.c.collection == collection, _ITEMS.c.uri == uri))

    def has(self, collection: str, uri: str) -> bool:
        """Whether a file has an item."""
        chosen = (_ITEMS.c.collection == collection, _ITEMS.c.uri == uri)
        with self._ledger.transaction() as connection:
            return connection.execute(select(_ITEMS.c.uri).where(*chosen)).first() is not None

    def forget_collection(self, collection: str) -> None:
        """Drops all items of a collection."""
        with self._ledger.transaction() as connection:
            connection.execute(delete(_ITEMS).where(_ITEMS.c.collection == collection))

    def count(self, collection: str) -> QueueCount:
        """What stands in the queue for a collection."""
        now = self._now()
        within = _ITEMS.c.collection == collection
        held = (_ITEMS.c.owner != "") & (_ITEMS.c.leased_until > now)
        with self._ledger.transaction() as connection:
            counts = [
                connection.scalar(select(func.count()).where(within & chosen))
                for chosen in (_is_due(now), held, (_ITEMS.c.not_before > now) & ~held)
            ]
        return QueueCount(*counts)

    def size(self) -> int:
        """How many items stand in the queue, of all collections."""
        with self._ledger.transaction() as connection:
            return connection.scalar(select(func.count()).select_from(_ITEMS)) or 0

    def due_collections(self) -> list[str]:
        """Collections for which something could be claimed now."""
        with self._ledger.transaction() as connection:
            found = connection.execute(select(_ITEMS.c.collection).where(_is_due(self._now())).distinct())
            return sorted(name for (name,) in found)

    def release(self) -> None:
        """Gives back what this worker holds; another run goes on with it."""
        self._free([self._owner])

    def release_dead(self) -> None:
        """Ends the leases of workers of this machine whose process is gone."""
        with self._ledger.transaction() as connection:
            owners = [o for (o,) in connection.execute(select(_ITEMS.c.owner).distinct()) if is_dead(o)]
        self._free(owners)

    @contextmanager
    def working(self) -> Iterator[None]:
        """While the block runs, what this worker holds stays its own; at its end it is given
        back if it is not finished."""
        over = threading.Event()

        def renew() -> None:
            while not over.wait(self._lease_s / 3):
                self.extend()

        beat = threading.Thread(target=renew, name="lease-heartbeat", daemon=True)
        beat.start()
        try:
            yield
        finally:
            over.set()
            beat.join()
            self.release()

    def extend(self) -> None:
        """Renews the leases of this worker."""
        with self._ledger.transaction() as connection:
            until = self._now() + self._lease_s
            connection.execute(update(_ITEMS).where(_ITEMS.c.owner == self._owner).values(leased_until=until))

    def _free(self, owners: Sequence[str]) -> None:
        if owners:
            with self._ledger.transaction() as connection:
                chosen = _ITEMS.c.owner.in_(owners)
                connection.execute(update(_ITEMS).where(chosen).values(owner="", leased_until=0.0))


def _is_free(now: float) -> ColumnElement[bool]:
    return (_ITEMS.c.owner == "") | (_ITEMS.c.leased_until <= now)


def _is_due(now: float) -> ColumnElement[bool]:
    return _is_free(now) & (_ITEMS.c.not_before <= now)
