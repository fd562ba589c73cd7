"""Ledger and queue keep the same promises over SQLite and over PostgreSQL."""

import multiprocessing
import threading
from dataclasses import replace

import pytest

from core.database import open_server
from core.errors import StoreError
from ingest.ledger import CollectionCount, FileStatus, Ledger, LedgerRow
from ingest.queue import BACKOFF_S, LEASE_S, IngestQueue, QueueCount
from tests.postgres_server import PASSWORD


class Clock:
    """Seconds that pass when they are told to."""

    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def ledger(database):
    return Ledger(database)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def queues(ledger, clock):
    """Two workers over the same ledger."""
    return IngestQueue(ledger, now=clock), IngestQueue(ledger, now=clock)


def row(uri: str, status: FileStatus = FileStatus.WRITING, **values) -> LedgerRow:
    size_bytes = values.pop("size_bytes", 1)
    return LedgerRow("default", uri, uri * 4, "T", "text/plain", size_bytes, status, **values)


def drive(url: str, start, claimed) -> None:
    """A process that works through the queue: what it claims, and what it accepts again."""
    queue = IngestQueue(Ledger(open_server(url, PASSWORD)))
    start.wait(120)
    mine = [put.uri for put in queue.accept([row(f"new{i:03}") for i in range(40)])]
    while got := queue.claim("default", 3):
        mine += [uri for uri, _ in got]
    claimed.put(mine)


class TestLedger:
    def test_a_row_comes_back_as_it_went_in(self, ledger):
        given = row(
            "/档案/å b'%_.txt",
            readers=("hr", "李"),
            meta={"author": 'O"Hara'},
            size_bytes=2**40,
            previous_ids=("1", "2"),
            warnings=(("w", "left\nout"),),
            retryable=True,
        )
        put = ledger.put(given)
        assert ledger.get("default", given.uri) == put == replace(
            given, created_at=put.created_at, updated_at=put.updated_at
        )
        assert ledger.get_many("default", [given.uri, "gone"]) == {given.uri: put}

    def test_putting_again_replaces_and_keeps_when_it_was_made(self, ledger):
        first = ledger.put(row("a"))
        again = ledger.put(replace(first, chunks=7, status=FileStatus.DONE))
        assert (again.created_at, ledger.rows("default")) == (first.created_at, [again])

    def test_a_zero_byte_in_a_title_does_not_stop_the_file(self, ledger):
        assert ledger.put(row("a", reason="bad \0 byte")) and ledger.get("default", "a").reason == "bad  byte"

    def test_rows_come_by_the_code_points_of_their_uris(self, ledger):
        for uri in ("b", "_", "A", "é", "a", "中", "B"):
            ledger.put(row(uri))
        assert [found.uri for found in ledger.rows("default")] == ["A", "B", "_", "a", "b", "é", "中"]

    def test_below_a_folder_names_are_not_patterns(self, ledger):
        for uri in ("/a_b/1", "/a%b/1", "/axb/1", "/a_b/c/2", "/a_bc"):
            ledger.put(row(uri))
        assert [found.uri for found in ledger.below("default", "/a_b")] == ["/a_b/1", "/a_b/c/2"]

    def test_who_holds_a_version(self, ledger):
        ledger.put(row("a", FileStatus.DONE))
        ledger.put(row("b", FileStatus.FAILED, previous_ids=("aaaa", "x")))
        ledger.put(row("c", FileStatus.FAILED, previous_ids=("x", "aaaa")))
        ledger.put(replace(row("a"), uri="d", status=FileStatus.DELETING))
        assert [found.uri for found in ledger.holding("default", "aaaa")] == ["a", "b"]
        assert "aaaa" in ledger.replaced("default") and "aaa" not in ledger.replaced("default")
        assert ledger.mentions("x") and not ledger.mentions("y")
        assert ledger.needed_ids() == {"aaaa", "bbbb", "cccc", "x"}

    def test_collections_are_counted(self, ledger):
        ledger.put(row("a", FileStatus.DONE, chunks=3))
        ledger.put(row("b", FileStatus.FAILED))
        ledger.put(replace(row("c"), collection="Other"))
        assert ledger.collections() == [CollectionCount("Other", 0, 0, 0), CollectionCount("default", 1, 3, 1)]
        assert ledger.count("default", FileStatus.DONE) == 1
        assert ledger.names_with(FileStatus.WRITING) == ["Other"]
        assert ledger.reader_sets("Other") == [("everyone",)]

    def test_a_collection_is_marked_and_forgotten_whole(self, ledger):
        ledger.put(row("a", FileStatus.DONE))
        ledger.put(row("b"))
        assert len(ledger.mark_collection("default", FileStatus.DELETING)) == 2
        assert [found.status for found in ledger.rows("default")] == [FileStatus.DELETING] * 2
        ledger.remove("default", "a")
        assert ledger.remove_collection("default") == 1 and ledger.rows("default") == []

    def test_a_transaction_is_there_whole_or_not_at_all(self, ledger):
        with pytest.raises(RuntimeError), ledger.transaction() as connection:
            ledger.put_many([row("a"), row("b")], connection)
            raise RuntimeError
        assert ledger.rows("default") == []

    def test_a_ledger_of_before_gets_the_columns_it_lacks(self, database):
        Ledger(database).put(row("a"))
        with database.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE ingest_files DROP COLUMN signature")
        assert Ledger(database).put(row("b", signature="s")).signature == "s"
        assert Ledger(database).get("default", "a").signature == ""

    def test_opening_many_at_once(self, database):
        faults = []

        def open_one():
            try:
                IngestQueue(Ledger(database))
            except StoreError as exc:
                faults.append(exc)

        threads = [threading.Thread(target=open_one) for _ in range(6)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        assert faults == []


class TestQueue:
    def test_row_and_item_come_and_go_together(self, ledger, queues):
        [put] = queues[0].accept([row("a")])
        assert ledger.get("default", "a") == put and queues[0].has("default", "a")
        queues[0].finish([replace(put, status=FileStatus.DONE)])
        assert ledger.get("default", "a").status is FileStatus.DONE and not queues[0].has("default", "a")

    def test_what_one_worker_holds_no_other_gets_until_the_lease_is_over(self, queues, clock):
        mine, other = queues
        mine.accept([row("a")], lease=False)
        assert mine.claim("default", 5) == [("a", 1)]
        assert other.claim("default", 5) == [] and other.count("default") == QueueCount(0, 1, 0)
        clock.now += LEASE_S - 1
        mine.extend()
        clock.now += LEASE_S - 1
        assert other.claim("default", 5) == []
        clock.now += 2
        assert other.claim("default", 5) == [("a", 2)]

    def test_accepting_does_not_take_what_another_worker_holds(self, ledger, queues, clock):
        mine, other = queues
        mine.accept([row("a", chunks=1)])
        assert [put.uri for put in other.accept([row("a", chunks=2), row("b")])] == ["b"]
        assert ledger.get("default", "a").chunks == 1
        assert mine.accept([row("a", chunks=3)])[0].chunks == 3, "its own it may take again"
        clock.now += LEASE_S + 1
        assert [put.uri for put in other.accept([row("a", chunks=2)])] == ["a"]

    def test_of_many_workers_at_once_each_gets_its_own(self, ledger, queues):
        names = [f"{i:03}" for i in range(120)]
        queues[0].accept([row(name) for name in names], lease=False)
        claimed, lock = [], threading.Lock()

        def work():
            queue = IngestQueue(ledger)
            while got := queue.claim("default", 7):
                with lock:
                    claimed.extend(uri for uri, _ in got)

        threads = [threading.Thread(target=work) for _ in range(6)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        assert sorted(claimed) == names

    def test_another_attempt_waits(self, queues, clock):
        queue, _ = queues
        queue.accept([row("a")])
        queue.try_later(row("a", FileStatus.FAILED, attempts=1, retryable=True))
        assert queue.count("default") == QueueCount(0, 0, 1) and queue.claim("default", 1) == []
        clock.now += 2 * BACKOFF_S
        assert queue.due_collections() == ["default"] and queue.claim("default", 1) == [("a", 2)]

    def test_doubts_outlive_a_kill_and_end_with_acceptance(self, queues):
        queue, other = queues
        queue.doubt(["aaaa", "bbbb", ""])
        queue.doubt(["aaaa"])
        assert sorted(queue.doubtful()) == ["aaaa", "bbbb"] and other.doubtful() == []
        queue.accept([row("a")])
        queue.forget_copies(["bbbb"], lambda _: None)
        assert queue.doubtful() == []

    @pytest.mark.slow
    def test_two_processes_on_a_server_never_take_the_same_item(self, postgres_server):
        url = postgres_server.new_database()
        old = [f"old{i:03}" for i in range(150)]
        IngestQueue(Ledger(open_server(url, PASSWORD))).accept([row(name) for name in old], lease=False)
        context = multiprocessing.get_context("spawn")
        start, claimed = context.Event(), context.Queue()
        drivers = [context.Process(target=drive, args=(url, start, claimed)) for _ in range(2)]
        [driver.start() for driver in drivers]
        start.set()
        first, second = (claimed.get(timeout=60) for _ in drivers)
        [driver.join() for driver in drivers]
        assert set(first).isdisjoint(second)
        assert sorted(first + second) == sorted([*old, *(f"new{i:03}" for i in range(40))])
