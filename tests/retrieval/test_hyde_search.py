"""A hypothetical passage beside the question: one more dense search, under the same conditions."""

import numpy as np
import pytest
from sqlalchemy import create_engine

from core.conditions import OfDocuments
from core.settings import RetrievalSettings
from core.types import Chunk, Hit, Scope, Stage
from retrieval.candidates import gather_candidates
from retrieval.lexical import Lexicon
from retrieval.rerankers.fused_order import FusedOrder
from retrieval.retriever import Retriever

ANN = Scope("default", frozenset({"ann"}))
TEXTS = ["the pump runs dry", "lunch opens at noon", "keys are lost", "the warranty lasts two years"]


class TwoWays:
    """An embedder that points questions along one axis and passages along another."""

    dimensions, fingerprint, language_gap = 2, "two-ways", 0.0

    def __init__(self) -> None:
        self.passages: list[str] = []

    def embed_query(self, text):
        return np.array([1, 0], np.float32)

    def embed_documents(self, texts):
        self.passages += texts
        return np.array([[0, 1]] * len(texts), np.float32)


class TwoShelves:
    """Finds the first texts for a question and the last ones for a passage; keeps the calls."""

    def __init__(self) -> None:
        self.calls = []

    def check_embedder(self, collection, fingerprint):
        """Any will do."""

    def search_dense(self, scope, vector, limit, where=()):
        self.calls.append((scope, list(where)))
        places = [0, 1] if vector[0] else [3, 0]
        chunks = [Chunk(f"c{at}", "d", at, TEXTS[at], "", "") for at in places]
        return [Hit(c, 0.9 - n / 10, Stage.DENSE, {"dense": n + 1}) for n, c in enumerate(chunks)]

    def search_lexical(self, scope, vector, limit, where=()):
        return []


def searched(passage: str, **more):
    """The result, the store and the embedder of one search."""
    store, embedder = TwoShelves(), TwoWays()
    settings = RetrievalSettings(reranker="none", rerank_limit=0)
    retriever = Retriever(store, embedder, Lexicon(create_engine("sqlite://")), FusedOrder(), settings)
    return retriever.search("how long is it covered", ANN, 10, passage=passage, **more), store, embedder


def test_what_resembles_the_passage_is_a_candidate_too():
    result, store, embedder = searched("The\nwarranty lasts  two years.")
    assert {hit.chunk.id for hit in result.hits} == {"c0", "c1", "c3"}
    assert embedder.passages == ["The warranty lasts two years."]
    ranks = {hit.chunk.id: hit.ranks for hit in result.hits}
    assert ranks["c3"]["hyde"] == 1 and "dense" not in ranks["c3"] and ranks["c0"]["hyde"] == 2
    assert result.notes == ("hyde: searched with a hypothetical passage too",)
    assert result.timings_ms.keys() >= {"dense", "hyde"}
    assert {hit.chunk.text for hit in result.hits} <= set(TEXTS)


def test_the_passage_is_searched_with_as_the_same_reader_under_the_same_conditions():
    where = [OfDocuments(("d",))]
    _, store, _ = searched("The warranty lasts two years.", where=where)
    assert store.calls == [(ANN, where), (ANN, where)]


@pytest.mark.parametrize("passage", ["", " \n", "…!?"])
def test_without_a_passage_nothing_changes(passage):
    result, store, embedder = searched(passage)
    assert len(store.calls) == 1 and embedder.passages == [] and result.notes == ()
    assert all("hyde" not in hit.ranks for hit in result.hits)


def test_both_cosines_count_alike():
    chunks = {name: Chunk(name, "d", 0, "the pump", "", "") for name in "abc"}

    def hits(scores):
        return [Hit(chunks[name], score, Stage.DENSE, {}) for name, score in scores.items()]

    dense = hits({"a": 0.90, "b": 0.89, "c": 0.80})
    likely = hits({"b": 0.95, "c": 0.80, "a": 0.79})
    alone = gather_candidates("en", dense, [], {})
    both = gather_candidates("en", dense, [], {}, likely)
    assert [h.chunk.id for h in alone.fused()] == ["a", "b", "c"]
    assert both.fused()[0].chunk.id == "b"
    assert both.semantic["b"] > both.semantic["a"] > both.semantic["c"]
