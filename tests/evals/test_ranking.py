"""Measures against values worked out by hand, and what must hold for any ranking."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.ranking import MEASURES, mean_of, measure_ranking, ndcg, percentile, recall, reciprocal_rank

NAMES = [f"d{n}" for n in range(30)]
RANKINGS = st.permutations(NAMES)
GAINS = st.dictionaries(st.sampled_from(NAMES), st.floats(0.5, 4), min_size=1)


def test_ndcg_by_hand():
    """Gains 3, 0, 1 in ranks 1, 2, 3; the ideal order is 3, 2, 1, for `c` was not found."""
    gains = {"a": 3.0, "b": 1.0, "c": 2.0}
    got = 3 / math.log2(2) + 1 / math.log2(4)
    ideal = 3 / math.log2(2) + 2 / math.log2(3) + 1 / math.log2(4)
    assert ndcg(["a", "x", "b"], gains) == pytest.approx(got / ideal)
    assert got / ideal == pytest.approx(0.735, abs=5e-4)


def test_gain_is_linear_and_not_exponential():
    """With 2**gain - 1 the first would be worth 7 times the second; here it is 3 times."""
    gains = {"a": 3.0, "b": 1.0}
    swapped = (1 + 3 / math.log2(3)) / (3 + 1 / math.log2(3))
    assert ndcg(["b", "a"], gains) == pytest.approx(swapped)


def test_only_the_first_ten_count():
    ranking = [f"x{n}" for n in range(10)] + ["a"]
    assert ndcg(ranking, {"a": 1.0}) == 0.0
    assert ndcg(ranking[1:], {"a": 1.0}) == pytest.approx(1 / math.log2(11))
    assert reciprocal_rank(ranking, {"a": 1.0}) == 0.0
    assert reciprocal_rank(ranking[1:], {"a": 1.0}) == pytest.approx(0.1)


def test_more_relevant_than_ten_can_still_be_ideal():
    gains = dict.fromkeys(NAMES[:15], 1.0)
    assert ndcg(NAMES, gains) == pytest.approx(1.0)
    assert recall(NAMES, gains, 10) == pytest.approx(10 / 15)


def test_recall_and_reciprocal_rank_by_hand():
    gains = {"a": 1.0, "b": 2.0, "c": 1.0}
    ranking = ["x", "b", "y", "a", "z"]
    assert recall(ranking, gains, 1) == 0
    assert recall(ranking, gains, 5) == pytest.approx(2 / 3)
    assert reciprocal_rank(ranking, gains) == pytest.approx(0.5)


def test_nothing_found_is_zero_everywhere():
    assert set(measure_ranking([], {"a": 1.0}).values()) == {0.0}


@given(RANKINGS, GAINS)
def test_every_measure_lies_between_nought_and_one(ranking, gains):
    assert all(0 <= value <= 1 + 1e-12 for value in measure_ranking(ranking, gains).values())


@given(RANKINGS, GAINS)
def test_the_ideal_order_is_one_and_none_is_better(ranking, gains):
    ideal = sorted(ranking, key=lambda name: -gains.get(name, 0.0))
    assert ndcg(ideal, gains) == pytest.approx(1.0)
    assert ndcg(ranking, gains) <= ndcg(ideal, gains) + 1e-12


@given(RANKINGS, GAINS, st.randoms())
def test_names_and_the_order_of_the_judgements_mean_nothing(ranking, gains, random):
    items = list(gains.items())
    random.shuffle(items)
    renamed = {f"other {name}": gain for name, gain in items}
    assert measure_ranking([f"other {name}" for name in ranking], renamed) == pytest.approx(
        measure_ranking(ranking, gains)
    )


@given(RANKINGS, GAINS)
def test_moving_a_relevant_document_up_never_hurts(ranking, gains):
    at = next(i for i, name in enumerate(ranking) if name in gains)
    best = max(gains, key=gains.__getitem__)
    moved = [best, *(name for name in ranking if name != best)]
    assert ndcg(moved, gains) >= ndcg(ranking, gains) - 1e-12
    assert reciprocal_rank(moved, gains) == 1
    assert reciprocal_rank(ranking, gains) == (1 / (at + 1) if at < 10 else 0)


@given(RANKINGS, GAINS)
def test_recall_grows_with_depth(ranking, gains):
    values = [recall(ranking, gains, depth) for depth in range(1, len(NAMES) + 1)]
    assert values == sorted(values)
    assert values[-1] == 1


def test_means():
    rows = [dict.fromkeys(MEASURES, 1.0), dict.fromkeys(MEASURES, 0.0), dict.fromkeys(MEASURES, 0.5)]
    assert mean_of(rows) == dict.fromkeys(MEASURES, 0.5)
    with pytest.raises(ValueError, match="no query"):
        mean_of([])


def test_percentiles_by_hand():
    values = [float(n) for n in range(100, 0, -1)]
    assert percentile(values, 0.5) == 50
    assert percentile(values, 0.99) == 99
    assert percentile([7.0], 0.99) == 7
