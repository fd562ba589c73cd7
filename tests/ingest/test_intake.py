"""Uploads that are taken in beside a run that goes on, and what becomes of them."""

import threading
from dataclasses import replace

import pytest

from core.errors import ConflictError, InputError
from ingest.ledger import FileStatus
from ingest.pipeline import IngestRequest
from ingest.report import Outcome
from tests.ingest.conftest import SlowRunner

REQUEST = IngestRequest("default")


def upload(bench, name, text, request=REQUEST):
    path = bench.folder / f"spooled-{name}"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    taken = bench.ingestor.accept([path], replace(request, names={path: name}))
    path.unlink()
    return taken


def finish(bench, taken):
    seen = []
    report = bench.ingestor.finish_accepted("default", taken, seen.append)
    return report, seen


def test_what_was_taken_in_is_on_disk_before_anything_is_parsed(bench):
    taken = upload(bench, "a.md", "# T\n\nwords")
    [row] = bench.ledger.rows("default")
    assert (row.status, row.uri) == (FileStatus.WRITING, "upload:a.md")
    assert bench.originals.path(row.document_id).read_text() == "# T\n\nwords"
    assert bench.index.collections() == []
    report, seen = finish(bench, taken)
    assert (report.added, report.chunks) == (1, 1) and bench.index.texts() == ["words"]
    assert [(step.uri, step.done, step.total) for step in seen] == [("upload:a.md", 1, 1)]
    assert bench.ingestor.verify().is_sound


def test_a_server_that_starts_anew_finishes_what_was_taken_in(bench):
    upload(bench, "a.md", "words")
    bench.ingestor.close()
    bench.restart()
    assert bench.ingestor.resume() == 1 and bench.index.texts() == ["words"]


def test_another_run_may_have_done_it_and_the_report_is_the_same(bench):
    taken = upload(bench, "a.md", "words")
    other = bench.write("b.md", "other")
    run = bench.ingestor.ingest([other], REQUEST)
    assert run.added == 1 and sorted(bench.index.texts()) == ["other", "words"]
    report, seen = finish(bench, taken)
    assert (report.added, report.chunks, report.failures) == (1, 1, []) and len(seen) == 1


def test_it_is_taken_in_while_a_run_goes_on(bench):
    begun, go_on, taken = threading.Event(), threading.Event(), []

    class Patient:
        def __init__(self, inner):
            self.inner = inner

        def parse(self, path, media_type):
            begun.set()
            assert go_on.wait(120)
            return self.inner.parse(path, media_type)

        def close(self):
            self.inner.close()

    from ingest.parsing import DirectParserRunner

    bench.restart(runner=Patient(DirectParserRunner()))
    bench.write("slow.md", "slow")
    run = threading.Thread(target=bench.ingestor.ingest, args=([bench.docs], REQUEST))
    run.start()
    assert begun.wait(120)
    taken.append(upload(bench, "a.md", "words"))
    assert bench.ledger.get("default", "upload:a.md").status is FileStatus.WRITING
    go_on.set()
    run.join(60)
    report, _ = finish(bench, taken[0])
    assert report.added == 1 and sorted(bench.index.texts()) == ["slow", "words"]
    assert bench.ingestor.verify().is_sound


def test_a_name_that_is_in_the_queue_is_not_taken_twice(bench):
    first = upload(bench, "a.md", "one")
    with pytest.raises(ConflictError, match=r"a\.md is being ingested already"):
        upload(bench, "a.md", "two")
    finish(bench, first)
    second = upload(bench, "a.md", "two")
    report, _ = finish(bench, second)
    assert report.updated == 1 and bench.index.texts() == ["two"] and bench.kept() == 1


def test_what_is_refused_or_there_already_is_in_the_report(bench):
    finish(bench, upload(bench, "a.md", "words"))
    same = upload(bench, "a.md", "words")
    assert [d.outcome for d in same.settled] == [Outcome.SKIPPED] and not same.works
    assert finish(bench, same)[0].skipped == 1
    bad = upload(bench, "b.docx", b"PK\x03\x04 not an archive")
    report, _ = finish(bench, bad)
    assert report.failed == 1 and report.failures[0].uri == "upload:b.docx"
    assert bench.ledger.get("default", "upload:b.docx") is None
    with pytest.raises(InputError):
        bench.ingestor.accept([bench.folder / "nowhere"], REQUEST)


def test_what_is_deleted_while_it_waits_is_not_indexed(bench):
    taken = upload(bench, "a.md", "words")
    assert bench.ingestor.delete("default", "upload:a.md")
    report, _ = finish(bench, taken)
    assert report.removed == 1 and bench.index.rows() == [] and bench.kept() == 0


def test_a_copy_that_an_upload_has_just_kept_is_not_taken_for_needless(bench):
    finish(bench, upload(bench, "a.md", "words"))
    [row] = bench.ledger.rows("default")
    kept, go_on, sound = threading.Event(), threading.Event(), []
    accept = bench.ingestor.queue.accept

    def slow_accept(*args, **named):
        kept.set()
        go_on.wait(60)
        return accept(*args, **named)

    bench.ingestor.queue.accept = slow_accept
    other = threading.Thread(target=lambda: upload(bench, "b.md", "words"))
    other.start()
    assert kept.wait(60)
    removal = threading.Thread(target=lambda: sound.append(bench.ingestor.delete("default", row.uri)))
    removal.start()
    removal.join(0.5)
    go_on.set()
    other.join(60)
    removal.join(60)
    assert sound == [True]
    assert bench.originals.path(row.document_id).read_text() == "words"
    assert bench.ingestor.resume() == 1 and bench.ingestor.verify().is_sound


def once(step, between):
    """The step, and before its first call what somebody else does just then."""
    left = [between]

    def hooked(*args, **named):
        if left:
            left.pop()()
        return step(*args, **named)

    return hooked


def test_rechunk_leaves_alone_what_an_upload_has_replaced_since_it_began(bench):
    finish(bench, upload(bench, "a.md", "old words"))
    finish(bench, upload(bench, "b.md", "other words"))
    taken = []
    bench.ledger.count = once(bench.ledger.count, lambda: taken.append(upload(bench, "a.md", "new words")))
    assert bench.ingestor.rechunk("default").updated == 1
    report, _ = finish(bench, taken[0])
    assert report.updated == 1 and sorted(bench.index.texts()) == ["new words", "other words"]
    assert bench.kept() == 2 and bench.ingestor.verify().is_sound


def test_repair_leaves_alone_what_an_upload_has_replaced_since_it_began(bench):
    finish(bench, upload(bench, "a.md", "old words"))
    bench.index.remove_document("default", bench.ledger.rows("default")[0].document_id)
    taken = []
    bench.index.embed = once(bench.index.embed, lambda: taken.append(upload(bench, "a.md", "new words")))
    bench.ingestor.verify(repair=True)
    report, _ = finish(bench, taken[0])
    assert report.updated == 1 and bench.index.texts() == ["new words"]
    assert bench.kept() == 1 and bench.ingestor.verify().is_sound


def test_a_new_version_that_comes_as_its_file_is_deleted_goes_along_or_is_refused(bench):
    finish(bench, upload(bench, "a.md", "one"))
    taken = []
    opening = once(bench.index.open_collection, lambda: taken.append(upload(bench, "a.md", "two")))
    bench.index.open_collection = opening
    assert bench.ingestor.delete("default", "upload:a.md")
    assert finish(bench, taken[0])[0].removed == 1
    assert bench.index.rows() == [] and bench.kept() == 0 and bench.ingestor.verify().is_sound

    finish(bench, upload(bench, "a.md", "one"))
    keep, delete = bench.originals.keep, lambda: bench.ingestor.delete("default", "upload:a.md")
    bench.originals.keep = once(keep, delete)
    late = upload(bench, "a.md", "two")
    assert [work.refused.code for work in late.works] == ["in_work"] and not late.held
    assert finish(bench, late)[0].failed == 1
    bench.ingestor.resume()
    assert bench.index.rows() == [] and bench.ledger.rows("default") == [] and bench.kept() == 0


def test_an_upload_outlives_its_collection_when_it_comes_as_that_is_dropped(bench):
    finish(bench, upload(bench, "a.md", "old"))
    taken = []
    dropping = once(bench.index.drop_collection, lambda: taken.append(upload(bench, "b.md", "new")))
    bench.index.drop_collection = dropping
    assert bench.ingestor.drop_collection("default")
    assert finish(bench, taken[0])[0].added == 1
    assert bench.index.texts() == ["new"] and bench.kept() == 1 and bench.ingestor.verify().is_sound


def test_the_same_upload_again_brings_no_deleted_row_back(bench):
    finish(bench, upload(bench, "a.md", "words"))
    decide = bench.ingestor._intake._acceptor.decide

    def slow(candidates, request):
        made = decide(candidates, request)
        bench.ingestor.delete("default", "upload:a.md")
        return made

    bench.ingestor._intake._acceptor.decide = slow
    upload(bench, "a.md", "words", replace(REQUEST, meta={"year": "2024"}))
    assert bench.ledger.rows("default") == []


def test_half_a_copy_for_new_readers_goes_when_the_file_then_fails(bench):
    path = bench.write("a.md", "# A\n\n" + "\n\n".join(f"# H{n}\n\nwords {n}" for n in range(4)))
    bench.ingestor.ingest([path], REQUEST)
    [lost, *_] = sorted((bench.folder / "index" / "default").glob("*.json"))
    lost.unlink()
    bench.restart(runner=SlowRunner())
    report = bench.ingestor.ingest([path], replace(REQUEST, readers=("hr",)))
    assert report.failed == 1
    assert not [row for row in bench.index.rows() if row["readers"] == ["hr"]]


def test_a_copy_that_a_kill_leaves_without_a_row_goes_with_the_next_run(bench):
    def killed(*args):
        raise KeyboardInterrupt

    bench.ingestor.queue.accept = killed
    with pytest.raises(KeyboardInterrupt):
        upload(bench, "a.md", "words")
    assert bench.kept() == 1 and bench.ledger.rows("default") == []
    del bench.ingestor.queue.accept
    bench.ingestor.resume()
    assert bench.kept() == 0


def test_an_upload_is_not_taken_for_a_file_that_has_moved(bench):
    path = bench.write("a.md", "words")
    bench.ingestor.ingest([bench.docs], REQUEST)
    path.unlink()
    report, _ = finish(bench, upload(bench, "b.md", "words"))
    assert (report.added, report.moved) == (1, 0)
    assert {row.uri for row in bench.ingestor.list("default")} == {path.resolve().as_posix(), "upload:b.md"}
