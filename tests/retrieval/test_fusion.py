"""Fusion: a blind lexical leg changes nothing, a seeing one helps, order is what counts."""

from hypothesis import given
from hypothesis import strategies as st

from retrieval.fusion import fill_missing, fuse

SCORES = st.dictionaries(st.sampled_from("abcdefgh"), st.floats(-1, 1), min_size=1)


@given(SCORES, SCORES)
def test_without_coverage_the_semantic_order_stands(semantic, lexical):
    assert fuse(semantic, lexical, 0.0) == semantic


@given(SCORES, st.floats(0, 1))
def test_equal_words_change_no_order(semantic, coverage):
    fused = fuse(semantic, dict.fromkeys(semantic, 3.0), coverage)
    assert sorted(fused, key=fused.get) == sorted(semantic, key=semantic.get)


@given(SCORES, SCORES, st.floats(0, 1))
def test_every_candidate_keeps_one_finite_score(semantic, lexical, coverage):
    fused = fuse(semantic, lexical, coverage)
    assert fused.keys() == semantic.keys()
    assert all(abs(score) < 1e6 for score in fused.values())


def test_a_seeing_lexical_leg_decides_between_equals():
    fused = fuse({"a": 0.80, "b": 0.80, "c": 0.1}, {"a": 0.0, "b": 9.0, "c": 0.0}, 1.0)
    assert max(fused, key=fused.get) == "b"


def test_what_a_leg_did_not_return_scores_as_its_last():
    assert fill_missing({"a": 0.9, "b": 0.4}, ["a", "b", "c"]) == {"a": 0.9, "b": 0.4, "c": 0.4}
    assert fill_missing({}, ["a"]) == {"a": 0.0}


def test_who_cannot_be_judged_by_words_keeps_its_place():
    semantic = {"a": 0.9, "b": 0.7, "c": 0.5, "foreign": 0.6}
    fused = fuse(semantic, {"a": 1.0, "b": 2.0, "c": 3.0}, 1.0)
    assert fused["foreign"] == 0.6 and fused["c"] > semantic["c"] and fused["a"] < semantic["a"]
    assert fill_missing({"a": 0.9, "b": 0.4}, ["c"], 0.5) == {"c": 0.2}
