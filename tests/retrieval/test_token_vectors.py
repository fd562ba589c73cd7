"""Token vectors on disk: found by text, kept by document, never those of another model."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine
from sqlalchemy.pool import StaticPool

from core.errors import ModelFileError
from core.types import Chunk
from retrieval.token_vectors import TokenVectors


class Counting:
    """Tokens are characters; counts the texts that it encodes."""

    fingerprint, token_gap = "f", 0.0

    def __init__(self, token_fingerprint: str = "t1") -> None:
        self.token_fingerprint = token_fingerprint
        self.encoded: list[str] = []

    def embed_documents_and_tokens(self, texts):
        self.encoded += texts
        tables = [np.array([[ord(c) % 128, 1, 2] for c in text], np.int8).reshape(-1, 3) for text in texts]
        return np.ones((len(texts), 2), np.float32), tables


@pytest.fixture
def engine():
    return create_engine("sqlite://", poolclass=StaticPool)


def put(vectors, collection: str, document: str, texts, model) -> None:
    chunks = [Chunk(f"{document}-{at}", document, at, text, "", "") for at, text in enumerate(texts)]
    vectors.write_chunks(collection, chunks, texts, model.embed_documents_and_tokens(list(texts))[1])


def written(engine, *texts: str, document="d", model=None) -> TokenVectors:
    model = model or Counting()
    vectors = TokenVectors(engine, lambda: model)
    put(vectors, "c", document, texts, model)
    return vectors


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=30), unique=True, max_size=8))
def test_what_was_written_is_read_as_it_was(texts):
    vectors = written(create_engine("sqlite://", poolclass=StaticPool), *texts)
    found = vectors.kept([*texts, "and one that was not written \x00"])
    assert found.keys() == set(texts)
    for text, table in zip(texts, Counting().embed_documents_and_tokens(texts)[1], strict=True):
        np.testing.assert_array_equal(found[text], table)


def test_without_rows_nothing_is_kept(engine):
    vectors = TokenVectors(engine, Counting)
    vectors.write_chunks("c", [Chunk("d-0", "d", 0, "one", "", "")], ["one"], [])
    assert vectors.kept(["one"]) == {}


def test_removed_documents_and_collections_are_gone_and_others_stay(engine):
    vectors = written(engine, "one")
    written(engine, "two", document="e")
    put(vectors, "other", "d", ["one"], Counting())
    vectors.remove_document("c", "d")
    assert vectors.kept(["one", "two"]).keys() == {"one", "two"}  # the other collection's
    vectors.drop_collection("other")
    assert vectors.kept(["one", "two"]).keys() == {"two"}


def test_another_model_finds_nothing_of_the_first(engine):
    written(engine, "one")
    other = Counting("t2")
    vectors = TokenVectors(engine, lambda: other)
    assert vectors.kept(["one"]) == {}
    vectors.encode(["one"])
    assert vectors.kept(["one"]).keys() == {"one"} and other.encoded == ["one"]


def test_single_chunks_are_replaced_where_they_stand(engine):
    vectors = written(engine, "one", "two")
    chunk = Chunk("d-1", "d", 1, "new", "", "")
    vectors.write_chunks("c", [chunk], ["new"], Counting().embed_documents_and_tokens(["new"])[1])
    assert vectors.kept(["one", "two", "new"]).keys() == {"one", "new"}


def test_removing_needs_no_model(engine):
    def load():
        raise ModelFileError("no weights", remedy="")

    vectors = TokenVectors(engine, load)
    vectors.remove_document("c", "d")
    vectors.drop_collection("c")
