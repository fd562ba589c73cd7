"""What the ingestion tests share: an ingestor over temporary folders."""

from pathlib import Path

import pytest

from core.errors import FileError
from core.settings import IngestSettings
from ingest.ledger import Ledger
from ingest.originals import Originals
from ingest.parsing import DirectParserRunner
from ingest.pipeline import Ingestor
from tests.ingest.folder_index import FolderIndex


class SlowRunner:
    """Each file takes too long."""

    def parse(self, path, media_type):
        raise FileError("it took too long", code="parse_timeout", retryable=True)

    def close(self):
        pass


class Bench:
    """An ingestor with its parts in reach; `restart` opens the same folders anew."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.docs = folder / "docs"
        self.docs.mkdir()
        self.settings = IngestSettings(chunk_tokens=60, overlap_tokens=0)
        self.restart()

    def restart(self, fingerprint: str = "fake-1", runner=None, **settings) -> None:
        self.settings = self.settings.model_copy(update=settings)
        self.index = FolderIndex(self.folder / "index", fingerprint)
        self.ledger = Ledger(self.folder / "attest.db")
        self.originals = Originals(self.folder / "originals")
        runner = runner or DirectParserRunner()
        self.ingestor = Ingestor(self.ledger, self.index, self.originals, self.settings, runner)

    def write(self, name: str, text: str) -> Path:
        path = self.docs / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def kept(self) -> int:
        return sum(p.is_file() for p in (self.folder / "originals").rglob("*"))


@pytest.fixture
def bench(tmp_path):
    made = Bench(tmp_path)
    yield made
    made.ingestor.close()
