"""Fusion: a blind leg changes nothing, a seeing one helps, order is what counts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.fusion import FUSED_WEIGHT, Sight, fill_missing, fuse

SCORES = st.dictionaries(st.sampled_from("abcdefgh"), st.floats(-1, 1), min_size=1)
SHARE = st.floats(0, 1)


@given(SCORES, SCORES)
def test_without_weight_the_order_stands(base, leg):
    assert fuse(base, [(leg, 0.0)]) == base and fuse(base, []) == base


@given(SCORES, SHARE)
def test_equal_words_change_no_order(base, weight):
    fused = fuse(base, [(dict.fromkeys(base, 3.0), weight)])
    assert sorted(fused, key=fused.get) == sorted(base, key=base.get)


@given(SCORES, SCORES, SCORES, SHARE)
def test_every_candidate_keeps_one_finite_score(base, first, second, weight):
    fused = fuse(base, [(first, weight), (second, 3.0)])
    assert fused.keys() == base.keys()
    assert all(abs(score) < 1e6 for score in fused.values())


def test_a_seeing_leg_decides_between_equals():
    fused = fuse({"a": 0.80, "b": 0.80, "c": 0.1}, [({"a": 0.0, "b": 9.0, "c": 0.0}, 1.0)])
    assert max(fused, key=fused.get) == "b"


def test_the_unit_of_a_leg_does_not_matter():
    base, leg = {"a": 0.9, "b": 0.7, "c": 0.5}, {"a": 1.0, "b": 5.0, "c": 2.0}
    fused = fuse(base, [(leg, 0.7)])
    assert fuse(base, [({i: 1000 * score + 3 for i, score in leg.items()}, 0.7)]) == pytest.approx(fused)


def test_what_a_leg_did_not_return_scores_as_its_last():
    assert fill_missing({"a": 0.9, "b": 0.4}, ["a", "b", "c"]) == {"a": 0.9, "b": 0.4, "c": 0.4}
    assert fill_missing({"a": 0.9, "b": 0.4}, ["c"], 0.5) == {"c": 0.2}
    assert fill_missing({}, ["a"]) == {"a": 0.0}


def test_who_cannot_be_judged_by_words_keeps_its_place():
    base = {"a": 0.9, "b": 0.7, "c": 0.5, "foreign": 0.6}
    fused = fuse(base, [({"a": 1.0, "b": 2.0, "c": 3.0}, 1.0)])
    assert fused["foreign"] == 0.6 and fused["c"] > base["c"] and fused["a"] < base["a"]


@given(SHARE, SHARE)
def test_weights_are_bounded_and_grow_with_what_is_seen(coverage, lead):
    sight, better = Sight(coverage, lead), Sight(1.0, 1.0)
    for name in ("fused_weight", "reranked_weight", "contested_weight"):
        assert 0 <= getattr(sight, name) <= getattr(better, name) <= FUSED_WEIGHT
    assert sight.contested_weight <= sight.reranked_weight


def test_a_blind_leg_has_no_weight():
    assert Sight().fused_weight == Sight().reranked_weight == Sight().contested_weight == 0
    assert Sight(0.0, 1.0).fused_weight < 0.03
