"""Every leg, the fusion and the whole, on public sets; whether fusion and reranking ever lose.

`python -m bench.retrieval_quality EVALS_FOLDER` converts all sets that lie there and runs
each in a temporary folder. `--sets` and `--limit-queries` make it short, `--keep` keeps the
indexes for the next run. Development data: nothing here is a test figure.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from app.services import Services
from core.settings import load_settings
from core.telemetry import silence_libraries
from evals.comparison import Run, mcnemar, paired
from evals.convert import convert
from evals.ranking import MEASURES
from evals.record import write_result
from evals.retrieval_run import RetrievalJob, evaluate_retrieval

SINGLE_LEGS = ("dense", "lexical")


@dataclass(frozen=True, slots=True)
class Floor:
    """Plain BM25 over character bigrams and words, measured before the first line of the
    product on these sets. `pool.p@1` is the first of the question's own passages."""

    measure: str
    value: float


FLOORS = {
    "xquad-zh-zh": Floor("ndcg@10", 0.964),
    "xquad-zh-en": Floor("ndcg@10", 0.134),
    "cmrc2018": Floor("ndcg@10", 0.981),
    "drcd": Floor("ndcg@10", 0.970),
    "cranfield": Floor("ndcg@10", 0.379),
    "cacm": Floor("ndcg@10", 0.464),
    "tatqa-text": Floor("ndcg@10", 0.715),
    "imtqa-zh": Floor("ndcg@10", 0.718),
    "locomo-conv-26": Floor("recall@5", 0.545),
    "locomo-conv-30": Floor("recall@5", 0.545),
    "rgb-zh-refine": Floor("pool.p@1", 0.633),
}


def summarise(report: dict) -> dict:
    """What is kept of one set's report."""
    run = Run.from_report(report["set"], report)
    best = max(SINGLE_LEGS, key=lambda leg: report["legs"][leg]["ndcg@10"])
    pairs = {
        "whole against best leg": (f"legs.{best}.ndcg@10", "ndcg@10"),
        "fused against best leg": (f"legs.{best}.ndcg@10", "legs.fused.ndcg@10"),
        "whole against fused": ("legs.fused.ndcg@10", "ndcg@10"),
    }
    if "pool" in report:
        pairs["own pool, whole against fused"] = ("legs.fused.pool.p@1", "pool.p@1")
    kept = {name: report[name] for name in ("counts", "indexing", *MEASURES)}
    for optional in ("subsets", "pool"):
        if optional in report:
            kept[optional] = report[optional]
    return {
        **kept,
        "p50_ms": report["p50_ms"],
        "stages_p50_ms": {name: row["p50_ms"] for name, row in report["stages_ms"].items()},
        "legs": report["legs"],
        "best leg": best,
        **{name: _against(run, *names) for name, names in pairs.items()},
        **_floor(report),
    }


def _against(run: Run, old: str, new: str) -> dict:
    """`loses`: the whole interval of the difference lies below 0."""
    before, after = run.values(old), run.values(new)
    found = paired(before, after)
    hits = [(x > 0, y > 0) for x, y in zip(before, after, strict=True)]
    return {**found, "loses": found["interval"][1] < 0, "mcnemar, found in ten": mcnemar(hits)}


def _floor(report: dict) -> dict:
    floor = FLOORS.get(report["set"])
    if floor is None:
        return {}
    reached = report["pool"]["p@1"] if floor.measure == "pool.p@1" else report[floor.measure]
    return {
        "bm25 floor": {**asdict(floor), "reached": reached, "relative": round(reached / floor.value - 1, 4)}
    }


def run(folder: Path, sets: Sequence[str], limit_queries: int | None, keep: Path | None) -> dict:
    """The summary of each set, by its name."""
    found = {}
    embedder = Services(load_settings()).embedder()
    with tempfile.TemporaryDirectory() as scratch:
        for path in convert("all", folder, Path(scratch) / "sets"):
            if sets and path.name not in sets:
                continue
            kept = keep / path.name if keep else None
            services = Services(load_settings(data=kept or Path(scratch) / path.name), {"embedder": embedder})
            try:
                job = RetrievalJob(path, limit_queries=limit_queries, kept=kept)
                report = evaluate_retrieval(job, services, lambda text: None)
            finally:
                services.close()
            found[path.name] = summarise(report)
            print(_line(path.name, found[path.name]), file=sys.stderr, flush=True)
    if not found:
        raise SystemExit(f"none of the sets {', '.join(sets)} is in {folder}")
    settings = {name: report[name] for name in ("settings_fingerprint", "embedder")}
    return {**settings, "sets": found}


def _line(name: str, row: dict) -> str:
    legs = "  ".join(f"{leg} {values['ndcg@10']:.4f}" for leg, values in row["legs"].items())
    against = row["whole against best leg"]
    low, high = against["interval"]
    verdict = "LOSES" if against["loses"] else "holds"
    return (
        f"{name:16} {legs}  whole {row['ndcg@10']:.4f}  {against['difference']:+.4f} "
        f"({low:+.4f} to {high:+.4f}) {verdict}, {row['p50_ms']:.0f} ms"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument(
        "--sets", nargs="*", default=[], help="names of the converted folders; all by default"
    )
    parser.add_argument("--limit-queries", type=int, help="ask this many of each set, evenly over the file")
    parser.add_argument("--keep", type=Path, help="keep the indexes below this folder")
    parser.add_argument("--name", default="", help="of a result file for a part of the sets")
    arguments = parser.parse_args()
    silence_libraries()
    figures = run(arguments.folder, arguments.sets, arguments.limit_queries, arguments.keep)
    about = {"data": "development parts of public sets", **figures}
    if arguments.name:
        parts = f" --sets {' '.join(arguments.sets)}" if arguments.sets else ""
        command = f"python -m bench.retrieval_quality EVALS_FOLDER{parts} --name {arguments.name}"
        write_result(arguments.name, command, about)
    elif arguments.sets or arguments.limit_queries:
        print(json.dumps(figures, ensure_ascii=False, indent=1))  # a part is not kept
    else:
        command = "python -m bench.retrieval_quality EVALS_FOLDER"
        write_result("retrieval_quality", command, about)
