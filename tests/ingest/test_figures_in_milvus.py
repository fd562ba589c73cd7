"""Figures on the whole way: a document into the real Milvus Lite, its picture kept, described,
found by what it shows, watched by `verify`, and gone with its version."""

import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image

from core.errors import ChatModelError, NotFoundError
from core.paths import DataPaths
from core.settings import IngestSettings, MilvusSettings
from core.types import ElementKind, Scope
from ingest.describing import FigureDescriber
from ingest.document_index import DocumentIndex
from ingest.extras import IngestExtras
from ingest.figure_store import FigureStore
from ingest.kept_lines import KeptLines
from ingest.ledger import Ledger
from ingest.originals import Originals
from ingest.parse_options import ParseOptions
from ingest.parsing import DirectParserRunner
from ingest.pipeline import Ingestor, IngestRequest
from ingest.table_store import TableStore
from retrieval.image_index import STORE_PREFIX, ImageIndex
from retrieval.index import ChunkIndex
from retrieval.lexical import Lexicon
from retrieval.store import MilvusStore, open_beside, open_store
from retrieval.token_vectors import TokenVectors
from tests.ingest.pictures import CAPTION, chart, encoded, save_docx
from tests.ingest.test_samples_in_milvus import HashEmbedder
from tests.retrieval.colours import ColourEmbedder

SCOPE = Scope("c")
ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow


class Sees:
    """Says what it is told to, or that it is down."""

    name, fingerprint, said = "sees", "1", "A bar chart of the plant."

    def caption(self, figure, about):
        if not self.said:
            raise ChatModelError("it is down")
        return self.said


@dataclass
class Parts:
    """An ingestor over a data directory, with what it writes to in reach."""

    paths: DataPaths
    docs: Path
    store: MilvusStore
    images: ImageIndex
    figures: FigureStore
    model: Sees
    ingestor: Ingestor

    def ingest(self, *readers: str, **more):
        return self.ingestor.ingest([self.docs], IngestRequest("c", readers or ("everyone",), **more))

    def figure_chunks(self, scope: Scope = SCOPE):
        return [c for c in self.store.find_chunks(scope, [], 50) if c.kind is ElementKind.FIGURE]

    def close(self) -> None:
        self.ingestor.close()
        self.store.close()

    def kept(self) -> list[str]:
        return sorted(path.name for path in self.paths.figures.glob("*/*/*"))


@pytest.fixture
def parts(tmp_path):
    made = open_parts(tmp_path)
    yield made
    made.close()


def open_parts(folder: Path) -> Parts:
    from sqlalchemy import create_engine

    paths, docs = DataPaths(folder / "data"), folder / "docs"
    paths.create()
    docs.mkdir(exist_ok=True)
    store = open_store(MilvusSettings(), paths)
    engine = create_engine(f"sqlite:///{paths.ledger}")
    chunks = ChunkIndex(store, HashEmbedder(), Lexicon(engine), TokenVectors(engine, HashEmbedder), False)
    images = ImageIndex(open_beside(store, STORE_PREFIX), ColourEmbedder(), 0.1)
    figures, model = FigureStore(paths.figures), Sees()
    ingestor = Ingestor(
        Ledger(paths.ledger),
        DocumentIndex(chunks, TableStore(paths.tables), KeptLines(engine), figures, images),
        Originals(paths.originals),
        IngestSettings(workers=1),
        DirectParserRunner(ParseOptions(ocr=False, wordless=True)),
        IngestExtras(describer=FigureDescriber(model, lambda: images.fingerprint)),
    )
    return Parts(paths, docs, store, images, figures, model, ingestor)


def ingest_and_tell(folder: Path) -> None:
    """What the child process of the kill test runs."""
    parts = open_parts(folder)
    parts.ingestor.ingest([parts.docs], IngestRequest("c"), lambda p: print(p.uri, flush=True))
    parts.close()


def test_a_picture_is_kept_described_found_and_named_by_its_chunk(parts):
    save_docx(parts.docs / "a.docx")
    assert parts.ingest().added == 1
    [chunk] = parts.figure_chunks()
    assert chunk.text.startswith(CAPTION) and chunk.text.endswith("[described by sees] A bar chart of the plant.")
    assert chunk.headings == ("Annual report", "Energy") and parts.kept() == [chunk.figure]
    [row] = parts.ingestor.list("c")
    assert row.figures == 1 and parts.figures.read("c", row.document_id, chunk.figure).data.startswith(b"\x89PNG")
    assert parts.images.count_images("c") == {row.document_id: 1}
    assert parts.ingestor.verify().is_sound
    assert parts.ingest().skipped == 1


def test_a_picture_file_without_a_word_is_found_by_what_it_shows(parts):
    picture = Image.new("RGB", (300, 200), "red")
    picture.paste("darkred", (0, 0, 150, 200))
    picture.save(parts.docs / "holiday.png")
    parts.model.said = ""
    assert parts.ingest().added == 1
    [chunk] = parts.figure_chunks()
    assert (chunk.text, chunk.page, len(chunk.boxes)) == ("holiday", 1, 1)
    hits, _ = parts.images.search(SCOPE, "something red", 5)
    assert [hit.chunk for hit in hits] == [chunk] and parts.kept() == [chunk.figure]


def test_a_model_that_is_down_is_a_warning_and_the_file_is_found_by_its_other_words(parts):
    save_docx(parts.docs / "a.docx")
    parts.model.said = ""
    report = parts.ingest()
    assert report.added == 1 and [w.code for w in report.warnings] == ["caption_failed"]
    [chunk] = parts.figure_chunks()
    assert chunk.text == f"{CAPTION}\nBars of three heights"
    parts.model.said = "Three bars."
    parts.ingestor._engine._describer._quiet_until = 0.0
    assert parts.ingest(force=True).updated == 1
    assert parts.figure_chunks()[0].text.endswith("Three bars.")


@pytest.mark.parametrize("part", ["figures", "images"])
def test_verify_sees_what_is_missing_and_makes_it_again(parts, part):
    save_docx(parts.docs / "a.docx")
    parts.ingest()
    [row] = parts.ingestor.list("c")
    if part == "figures":
        next(parts.paths.figures.glob("*/*/*")).write_bytes(b"other bytes")
    else:
        parts.images.remove_documents("c", [row.document_id])
    [fault] = parts.ingestor.verify().faults
    assert (fault.kind, fault.part, fault.document_id) == ("missing", part, row.document_id)
    assert parts.ingestor.verify(repair=True).is_sound
    assert parts.ingestor.verify().faults == []


def test_verify_removes_pictures_of_no_document(parts):
    save_docx(parts.docs / "a.docx")
    parts.ingest()
    place = next(parts.paths.figures.glob("*/*"))
    stray = place.with_name("e" * 64)
    stray.mkdir()
    (stray / parts.kept()[0]).write_bytes(next(place.iterdir()).read_bytes())
    [fault] = parts.ingestor.verify(repair=True).faults
    assert (fault.kind, fault.part, fault.repaired) == ("orphan", "figures", True) and not stray.exists()


def test_a_new_version_and_a_deletion_leave_nothing_of_the_old_one(parts):
    path = save_docx(parts.docs / "a.docx")
    parts.ingest()
    [old] = parts.ingestor.list("c")
    name = parts.kept()[0]
    save_docx(path, encoded(chart("OTHER WORDS")))
    assert parts.ingest().updated == 1
    assert len(parts.kept()) == 1 and parts.kept() != [name]
    assert old.document_id not in parts.images.count_images("c")
    with pytest.raises(NotFoundError):
        parts.figures.read("c", old.document_id, name)
    assert parts.ingestor.delete("c", str(path))
    assert parts.kept() == [] and parts.images.count_images("c") == {}
    assert parts.ingestor.verify().is_sound


def test_other_readers_get_the_pictures_and_the_former_ones_lose_them(parts):
    save_docx(parts.docs / "a.docx")
    parts.ingest()
    assert parts.ingest("hr").updated == 1
    [row] = parts.ingestor.list("c")
    hr = Scope("c", frozenset({"hr"}))
    assert parts.figure_chunks() == [] and len(parts.figure_chunks(hr)) == 1
    assert parts.images.count_images("c") == {row.document_id: 1} == parts.figures.count_figures("c")
    assert parts.images.search(SCOPE, "blue", 5)[0] == []
    assert parts.ingestor.verify().is_sound


@pytest.mark.parametrize("after_s", [0.0, 0.15])
def test_a_kill_leaves_every_picture_once_after_the_next_run(tmp_path, after_s):
    (tmp_path / "docs").mkdir()
    for at in range(8):
        save_docx(tmp_path / "docs" / f"{at}.docx", encoded(chart(f"CHART {at}")))
    code = f"from tests.ingest.test_figures_in_milvus import *; ingest_and_tell(Path({str(tmp_path)!r}))"
    child = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    child.stdout.readline()  # the first is done, others are on their way
    time.sleep(after_s)
    child.kill()
    child.communicate(timeout=60)
    parts = open_parts(tmp_path)
    try:
        parts.ingest()
        rows = parts.ingestor.list("c")
        assert len(rows) == 8 and len(parts.kept()) == 8 == len(set(parts.kept()))
        once = {row.document_id: 1 for row in rows}
        assert parts.images.count_images("c") == once == parts.figures.count_figures("c")
        assert parts.ingestor.verify().faults == []
    finally:
        parts.close()
