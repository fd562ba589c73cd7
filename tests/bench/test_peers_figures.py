"""Arithmetic over answers."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.peers.figures import (
    MEASURES,
    Asked,
    against_best,
    agreement,
    quality,
    rank_of,
    search_cost,
    throughput,
)

ranks = st.none() | st.integers(1, 12)


def rows(system, way, ranks_of, name="s"):
    return [
        Asked(name, "zh", f"q{at}", system, way, rank, 2.0, 1.0 + at) for at, rank in enumerate(ranks_of)
    ]


def test_ranks_count_from_one():
    assert [rank_of("b", ["a", "b"]), rank_of("c", ["a", "b"])] == [2, None]


@given(ranks)
def test_measures_follow_the_rank(rank):
    values = {name: value(rank) for name, value in MEASURES.items()}
    assert values["ndcg@10"] == pytest.approx(1 / math.log2(rank + 1) if rank and rank <= 10 else 0.0)
    assert values["recall@1"] == float(rank == 1)
    assert values["recall@5"] == float(rank is not None and rank <= 5)
    assert values["recall@1"] <= values["recall@5"] <= values["recall@10"]


def test_quality_of_one_way():
    figures = quality(rows("a", "x", [1, 1, None, 3]))["s"]["a: x"]
    assert figures["n"] == 4 and figures["recall@5"] == 0.75 and figures["1 - recall@5"] == 0.25
    assert figures["ndcg@10"] == pytest.approx((1 + 1 + 0 + 0.5) / 4)
    low, high = figures["1 - recall@5 interval"]
    assert low <= 0.25 <= high


def test_the_best_other_way_is_taken_for_each_measure():
    # x is better at the top, y within five.
    asked = [
        *rows("ours", "whole", [1, 1, 1, None]),
        *rows("peer", "x", [1, 1, None, None]),
        *rows("peer", "y", [5, 5, 5, None]),
        *rows("ours", "another", [None] * 4),
    ]
    found = against_best(asked, "ours", "whole")
    assert found["s"]["1 - ndcg@10"]["best"] == "peer: x"
    assert found["s"]["1 - ndcg@10"]["ratio"] == pytest.approx(0.5)
    assert found["s"]["1 - recall@5"]["best"] == "peer: y"
    assert found["s"]["1 - recall@5"]["ratio"] == 1.0
    pooled = found["all sets, each against its best"]
    assert pooled["1 - ndcg@10"]["ratio"] == pytest.approx(0.5)


def test_no_ratio_to_a_perfect_peer():
    found = against_best([*rows("ours", "w", [1, 2]), *rows("peer", "x", [1, 1])], "ours", "w")
    assert found["s"]["1 - ndcg@10"]["ratio"] is None
    assert found["s"]["1 - ndcg@10"]["interval"] is None


@settings(deadline=None, max_examples=25)
@given(st.lists(st.tuples(ranks, ranks), min_size=3, max_size=20))
def test_the_order_of_the_rows_changes_nothing(pairs):
    ours, theirs = zip(*pairs, strict=True)
    asked = [*rows("ours", "w", ours), *rows("peer", "x", theirs)]
    assert against_best(asked, "ours", "w") == against_best(asked[::-1], "ours", "w")


@settings(deadline=None, max_examples=25)
@given(st.lists(ranks, min_size=3, max_size=20))
def test_the_same_ranks_are_the_same_failures(same):
    found = against_best([*rows("ours", "w", same), *rows("peer", "x", same)], "ours", "w")["s"]["1 - ndcg@10"]
    assert found["ours"] == found["theirs"] and found["ratio"] in (None, 1.0)


def test_costs_by_library_and_way():
    cost = search_cost(rows("a", "x", [1, 2, 3]))["zh"]["a: x"]
    assert cost["cpu_ms"] == {"p50": 2.0, "p99": 3.0} and cost["wall_ms"]["p50"] == 2.0


def test_what_is_built_at_the_end_counts_as_indexing():
    blocks = [
        {"system": "a", "texts": 10, "wall_ms": 1000.0, "cpu_ms": 500.0},
        {"system": "a", "texts": 10, "wall_ms": 500.0, "cpu_ms": 250.0},
        {"system": "a", "texts": 0, "wall_ms": 500.0, "cpu_ms": 250.0},
    ]
    figures = throughput(blocks)["a"]
    assert figures["per_second"] == 10.0 and figures["per_cpu_second"] == 20.0
    assert figures["per_cpu_second_of_blocks"]["max"] == 40.0


def test_agreement_is_a_cosine():
    reference = np.array([[1.0, 0.0], [0.0, 2.0]])
    assert agreement(reference, reference * 3) == {"min": 1.0, "median": 1.0}
    assert agreement(reference, reference[::-1])["min"] == 0.0
