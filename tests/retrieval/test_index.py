"""The write path: what is removed leaves no token vectors behind, whatever is set today."""

import numpy as np
import pytest
from sqlalchemy import create_engine
from sqlalchemy.pool import StaticPool

from core.types import Chunk, Document
from retrieval.index import CHUNKS_AT_ONCE, ChunkIndex
from retrieval.lexical import Lexicon
from retrieval.token_vectors import TokenVectors

TEXTS = [f"text number {at}" for at in range(CHUNKS_AT_ONCE + 3)]
CHUNKS = [Chunk(f"d-{at}", "d", at, text, "", "") for at, text in enumerate(TEXTS)]
DOCUMENT = Document("d", "a.txt", "", "text/plain", 1, "c")


class OneVector:
    """An embedder of both kinds; counts the passes."""

    dimensions, fingerprint, token_fingerprint, language_gap, token_gap = 2, "f", "t", 0.0, 0.0

    def __init__(self) -> None:
        self.passes: list[str] = []

    def embed_documents(self, texts):
        self.passes.append("vectors")
        return np.ones((len(texts), 2), np.float32)

    def embed_documents_and_tokens(self, texts):
        self.passes.append("both")
        return np.ones((len(texts), 2), np.float32), [np.ones((1, 3), np.int8)] * len(texts)


class RowStore:
    """Keeps the rows that it was given."""

    def __init__(self) -> None:
        self.rows = {}

    def upsert(self, collection, rows):
        self.rows.update({row.chunk.id: row for row in rows})

    def delete_documents(self, collection, document_ids):
        return len([self.rows.pop(i) for i in list(self.rows)])


@pytest.fixture
def engine():
    return create_engine("sqlite://", poolclass=StaticPool)


def opened(engine, keeps_tokens=True):
    model, store = OneVector(), RowStore()
    tokens = TokenVectors(engine, lambda: model)
    return ChunkIndex(store, model, Lexicon(engine), tokens, keeps_tokens), tokens, model, store


def test_one_pass_gives_vectors_and_token_vectors(engine):
    index, tokens, model, store = opened(engine)
    index.write_document(DOCUMENT, CHUNKS)
    assert model.passes == ["both"] * 2 and len(store.rows) == len(TEXTS)
    assert tokens.kept(TEXTS).keys() == set(TEXTS)
    index.write_document(DOCUMENT, CHUNKS[:2])
    assert tokens.kept(TEXTS).keys() == set(TEXTS[:2])


def test_where_none_are_kept_old_ones_still_go_with_their_document(engine):
    opened(engine)[0].write_document(DOCUMENT, CHUNKS)
    index, tokens, model, _ = opened(engine, keeps_tokens=False)
    index.write_document(DOCUMENT, CHUNKS)
    assert model.passes == ["vectors"] * 2 and tokens.kept(TEXTS) == {}
    opened(engine)[0].write_document(DOCUMENT, CHUNKS)
    index.remove_document("c", "d")
    assert tokens.kept(TEXTS) == {}
