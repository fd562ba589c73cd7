"""Graphs of documents in the real Milvus Lite: they come, change and go with their documents, also
when the process is killed, and `verify` tells where one is missing."""

import json
import subprocess
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from app.chat_models import connect_chat
from core.chat import OpenAIChatModel
from core.paths import DataPaths
from core.settings import IngestSettings, MilvusSettings
from core.types import Scope
from ingest.document_index import DocumentIndex
from ingest.entities.graphs import DocumentGraphs
from ingest.entities.model import BY_RULES, ModelExtractor
from ingest.entities.rules import RuleExtractor
from ingest.figure_store import FigureStore
from ingest.kept_lines import KeptLines
from ingest.ledger import Ledger
from ingest.originals import Originals
from ingest.parsing import DirectParserRunner
from ingest.pipeline import Ingestor, IngestRequest
from ingest.table_store import TableStore
from retrieval.graph.index import ENTITY_PREFIX, RELATION_PREFIX, GraphIndex
from retrieval.graph.reader import GraphReader
from retrieval.index import ChunkIndex
from retrieval.lexical import Lexicon
from retrieval.store import MilvusStore, open_beside, open_store
from retrieval.token_vectors import TokenVectors
from tests.contracts.chat_server import ChatServerStandIn
from tests.ingest.test_samples_in_milvus import HashEmbedder

ROOT = Path(__file__).resolve().parents[2]
OLD = "Acme Robotics supplies the TM-20L. Acme Robotics is based in Oslo."
NEW = "Nordwind GmbH supplies the TM-30. Nordwind GmbH is based in Bergen."


@dataclass
class Parts:
    docs: Path
    store: MilvusStore
    graph: GraphIndex
    reader: GraphReader
    ingestor: Ingestor

    def ingest(self, *readers: str, **more):
        return self.ingestor.ingest([self.docs], IngestRequest("c", readers or ("everyone",), **more))

    def names(self, *readers: str) -> list[str]:
        asked = "Acme Robotics, Oslo, TM-20L, Nordwind GmbH, Bergen, TM-30"
        return [e.name for e in self.reader.named_in(Scope("c", frozenset(readers)), asked)]

    def close(self) -> None:
        self.ingestor.close()
        self.store.close()


def open_parts(folder: Path, entities: str = "rules", server: ChatServerStandIn | None = None) -> Parts:
    """With `entities` model those of the server's chat model."""
    from sqlalchemy import create_engine

    paths, docs = DataPaths(folder / "data"), folder / "docs"
    paths.create()
    docs.mkdir(exist_ok=True)
    store = open_store(MilvusSettings(), paths)
    engine = create_engine(f"sqlite:///{paths.ledger}")
    chunks = ChunkIndex(store, HashEmbedder(), Lexicon(engine), TokenVectors(engine, HashEmbedder), False)
    stores = open_beside(store, ENTITY_PREFIX), open_beside(store, RELATION_PREFIX)
    graph = GraphIndex(*stores, HashEmbedder())
    replies, extractor = KeptLines(engine, of_entities=True), RuleExtractor() if entities == "rules" else None
    if server is not None:
        chat = OpenAIChatModel(server.base_url, "m", timeout_s=60)
        extractor = ModelExtractor(partial(connect_chat, lambda: chat), "m", replies, 1)
    graphs = DocumentGraphs(graph, extractor, replies)
    tables, figures = TableStore(paths.tables), FigureStore(paths.figures)
    ingestor = Ingestor(
        Ledger(paths.ledger),
        DocumentIndex(chunks, tables, KeptLines(engine), figures, None, graphs),
        Originals(paths.originals),
        IngestSettings(workers=1, entities=entities),
        DirectParserRunner(),
    )
    return Parts(docs, store, graph, GraphReader(*stores, HashEmbedder()), ingestor)


@pytest.fixture
def parts(tmp_path):
    made = open_parts(tmp_path)
    yield made
    made.close()


def test_a_graph_comes_changes_and_goes_with_its_document(parts):
    file = parts.docs / "a.md"
    file.write_text(OLD, encoding="utf-8")
    assert parts.ingest().added == 1 and parts.names() == ["Acme Robotics", "Oslo", "TM-20L"]
    file.write_text(NEW, encoding="utf-8")
    assert parts.ingest().updated == 1 and parts.names() == ["Nordwind GmbH", "Bergen", "TM-30"]
    assert parts.ingestor.verify().is_sound and len(parts.graph.count_graphs("c")) == 1
    parts.ingestor.delete("c", file.resolve().as_posix())
    assert parts.names() == [] and parts.graph.count_graphs("c") == {}
    assert parts.ingestor.verify().is_sound


def test_readers_of_a_document_are_those_of_its_graph(parts):
    (parts.docs / "a.md").write_text(OLD, encoding="utf-8")
    parts.ingest("board")
    assert parts.names() == parts.names("sales") == [] and len(parts.names("board")) == 3
    parts.ingest("sales")
    assert parts.names() == parts.names("board") == [] and len(parts.names("sales")) == 3
    assert parts.ingestor.verify().is_sound


def test_verify_tells_of_a_graph_that_is_missing_or_nobodys_and_mends_both(parts):
    (parts.docs / "a.md").write_text(OLD, encoding="utf-8")
    parts.ingest()
    [row] = parts.ingestor.list("c")
    parts.graph.copy_document(_version("f" * 64), row.document_id)
    parts.graph.remove_documents("c", [row.document_id])
    faults = parts.ingestor.verify().faults
    assert {(f.kind, f.part, f.document_id) for f in faults} == {
        ("missing", "graphs", row.document_id),
        ("orphan", "graphs", "f" * 64),
    }
    assert parts.ingestor.verify(repair=True).is_sound and parts.ingestor.verify().faults == []
    assert parts.names() == ["Acme Robotics", "Oslo", "TM-20L"]


def test_files_are_read_again_when_graphs_are_switched_on_and_rebuilding_makes_them_anew(tmp_path):
    parts = open_parts(tmp_path, "off")
    (parts.docs / "a.md").write_text(OLD, encoding="utf-8")
    assert parts.ingest().added == 1 and parts.ingest().skipped == 1 and parts.names() == []
    parts.close()
    parts = open_parts(tmp_path)
    assert parts.ingest().updated == 1 and len(parts.names()) == 3 and parts.ingest().skipped == 1
    parts.graph.drop_collection("c")
    parts.ingestor.rechunk("c")
    assert len(parts.names()) == 3 and parts.ingestor.verify().is_sound
    parts.close()


def test_a_model_reads_the_entities_and_what_it_said_goes_with_its_document(tmp_path):
    """Rules before; a server that fails at first; one that answers; and off again."""
    said = {
        "entities": [{"name": "Acme Robotics", "kind": "organisation"}, {"name": "TM-20L", "kind": "product"}],
        "relations": [{"source": "TM-20L", "kind": "belongs to", "target": "Acme Robotics", "sentence": 1}],
    }
    server = ChatServerStandIn(lambda asked: 400)
    file = tmp_path / "docs" / "a.md"
    parts = open_parts(tmp_path)
    file.write_text(OLD, encoding="utf-8")
    assert parts.ingest().added == 1 and len(parts.names()) == 3
    parts.close()
    parts = open_parts(tmp_path, "model", server)
    report = parts.ingest()
    assert (report.updated, [warning.code for warning in report.warnings]) == (1, [BY_RULES])
    assert len(parts.names()) == 3 and parts.ingest().skipped == 1
    server.reply = lambda asked: json.dumps(said)
    report = parts.ingest(force=True)
    assert report.warnings == [] and parts.names() == ["Acme Robotics", "TM-20L"]
    [told] = parts.reader.relations_of(Scope("c"), ["acme robotics"])
    assert (told.source, told.kind, told.target) == ("tm20l", "belongs to", "acme robotics")
    asked = len(server.requests)
    parts.ingestor.rechunk("c")
    assert len(server.requests) == asked and parts.ingestor.verify().is_sound
    parts.close()
    parts = open_parts(tmp_path)
    assert [(f.kind, f.part) for f in parts.ingestor.verify().faults] == [("leftover", "replies")]
    parts.ingestor.verify(repair=True)
    assert parts.ingestor.verify().faults == []
    parts.close()
    parts = open_parts(tmp_path, "model", server)
    parts.ingest(force=True)
    assert len(parts.ingestor._index.documents_with_replies("c")) == 1
    parts.ingestor.delete("c", file.resolve().as_posix())
    assert parts.ingestor._index.documents_with_replies("c") == set() and len(server.requests) == asked + 1
    parts.close()
    server.close()


def _version(document_id: str):
    from core.types import Document

    return Document(document_id, "/x", "x", "", 1, "c")


def ingest_and_tell(folder: Path) -> None:
    """What the child process of the kill test runs."""
    parts = open_parts(folder)
    parts.ingestor.ingest([parts.docs], IngestRequest("c"), lambda p: print(p.uri, flush=True))
    parts.close()


@pytest.mark.slow
@pytest.mark.parametrize("after", [1, 4])
def test_a_kill_in_the_middle_leaves_each_graph_once_after_the_next_run(tmp_path, after):
    parts = open_parts(tmp_path)
    for at in range(6):
        (parts.docs / f"{at}.md").write_text(f"{OLD} It was told in report R{at}-2020.", encoding="utf-8")
    parts.close()
    code = f"from tests.ingest.test_graphs_in_milvus import *; ingest_and_tell(Path({str(tmp_path)!r}))"
    process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    for seen, _ in enumerate(process.stdout, start=1):
        if seen == after:
            process.kill()
            break
    process.stdout.close()
    process.wait(timeout=120)
    parts = open_parts(tmp_path)
    parts.ingest()
    assert parts.ingestor.verify().is_sound and set(parts.graph.count_graphs("c").values()) == {1}
    [acme] = parts.reader.named_in(Scope("c"), "Acme Robotics")
    assert acme.chunks == 6 == len(acme.records)
    parts.close()
