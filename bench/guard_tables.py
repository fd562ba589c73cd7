"""The tables of docs/guards.md, made from the result files of the guard, of citations and of conflicts.

Knows how those files are laid out; measures nothing.
"""

from collections.abc import Callable, Mapping

from bench.markdown import table

BASELINES = ("cover", "bigram cover", "MaxSim")
AGREEMENT = "mtrag"


def sets_table(measured: Mapping) -> str:
    """Each set: the guard with its intervals, the baselines, the time."""
    rows = []
    for name, row in _sets(measured).items():
        low, high = row["intervals"]["auroc"]
        scores = [f"**{_short(row['auroc'])}** ({_short(low)}–{_short(high)})"]
        scores += [_short(row["baselines"][baseline]) for baseline in BASELINES]
        scores += [_short(row["balanced_accuracy"]), _short(row["f1_unsupported"])]
        times = [f"{row[key]:.0f}" for key in ("ms_per_claim", "binding_ms")]
        rows.append([name, str(row["n"]), str(row["supported"]), *scores, *times])
    return table(
        ["set", "claims", "supported", "AUROC (95 %)", *(f"AUROC, {name}" for name in BASELINES),
         "balanced accuracy", "F1 of unsupported", "ms a claim", "ms to bind"], rows
    )  # fmt: skip


def kinds_table(measured: Mapping) -> str:
    """What became of each kind of changed fact."""
    rows = []
    for name, row in _sets(measured).items():
        for kind, found in row.get("kinds", {}).items():
            if name.startswith(("changed", "rgb")):
                rows.append([name, kind, str(found["n"]), f"{found['caught']:.2f}", _short(found["auroc"])])
    return table(["set", "change", "n", "withheld", "AUROC against all true"], rows)


def reliability_table(measured: Mapping) -> str:
    """Over all sets: what share of the claims with such a score is supported."""
    bins: dict[float, list[tuple[int, float, float]]] = {}
    for row in _sets(measured).values():
        for found in row["reliability"]:
            bins.setdefault(found["from"], []).append((found["n"], found["score"], found["supported"]))
    rows = []
    for start, parts in sorted(bins.items()):
        count = sum(n for n, _, _ in parts)
        mean, share = (sum(part[0] * part[at] for part in parts) / count for at in (1, 2))
        rows.append([f"{start:.1f}–{start + 0.1:.1f}", str(count), f"{mean:.2f}", f"{share:.2f}"])
    return table(["score", "claims", "mean score", "supported"], rows)


def agreement_table(measured: Mapping) -> str:
    """Rank correlation with people's word on whole answers."""
    row = measured["sets"][AGREEMENT]
    names = ["guard", *BASELINES]
    values = [row["spearman"], *(row["baselines"][name] for name in BASELINES)]
    return table(["answers", *names], [[str(row["n"]), *(f"{value:.3f}" for value in values)]])


def probes_table(measured: Mapping) -> str:
    """What each probe alone tells apart."""
    rows = []
    for probe, figures in measured["probes"].items():
        for name, found in figures["sets"].items():
            rows.append([probe, name, str(found["n"]), _short(found["auroc"])])
    return table(["probe", "set", "n", "AUROC"], rows)


def citations_table(measured: Mapping) -> str:
    """Where the citations of real answers lead."""
    rows = []
    for name, row in measured["sets"].items():
        counts = [str(row[key]) for key in ("n", "answered", "right", "citations")]
        rows.append([name, *counts, *(_short(row[key]) for key in ("resolved", "precision", "recall")),
                     f"{row['wait_ratio']:.2f}"])  # fmt: skip
    shares = ["resolved", "precision", "recall", "left ÷ written"]
    return table(["set", "questions", "answered", "right", "citations", *shares], rows)


def conflicts_table(measured: Mapping) -> str:
    """How many documents that disagree are noticed."""
    keys = ("rows", "with_misinformation", "told", "told_rightly")
    values = [str(measured[key]) for key in keys] + [_short(measured[key]) for key in ("precision", "recall")]
    return table(["questions", "with misinformation", "told", "rightly", "precision", "recall"], [values])


GUARD_TABLES: Mapping[str, tuple[str, Callable[[Mapping], str]]] = {
    "guard-sets": ("guard", sets_table),
    "guard-probed": ("guard_probed", sets_table),
    "probes": ("probes", probes_table),
    "guard-kinds": ("guard", kinds_table),
    "guard-reliability": ("guard", reliability_table),
    "guard-agreement": ("guard", agreement_table),
    "citations": ("citations", citations_table),
    "conflicts": ("conflicts", conflicts_table),
}


def _sets(measured: Mapping) -> dict[str, Mapping]:
    return {name: row for name, row in measured["sets"].items() if name != AGREEMENT}


def _short(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}".removeprefix("0")
