"""Searches by chance: what Milvus finds is what plain Python finds, and nobody else's."""

import random

import pytest

from bench.filter_cases import NO_READERS, READERS, expected, make_case, make_rows
from bench.filter_fuzz import Disagreement, check, run, run_lite

ANOTHER_SEED = 7


@pytest.mark.slow
def test_a_run_on_milvus_lite():
    figures = run_lite(examples=2500, through_store=120, seed=ANOTHER_SEED)
    assert figures["evaluator"]["searches"] > 2000
    mirror = ("mirror_query", "mirror_dense", "mirror_lexical")
    for way in ("evaluator", "query", "dense", "lexical", *mirror):
        # Neither does everything match, nor nothing: else the run would prove little.
        assert figures[way]["found_something"] > figures[way]["examples"] / 4
        assert figures[way]["rows_of_others_kept_back"] > figures[way]["examples"]
        assert figures[way]["names_refused"] > 0


def test_a_run_notices_a_row_too_many_and_one_too_few():
    rows = make_rows(random.Random(ANOTHER_SEED))
    with pytest.raises(Disagreement, match="too many"):
        run(rows, lambda case: {row.chunk.id for row in rows}, 50, ANOTHER_SEED)
    with pytest.raises(Disagreement, match="not"):
        run(rows, lambda case: set(), 50, ANOTHER_SEED)


def test_a_run_notices_a_name_that_should_have_been_refused():
    rows, chance = make_rows(random.Random(1)), random.Random(1)
    invalid = next(case for _ in range(200) if not (case := make_case(chance, "c")).valid)
    with pytest.raises(Disagreement, match="was taken"):
        check(rows, invalid, expected(rows, invalid), {})


def test_no_name_is_both_given_and_refused():
    assert not set(READERS) & set(NO_READERS)
