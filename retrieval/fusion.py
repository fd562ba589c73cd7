"""Scores of several legs made one, so that the whole is never worse than its best leg.

Pure arithmetic over score tables; knows nothing of Milvus or models.

Rank fusion and plain score sums collapse when one leg is blind (a Chinese question over
English documents has no lexical match but noise). So the lexical leg is scaled by its
coverage squared: the share of the question's idf mass that its best document holds.
"""

from collections.abc import Mapping, Sequence

import numpy as np

Scores = Mapping[str, float]


def fuse(semantic: Scores, lexical: Scores, coverage: float) -> dict[str, float]:
    """One score for each id of `semantic`, in units of the semantic leg.

    Args:
        semantic: a score for every candidate (cosine or MaxSim).
        lexical: BM25 of the candidates that the lexical leg can judge. One that is not in it,
            such as a passage in another language than the question's, is neither raised nor
            lowered: it counts as the mean of the others.
        coverage: 0…1, how much of the question the lexical leg can see.

    The lexical scores are centred and brought to the spread of the semantic ones before
    they are added: the same order as a sum of z-scores.
    """
    ids = list(semantic)
    if not ids:
        return {}
    base = np.array([semantic[i] for i in ids])
    words = np.array([lexical.get(i, np.nan) for i in ids])
    seen = words[~np.isnan(words)]
    spread = seen.std() if len(seen) else 0.0
    if spread > 0 and coverage > 0:
        scale = base.std() if base.std() > 0 else 1.0
        base = base + coverage**2 * scale * np.nan_to_num((words - seen.mean()) / spread)
    return dict(zip(ids, base.tolist(), strict=True))


def fill_missing(scores: Scores, ids: Sequence[str], share: float = 1.0) -> dict[str, float]:
    """A candidate that a leg did not return scores `share` of the last one that it did."""
    floor = min(scores.values(), default=0.0) * share
    return {i: scores.get(i, floor) for i in ids}
