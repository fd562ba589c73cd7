"""Uploads that are taken in beside a run that goes on, and what becomes of them."""

import threading
from dataclasses import replace

import pytest

from core.errors import ConflictError, InputError
from ingest.ledger import FileStatus
from ingest.pipeline import IngestRequest
from ingest.report import Outcome

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
            assert go_on.wait(20)
            return self.inner.parse(path, media_type)

        def close(self):
            self.inner.close()

    from ingest.parsing import DirectParserRunner

    bench.restart(runner=Patient(DirectParserRunner()))
    bench.write("slow.md", "slow")
    run = threading.Thread(target=bench.ingestor.ingest, args=([bench.docs], REQUEST))
    run.start()
    assert begun.wait(20)
    taken.append(upload(bench, "a.md", "words"))
    assert bench.ledger.get("default", "upload:a.md").status is FileStatus.WRITING
    go_on.set()
    run.join(20)
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

    def slow_accept(rows, lease=True):
        kept.set()
        go_on.wait(5)
        return accept(rows, lease)

    bench.ingestor.queue.accept = slow_accept
    other = threading.Thread(target=lambda: upload(bench, "b.md", "words"))
    other.start()
    assert kept.wait(20)
    removal = threading.Thread(target=lambda: sound.append(bench.ingestor.delete("default", row.uri)))
    removal.start()
    removal.join(0.5)
    go_on.set()
    other.join(20)
    removal.join(20)
    assert sound == [True]
    assert bench.originals.path(row.document_id).read_text() == "words"
    assert bench.ingestor.resume() == 1 and bench.ingestor.verify().is_sound
