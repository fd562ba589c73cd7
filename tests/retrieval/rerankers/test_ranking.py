"""Scores to ranks, and scores brought to another scale."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from core.types import Chunk, Hit, Stage
from retrieval.rerankers.ranking import on_scale_of, rank_hits

SCORES = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30)


def hits(scores) -> list[Hit]:
    """A hit for each score."""
    return [Hit(Chunk(f"c{i}", "d", i, "t", "", ""), s, Stage.FUSED, {"fused": i + 1}) for i, s in enumerate(scores)]


@given(SCORES)
def test_ranks_follow_the_scores_and_ties_keep_their_order(scores):
    ranked = rank_hits(hits([0.0] * len(scores)), scores)
    assert sorted(hit.chunk.order for hit in ranked) == list(range(len(scores)))
    assert [(-hit.score, hit.chunk.order) for hit in ranked] == sorted(
        (-score, at) for at, score in enumerate(scores)
    )
    assert [hit.ranks["reranked"] for hit in ranked] == list(range(1, len(scores) + 1))


@given(SCORES, st.data())
def test_the_scale_is_that_of_the_search_and_the_order_that_of_the_reranker(scores, data):
    cosines = data.draw(st.lists(st.floats(0.5, 1), min_size=len(scores), max_size=len(scores)))
    before = hits(cosines)
    ranked = rank_hits(before, scores)
    scaled = on_scale_of(ranked, before)
    values = [scaled[hit.chunk.id] for hit in ranked]
    assert all(one >= other - 1e-9 for one, other in zip(values, values[1:], strict=False))
    np.testing.assert_allclose(np.mean(values), np.mean(cosines), atol=1e-6)
    assert np.std(values) <= np.std(cosines) + 1e-6


def test_scores_of_any_unit_give_the_same():
    before = hits([0.9, 0.8, 0.7])
    one = on_scale_of(rank_hits(before, [0.1, 0.9, 0.2]), before)
    other = on_scale_of(rank_hits(before, [-8.0, 8.0, -6.0]), before)
    np.testing.assert_allclose([one[f"c{i}"] for i in range(3)], [other[f"c{i}"] for i in range(3)])
    assert on_scale_of([], before) == {}
