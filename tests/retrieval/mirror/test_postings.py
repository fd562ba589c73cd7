"""Sparse vectors turned around and joined."""

import numpy as np

from retrieval.mirror.postings import build_postings, join_postings, pack_terms


def test_scores_are_inner_products_at_32_bits():
    postings = build_postings([pack_terms({5: 0.1, 2**32 - 3: 2.0}), pack_terms({}), pack_terms({5: 3.0})])
    scores = postings.score({5: 0.3, 9: 1.0, 2**32 - 3: 1.0}, 3)
    tenth, three_tenths = float(np.float32(0.1)), float(np.float32(0.3))
    assert scores.dtype == np.float32
    assert scores.tolist() == [np.float32(three_tenths * tenth + 2.0), 0.0, np.float32(three_tenths * 3)]


def test_a_weight_that_is_nothing_at_32_bits_is_no_term():
    assert len(build_postings([pack_terms({5: 1e-60})]).terms) == 0


def test_no_rows_at_all():
    assert build_postings([]).score({5: 1.0}, 0).tolist() == []


def test_joined_rows_are_numbered_anew():
    first = build_postings([pack_terms({1: 1.0}), pack_terms({1: 2.0, 3: 1.0}), pack_terms({3: 4.0})])
    second = build_postings([pack_terms({1: 8.0}), pack_terms({2: 5.0})])
    joined = join_postings([(first, np.array([True, False, True])), (second, np.array([True, True]))])
    assert joined.score({1: 1.0}, 4).tolist() == [1.0, 0.0, 8.0, 0.0]
    assert joined.score({2: 1.0, 3: 1.0}, 4).tolist() == [0.0, 4.0, 0.0, 5.0]
