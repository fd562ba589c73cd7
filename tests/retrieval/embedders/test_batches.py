"""Batches hold every text once, of like length, within their bounds."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from retrieval.embedders.batches import length_sorted_batches, unit_rows

TEXTS = st.lists(st.text(max_size=60), max_size=60)


@given(texts=TEXTS, max_texts=st.integers(1, 9), max_chars=st.integers(1, 200))
def test_every_text_is_in_one_batch_within_the_bounds(texts, max_texts, max_chars):
    batches = list(length_sorted_batches(texts, max_texts, max_chars))
    assert sorted(at for batch in batches for at in batch) == list(range(len(texts)))
    for batch in batches:
        assert 1 <= len(batch) <= max_texts
        assert len(batch) == 1 or len(batch) * max(len(texts[at]) for at in batch) <= max_chars


@given(texts=TEXTS, max_texts=st.integers(1, 9))
def test_no_text_is_longer_than_one_of_an_earlier_batch(texts, max_texts):
    lengths = [len(texts[at]) for batch in length_sorted_batches(texts, max_texts, 10**6) for at in batch]
    assert lengths == sorted(lengths, reverse=True)
    assert len(list(length_sorted_batches(texts, max_texts, 10**6))) == -(-len(texts) // max_texts)


def test_rows_get_unit_length_and_zeros_stay():
    rows = unit_rows(np.array([[3.0, 4.0], [0.0, 0.0]]))
    np.testing.assert_allclose(rows, [[0.6, 0.8], [0, 0]], atol=1e-6)
    assert rows.dtype == np.float32
