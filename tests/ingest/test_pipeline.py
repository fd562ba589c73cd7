"""The write path against a folder index: new, changed, shared, refused and deleted files."""

from dataclasses import replace

import pytest

from core.errors import ConflictError, InputError, NotFoundError, StoreError
from ingest.ledger import FileStatus
from ingest.pipeline import IngestRequest
from ingest.queue import MAX_ATTEMPTS
from tests.ingest.conftest import SlowRunner

REQUEST = IngestRequest("default")
LONG = "\n\n".join(
    f"段落{n}：设备每{n}个月校准一次，记录保存五年，由质量部门负责检查。" for n in range(1, 12)
)


def counts(report):
    return (report.added, report.updated, report.skipped, report.failed)


def run(bench, request=REQUEST, *sources):
    return bench.ingestor.ingest(sources or [bench.docs], request)


def test_new_then_skipped_then_updated(bench):
    path = bench.write("a.md", "# 手册\n\n保修期为24个月。")
    report = run(bench)
    assert counts(report) == (1, 0, 0, 0) and report.chunks == 1 and report.exit_code == 0
    [row] = bench.index.rows()
    assert (row["uri"], row["title"], row["text"]) == (path.resolve().as_posix(), "手册", "保修期为24个月。")
    assert counts(run(bench)) == (0, 0, 1, 0)
    path.write_text("# 手册\n\n保修期为36个月。", encoding="utf-8")
    assert counts(run(bench)) == (0, 1, 0, 0)
    assert bench.index.texts() == ["保修期为36个月。"]
    assert bench.kept() == 1


def test_the_report_has_the_agreed_keys(bench):
    bench.write("a.txt", "words")
    bench.write("b.bin", "\0\0\0")
    report = run(bench)
    found = report.to_dict()
    agreed = ["added", "updated", "skipped", "failed", "chunks", "pages", "seconds", "failures", "warnings"]
    assert list(found) == [*agreed, "removed", "moved"]
    [failure] = found["failures"]
    assert set(failure) == {"uri", "code", "reason"} and failure["code"] == "unknown_type"
    assert report.exit_code == 1


def test_nothing_done_is_exit_code_2(bench):
    bench.write("b.bin", "\0\0\0")
    assert run(bench).exit_code == 2


def test_progress_tells_each_file(bench):
    bench.write("a.txt", "one")
    bench.write("b.txt", "two")
    seen = []
    bench.ingestor.ingest([bench.docs], REQUEST, seen.append)
    assert [(p.done, p.total, str(p.outcome)) for p in seen] == [(1, 2, "added"), (2, 2, "added")]


def test_a_smaller_chunk_setting_and_back_leaves_no_old_chunks(bench):
    bench.write("a.md", LONG)
    run(bench)
    many = len(bench.index.rows())
    bench.restart(chunk_tokens=400)
    assert counts(run(bench)) == (0, 1, 0, 0)
    assert 0 < len(bench.index.rows()) < many
    assert bench.ledger.rows("default")[0].chunks == len(bench.index.rows())


def test_another_embedder_reindexes(bench):
    bench.write("a.md", "words")
    run(bench)
    bench.restart(fingerprint="fake-2")
    assert counts(run(bench)) == (0, 1, 0, 0)


def test_a_readers_change_reaches_the_index(bench):
    bench.write("a.md", "words")
    run(bench)
    assert counts(run(bench, replace(REQUEST, readers=("bob", "alice")))) == (0, 1, 0, 0)
    assert bench.index.rows()[0]["readers"] == ["alice", "bob"]
    assert counts(run(bench, replace(REQUEST, readers=("alice", "bob")))) == (0, 0, 1, 0)


def test_no_reader_is_refused(bench):
    with pytest.raises(InputError, match="no reader"):
        run(bench, replace(REQUEST, readers=()))


def test_same_bytes_for_the_same_readers_are_indexed_once(bench):
    first, second = bench.write("a.md", "# T\n\nshared words"), bench.write("b.md", "# T\n\nshared words")
    request = replace(REQUEST, readers=("alice", "bob"))
    run(bench, request, first)
    run(bench, request, second)
    assert len(bench.index.rows()) == 1
    uri = first.resolve().as_posix()
    assert bench.ingestor.show("default", second.resolve().as_posix()).duplicate_of == uri
    assert bench.ingestor.delete("default", uri)
    [row] = bench.index.rows()
    assert (row["readers"], row["uri"]) == (["alice", "bob"], second.resolve().as_posix())
    assert bench.ingestor.show("default", row["uri"]).duplicate_of == ""
    assert bench.ingestor.delete("default", row["uri"])
    assert bench.index.rows() == [] and bench.kept() == 0


def test_a_second_copy_for_the_same_readers_costs_no_write(bench):
    bench.write("a.md", "shared words")
    bench.write("b.md", "shared words")
    assert counts(run(bench)) == (2, 0, 0, 0)
    assert [what for what, _ in bench.index.history] == ["write"]


def test_when_one_copy_changes_the_other_keeps_the_old_bytes(bench):
    first, second = bench.write("a.md", "shared words"), bench.write("b.md", "shared words")
    run(bench)
    first.write_text("new words", encoding="utf-8")
    assert counts(run(bench)) == (0, 1, 1, 0)
    assert sorted((r["text"], r["uri"]) for r in bench.index.rows()) == [
        ("new words", first.resolve().as_posix()),
        ("shared words", second.resolve().as_posix()),
    ]


def test_a_broken_new_version_keeps_the_last_good_one(bench):
    path = bench.write("a.md", "good words")
    run(bench)
    path.write_bytes(b"PK\x03\x04 not an archive")
    assert counts(run(bench)) == (0, 0, 0, 1)
    assert bench.index.texts() == ["good words"]
    assert [row.code for row in bench.ingestor.failures("default")] == ["corrupt"]
    path.write_text("better words", encoding="utf-8")
    assert counts(run(bench)) == (0, 1, 0, 0)
    assert bench.index.texts() == ["better words"]


def test_a_failed_file_waits_for_a_change_or_a_wish(bench):
    bench.write("a.pdf", "%PDF-1.4 nothing")
    assert counts(run(bench)) == (0, 0, 0, 1)
    assert counts(run(bench)) == (0, 0, 0, 1)
    assert bench.ledger.rows("default")[0].attempts == 1
    run(bench, replace(REQUEST, retry_failed=True))
    assert bench.ledger.rows("default")[0].attempts == 2


def test_a_dry_run_changes_nothing(bench):
    bench.write("a.md", "words")
    assert counts(run(bench, replace(REQUEST, dry_run=True))) == (1, 0, 0, 0)
    assert bench.ledger.rows("default") == [] and bench.index.collections() == [] and bench.kept() == 0


def test_an_upload_is_known_by_its_plain_name(bench):
    path = bench.write("tmp123", "# Terms\n\nwords")
    request = replace(REQUEST, names={path: "../../etc/terms.md"})
    run(bench, request, path)
    assert bench.index.rows()[0]["uri"] == "upload:terms.md"
    assert bench.index.rows()[0]["title"] == "Terms"


def test_a_missing_path_is_named(bench):
    with pytest.raises(InputError, match="nowhere"):
        run(bench, REQUEST, bench.docs / "nowhere")
    good = bench.write("a.md", "words")
    report = run(bench, REQUEST, bench.docs / "nowhere", good)
    assert counts(report) == (1, 0, 0, 1) and report.failures[0].code == "missing"


def test_a_store_outage_stops_the_run_and_the_next_one_mends_it(bench):
    path = bench.write("a.md", LONG)
    bench.index.fail_with = StoreError("the store is down")
    with pytest.raises(StoreError):
        run(bench)
    assert bench.ledger.get("default", path.resolve().as_posix()).status is FileStatus.WRITING
    bench.index.fail_with = None
    assert counts(run(bench)) == (1, 0, 0, 0)
    assert bench.index.count_chunks("default") == {
        r.document_id: r.chunks for r in bench.ledger.rows("default")
    }


def test_a_chunk_that_the_index_refuses_costs_its_own_file_only(bench):
    bad = bench.write("a.md", LONG)
    bench.write("b.md", "words")
    bench.index.fail_with = InputError("the text of chunk x-00001 is over 65535 bytes")
    report = run(bench)
    assert counts(report) == (1, 0, 0, 1)
    [failure] = report.failures
    assert (failure.uri, failure.code) == (bad.resolve().as_posix(), "refused")
    assert "65535 bytes" in failure.reason
    assert bench.ledger.get("default", failure.uri).status is FileStatus.FAILED
    assert counts(run(bench)) == (0, 0, 1, 1)
    bench.index.fail_with = None
    assert counts(run(bench, replace(REQUEST, retry_failed=True))) == (1, 0, 1, 0)
    assert bench.index.count_chunks("default") == {
        row.document_id: row.chunks for row in bench.ledger.rows("default")
    }


def test_a_collection_that_is_gone_is_no_fault_of_the_file(bench):
    bench.write("a.md", LONG)
    bench.index.fail_with = NotFoundError("there is no collection 'default'")
    with pytest.raises(NotFoundError):
        run(bench)


def test_an_unfinished_file_is_mended_even_when_its_source_is_gone(bench):
    path = bench.write("a.md", LONG)
    bench.index.fail_with = StoreError("the store is down")
    with pytest.raises(StoreError):
        run(bench)
    path.unlink()
    bench.index.fail_with = None
    other = bench.write("b.md", "other")
    assert counts(run(bench, REQUEST, other)) == (1, 0, 0, 0)
    assert {row.status for row in bench.ledger.rows("default")} == {FileStatus.DONE}


def test_a_report_tells_nothing_of_files_that_others_left_half_way(bench, caplog):
    path = bench.write("secret.md", LONG)
    bench.index.fail_with = StoreError("the store is down")
    with pytest.raises(StoreError):
        run(bench, replace(REQUEST, readers=("alice",)))
    bench.index.fail_with = None
    [row] = bench.ledger.rows("default")
    bench.originals.path(row.document_id).write_bytes(b"PK\x03\x04 not an archive")
    seen = []
    other = bench.write("b.md", "other")
    report = bench.ingestor.ingest([other], replace(REQUEST, readers=("bob",)), seen.append)
    assert counts(report) == (1, 0, 0, 0) and report.failures == [] and report.exit_code == 0
    assert [(p.uri, p.done, p.total) for p in seen] == [(other.resolve().as_posix(), 1, 1)]
    assert bench.ledger.get("default", row.uri).status is FileStatus.FAILED
    assert path.resolve().as_posix() in caplog.text


def test_an_outage_in_the_middle_of_an_update_leaves_one_version_after_the_next_run(bench):
    path = bench.write("a.md", LONG)
    run(bench)
    path.write_text(LONG.replace("五年", "七年"), encoding="utf-8")
    bench.index.fail_with = StoreError("the store is down")
    with pytest.raises(StoreError):
        run(bench)
    path.write_text(LONG.replace("五年", "九年"), encoding="utf-8")
    with pytest.raises(StoreError):
        run(bench)
    bench.index.fail_with = None
    assert counts(run(bench)) == (0, 1, 0, 0)
    assert all("九年" in text for text in bench.index.texts())
    assert len(bench.index.count_chunks("default")) == 1 and bench.kept() == 1


def test_delete_by_document_id_takes_every_copy(bench):
    bench.write("a.md", "shared words")
    bench.write("b.md", "shared words")
    run(bench)
    document_id = bench.ingestor.list("default")[0].document_id
    assert bench.ingestor.delete("default", document_id)
    assert bench.index.rows() == [] and bench.ingestor.list("default") == []
    assert not bench.ingestor.delete("default", document_id)


def test_an_interrupted_deletion_is_finished_by_the_next_run(bench):
    bench.write("a.md", "words")
    run(bench)
    [row] = bench.ledger.rows("default")
    bench.ledger.put(replace(row, status=FileStatus.DELETING))
    (bench.docs / "a.md").unlink()
    bench.write("b.md", "others")
    run(bench)
    assert bench.index.texts() == ["others"]


def test_lists_respect_readers(bench):
    run(bench, replace(REQUEST, readers=("alice",)), bench.write("a.md", "one"))
    run(bench, REQUEST, bench.write("b.md", "two"))
    assert len(bench.ingestor.list("default")) == 2
    assert [r.title for r in bench.ingestor.list("default", ["bob"])] == ["b"]
    assert len(bench.ingestor.list("default", ["alice"])) == 2


def test_collections_are_counted_and_dropped(bench):
    path = bench.write("a.md", "words")
    run(bench)
    run(bench, IngestRequest("other"), path)
    assert [(c.name, c.documents) for c in bench.ingestor.collections()] == [("default", 1), ("other", 1)]
    assert bench.ingestor.drop_collection("default")
    assert bench.kept() == 1, "the other collection still needs the bytes"
    assert not bench.ingestor.drop_collection("default")
    assert [c.name for c in bench.ingestor.collections()] == ["other"]


def test_characters_that_the_tokenizer_does_not_know_make_no_endless_chunk(bench):
    bench.index.count_tokens = lambda text: 1
    bench.write("a.txt", "\U00020000\U00020001" * 20_000)
    assert counts(run(bench)) == (1, 0, 0, 0)
    assert max(len(text) for text in bench.index.texts()) <= 16 * (bench.settings.chunk_tokens + 1)


def test_a_text_of_absurd_length_is_refused_before_it_is_cut(bench):
    bench.restart(max_chunks=20)
    asked = []
    bench.index.count_tokens = lambda text: asked.append(len(text)) or len(text)
    bench.write("a.txt", "x" * (8 * 60 * 21))
    bench.write("b.txt", "words")
    report = run(bench)
    assert counts(report) == (1, 0, 0, 1)
    [failure] = report.failures
    assert failure.code == "too_large"
    assert "at least 21 chunks" in failure.reason and "ingest.max_chunks" in failure.reason
    assert max(asked) < 100, "only the short text was counted"


def test_too_many_chunks_are_refused_after_the_cut_too(bench):
    bench.write("a.md", LONG)
    run(bench)
    [row] = bench.ledger.rows("default")
    bench.restart(max_chunks=row.chunks - 1)
    report = run(bench, replace(REQUEST, force=True))
    assert [failure.code for failure in report.failures] == ["too_large"]
    assert f"give {row.chunks} chunks" in report.failures[0].reason
    assert len(bench.index.rows()) == row.chunks, "the last good version stays"
    bench.restart(max_chunks=row.chunks)
    assert counts(run(bench, replace(REQUEST, retry_failed=True))) == (0, 1, 0, 0)


def stop_half_way(bench):
    bench.index.fail_with = StoreError("the store is down")
    with pytest.raises(StoreError):
        run(bench)
    bench.index.fail_with = None
    assert bench.index.rows(), "half of it was written"


def test_half_a_version_does_not_stay_when_the_file_fails_in_the_end(bench):
    bench.write("a.md", LONG)
    stop_half_way(bench)
    bench.restart(runner=SlowRunner())
    for attempt in range(1, MAX_ATTEMPTS + 1):
        assert counts(run(bench)) == (0, 0, 0, 1)
        [row] = bench.ledger.rows("default")
        assert (row.status, row.previous_ids, row.chunks) == (FileStatus.FAILED, (), 0), attempt
        assert bench.index.rows() == []
    assert row.code == "parse_timeout" and bench.ingestor.verify().is_sound


def test_half_a_version_does_not_pass_for_the_last_good_one_of_a_changed_file(bench):
    path = bench.write("a.md", LONG)
    stop_half_way(bench)
    path.write_bytes(b"PK\x03\x04 not an archive")
    assert counts(run(bench)) == (0, 0, 0, 1)
    assert bench.index.rows() == [] and bench.ingestor.verify().is_sound
    assert bench.kept() == 0


def test_a_whole_version_stays_when_cutting_it_anew_fails_again_and_again(bench):
    bench.write("a.md", LONG)
    run(bench)
    texts, chunks = bench.index.texts(), bench.ledger.rows("default")[0].chunks
    bench.restart(runner=SlowRunner())
    assert bench.ingestor.rechunk("default").failed == 1
    for _ in range(2):
        assert counts(run(bench, replace(REQUEST, retry_failed=True))) == (0, 0, 0, 1)
        [row] = bench.ledger.rows("default")
        assert (row.status, row.previous_ids, row.chunks) == (FileStatus.FAILED, (row.document_id,), chunks)
        assert bench.index.texts() == texts
    bench.restart()
    assert counts(run(bench, replace(REQUEST, retry_failed=True))) == (0, 1, 0, 0)
    assert bench.index.texts() == texts


def test_a_collection_of_another_embedder_does_not_keep_the_others_waiting(bench, caplog):
    bench.write("a.md", LONG)
    for collection in ("first", "second"):
        bench.index.fail_with = StoreError("the store is down")
        with pytest.raises(StoreError):
            run(bench, replace(REQUEST, collection=collection))
    bench.index.fail_with = None
    bench.index.refused = {"first": ConflictError("made by another embedder")}
    assert bench.ingestor.resume() == 1
    assert "files of first wait: made by another embedder" in caplog.text
    assert [row.status for row in bench.ledger.rows("first")] == [FileStatus.WRITING]
    assert [row.status for row in bench.ledger.rows("second")] == [FileStatus.DONE]
