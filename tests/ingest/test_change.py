"""What a run does about files that moved, vanished, or differ in readers or notes alone."""

import os
import time
from dataclasses import replace

import pytest

from core.errors import InputError
from ingest.ledger import FileStatus
from ingest.pipeline import IngestRequest

REQUEST = IngestRequest("default")
PRUNE = replace(REQUEST, prune=True)


def run(bench, request=REQUEST, *sources):
    bench.index.history.clear()
    return bench.ingestor.ingest(sources or [bench.docs], request)


def done(bench, kind):
    return [what for name, what in bench.index.history if name == kind]


def test_a_moved_file_is_not_embedded_again(bench):
    path = bench.write("a.md", "# T\n\nwords")
    run(bench)
    (bench.docs / "sub").mkdir()
    new = path.rename(bench.docs / "sub" / "b.md")
    report = run(bench)
    assert (report.moved, report.added, report.removed) == (1, 0, 0)
    assert done(bench, "write") == []
    [row] = bench.index.rows()
    assert row["uri"] == new.resolve().as_posix()
    [known] = bench.ingestor.list("default")
    assert (known.uri, known.duplicate_of, known.chunks) == (row["uri"], "", 1)
    assert bench.kept() == 1


def test_a_moved_file_whose_name_was_its_title_is_embedded_with_the_new_one(bench):
    path = bench.write("old.md", "words")
    run(bench)
    path.rename(bench.docs / "new.md")
    assert run(bench).moved == 1
    assert [row["title"] for row in bench.index.rows()] == ["new"]


def test_a_copy_is_no_move(bench):
    path = bench.write("a.md", "# T\n\nwords")
    run(bench)
    bench.write("b.md", "# T\n\nwords")
    assert run(bench).added == 1
    assert {row.uri for row in bench.ingestor.list("default")} >= {path.resolve().as_posix()}


def test_other_readers_do_not_embed_again(bench):
    bench.write("a.md", "# T\n\nwords")
    run(bench)
    assert run(bench, replace(REQUEST, readers=("bob",))).updated == 1
    assert done(bench, "write") == [] and len(done(bench, "copy")) == 1
    [row] = bench.index.rows()
    assert row["readers"] == ["bob"]
    assert bench.kept() == 1


def test_other_notes_touch_the_ledger_alone(bench):
    bench.write("a.md", "words")
    run(bench)
    assert run(bench, replace(REQUEST, meta={"owner": "Li"})).updated == 1
    assert bench.index.history == []
    [row] = bench.ingestor.list("default")
    assert dict(row.meta) == {"owner": "Li"}
    assert run(bench, replace(REQUEST, meta={"owner": "Li"})).skipped == 1


def test_what_has_vanished_stays_without_prune_and_goes_with_it(bench):
    gone, kept = bench.write("a.md", "one"), bench.write("b.md", "two")
    run(bench)
    gone.unlink()
    kept_on = run(bench)
    assert kept_on.removed == 0 and len(bench.index.rows()) == 2
    [warning] = kept_on.warnings
    assert (warning.code, warning.uri) == ("vanished", bench.docs.resolve().as_posix())
    assert "a.md" in warning.words and "--prune" in warning.words
    report = run(bench, PRUNE)
    assert (report.removed, report.skipped, report.exit_code) == (1, 1, 0)
    assert [row["uri"] for row in bench.index.rows()] == [kept.resolve().as_posix()]
    assert bench.kept() == 1


def test_a_dry_run_says_what_would_be_pruned(bench):
    bench.write("a.md", "one")
    bench.write("b.md", "two")
    run(bench)
    (bench.docs / "a.md").unlink()
    would = run(bench, replace(PRUNE, dry_run=True))
    [named] = would.warnings
    gone = (bench.docs / "a.md").resolve().as_posix()
    assert (would.removed, named.uri, named.code) == (1, gone, "would_be_removed")
    assert len(bench.index.rows()) == 2


def test_what_has_moved_is_not_told_as_vanished_nor_is_what_failed(bench):
    bench.write("a.md", "one")
    bench.write("empty.md", "")
    run(bench)
    (bench.docs / "a.md").rename(bench.docs / "z.md")
    (bench.docs / "empty.md").unlink()
    report = run(bench)
    assert (report.moved, report.warnings) == (1, [])


def test_only_what_lies_below_the_given_folder_is_pruned(bench):
    inside, outside = bench.write("x/a.md", "one"), bench.write("xy/b.md", "two")
    bench.write("x/c.md", "three")
    upload = bench.folder / "spooled"
    upload.write_text("four")
    run(bench)
    run(bench, replace(REQUEST, names={upload: "up.md"}), upload)
    inside.unlink()
    outside.unlink()
    assert run(bench, PRUNE, bench.docs / "x").removed == 1
    uris = {row.uri for row in bench.ingestor.list("default")}
    assert {outside.resolve().as_posix(), "upload:up.md"} < uris


@pytest.mark.parametrize("how", ["empty", "gone"])
def test_an_empty_folder_looks_like_a_disk_that_is_not_mounted(bench, how):
    path = bench.write("x/a.md", "one")
    bench.write("y.md", "two")
    run(bench)
    path.unlink()
    if how == "gone":
        path.parent.rmdir()
    with pytest.raises(InputError, match="holds no file") as caught:
        run(bench, PRUNE, path.parent, bench.docs / "y.md")
    assert "mounted" in caught.value.remedy
    assert len(bench.index.rows()) == 2


def test_pruning_takes_failed_files_too(bench):
    bad = bench.write("a.bin", "\0\0")
    bench.write("b.md", "two")
    run(bench)
    bad.unlink()
    assert run(bench, PRUNE).removed == 1 and bench.ingestor.failures("default") == []


def test_an_unchanged_file_is_not_even_read(bench):
    path = bench.write("a.md", "words")
    past = time.time() - 100
    os.utime(path, (past, past))
    time.sleep(2.1)  # its time of change is now, and only what has settled is believed
    run(bench)
    [row] = bench.ingestor.list("default")
    assert row.signature and row.sha256
    path.chmod(0)
    before = bench.ledger.get("default", row.uri)
    bench.ledger.put(replace(before, signature=signature(path)))
    if os.geteuid() == 0:
        assert run(bench).skipped == 1
    else:
        assert run(bench).skipped in (0, 1)


def signature(path):
    from ingest.discover import signature_of

    return signature_of(path.stat(), time.time_ns())


def test_a_file_written_just_now_is_not_trusted(bench):
    path = bench.write("a.md", "words")
    run(bench)
    [row] = bench.ingestor.list("default")
    assert row.signature == ""
    path.write_text("other", encoding="utf-8")
    assert run(bench).updated == 1


def test_a_swap_of_two_files_leaves_each_once(bench):
    one, other = bench.write("a.md", "# A\n\nfirst"), bench.write("b.md", "# B\n\nsecond")
    run(bench)
    one.write_text("# B\n\nsecond", encoding="utf-8")
    other.write_text("# A\n\nfirst", encoding="utf-8")
    bench.restart(chunk_tokens=40)
    assert run(bench).updated == 2
    assert sorted((row["title"], row["uri"]) for row in bench.index.rows()) == [
        ("A", other.resolve().as_posix()),
        ("B", one.resolve().as_posix()),
    ]
    assert bench.kept() == 2


def test_a_run_that_is_cancelled_finishes_what_it_took_in(bench):
    for number in range(100):
        bench.write(f"{number}.md", f"words {number}")
    asked = []
    request = replace(REQUEST, is_cancelled=lambda: len(asked) > 1 or asked.append(1))
    report = run(bench, request)
    assert 0 < report.added < 100
    assert {row.status for row in bench.ledger.rows("default")} == {FileStatus.DONE}
    assert run(bench).added == 100 - report.added


def test_files_of_a_run_that_broke_off_are_resumed(bench):
    from core.errors import StoreError

    bench.write(
        "a.md", "\n\n".join(f"第{n}条：设备每月校准一次，记录保存五年，由质量部门负责。" for n in range(9))
    )
    bench.index.fail_with = StoreError("down")
    with pytest.raises(StoreError):
        run(bench)
    bench.index.fail_with = None
    assert bench.ingestor.resume() == 1
    assert bench.ingestor.resume() == 0
    [row] = bench.ingestor.list("default")
    assert bench.index.count_chunks("default") == {row.document_id: row.chunks}


def test_chunks_of_shared_bytes_never_name_a_file_that_has_left_them(bench):
    """The one whose name they bear changes, and in the same run another file gets the bytes."""
    shared = "# Shared\n\nthe same words"
    first, second = bench.write("a.md", shared), bench.write("m.md", shared)
    run(bench)
    assert [row["uri"] for row in bench.index.rows()] == [first.resolve().as_posix()]
    first.write_text("# Own\n\nother words", encoding="utf-8")
    bench.write("z.md", shared)
    run(bench)
    uris = {row["title"]: row["uri"] for row in bench.index.rows()}
    assert uris == {"Own": first.resolve().as_posix(), "Shared": second.resolve().as_posix()}
    assert {row.duplicate_of for row in bench.ingestor.list("default")} == {"", uris["Shared"]}


def test_nor_when_all_is_cut_anew_in_that_run(bench):
    shared = "# Shared\n\nthe same words"
    first = bench.write("a.md", shared)
    run(bench)
    bench.restart(chunk_tokens=40)
    bench.write("0.md", shared)
    first.write_text("# Own\n\nother words", encoding="utf-8")
    run(bench)
    assert {row["title"]: row["uri"].rpartition("/")[2] for row in bench.index.rows()} == {
        "Own": "a.md",
        "Shared": "0.md",
    }


def test_files_of_a_folder_that_stands_empty_are_kept_and_named(bench):
    away, gone = bench.write("disk/a.md", "one"), bench.write("b.md", "two")
    bench.write("c.md", "three")
    run(bench)
    away.unlink()
    gone.unlink()
    report = run(bench, PRUNE)
    assert report.removed == 1 and sorted(bench.index.texts()) == ["one", "three"]
    [warning] = report.warnings
    assert (warning.code, warning.uri) == ("empty_folder", away.parent.resolve().as_posix())
    assert "1 files" in warning.words and "mounted" in warning.words
    away.parent.rmdir()
    assert run(bench, PRUNE).removed == 1 and bench.index.texts() == ["three"]
