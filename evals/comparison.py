"""Two runs over the same queries, query by query: better, or chance?

Wins, ties and losses of B against A; the mean difference with a percentile bootstrap
interval (Efron and Tibshirani 1993); McNemar's exact test on a hit measure (the binomial
form, right for few discordant pairs too). Knows reports; knows nothing of what was measured.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.errors import InputError

RESAMPLES = 10_000
SEED = 20_250_601
_ROWS_AT_ONCE = 2_000_000
# The first that both runs have is taken when none is named.
METRICS = ("ndcg@10", "right")
HITS = ("recall@5", "right")
TIE = 1e-9


@dataclass(frozen=True, slots=True)
class Run:
    """A report as far as it is compared: values by query id, nested ones by dotted names."""

    name: str
    queries: Mapping[str, Mapping[str, float]]

    @classmethod
    def from_report(cls, name: str, report: object) -> "Run":
        """Raises InputError when the report has no values of single queries."""
        queries = report.get("queries") if isinstance(report, dict) else None
        if not isinstance(queries, dict) or not all(isinstance(row, dict) for row in queries.values()):
            raise InputError(f"{name} has no values of single queries", remedy="write it with --out")
        return cls(name, {identity: dict(_flat(row)) for identity, row in queries.items()})

    def values(self, metric: str, ids: Sequence[str] | None = None) -> list[float]:
        """The value of each query, in the order of `ids` or of the report.

        Raises InputError when a query has none of that name.
        """
        wanted = list(self.queries) if ids is None else ids
        for identity in wanted:
            if metric not in self.queries[identity]:
                names = ", ".join(sorted(self.queries[identity])) or "none"
                raise InputError(
                    f"{self.name} has no {metric!r} for query {identity!r}", remedy=f"it has: {names}"
                )
        return [self.queries[identity][metric] for identity in wanted]


def read_run(path: Path) -> Run:
    """A report that an `attest eval` command wrote.

    Raises:
        InputError: it cannot be read or has no values of single queries.
    """
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise InputError(f"{path} cannot be read: {exc.strerror}", remedy="name a report") from exc
    except ValueError as exc:
        raise InputError(f"{path} is no JSON report: {exc}", remedy="write it with --out") from exc
    return Run.from_report(str(path), report)


def compare_runs(a: Run, b: Run, metric: str | None, hit: str | None, common: bool) -> dict:
    """B against A. `metric` and `hit` by default are the first of `METRICS` and `HITS` that
    the runs have; without any hit measure there is no McNemar test.

    Raises:
        InputError: other queries without `common`, no query in common, or no such value.
    """
    ids = _shared_ids(a, b, common)
    metric = metric or _first_known(METRICS, a, b, ids)
    hit = hit or _first_known(HITS, a, b, ids)
    if metric is None:
        names = ", ".join(sorted(a.queries[ids[0]]))
        raise InputError("the runs share no usual value", remedy=f"name one with --metric: {names}")
    values = paired(a.values(metric, ids), b.values(metric, ids))
    found = {"a": a.name, "b": b.name, "metric": metric, "n": len(ids), **values}
    found["left_out"] = len(a.queries.keys() ^ b.queries.keys())
    found["mcnemar"] = None
    if hit is not None:
        hits = zip(a.values(hit, ids), b.values(hit, ids), strict=True)
        found["mcnemar"] = {"hit": hit, **mcnemar([(x > 0, y > 0) for x, y in hits])}
    return found


def paired(a: Sequence[float], b: Sequence[float]) -> dict:
    """Means, wins of b, ties, losses, and the mean of b - a with its 95 % interval."""
    differences = np.asarray(b, dtype=float) - np.asarray(a, dtype=float)
    low, high = bootstrap_interval(differences)
    return {
        "mean_a": _rounded(np.mean(a)),
        "mean_b": _rounded(np.mean(b)),
        "wins": int((differences > TIE).sum()),
        "ties": int((np.abs(differences) <= TIE).sum()),
        "losses": int((differences < -TIE).sum()),
        "difference": _rounded(differences.mean()),
        "interval": [_rounded(low), _rounded(high)],
    }


def bootstrap_interval(differences: np.ndarray, resamples: int = RESAMPLES) -> tuple[float, float]:
    """The middle 95 % of the means of samples drawn with replacement. The same differences
    always give the same interval."""
    rng = np.random.default_rng(SEED)
    count = len(differences)
    block = max(1, _ROWS_AT_ONCE // count)
    means = []
    for start in range(0, resamples, block):
        drawn = rng.integers(0, count, size=(min(block, resamples - start), count))
        means.append(differences[drawn].mean(axis=1))
    low, high = np.quantile(np.concatenate(means), [0.025, 0.975])
    return float(low), float(high)


def mcnemar(hits: Sequence[tuple[bool, bool]]) -> dict:
    """Queries that only A or only B hit, and the two-sided exact p that such a split is
    chance: 1 when they agree on every query."""
    only_a = sum(a and not b for a, b in hits)
    only_b = sum(b and not a for a, b in hits)
    return {"only_a": only_a, "only_b": only_b, "p": mcnemar_p(only_a, only_b)}


def mcnemar_p(only_a: int, only_b: int) -> float:
    """Twice the binomial tail of the smaller count at one half, at most 1."""
    total = only_a + only_b
    tail = sum(math.comb(total, k) for k in range(min(only_a, only_b) + 1))
    return min(1.0, 2 * tail / 2**total)


def _shared_ids(a: Run, b: Run, common: bool) -> list[str]:
    ids = [identity for identity in a.queries if identity in b.queries]
    other = sorted(a.queries.keys() ^ b.queries.keys())
    if other and not common:
        raise InputError(
            f"the runs asked other queries: {len(other)} are in one only, {other[0]!r} is the first",
            remedy="--common compares those that both asked",
        )
    if not ids:
        raise InputError("the runs have no query in common", remedy="run both over the same set")
    return ids


def _first_known(names: Sequence[str], a: Run, b: Run, ids: Sequence[str]) -> str | None:
    rows = (a.queries[ids[0]], b.queries[ids[0]])
    return next((name for name in names if all(name in row for row in rows)), None)


def _flat(row: Mapping, prefix: str = ""):
    """Numbers and truth values by dotted names; whatever else a report holds is passed over."""
    for name, value in row.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        elif isinstance(value, int | float):
            yield f"{prefix}{name}", float(value)


def _rounded(value: float) -> float:
    return round(float(value), 6)
