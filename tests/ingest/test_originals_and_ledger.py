"""What is kept on disk: files by hash, and the ledger."""

import hashlib
import os
import sqlite3

import pytest

from core.errors import FileError, NotFoundError, StoreError
from ingest.ledger import FileStatus, Ledger, LedgerRow
from ingest.originals import Originals
from ingest.workers import own_name

DATA = b"words"
SHA = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(DATA)
    return path


@pytest.fixture
def ledger(tmp_path):
    made = Ledger(tmp_path / "attest.db")
    yield made
    made.close()


def row(uri="/a", **values):
    given = {"document_id": SHA, "title": "T", "media_type": "text/plain", "size_bytes": 5}
    return LedgerRow("default", uri, **(given | {"status": FileStatus.DONE} | values))


def test_a_file_is_kept_under_its_hash_and_only_once(tmp_path, source):
    kept = Originals(tmp_path / "o")
    place = kept.keep(source, SHA, SHA)
    assert place == tmp_path / "o" / SHA[:2] / SHA == kept.path(SHA)
    assert place.read_bytes() == DATA and kept.keep(source, SHA, SHA) == place
    assert kept.remove(SHA) and not kept.remove(SHA)
    with pytest.raises(NotFoundError):
        kept.path(SHA)


def test_a_damaged_copy_is_replaced(tmp_path, source):
    kept = Originals(tmp_path / "o")
    kept.keep(source, SHA, SHA).write_bytes(b"rotten")
    assert kept.keep(source, SHA, SHA).read_bytes() == DATA


def test_a_file_that_changed_in_between_is_not_kept(tmp_path, source):
    source.write_bytes(b"other")
    with pytest.raises(FileError) as caught:
        Originals(tmp_path / "o").keep(source, SHA, SHA)
    assert caught.value.code == "changed" and caught.value.retryable
    assert not [p for p in (tmp_path / "o").rglob("*") if p.is_file()]


@pytest.mark.parametrize("name", ["../../etc/passwd", "", "A" * 64, SHA + "0"])
def test_only_hashes_are_names(tmp_path, name):
    with pytest.raises(NotFoundError):
        Originals(tmp_path).path(name)


def test_rows_come_back_as_they_were_put(ledger):
    put = ledger.put(row(readers=("bob", "a'b"), meta={"k": 'v"%'}, previous_ids=("1", "2"), retryable=True))
    assert ledger.get("default", "/a") == put and put.created_at == put.updated_at
    assert ledger.get("default", "/b") is None and ledger.get("other", "/a") is None
    ledger.remove("default", "/a")
    assert ledger.rows("default") == []


def test_who_holds_a_version(ledger):
    old = "b" * 64
    ledger.put(row("/done"))
    ledger.put(row("/writing", status=FileStatus.WRITING, previous_ids=(old,)))
    ledger.put(row("/deleting", status=FileStatus.DELETING))
    ledger.put(row("/failed", status=FileStatus.FAILED, previous_ids=(old, "c" * 64)))
    assert [r.uri for r in ledger.holding("default", SHA)] == ["/done", "/writing"]
    assert [r.uri for r in ledger.holding("default", old)] == ["/failed"]
    assert ledger.holding("default", "c" * 64) == [] and ledger.holding("other", SHA) == []
    assert ledger.mentions(old) and ledger.mentions("c" * 64) and not ledger.mentions("d" * 64)


def test_the_sets_of_readers_of_a_collection(ledger):
    for uri, readers in (("/a", ("everyone",)), ("/b", ("bob", "hr")), ("/c", ("bob", "hr"))):
        ledger.put(row(uri, readers=readers))
    assert sorted(ledger.reader_sets("default")) == [("bob", "hr"), ("everyone",)]
    assert ledger.reader_sets("other") == []


def test_every_write_is_synced(ledger, tmp_path):
    ledger.put(row())
    other = sqlite3.connect(tmp_path / "attest.db")
    assert other.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    other.close()
    with ledger._engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2


def test_a_ledger_that_is_no_database_is_a_store_error(tmp_path):
    (tmp_path / "bad.db").write_bytes(b"not a database at all" * 99)
    with pytest.raises(StoreError, match=r"bad\.db") as caught:
        Ledger(tmp_path / "bad.db")
    assert "not a database" in caught.value.message
    assert "sqlalche" not in caught.value.message.lower()


def test_a_source_that_is_gone_is_the_fault_of_that_file(tmp_path):
    with pytest.raises(FileError) as caught:
        Originals(tmp_path / "kept").keep(tmp_path / "gone.txt", "0" * 64, "0" * 64)
    assert caught.value.code == "unreadable" and caught.value.retryable


def test_half_copies_go_when_their_process_is_gone_and_stay_while_it_may_be_at_work(tmp_path):
    drafts = tmp_path / "kept" / ".new"
    drafts.mkdir(parents=True)
    host, pid, _ = own_name().split("/")
    gone = [f"{host}+999999999+aa-1", f"{host}+{pid}+00000000-2", "elsewhere+1+aa-3"]
    at_work = [f"{own_name().replace('/', '+')}-4", "elsewhere+1+aa-5"]
    for name in gone + at_work:
        (drafts / name).write_text("half")
    os.utime(drafts / gone[2], (1, 1))
    Originals(tmp_path / "kept").sweep()
    assert sorted(path.name for path in drafts.iterdir()) == sorted(at_work)
