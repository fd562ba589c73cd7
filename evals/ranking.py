"""Measures of one ranked list against what is relevant, and of one over many.

nDCG has linear gain, as trec_eval, pytrec_eval and BEIR have it: the sum of gain over
log2(rank + 1), divided by that of the ideal order (Järvelin and Kekäläinen 2002).

Pure; knows nothing of documents, searching or files.
"""

import math
from collections.abc import Mapping, Sequence

CUTOFFS = (1, 5, 10, 20)
DEPTH = 10
MEASURES = (f"ndcg@{DEPTH}", *(f"recall@{k}" for k in CUTOFFS), f"mrr@{DEPTH}")


def ndcg(ranking: Sequence[str], gains: Mapping[str, float], depth: int = DEPTH) -> float:
    """0…1; 1 when no order is better. `ranking` names each document once, best first."""
    ideal = _discounted(sorted(gains.values(), reverse=True)[:depth])
    return _discounted([gains.get(name, 0.0) for name in ranking[:depth]]) / ideal if ideal else 0.0


def recall(ranking: Sequence[str], gains: Mapping[str, float], depth: int) -> float:
    """Share (0…1) of the relevant documents that are among the first `depth`."""
    relevant = {name for name, gain in gains.items() if gain > 0}
    return len(relevant.intersection(ranking[:depth])) / len(relevant) if relevant else 0.0


def reciprocal_rank(ranking: Sequence[str], gains: Mapping[str, float], depth: int = DEPTH) -> float:
    """1 over the rank of the first relevant document; 0 when none is among the first `depth`."""
    ranks = (rank for rank, name in enumerate(ranking[:depth], start=1) if gains.get(name, 0.0) > 0)
    return 1 / next(ranks, math.inf)


def measure_ranking(ranking: Sequence[str], gains: Mapping[str, float]) -> dict[str, float]:
    """All `MEASURES` of one query."""
    values = [ndcg(ranking, gains), *(recall(ranking, gains, k) for k in CUTOFFS)]
    return dict(zip(MEASURES, [*values, reciprocal_rank(ranking, gains)], strict=True))


def mean_of(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The mean of each measure, to five places.

    Raises ValueError when there is no row: a mean of nothing would look like a result.
    """
    if not rows:
        raise ValueError("no query was measured")
    return {name: round(math.fsum(row[name] for row in rows) / len(rows), 5) for name in rows[0]}


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` (0…1) of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def _discounted(gains: Sequence[float]) -> float:
    return math.fsum(gain / math.log2(rank + 1) for rank, gain in enumerate(gains, start=1))
