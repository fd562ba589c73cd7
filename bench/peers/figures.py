"""From single answers to the figures of the report. Pure; knows nothing of processes.

Each question has one right passage. The failures are what is compared, 1 - nDCG@10 and
1 - recall@5: near 1 the measures themselves hide a factor of two. For each set the best
other system and way is picked on that very set, which favours the others.
"""

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from evals.comparison import SEED, bootstrap_interval
from evals.ranking import ndcg, percentile, recall
from evals.record import spread

RESAMPLES = 10_000
MEASURES: Mapping[str, Callable[[int | None], float]] = {
    "ndcg@10": lambda rank: ndcg(_ranking(rank), {"gold": 1.0}),
    "recall@1": lambda rank: recall(_ranking(rank), {"gold": 1.0}, 1),
    "recall@5": lambda rank: recall(_ranking(rank), {"gold": 1.0}, 5),
    "recall@10": lambda rank: recall(_ranking(rank), {"gold": 1.0}, 10),
}
COMPARED = ("ndcg@10", "recall@5")


@dataclass(frozen=True, slots=True)
class Asked:
    """One question answered by one way of one system. `rank` counts from 1; None: not among
    the hits. Times are of the search beyond the encoding of the question."""

    set: str
    library: str
    question: str
    system: str
    way: str
    rank: int | None
    wall_ms: float
    cpu_ms: float

    @property
    def label(self) -> str:
        """What the columns are called."""
        return f"{self.system}: {self.way}"


@dataclass(frozen=True, slots=True)
class Encoded:
    """What one question cost to encode."""

    system: str
    wall_ms: float
    cpu_ms: float


def rank_of(gold: str, ids: Sequence[str]) -> int | None:
    """From 1; None when it is not there."""
    return ids.index(gold) + 1 if gold in ids else None


def quality(rows: Sequence[Asked]) -> dict[str, dict[str, dict]]:
    """By set and label: each measure, and the two failures with their 95 % intervals."""
    report: dict[str, dict[str, dict]] = {}
    for (name, label), group in grouped(rows, lambda row: (row.set, row.label)).items():
        figures: dict = {"n": len(group)}
        for measure, value in MEASURES.items():
            values = np.array([value(row.rank) for row in group])
            figures[measure] = _rounded(values.mean())
            if measure in COMPARED:
                figures[f"1 - {measure}"] = _rounded(1 - values.mean())
                figures[f"1 - {measure} interval"] = [_rounded(v) for v in bootstrap_interval(1 - values)]
        report.setdefault(name, {})[label] = figures
    return report


def against_best(rows: Sequence[Asked], ours: str, own_way: str) -> dict[str, dict]:
    """Our failures beside those of the best other way, for each set and over all of them.

    `ratio` is ours over theirs: 0.5 is half as many failures. It is None when the best has
    none at all. `interval` is a paired bootstrap over the questions.
    """
    report: dict[str, dict] = {}
    pooled: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {measure: [] for measure in COMPARED}
    for name, group in grouped(rows, lambda row: row.set).items():
        own = [row for row in group if row.system == ours and row.way == own_way]
        others = grouped([row for row in group if row.system != ours], lambda row: row.label)
        report[name] = {}
        for measure in COMPARED if own and others else ():
            failures = {label: _failures(their_rows, measure) for label, their_rows in others.items()}
            best = min(failures, key=lambda label: (failures[label].mean(), label))
            mine, theirs = _failures(own, measure), failures[best]
            report[name][f"1 - {measure}"] = {"best": best, **_ratio([(mine, theirs)])}
            pooled[measure].append((mine, theirs))
    report["all sets, each against its best"] = {
        f"1 - {measure}": _ratio(pairs) for measure, pairs in pooled.items() if pairs
    }
    return report


def search_cost(rows: Sequence[Asked]) -> dict[str, dict[str, dict]]:
    """By library and label: milliseconds of a search without encoding the question."""
    report: dict[str, dict[str, dict]] = {}
    for (library, label), group in grouped(rows, lambda row: (row.library, row.label)).items():
        report.setdefault(library, {})[label] = times(group)
    return report


def times(rows: Iterable) -> dict:
    """Median and 99th percentile of `cpu_ms` and `wall_ms`."""
    rows = list(rows)
    report: dict = {"n": len(rows)}
    for name in ("cpu_ms", "wall_ms"):
        values = [getattr(row, name) for row in rows]
        report[name] = {
            "p50": round(statistics.median(values), 2), "p99": round(percentile(values, 0.99), 2)
        }  # fmt: skip
    return report


def throughput(blocks: Sequence[Mapping]) -> dict[str, dict]:
    """By system: texts a second of wall and of processor time, over all blocks and whatever
    had to be built at the end; and the spread over the blocks."""
    report = {}
    for system, group in grouped(blocks, lambda block: block["system"]).items():
        texts = sum(block["texts"] for block in group)
        rates = [_rate(block["texts"], block["cpu_ms"]) for block in group if block["texts"]]
        report[system] = {
            "texts": texts,
            "per_second": _rate(texts, sum(block["wall_ms"] for block in group)),
            "per_cpu_second": _rate(texts, sum(block["cpu_ms"] for block in group)),
            "per_cpu_second_of_blocks": spread(rates),
        }
    return report


def agreement(reference: np.ndarray, vectors: np.ndarray) -> dict:
    """Cosines of the same questions under two runtimes of one model, shape (n, dimensions)."""
    norms = np.linalg.norm(reference, axis=1) * np.linalg.norm(vectors, axis=1)
    cosines = (reference * vectors).sum(axis=1) / norms
    return {"min": _rounded(cosines.min()), "median": _rounded(np.median(cosines))}


def grouped(rows: Iterable, key: Callable) -> dict:
    """Lists by key, in the order in which the keys first stand."""
    found: dict = {}
    for row in rows:
        found.setdefault(key(row), []).append(row)
    return found


def _ratio(pairs: Sequence[tuple[np.ndarray, np.ndarray]]) -> dict:
    """The sum of our mean failures over that of theirs; resampled within each pair. Samples
    in which theirs has no failure have no ratio and are left out of the interval."""
    ours = sum(mine.mean() for mine, _ in pairs)
    theirs = sum(other.mean() for _, other in pairs)
    rng = np.random.default_rng(SEED)
    above, below = np.zeros(RESAMPLES), np.zeros(RESAMPLES)
    for mine, other in pairs:
        drawn = rng.integers(0, len(mine), size=(RESAMPLES, len(mine)))
        above += mine[drawn].mean(axis=1)
        below += other[drawn].mean(axis=1)
    possible = below > 0
    interval = None
    if theirs > 0 and possible.any():
        ratios = above[possible] / below[possible]
        interval = [_rounded(v) for v in np.quantile(ratios, [0.025, 0.975])]
    return {
        "ours": _rounded(ours / len(pairs)),
        "theirs": _rounded(theirs / len(pairs)),
        "ratio": _rounded(ours / theirs) if theirs > 0 else None,
        "interval": interval,
    }


def _failures(rows: Sequence[Asked], measure: str) -> np.ndarray:
    """Of each question, in the order of their names: pairs must meet."""
    ordered = sorted(rows, key=lambda row: row.question)
    return np.array([1 - MEASURES[measure](row.rank) for row in ordered])


def _ranking(rank: int | None) -> list[str]:
    return [*(f"other {at}" for at in range(1, rank)), "gold"] if rank else []


def _rate(texts: int, milliseconds: float) -> float:
    return round(texts / milliseconds * 1000, 2)


def _rounded(value: float) -> float:
    return round(float(value), 5)
