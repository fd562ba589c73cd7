"""What the size of chunks does to the search, by the instrument of `attest eval retrieval`.

`python -m bench.chunk_sizes EVALS_FOLDER` writes bench/results/chunk_sizes.json: nDCG@10 of the
whole with documents cut at several sizes. Development data.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from app.services import Services
from core.settings import load_settings
from core.telemetry import silence_libraries
from evals.convert import convert
from evals.record import write_result
from evals.retrieval_run import RetrievalJob, evaluate_retrieval

SIZES = (120, 220, 384)
SETS = ("cmrc2018", "cranfield", "rgb-zh-refine", "xquad-zh-en")
MEASURE = "ndcg@10"


def measure(folder: Path, sizes: Sequence[int], sets: Sequence[str]) -> dict:
    """By set: how many questions, chunks and the measure at each size."""
    found: dict[str, dict] = {}
    embedder = Services(load_settings()).embedder()
    with tempfile.TemporaryDirectory() as scratch:
        for path in convert("all", folder, Path(scratch) / "sets"):
            if path.name not in sets:
                continue
            for size in sizes:
                report = _evaluated(path, size, Path(scratch) / f"{path.name}-{size}", embedder)
                row = found.setdefault(path.name, {"n": report["counts"]["queries"]})
                row[f"{size} tokens"] = report[MEASURE]
                print(path.name, size, report[MEASURE], report["counts"], file=sys.stderr, flush=True)
    if not found:
        raise SystemExit(f"none of the sets {', '.join(sets)} is in {folder}")
    return {MEASURE: found}


def _evaluated(path: Path, size: int, data: Path, embedder) -> dict:
    settings = load_settings(data=data)
    ingest = settings.ingest.model_copy(update={"chunk_tokens": size})
    services = Services(settings.model_copy(update={"ingest": ingest}), {"embedder": embedder})
    try:
        return evaluate_retrieval(RetrievalJob(path), services, lambda _: None)
    finally:
        services.close()


def main(words: Sequence[str] | None = None) -> None:
    """Writes the result file."""
    parser = argparse.ArgumentParser(prog="python -m bench.chunk_sizes", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sizes", nargs="+", type=int, default=list(SIZES))
    parser.add_argument("--sets", nargs="+", default=list(SETS))
    parser.add_argument("--name", default="chunk_sizes", help="of the result file")
    given = parser.parse_args(words)
    silence_libraries()
    figures = measure(given.folder, given.sizes, given.sets)
    chosen = f"--sizes {' '.join(map(str, given.sizes))} --sets {' '.join(given.sets)}"
    write_result(given.name, f"python -m bench.chunk_sizes EVALS_FOLDER {chosen}", figures)


if __name__ == "__main__":
    main()
