"""MaxSim over whole tables and windows: against the plain definition, and what it prefers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.rerankers.late_interaction import MATCH_POWER, SEGMENT_TOKENS, WINDOW_SEGMENTS, max_sim

SIZE = 8
WINDOW = SEGMENT_TOKENS * WINDOW_SEGMENTS


def rows(rng: np.random.Generator, count: int) -> np.ndarray:
    values = rng.normal(size=(count, SIZE))
    values /= np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-9)
    return np.rint(values * 127).astype(np.int8)


def by_definition(words: np.ndarray, table: np.ndarray) -> float:
    weights = np.linalg.norm(words, axis=1)

    def match(part: np.ndarray) -> float:
        cosines = (part.astype(np.float32) @ (words / weights[:, None]).T).max(axis=0) / 127
        return float((np.maximum(cosines, 0) ** MATCH_POWER * weights).sum() / weights.sum())

    windows = [table[at : at + WINDOW] for at in range(0, len(table), SEGMENT_TOKENS)]
    return (match(table) + max(map(match, windows))) / 2


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 9), st.lists(st.integers(0, 5 * WINDOW), max_size=6))
def test_scores_are_those_of_the_definition(seed, asked, lengths):
    rng = np.random.default_rng(seed)
    words = rows(rng, asked).astype(np.float32) / 127 * rng.uniform(0.2, 2, (asked, 1)).astype(np.float32)
    tables = [rows(rng, length) for length in lengths]
    expected = [by_definition(words, table) if len(table) else 0.0 for table in tables]
    assert max_sim(words, tables) == pytest.approx(expected, abs=1e-5)


def test_words_close_together_beat_the_same_words_far_apart():
    one, other, filler = (np.eye(SIZE, dtype=np.float32)[at] for at in range(3))
    words = np.stack([one, other])

    def table(first: int, second: int) -> np.ndarray:
        found = np.tile(filler, (4 * WINDOW, 1))
        found[first], found[second] = one, other
        return np.rint(found * 127).astype(np.int8)

    near, far = max_sim(words, [table(10, 20), table(10, 3 * WINDOW)])
    assert near == pytest.approx(1) and far == pytest.approx(0.75)


def test_a_heavier_word_decides():
    heavy, light = np.eye(SIZE, dtype=np.float32)[0] * 1.5, np.eye(SIZE, dtype=np.float32)[1] * 0.5
    tables = [np.rint(np.eye(SIZE)[[at]] * 127).astype(np.int8) for at in (0, 1)]
    assert max_sim(np.stack([heavy, light]), tables) == pytest.approx([0.75, 0.25])
