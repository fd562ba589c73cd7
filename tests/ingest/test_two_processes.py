"""Two processes over one ledger and one folder of originals, as two API servers are: what one
removes or replaces while the other takes files in."""

import threading
from dataclasses import replace

import pytest

from core.errors import NotFoundError, StoreError
from core.settings import IngestSettings
from ingest.ledger import FileStatus, Ledger
from ingest.originals import Originals
from ingest.parsing import DirectParserRunner
from ingest.pipeline import Ingestor, IngestRequest
from tests.ingest.folder_index import FolderIndex

REQUEST = IngestRequest("default")


class Side:
    """One of the two: parts of its own over what both share."""

    def __init__(self, folder, database):
        self.folder = folder
        self.ledger = Ledger(database)
        self.index = FolderIndex(folder / "index")
        self.originals = Originals(folder / "originals")
        settings = IngestSettings(chunk_tokens=60, overlap_tokens=0)
        self.ingestor = Ingestor(self.ledger, self.index, self.originals, settings, DirectParserRunner())

    def spool(self, name, text):
        path = self.folder / f"spooled-{id(self)}-{name}"
        path.write_text(text, encoding="utf-8")
        return path, replace(REQUEST, names={path: name})

    def accept(self, name, text):
        path, request = self.spool(name, text)
        return self.ingestor.accept([path], request)

    def ingest(self, name, text):
        path, request = self.spool(name, text)
        return self.ingestor.ingest([path], request)

    def kept(self):
        return sum(path.is_file() for path in (self.folder / "originals").rglob("*"))


@pytest.fixture
def sides(tmp_path, database):
    return Side(tmp_path, database), Side(tmp_path, database)


def once(step, between):
    """The step, and before its first call what the other process does just then."""
    left = [between]

    def hooked(*args, **named):
        if left:
            left.pop()()
        return step(*args, **named)

    return hooked


def test_a_copy_that_another_process_removes_after_it_was_found_is_made_again(sides):
    one, two = sides
    two.ingest("a.md", "words")
    [row] = two.ledger.rows("default")
    deletion = lambda: two.ingestor.delete("default", "upload:a.md")  # noqa: E731
    one.ingestor.queue.accept = once(one.ingestor.queue.accept, deletion)
    taken = one.accept("b.md", "words")
    assert one.originals.path(row.document_id).read_text() == "words"
    assert one.ingestor.finish_accepted("default", taken).added == 1
    assert one.index.texts() == ["words"] and one.kept() == 1 and two.ingestor.verify().is_sound


def test_nobody_accepts_a_version_while_its_copy_is_being_removed(sides):
    one, two = sides
    two.ingest("a.md", "words")
    [row] = two.ledger.rows("default")
    taken = []
    upload = threading.Thread(target=lambda: taken.append(one.accept("b.md", "words")))

    def slow():
        upload.start()
        upload.join(0.5)

    two.originals.remove = once(two.originals.remove, slow)
    two.ingestor.delete("default", "upload:a.md")
    upload.join(120)
    assert [work.row.document_id for work in taken[0].works] == [row.document_id]
    assert one.originals.path(row.document_id).read_text() == "words"
    assert one.ingestor.finish_accepted("default", taken[0]).added == 1 and two.ingestor.verify().is_sound


def test_a_copy_that_goes_each_time_ends_in_an_error_and_not_in_a_row(sides):
    one, _ = sides
    keep = one.originals.keep

    def gone(source, document_id, sha256):
        keep(source, document_id, sha256).unlink()

    one.originals.keep = gone
    with pytest.raises(NotFoundError, match="is gone"):
        one.accept("a.md", "words")
    assert one.ledger.rows("default") == []


def test_a_repair_sets_no_copy_aside_that_an_upload_has_come_to_need(sides):
    one, two = sides
    needed, taken = two.ledger.needed_ids, []

    def read_before():
        found = needed()
        taken.append(one.accept("a.md", "words"))
        return found

    two.ledger.needed_ids = read_before
    assert [fault for fault in two.ingestor.verify(repair=True).faults if fault.part == "originals"] == []
    assert one.ingestor.finish_accepted("default", taken[0]).added == 1 and one.index.texts() == ["words"]


def test_a_doubt_of_one_that_is_about_to_keep_the_copy_stays(sides):
    one, two = sides
    one.ingestor.queue.doubt(["a" * 64])
    assert two.ingestor.queue.forget_copies(["a" * 64], lambda _: None) == ["a" * 64]
    assert one.ingestor.queue.doubtful() == ["a" * 64]


@pytest.mark.parametrize("late", [True, False], ids=["accepted while the other looked", "before"])
def test_of_two_uploads_of_one_name_the_later_stays_and_the_earlier_job_says_so(sides, late):
    one, two = sides
    two.ingest("a.md", "the first words")
    taken = []

    def accept():
        taken.append(one.accept("a.md", "words that wait"))

    if late:
        two.originals.keep = once(two.originals.keep, accept)
    else:
        accept()
    report = two.ingest("a.md", "the last words")
    assert (report.updated, report.failed, report.warnings) == (1, 0, [])
    told = one.ingestor.finish_accepted("default", taken[0])
    assert (told.skipped, told.added, told.updated) == (1, 0, 0)
    assert [(warning.uri, warning.code) for warning in told.warnings] == [("upload:a.md", "replaced")]
    assert one.index.texts() == ["the last words"] and one.kept() == 1
    assert two.ingestor.verify().is_sound


def test_a_job_does_not_report_a_newer_version_that_waits_as_its_own(sides):
    one, two = sides
    taken = one.accept("a.md", "words that wait")
    two.index.fail_with = StoreError("the store is down")
    text = "\n\n".join(
        f"段落{n}：设备每{n}个月校准一次，记录保存五年，由质量部门负责检查。" for n in range(9)
    )
    with pytest.raises(StoreError):  # it waits in the queue
        two.ingest("a.md", text)
    told = one.ingestor.finish_accepted("default", taken)
    assert (told.skipped, told.updated) == (1, 0) and [w.code for w in told.warnings] == ["replaced"]
    [row] = one.ledger.rows("default")
    assert row.status is FileStatus.DONE and "段落8" in "".join(one.index.texts())
    two.ingestor.resume()  # whoever doubts a copy, removes it
    assert one.kept() == 1 and one.ingestor.verify().is_sound
