"""A document whose newer version is on its way stays in the list, as what is searched."""

from dataclasses import replace

import pytest

from core.errors import StoreError
from ingest.ledger import FileStatus, Ledger, LedgerRow
from ingest.pipeline import IngestRequest
from ingest.searched import newer_of, published_in, searched
from tests.ingest.conftest import SlowRunner
from tests.ingest.test_intake import finish, upload

HR = IngestRequest("default", readers=("hr",))


def listed(bench):
    return [(row.uri, row.document_id, row.readers, newer_of(row)) for row in bench.ingestor.list("default")]


def test_it_is_listed_as_it_is_until_the_newer_one_has_its_place(bench):
    finish(bench, upload(bench, "a.md", "one", HR))
    [first] = bench.ingestor.list("default")
    taken = upload(bench, "a.md", "two")
    [shown] = bench.ingestor.list("default")
    assert newer_of(shown) == "waiting" and shown.status is FileStatus.DONE and shown.readers == ("hr",)
    same = ("document_id", "title", "chunks", "sha256", "fingerprint", "updated_at", "warnings", "meta")
    assert [getattr(shown, name) for name in same] == [getattr(first, name) for name in same]
    finish(bench, taken)
    [(_, document_id, readers, newer)] = listed(bench)
    assert document_id != first.document_id and readers == ("everyone",) and newer == ""
    assert bench.ledger.rows("default")[0].published == {}


def test_a_third_version_in_the_place_of_the_second_changes_nothing_in_that(bench):
    finish(bench, upload(bench, "a.md", "one"))
    [first] = bench.ingestor.list("default")
    upload(bench, "a.md", "two")
    bench.index.fail_with = StoreError("the store is down")
    text = "\n\n".join(
        f"段落{n}：设备每{n}个月校准一次，记录保存五年，由质量部门负责检查。" for n in range(9)
    )
    path = bench.folder / "spooled"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(StoreError):
        bench.ingestor.ingest([path], IngestRequest("default", names={path: "a.md"}))
    assert listed(bench) == [("upload:a.md", first.document_id, ("everyone",), "waiting")]


def test_the_last_good_version_of_a_file_that_fails_is_listed_with_the_reason(bench):
    path = bench.write("a.md", "one")
    bench.ingestor.ingest([path], IngestRequest("default"))
    bench.restart(runner=SlowRunner())
    path.write_text("two")
    bench.ingestor.ingest([path], IngestRequest("default"))
    [shown] = bench.ingestor.list("default")
    assert (newer_of(shown), shown.code) == ("failed", "parse_timeout")
    assert bench.index.texts() == ["one"] and shown.chunks == 1


def test_with_other_readers_nothing_of_a_failed_file_is_left_to_list(bench):
    path = bench.write("a.md", "one")
    bench.ingestor.ingest([path], HR)
    bench.restart(runner=SlowRunner())
    path.write_text("two")
    bench.ingestor.ingest([path], IngestRequest("default"))
    assert listed(bench) == [] and bench.index.rows() == []


def test_files_stay_listed_while_they_are_cut_again(bench):
    bench.ingestor.ingest([bench.write("a.md", "one")], IngestRequest("default"))
    [first] = bench.ingestor.list("default")
    seen = []
    embed = bench.index.embed

    def look(documents):
        seen.extend(bench.ingestor.list("default"))
        return embed(documents)

    bench.index.embed = look
    bench.ingestor.rechunk("default")
    assert [(row.document_id, row.chunks, newer_of(row)) for row in seen] == [
        (first.document_id, 1, "waiting")
    ]


def test_a_new_file_that_waits_and_one_that_goes_are_not_there(bench):
    upload(bench, "a.md", "one")
    assert listed(bench) == []
    row = LedgerRow(
        "default", "b", "b" * 64, "T", "text/plain", 1, FileStatus.DELETING, previous_ids=("c" * 64,)
    )
    assert searched([replace(row, published={"document_id": "c" * 64})]) == [] and published_in(None) == {}


def test_what_is_kept_of_a_version_comes_back_from_the_database(database):
    ledger = Ledger(database)
    done = LedgerRow(
        "default", "a", "a" * 64, "T\0", "text/plain", 1, FileStatus.DONE, ("hr", "李"), {"year": "2024"},
        warnings=(("pii", "1 phone"),), chunks=3,
    )  # fmt: skip
    newer = replace(done, document_id="b" * 64, readers=("all",), status=FileStatus.WRITING, warnings=())
    ledger.put(replace(newer, previous_ids=(done.document_id,), published=published_in(done), chunks=0))
    [shown] = searched(ledger.published("default"))
    told = ("document_id", "readers", "meta", "warnings", "chunks")
    assert [getattr(shown, name) for name in told] == [getattr(done, name) for name in told]
