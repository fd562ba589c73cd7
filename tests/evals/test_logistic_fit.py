"""Fitting and judging logistic models."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.logistic_fit import auroc, fit, risk_coverage


def test_auroc_by_hand():
    assert auroc(np.array([0.1, 0.4, 0.35, 0.8]), np.array([0, 0, 1, 1])) == pytest.approx(0.75)
    assert auroc(np.array([1.0, 1.0, 1.0]), np.array([1, 0, 1])) == pytest.approx(0.5)


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=40))
def test_auroc_counts_pairs(rows):
    scores, labels = (np.array(column, float) for column in zip(*rows, strict=True))
    right, wrong = scores[labels == 1], scores[labels == 0]
    if len(right) and len(wrong):
        pairs = [(r > w) + (r == w) / 2 for r in right for w in wrong]
        assert auroc(scores, labels) == pytest.approx(np.mean(pairs))


def test_a_feature_that_tells_gets_the_weight():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 400)
    table = np.c_[labels + rng.normal(0, 0.5, 400), rng.normal(size=400)]
    _, weights = fit(table, labels)
    assert weights[0] > 5 * abs(weights[1])


def test_risk_falls_where_the_score_knows():
    coverage, risk = risk_coverage(np.array([0.9, 0.1, 0.8, 0.2]), np.array([1, 0, 1, 0]))
    assert coverage.tolist() == [0.25, 0.5, 0.75, 1.0]
    assert risk.tolist() == pytest.approx([0, 0, 1 / 3, 0.5])
