"""What a search makes of its reranker: whose order counts, and what it says when time ran out."""

import numpy as np
import pytest
from sqlalchemy import create_engine

from core.settings import RetrievalSettings
from core.types import Chunk, Hit, Scope, Stage
from retrieval.lexical import Lexicon
from retrieval.rerankers.fused_order import FusedOrder
from retrieval.rerankers.ranking import rank_hits
from retrieval.retriever import Retriever

SCOPE = Scope("default")
TEXTS = ["the pump runs dry", "lunch opens at noon", "保修期为两年", "the warranty lasts", "keys are lost"]


class FixedStore:
    """The dense leg finds all texts in their order; the lexical leg finds none."""

    def check_embedder(self, collection, fingerprint):
        """Any will do."""

    def search_dense(self, scope, vector, limit, where=()):
        chunks = [Chunk(f"c{i}", "d", i, text, "", "") for i, text in enumerate(TEXTS)]
        return [Hit(c, 0.9 - c.order / 20, Stage.DENSE, {"dense": c.order + 1}) for c in chunks[:limit]]

    def search_lexical(self, scope, vector, limit, where=()):
        return []


class PlainEmbedder:
    """One vector for all; `language_gap` as given."""

    dimensions, fingerprint = 4, "plain-4"

    def __init__(self, language_gap: float = 0.0) -> None:
        self.language_gap = language_gap

    def embed_query(self, text):
        return np.ones(4, np.float32) / 2


class ByScore:
    """Gives each chunk the score of its place, to as many as it has time for."""

    def __init__(self, scores, reach=None) -> None:
        self.scores, self.reach = scores, reach

    def rerank(self, question, hits):
        reach = len(hits) if self.reach is None else self.reach
        scores = [self.scores[hit.chunk.order] for hit in hits[:reach]]
        return [*rank_hits(hits[:reach], scores), *hits[reach:]]


def search(ranker, language_gap=0.0, **settings):
    """A search for something that no text shares a word with."""
    lexicon = Lexicon(create_engine("sqlite://"))
    settings = RetrievalSettings(**settings)
    retriever = Retriever(FixedStore(), PlainEmbedder(language_gap), lexicon, ranker, settings)
    return retriever.search("quarterly figures", SCOPE, 10)


def order(result) -> list[int]:
    return [hit.chunk.order for hit in result.hits]


def test_in_time_nothing_is_said():
    result = search(ByScore([0.1, 0.2, 0.3, 0.4, 0.5]))
    assert order(result) == [4, 3, 2, 1, 0] and result.notes == ()


@pytest.mark.parametrize(
    ("reach", "expected"), [(0, [0, 1, 2, 3, 4]), (2, [1, 0, 2, 3, 4]), (4, [3, 2, 1, 0, 4])]
)
def test_what_was_not_reached_stays_behind_in_the_fused_order(reach, expected):
    result = search(ByScore([0.1, 0.2, 0.3, 0.4, 0.5], reach), rerank_budget_ms=50)
    assert order(result) == expected
    assert result.notes == (f"rerank: over budget, {reach} of 5 hits",)
    assert [hit.stage for hit in result.hits] == [Stage.RERANKED] * reach + [Stage.FUSED] * (5 - reach)
    scores = [hit.score for hit in result.hits]
    assert scores == sorted(scores, reverse=True)
    assert [hit.ranks.get("reranked") for hit in result.hits[:reach]] == list(range(1, reach + 1))


@pytest.mark.parametrize("scores", [[-9, -3, -7, -5, -8], [0.01, 0.99, 0.02, 0.03, 0.015]])
def test_scores_of_another_model_keep_their_order_in_the_unit_of_the_search(scores):
    result = search(ByScore(scores), reranker="cross-encoder")
    assert order(result) == sorted(range(5), key=lambda at: -scores[at])
    assert 0.5 < min(hit.score for hit in result.hits) <= max(hit.score for hit in result.hits) < 1.1


def test_without_a_reranker_hits_keep_stage_and_score():
    result = search(FusedOrder(), rerank_limit=0)
    assert order(result) == [0, 1, 2, 3, 4] and result.notes == ()
    assert {hit.stage for hit in result.hits} == {Stage.FUSED} and result.hits[0].score == pytest.approx(0.9)


def test_the_tail_beyond_the_limit_stays_behind():
    result = search(ByScore([0.1, 0.2, 0.3, 0.4, 0.5]), rerank_limit=3)
    assert order(result) == [2, 1, 0, 3, 4] and result.notes == ()


def test_missing_token_vectors_are_not_called_a_budget():
    note = search(ByScore([0.1, 0.2, 0.3, 0.4, 0.5], 2)).notes[0]
    assert note == "rerank: token vectors missing, 2 of 5 hits; run: attest rebuild --embed-only"
