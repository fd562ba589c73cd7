"""The sample library through the real parsers and ledger into the real Milvus Lite."""

import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]


class HashEmbedder:
    """Vectors from character pairs: no model, the same text always gives the same vector."""

    dimensions = 64
    fingerprint = "hash-64"

    def embed_query(self, text):
        return self.embed_documents([text])[0]

    def embed_documents(self, texts):
        rows = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for pair in zip(text, text[1:], strict=False):
                digest = hashlib.blake2b("".join(pair).encode(), digest_size=2).digest()
                row[int.from_bytes(digest) % self.dimensions] += 1
            row /= np.linalg.norm(row) or 1.0
        return rows

    def count_tokens(self, text):
        return sum(2 if ord(c) > 0x2E80 else 1 for c in text) // 2 + 1


def ingest_samples(data: Path) -> None:
    """What the child process of the kill test runs."""
    ingestor, store, _ = open_parts(data)
    from ingest.pipeline import IngestRequest

    ingestor.ingest(
        [ROOT / "samples" / "library"], IngestRequest("default"), lambda p: print(p.uri, flush=True)
    )
    ingestor.close()
    store.close()


def open_parts(data: Path, **policy):
    from sqlalchemy import create_engine

    from core.paths import DataPaths
    from core.settings import IngestSettings, MilvusSettings
    from ingest.document_index import DocumentIndex
    from ingest.figure_store import FigureStore
    from ingest.isolation import ProcessParserRunner
    from ingest.kept_lines import KeptLines
    from ingest.ledger import Ledger
    from ingest.originals import Originals
    from ingest.pipeline import Ingestor
    from ingest.table_store import TableStore
    from retrieval.index import ChunkIndex
    from retrieval.lexical import Lexicon
    from retrieval.store import open_store
    from retrieval.token_vectors import TokenVectors

    paths = DataPaths(data)
    paths.create()
    store = open_store(MilvusSettings(), paths)
    engine = create_engine(f"sqlite:///{paths.ledger}")
    index = ChunkIndex(store, HashEmbedder(), Lexicon(engine), TokenVectors(engine, HashEmbedder), False)
    runner = ProcessParserRunner(timeout_s=120, memory_mb=2048)
    ledger = Ledger(paths.ledger)
    documents = DocumentIndex(index, TableStore(paths.tables), KeptLines(engine), FigureStore(paths.figures))
    settings = IngestSettings(**policy)
    return Ingestor(ledger, documents, Originals(paths.originals), settings, runner), store, index


def start(data: Path, after_files: int | None) -> int:
    """Runs an ingest in a process; kill -9 once that many files are done."""
    code = f"from tests.ingest.test_samples_in_milvus import *; ingest_samples(Path({str(data)!r}))"
    process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    for seen, _ in enumerate(process.stdout, start=1):
        if seen == after_files:
            process.kill()
            break
    process.stdout.close()
    return process.wait(timeout=120)


def test_a_kill_in_the_middle_and_a_second_run_leave_every_file_once(tmp_path):
    assert start(tmp_path / "data", after_files=5) == -9
    assert start(tmp_path / "data", after_files=None) == 0
    ingestor, store, index = open_parts(tmp_path / "data")
    try:
        rows = ingestor.list("default")
        files = [p for p in (ROOT / "samples" / "library").iterdir() if p.is_file()]
        assert len(rows) == len(files)
        assert index.count_chunks("default") == {row.document_id: row.chunks for row in rows}
    finally:
        ingestor.close()
        store.close()
