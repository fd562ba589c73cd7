"""kill -9 at every step of an ingest, then a second run: each file exactly once, never half."""

import os
import signal
from pathlib import Path

import pytest

from core.settings import IngestSettings
from ingest.ledger import FileStatus, Ledger
from ingest.originals import Originals
from ingest.parsing import DirectParserRunner
from ingest.pipeline import Ingestor, IngestRequest
from tests.ingest.apart import run_to_end
from tests.ingest.folder_index import FolderIndex

REQUEST = IngestRequest("default")
SETTINGS = IngestSettings(chunk_tokens=60, overlap_tokens=0)
OLD = "\n\n".join(
    f"旧规定第{n}条：设备每{n}个月校准一次，记录保存五年，由质量部门检查。" for n in range(1, 5)
)
NEW = "\n\n".join(
    f"新规定第{n}条：设备每{n}个月校准一次，记录保存七年，由质量部门检查。" for n in range(1, 4)
)


class Fuse:
    """Kills its process, without any clean-up, at the given step."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def step(self) -> None:
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        self.left -= 1


class FusedLedger(Ledger):
    fuse = Fuse(-1)

    def put_many(self, rows, connection):
        self.fuse.step()
        return super().put_many(rows, connection)

    def remove(self, collection, uri):
        self.fuse.step()
        super().remove(collection, uri)


class FusedIndex(FolderIndex):
    fuse = Fuse(-1)

    def copy_document(self, document, source_id):
        self.fuse.step()
        return super().copy_document(document, source_id)

    def write_document(self, document, chunks):
        for chunk in chunks:
            self.fuse.step()
            super().write_document(document, [chunk])
        self.fuse.step()

    def remove_document(self, collection, document_id):
        self.fuse.step()
        return super().remove_document(collection, document_id)


class FusedOriginals(Originals):
    fuse = Fuse(-1)

    def keep(self, source, document_id, sha256):
        self.fuse.step()
        return super().keep(source, document_id, sha256)

    def remove(self, document_id):
        self.fuse.step()
        return super().remove(document_id)


def work(folder, fuse, deletes):
    parts = (
        FusedLedger(folder / "attest.db"),
        FusedIndex(folder / "index"),
        FusedOriginals(folder / "originals"),
    )
    for part in parts:
        part.fuse = fuse
    ledger, index, originals = parts
    ingestor = Ingestor(ledger, index, originals, SETTINGS, DirectParserRunner())
    for name in deletes:
        ingestor.delete("default", (folder / "docs" / name).resolve().as_posix())
    ingestor.ingest([folder / "docs"], REQUEST)
    ingestor.close()


def run_apart(folder, steps, deletes=()):
    """True when the process came to its end, False when the fuse killed it."""
    return run_to_end(work, folder, Fuse(steps), deletes)


def check_once(folder, expected):
    """Ledger, index and originals agree, and hold exactly the expected texts."""
    ledger, index = Ledger(folder / "attest.db"), FolderIndex(folder / "index")
    rows = ledger.rows("default")
    assert {row.status for row in rows} <= {FileStatus.DONE}
    assert index.count_chunks("default") == {row.document_id: row.chunks for row in rows}
    found = {}
    for row in index.rows():
        found.setdefault(row["document_id"], []).append(row["text"])
    texts = {"".join("".join(parts).split()) for parts in found.values()}
    assert texts == {"".join(text.split()) for text in expected}
    stored = {p.name for p in (folder / "originals").rglob("*") if p.is_file()}
    assert {row.document_id for row in rows} <= stored
    ledger.close()


def prepare(folder):
    docs = folder / "docs"
    docs.mkdir(parents=True)
    (docs / "a.md").write_text(OLD, encoding="utf-8")
    (docs / "b.md").write_text("另一份文件的内容。", encoding="utf-8")
    (docs / "copy.md").write_text(OLD, encoding="utf-8")
    return docs


def test_what_only_killed_runs_had_begun_is_told_as_added(tmp_path):
    prepare(tmp_path)
    assert not run_apart(tmp_path, 9) and not run_apart(tmp_path, 9)
    parts = (Ledger(tmp_path / "attest.db"), FolderIndex(tmp_path / "index"))
    ingestor = Ingestor(*parts, Originals(tmp_path / "originals"), SETTINGS, DirectParserRunner())
    begun = {row.uri for row in parts[0].rows("default") if row.status is not FileStatus.DONE}
    report = ingestor.ingest([tmp_path / "docs"], REQUEST)
    ingestor.close()
    assert begun and (report.added, report.updated) == (len(begun), 0)


@pytest.mark.slow
def test_first_ingest_survives_a_kill_at_every_step(tmp_path):
    for steps in range(200):
        folder = tmp_path / str(steps)
        prepare(folder)
        finished = run_apart(folder, steps)
        assert run_apart(folder, -1)
        check_once(folder, {OLD, "另一份文件的内容。"})
        if finished:
            break
    assert 10 < steps < 199, "the fuse must have burnt at many steps and at last not at all"


@pytest.mark.slow
def test_update_and_delete_survive_two_kills_at_every_step(tmp_path):
    for steps in range(200):
        folder = tmp_path / str(steps)
        docs = prepare(folder)
        assert run_apart(folder, -1)
        (docs / "a.md").write_text(NEW, encoding="utf-8")
        (docs / "copy.md").write_text(NEW + "\n\n附则：自即日起执行。", encoding="utf-8")
        finished = run_apart(folder, steps, deletes=("b.md",))
        run_apart(folder, steps // 2)
        (docs / "b.md").unlink()
        assert run_apart(folder, -1, deletes=("b.md",))
        check_once(folder, {NEW, NEW + "附则：自即日起执行。"})
        if finished:
            break
    assert 15 < steps < 199


def rechunk(folder, fuse):
    ledger, index = FusedLedger(folder / "attest.db"), FusedIndex(folder / "index")
    ledger.fuse = index.fuse = fuse
    limits = IngestSettings(chunk_tokens=100, overlap_tokens=0)
    ingestor = Ingestor(ledger, index, Originals(folder / "originals"), limits, DirectParserRunner())
    ingestor.rechunk("default")
    ingestor.close()


def rechunk_apart(folder, steps):
    """As `run_apart`, for cutting the stored files again into larger chunks."""
    return run_to_end(rechunk, folder, Fuse(steps))


@pytest.mark.slow
def test_cutting_again_survives_a_kill_at_every_step(tmp_path):
    for steps in range(100):
        folder = tmp_path / str(steps)
        prepare(folder)
        work(folder, Fuse(-1), ())
        finished = rechunk_apart(folder, steps)
        assert rechunk_apart(folder, -1)
        check_once(folder, {OLD, "另一份文件的内容。"})
        if finished:
            break
    assert 5 < steps < 99, "the fuse must have burnt at many steps and at last not at all"


def change_readers_and_prune(folder, fuse):
    parts = (
        FusedLedger(folder / "attest.db"),
        FusedIndex(folder / "index"),
        FusedOriginals(folder / "originals"),
    )
    for part in parts:
        part.fuse = fuse
    ledger, index, originals = parts
    ingestor = Ingestor(ledger, index, originals, SETTINGS, DirectParserRunner())
    ingestor.ingest([folder / "docs"], IngestRequest("default", readers=("bob",), prune=True))
    ingestor.close()


def change_apart(folder, steps):
    return run_to_end(change_readers_and_prune, folder, Fuse(steps))


@pytest.mark.slow
def test_other_readers_a_move_and_a_vanished_file_survive_a_kill_at_every_step(tmp_path):
    for steps in range(200):
        folder = tmp_path / str(steps)
        docs = prepare(folder)
        work(folder, Fuse(-1), ())
        (docs / "copy.md").unlink()
        (docs / "b.md").rename(docs / "moved.md")
        finished = change_apart(folder, steps)
        assert change_apart(folder, -1)
        check_once(folder, {OLD, "另一份文件的内容。"})
        ledger, index = Ledger(folder / "attest.db"), FolderIndex(folder / "index")
        assert [Path(row.uri).name for row in ledger.rows("default")] == ["a.md", "moved.md"]
        assert {tuple(row["readers"]) for row in index.rows()} == {("bob",)}
        stored = [p for p in (folder / "originals").rglob("*") if p.is_file()]
        assert len(stored) == 2, "no copy is left that nobody needs"
        ledger.close()
        if finished:
            break
    assert 15 < steps < 199
