"""The queue of accepted files: leases, attempts, waits, and what a dead process leaves."""

from dataclasses import replace

import pytest

from ingest.ledger import FileStatus, Ledger, LedgerRow
from ingest.queue import BACKOFF_S, DOUBT_S, LEASE_S, MAX_ATTEMPTS, IngestQueue, QueueCount


class Clock:
    """Seconds that pass when they are told to."""

    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def ledger(tmp_path):
    made = Ledger(tmp_path / "attest.db")
    yield made
    made.close()


@pytest.fixture
def queues(ledger, clock):
    """Two workers over the same ledger."""
    return IngestQueue(ledger, now=clock), IngestQueue(ledger, now=clock)


def row(uri: str, **values) -> LedgerRow:
    return LedgerRow("default", uri, uri * 64, "T", "text/plain", 1, FileStatus.WRITING, **values)


def test_row_and_item_are_there_together_and_go_together(ledger, queues):
    queue, _ = queues
    [put] = queue.accept([row("a")])
    assert ledger.get("default", "a") == put and queue.has("default", "a")
    queue.finish([replace(put, status=FileStatus.DONE)])
    assert ledger.get("default", "a").status is FileStatus.DONE and not queue.has("default", "a")


def test_what_one_worker_holds_no_other_gets_until_the_lease_is_over(queues, clock):
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


def test_accepted_files_are_leased_at_once_and_given_back_at_the_end_of_the_work(queues):
    mine, other = queues
    with mine.working():
        mine.accept([row("a")])
        assert other.claim("default", 5) == []
    assert other.claim("default", 5) == [("a", 2)]


def test_leases_of_a_process_that_is_gone_end_at_once(ledger, queues, clock):
    mine, other = queues
    other._owner = other._owner.replace(f"/{other._owner.split('/')[1]}/", "/999999999/")
    other.accept([row("a")])
    assert mine.claim("default", 5) == []
    mine.release_dead()
    assert mine.claim("default", 5) == [("a", 2)]


def test_oldest_first_and_no_more_than_wanted(queues, clock):
    queue, _ = queues
    for name in "cab":
        queue.accept([row(name)], lease=False)
        clock.now += 1
    assert {uri for uri, _ in queue.claim("default", 2)} == {"c", "a"}
    assert queue.claim("other", 2) == []


def test_another_attempt_waits_longer_each_time_and_the_last_one_is_the_end(ledger, queues, clock):
    queue, _ = queues
    queue.accept([row("a")], lease=False)
    queue.claim("default", 1)
    for attempt in range(1, MAX_ATTEMPTS):
        failed = row("a", attempts=attempt, retryable=True)
        queue.try_later(replace(failed, status=FileStatus.FAILED))
        least_s = BACKOFF_S * 2 ** (attempt - 1) / 2
        clock.now += least_s - 1
        assert queue.claim("default", 1) == [] and queue.count("default") == QueueCount(0, 0, 1)
        clock.now += 2 * least_s + 2
        assert queue.due_collections() == ["default"]
        assert queue.claim("default", 1) == [("a", attempt + 1)]
    queue.try_later(replace(row("a", attempts=MAX_ATTEMPTS), status=FileStatus.FAILED))
    assert not queue.has("default", "a")
    assert ledger.get("default", "a").status is FileStatus.FAILED


def test_doubts_outlive_a_kill_and_end_with_acceptance(ledger, queues):
    queue, other = queues
    queue.doubt(["a" * 64, "b" * 64, ""])
    assert sorted(queue.doubtful()) == ["a" * 64, "b" * 64]
    assert other.doubtful() == [], "the other worker is alive and may be about to accept them"
    queue.accept([row("a")])
    assert queue.doubtful() == ["b" * 64]
    gone = []
    assert queue.forget_copies(["a" * 64, "b" * 64], gone.append) == gone == ["b" * 64]
    assert queue.doubtful() == []


def test_a_ledger_of_before_gets_the_new_columns(tmp_path):
    import sqlite3

    old = sqlite3.connect(tmp_path / "old.db")
    old.execute(
        "CREATE TABLE ingest_files (collection VARCHAR, uri VARCHAR, document_id VARCHAR, title VARCHAR, "
        "media_type VARCHAR, size_bytes INTEGER, status VARCHAR, readers VARCHAR, meta VARCHAR, fingerprint "
        "VARCHAR, chunks INTEGER, pages INTEGER, code VARCHAR, reason VARCHAR, retryable INTEGER, attempts "
        "INTEGER, previous_ids VARCHAR, duplicate_of VARCHAR, created_at VARCHAR, updated_at VARCHAR, "
        "PRIMARY KEY (collection, uri))"
    )
    values = ("default", "/a", "1", "T", "text/plain", 1, "done", '["everyone"]', "{}", "f", 1, 0)
    values += ("", "", 0, 1, "[]", "", "then", "then")
    old.execute(f"INSERT INTO ingest_files VALUES ({','.join('?' * len(values))})", values)
    old.commit()
    old.close()
    ledger = Ledger(tmp_path / "old.db")
    [found] = ledger.rows("default")
    assert (found.uri, found.sha256, found.signature) == ("/a", "", "")
    assert ledger.put(replace(found, signature="s")).signature == "s"
    ledger.close()


def test_doubts_of_another_machine_are_settled_after_an_hour(queues, clock):
    queue, other = queues
    other._owner = "elsewhere/1/abcd1234-ffff"
    other.doubt(["a" * 64])
    assert queue.doubtful() == []
    clock.now += DOUBT_S + 2
    assert queue.doubtful() == ["a" * 64]


def test_doubts_and_leases_of_an_earlier_process_of_the_same_number_end_at_once(queues):
    queue, before = queues
    host, pid, _ = before._owner.split("/")
    before._owner = f"{host}/{pid}/00000000-ffff"
    before.doubt(["b" * 64])
    before.accept([row("a")])
    assert queue.doubtful() == ["b" * 64]
    queue.release_dead()
    assert queue.claim("default", 5) == [("a", 2)]


def test_a_doubt_that_an_earlier_version_wrote_without_a_time_is_settled(ledger, queues):
    queue, _ = queues
    with ledger.transaction() as connection:
        connection.exec_driver_sql(
            "INSERT INTO ingest_doubts VALUES (?, ?)", ("c" * 64, "elsewhere/1/abcd1234")
        )
    assert queue.doubtful() == ["c" * 64]
