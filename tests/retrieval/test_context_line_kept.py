"""A context line in the real store: found by its words, kept by a rebuild, shown to nobody."""

import json
from dataclasses import replace

import pytest
from sqlalchemy import create_engine

from core.paths import DataPaths
from core.settings import MilvusSettings, RetrievalSettings
from core.types import Chunk, Document, Scope, chunk_id
from retrieval import schema
from retrieval.index import ChunkIndex
from retrieval.lexical import Lexicon
from retrieval.rerankers.fused_order import FusedOrder
from retrieval.retriever import Retriever
from retrieval.store import open_store
from retrieval.token_vectors import TokenVectors
from tests.ingest.test_samples_in_milvus import HashEmbedder

SCOPE = Scope("default")
DOCUMENT = Document("d1", "file:///a", "Report", "text/plain", 1, "default")
TEXTS = ("It has forty people on its payroll.", "Lunch is served at noon.", "Keys are kept at the desk.")
LINE = "About the staff of Acme in Bergen."


class PlainHash(HashEmbedder):
    """As it stands in the samples' test, and no gap between languages."""

    language_gap = 0.0


def chunks() -> list[Chunk]:
    made = [
        Chunk(chunk_id("d1", n), "d1", n, text, "Report", "file:///a", ("h",)) for n, text in enumerate(TEXTS)
    ]
    return [replace(made[0], context_line=LINE), *made[1:]]


@pytest.fixture(params=[0, 1000], ids=["asked of Milvus", "in memory"])
def parts(tmp_path, request):
    """A store, an index and a retriever over one folder."""
    paths = DataPaths(tmp_path)
    paths.create()
    store = open_store(MilvusSettings(mirror_chunks=request.param), paths)
    engine = create_engine(f"sqlite:///{paths.ledger}")
    lexicon = Lexicon(engine)
    index = ChunkIndex(store, PlainHash(), lexicon, TokenVectors(engine, PlainHash), False)
    index.open_collection("default")
    settings = RetrievalSettings(reranker="none", rerank_limit=0)
    yield index, Retriever(store, PlainHash(), lexicon, FusedOrder(), settings), store
    store.close()


def test_a_line_is_found_by_its_words_and_stays_with_its_chunk(parts):
    index, retriever, store = parts
    index.write_document(DOCUMENT, chunks())
    [first, *_] = store.search_lexical(SCOPE, retriever._lexicon.encode_query("default", "Bergen"), 5)
    assert first.chunk == chunks()[0]
    before = store.search_dense(SCOPE, PlainHash().embed_query(LINE), 1)[0]
    assert before.chunk.context_line == LINE
    index.reembed("default", lambda done, total: None)
    again = store.search_dense(SCOPE, PlainHash().embed_query(LINE), 1)[0]
    assert again.chunk == before.chunk and again.score == pytest.approx(before.score)
    assert retriever.search("Who works in Bergen?", SCOPE, 1).hits[0].chunk.text == TEXTS[0]


def test_a_copy_keeps_the_line(parts):
    index, _, store = parts
    index.write_document(DOCUMENT, chunks())
    index.copy_document(replace(DOCUMENT, id="d2", uri="file:///b"), "d1")
    lines = {c.document_id: c.context_line for c in store.find_chunks(SCOPE, [], 9) if c.order == 0}
    assert lines == {"d1": LINE, "d2": LINE}


def test_chunks_without_a_line_are_stored_as_before():
    [lined, plain, _] = chunks()
    assert schema._place(plain) == '["h"]'
    assert json.loads(schema._place(lined)) == {"path": ["h"], "context_line": LINE}
    assert schema._read_place('["h"]') == (("h",), "") and schema._read_place("[]") == ((), "")
