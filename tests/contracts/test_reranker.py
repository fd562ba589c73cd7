"""The contract of `Reranker`: the same hits, best first, none added or lost."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from core.seams import Reranker
from core.types import Chunk, Hit, Stage
from retrieval.rerank import CACHED_CHUNKS, FusedOrder, LateInteractionReranker, max_sim


class LetterTokens:
    """A token embedder whose tokens are letters: equal letters have cosine 1."""

    def __init__(self) -> None:
        self.texts_seen = 0

    def embed_tokens(self, texts):
        self.texts_seen += len(texts)
        return [np.eye(128, dtype=np.float32)[[ord(c) % 128 for c in text if c.isalpha()]] for text in texts]


def hits(*texts: str) -> list[Hit]:
    """Fused hits with those texts."""
    return [
        Hit(Chunk(f"c{i}", "d", i, text, "", ""), 1.0 - i / 10, Stage.FUSED, {"fused": i + 1})
        for i, text in enumerate(texts)
    ]


class RerankerContract:
    """What every reranker must do."""

    def test_none_is_added_or_lost(self, reranker: Reranker):
        given = hits("abc", "", "xyz", "abc")
        ranked = reranker.rerank("abc", given)
        assert sorted(h.chunk.id for h in ranked) == sorted(h.chunk.id for h in given)
        assert [h.ranks["reranked"] for h in ranked] == [1, 2, 3, 4]
        assert all(h.stage is Stage.RERANKED and "fused" in h.ranks for h in ranked)
        scores = [h.score for h in ranked]
        assert scores == sorted(scores, reverse=True)

    def test_nothing_gives_nothing(self, reranker: Reranker):
        assert reranker.rerank("abc", []) == []


class TestFusedOrder(RerankerContract):
    """The one that leaves the order."""

    @pytest.fixture
    def reranker(self):
        return FusedOrder()


class TestLateInteraction(RerankerContract):
    """MaxSim over token vectors."""

    @pytest.fixture
    def reranker(self):
        return LateInteractionReranker(LetterTokens())

    def test_the_text_that_holds_all_letters_comes_first(self, reranker):
        ranked = reranker.rerank("abc", hits("xyz", "ab", "cab"))
        assert [h.chunk.text for h in ranked] == ["cab", "ab", "xyz"]
        assert ranked[0].score == pytest.approx(1, abs=0.01)

    def test_a_chunk_is_encoded_once_and_the_cache_stays_bounded(self):
        letters = LetterTokens()
        reranker = LateInteractionReranker(letters)
        reranker.rerank("abc", hits("x", "y"))
        before = letters.texts_seen
        reranker.rerank("abc", hits("x", "y"))
        assert letters.texts_seen == before + 1
        many = hits(*(f"t{i}" for i in range(CACHED_CHUNKS + 50)))
        assert len(reranker.rerank("abc", many)) == CACHED_CHUNKS + 50
        assert len(reranker._cache) == CACHED_CHUNKS


def test_threads_may_share_it():
    reranker = LateInteractionReranker(LetterTokens())
    given = hits(*(f"text{chr(97 + i % 26)}{chr(97 + i // 26)}" for i in range(CACHED_CHUNKS + 100)))
    with ThreadPoolExecutor(4) as threads:
        parts = [given[at : at + 60] for at in range(0, len(given), 60)] * 4
        ranked = list(threads.map(lambda part: reranker.rerank("abc", part), parts))
    assert [len(r) for r in ranked] == [len(part) for part in parts]


def test_max_sim_of_nothing_is_zero():
    assert max_sim(np.zeros((0, 4)), np.ones((2, 4))) == 0.0
    assert max_sim(np.ones((2, 4)), np.zeros((0, 4))) == 0.0
