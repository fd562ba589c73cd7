"""Texts cut into batches of like length.

Pure; knows nothing of models or servers.
"""

from collections.abc import Iterator, Sequence

import numpy as np


def length_sorted_batches(texts: Sequence[str], max_texts: int, max_chars: int) -> Iterator[list[int]]:
    """Positions of all texts, longest first, in batches.

    A batch is padded to its longest text, so `max_chars` bounds their number times the
    longest; a text longer than that stands alone. The longest come first: what does not
    fit in memory fails at once.
    """
    order = sorted(range(len(texts)), key=lambda at: -len(texts[at]))
    batch: list[int] = []
    for at in order:
        if batch and (len(batch) == max_texts or (len(batch) + 1) * len(texts[batch[0]]) > max_chars):
            yield batch
            batch = []
        batch.append(at)
    if batch:
        yield batch


def unit_rows(vectors: np.ndarray) -> np.ndarray:
    """The same rows (float32) at unit length; a row of zeros stays one."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-9), np.float32)
