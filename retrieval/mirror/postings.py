"""The sparse vectors of some rows, turned around: for each term the rows that hold it.

Pure NumPy; knows nothing of chunks or readers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

TERM = np.dtype([("term", "<u4"), ("weight", "<f4")])
"""One term of a sparse vector as Milvus writes it."""


@dataclass(frozen=True, slots=True)
class Postings:
    """`terms` ascending, each once; those of `terms[i]` are `starts[i]` to `starts[i + 1]` of
    `rows` and `weights`, and no row comes twice for a term. About 8 B a term of a row."""

    terms: np.ndarray
    starts: np.ndarray
    rows: np.ndarray
    weights: np.ndarray

    def score(self, query: Mapping[int, float], size: int) -> np.ndarray:
        """The inner product of `query` with each of `size` rows, float32; 0 where they share
        no term. Added up as Milvus Lite does: weights of 32 bits, sums of 64."""
        scores = np.zeros(size)
        asked = np.fromiter(query.keys(), np.uint32, len(query))
        weights = np.fromiter(query.values(), np.float32, len(query)).astype(np.float64)
        places = np.searchsorted(self.terms, asked)
        for term, weight, at in zip(asked, weights, places, strict=True):
            if at < len(self.terms) and self.terms[at] == term:
                part = slice(self.starts[at], self.starts[at + 1])
                scores[self.rows[part]] += weight * self.weights[part].astype(np.float64)
        return scores.astype(np.float32)


def pack_terms(vector: Mapping[int, float]) -> np.ndarray:
    """A sparse vector in Milvus's own form."""
    packed = np.empty(len(vector), TERM)
    packed["term"] = np.fromiter(vector.keys(), np.uint32, len(vector))
    packed["weight"] = np.fromiter(vector.values(), np.float32, len(vector))
    return packed


def build_postings(vectors: Sequence[np.ndarray]) -> Postings:
    """Of rows in their order, each an array of `TERM`."""
    packed = np.concatenate([np.empty(0, TERM), *vectors])
    rows = np.repeat(np.arange(len(vectors), dtype=np.int32), [len(vector) for vector in vectors])
    return _sorted(packed["term"], rows, packed["weight"])


def join_postings(parts: Sequence[tuple[Postings, np.ndarray]]) -> Postings:
    """One behind the other, only the rows for which the mask beside them is true."""
    terms, rows, weights, before = [], [], [], 0
    for postings, kept in parts:
        places = np.cumsum(kept, dtype=np.int32) - 1 + before
        stays = kept[postings.rows]
        terms.append(np.repeat(postings.terms, np.diff(postings.starts))[stays])
        rows.append(places[postings.rows[stays]])
        weights.append(postings.weights[stays])
        before += int(np.count_nonzero(kept))
    return _sorted(np.concatenate(terms), np.concatenate(rows), np.concatenate(weights))


def _sorted(terms: np.ndarray, rows: np.ndarray, weights: np.ndarray) -> Postings:
    present = weights != 0  # a weight too small for 32 bits is none
    terms, rows, weights = terms[present], rows[present], weights[present]
    order = np.argsort(terms, kind="stable")
    distinct, starts = np.unique(terms[order], return_index=True)
    return Postings(distinct, np.append(starts, len(order)), rows[order], weights[order])
