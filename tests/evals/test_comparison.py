"""Paired statistics against values worked out by hand."""

import json
import math
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputError
from evals.comparison import Run, bootstrap_interval, compare_runs, mcnemar_p, paired, read_run

VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=40)


def run_of(name: str, **values: float) -> Run:
    return Run.from_report(name, {"queries": {q: {"ndcg@10": v, "recall@5": v} for q, v in values.items()}})


def test_wins_ties_losses_and_means():
    found = paired([0.5, 0.5, 1.0, 0.0], [1.0, 0.5, 0.25, 0.5])
    assert (found["wins"], found["ties"], found["losses"]) == (2, 1, 1)
    assert (found["mean_a"], found["mean_b"], found["difference"]) == (0.5, 0.5625, 0.0625)


def test_the_interval_of_equal_differences_is_their_value():
    assert bootstrap_interval(np.full(7, 0.25)) == (0.25, 0.25)


def test_the_interval_of_two_differences_is_their_range():
    """Of two, a quarter of all samples is twice the first and a quarter twice the second."""
    assert bootstrap_interval(np.array([0.0, 1.0])) == (0.0, 1.0)


def test_the_interval_is_that_of_the_normal_law_for_many():
    """400 differences of -1 and 1: standard error 1/20, so 1.96/20 to both sides."""
    low, high = bootstrap_interval(np.tile([-1.0, 1.0], 200))
    assert low == pytest.approx(-0.098, abs=0.006)
    assert high == pytest.approx(0.098, abs=0.006)


def test_the_interval_is_the_same_in_each_run():
    differences = np.random.default_rng(1).normal(size=50)
    assert bootstrap_interval(differences) == bootstrap_interval(differences)


@given(VALUES)
def test_a_run_against_itself_is_all_ties(values):
    found = paired(values, values)
    assert (found["wins"], found["losses"], found["difference"], found["interval"]) == (0, 0, 0, [0, 0])


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=30))
def test_turned_round_wins_are_losses(pairs):
    a, b = zip(*pairs, strict=True)
    there, back = paired(a, b), paired(b, a)
    assert (there["wins"], there["ties"], there["losses"]) == (back["losses"], back["ties"], back["wins"])
    assert there["difference"] == pytest.approx(-back["difference"], abs=2e-6)
    assert there["interval"][0] - 2e-6 <= there["interval"][1]


@pytest.mark.parametrize(
    ("only_a", "only_b", "p"),
    [
        (0, 0, 1.0),
        (5, 5, 1.0),
        (0, 1, 1.0),
        (0, 2, 0.5),
        (0, 6, 2 / 64),
        (10, 2, 2 * (1 + 12 + 66) / 4096),
        (2, 10, 158 / 4096),
    ],
)
def test_mcnemar_by_hand(only_a, only_b, p):
    assert mcnemar_p(only_a, only_b) == pytest.approx(p, rel=1e-12)


@pytest.mark.parametrize("total", range(1, 11))
def test_mcnemar_against_every_outcome_of_fair_coins(total):
    """The share of all coin series that are at least as lopsided as the one seen."""
    heads = [sum(series) for series in product((0, 1), repeat=total)]
    for seen in range(total + 1):
        as_lopsided = sum(abs(2 * h - total) >= abs(2 * seen - total) for h in heads)
        assert mcnemar_p(seen, total - seen) == pytest.approx(float(Fraction(as_lopsided, 2**total)))


def test_mcnemar_with_thousands_neither_overflows_nor_vanishes():
    assert 0 < mcnemar_p(1900, 2100) < 0.01
    assert math.isfinite(mcnemar_p(0, 900))


def test_two_runs():
    a = run_of("a", q1=1.0, q2=0.0, q3=0.0)
    b = run_of("b", q3=1.0, q2=0.5, q1=1.0)  # in another order
    found = compare_runs(a, b, None, None, common=False)
    assert (found["metric"], found["n"], found["wins"], found["ties"], found["losses"]) == (
        "ndcg@10",
        3,
        2,
        1,
        0,
    )
    assert found["mcnemar"] == {"hit": "recall@5", "only_a": 0, "only_b": 2, "p": 0.5}
    assert found["left_out"] == 0


def test_other_queries_are_refused_unless_the_common_ones_are_asked_for():
    a, b = run_of("a", q1=1.0, q2=0.0), run_of("b", q2=1.0, q3=0.0)
    with pytest.raises(InputError, match="2 are in one only, 'q1'"):
        compare_runs(a, b, None, None, common=False)
    found = compare_runs(a, b, None, None, common=True)
    assert (found["n"], found["wins"], found["left_out"]) == (1, 1, 2)
    with pytest.raises(InputError, match="no query in common"):
        compare_runs(a, run_of("c", q9=1.0), None, None, common=True)


def test_values_of_another_kind_of_report():
    """Truth values, no usual measure of a search, and words that are no figures."""
    rows = {"q1": {"right": True, "status": "answered"}, "q2": {"right": False, "status": "abstained"}}
    a = Run.from_report("a", {"queries": rows})
    b = Run.from_report("b", {"queries": {**rows, "q2": {"right": True}}})
    found = compare_runs(a, b, None, None, common=False)
    assert (found["metric"], found["wins"], found["mcnemar"]["hit"]) == ("right", 1, "right")


def test_a_value_of_a_leg_by_its_dotted_name():
    a = Run.from_report("a", {"queries": {"q": {"ndcg@10": 1.0, "legs": {"dense": {"ndcg@10": 0.25}}}}})
    found = compare_runs(a, a, "legs.dense.ndcg@10", None, common=False)
    assert found["mean_a"] == 0.25
    assert found["mcnemar"] is None
    with pytest.raises(InputError, match="no 'legs.none' for query 'q'"):
        compare_runs(a, a, "legs.none", None, common=False)


@pytest.mark.parametrize("text", ["", "[1]", "{}", '{"queries": []}', '{"queries": {"q": 1}}'])
def test_what_is_no_report_is_refused(tmp_path, text):
    path = tmp_path / "run.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"run\.json"):
        read_run(path)


def test_reports_without_any_query_or_file(tmp_path):
    path = tmp_path / "run.json"
    path.write_text(json.dumps({"queries": {}}), encoding="utf-8")
    with pytest.raises(InputError, match="no query in common"):
        compare_runs(read_run(path), read_run(path), None, None, common=False)
    with pytest.raises(InputError, match="cannot be read"):
        read_run(tmp_path / "gone.json")
