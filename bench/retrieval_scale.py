"""How long a search takes as the library grows, stage by stage, against the machine's roof.

`python -m bench.retrieval_scale --data FOLDER_OF_PUBLIC_SETS` on Milvus Lite, warm, with
questions in both languages. The roof of the dense leg is the time to read every vector once
from memory. Indexes are kept in `--keep` and used again. How the library is made, and why
it says nothing of quality, stands in `bench/scale_library.py`.
"""

import argparse
import os
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app.services import Services
from bench.roofline import scan_bandwidth
from bench.scale_library import Base, PreparedEmbedder, build_library, embed_base, read_sources
from core.settings import load_settings
from core.telemetry import silence_libraries
from core.types import Scope
from evals.ranking import percentile
from evals.record import write_result
from retrieval.retriever import Retriever

SIZES = (1_000, 10_000, 50_000)
WARM_UP = 20
HITS = 10
FLOAT_BYTES = 4


@dataclass(frozen=True, slots=True)
class Timed:
    """One search: milliseconds of wall and processor time, and of each stage."""

    wall_ms: float
    cpu_ms: float
    stages_ms: dict[str, float]


def time_searches(retriever: Retriever, collection: str, questions: Sequence[str]) -> list[Timed]:
    """Each question once; the first ones warm up and are not counted."""
    for question in questions[:WARM_UP]:
        retriever.search(question, Scope(collection), HITS)
    found = []
    for question in questions[WARM_UP:]:
        wall, cpu = time.perf_counter(), time.process_time()
        result = retriever.search(question, Scope(collection), HITS)
        spent = time.perf_counter() - wall, time.process_time() - cpu
        found.append(Timed(spent[0] * 1000, spent[1] * 1000, dict(result.timings_ms)))
    return found


def summarise(searches: Sequence[Timed]) -> dict:
    """p50 and p99 in milliseconds: the whole, its processor time, each stage."""
    stages = dict.fromkeys(name for search in searches for name in search.stages_ms)
    return {
        "n": len(searches),
        "whole_ms": quantiles([search.wall_ms for search in searches]),
        "cpu_ms": quantiles([search.cpu_ms for search in searches]),
        "stages_ms": {
            name: quantiles([search.stages_ms.get(name, 0.0) for search in searches]) for name in stages
        },
    }


def quantiles(values: Sequence[float]) -> dict:
    """Median and 99th percentile."""
    return {"p50": round(statistics.median(values), 2), "p99": round(percentile(values, 0.99), 2)}


def roof(size: int, dimensions: int, gb_per_s: float) -> dict:
    """The least time of an exact dense search: its bytes over the bandwidth."""
    read = size * dimensions * FLOAT_BYTES
    return {"bytes_read": read, "least_ms": round(read / gb_per_s / 1e6, 3)}


def run(data: Path, keep: Path, sizes: Sequence[int], base_chunks: int, questions: int) -> dict:
    """All sizes in one process over one store."""
    keep.mkdir(parents=True, exist_ok=True)
    real, settings = Services(load_settings(data=keep / "data")), load_settings(data=keep / "data")
    embedder = PreparedEmbedder(real.embedder())
    services = Services(settings, {"embedder": embedder})
    chunks, asked = read_sources(data, questions + WARM_UP)
    base: Base = {}
    for language, texts in chunks.items():
        some = texts[: base_chunks // len(chunks)]
        base[language] = (some, embed_base(embedder, some, keep))
        print(f"{language}: {len(some)} real chunks", file=sys.stderr)
    bandwidth = scan_bandwidth(embedder.dimensions)
    found = {}
    for size in sizes:
        name, begun = f"scale-{size}", time.perf_counter()
        build_library(services.index(), embedder, name, size, base)
        print(f"{name} is there after {time.perf_counter() - begun:.0f} s", file=sys.stderr)
        embedder.forget_queries()  # each size asks the same
        figures = summarise(time_searches(services.retriever(), name, asked))
        figures["dense_roof"] = roof(size, embedder.dimensions, bandwidth["median"])
        found[str(size)] = figures
    services.close()
    return {
        "library": "public paragraphs, cut and recombined; made chunks have means of vectors with noise",
        "real_chunks": {language: len(texts) for language, (texts, _) in base.items()},
        "exact_scan_gb_per_s": bandwidth,
        "settings": settings.retrieval.model_dump(mode="json"),
        "sizes": found,
    }


def main(words: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.retrieval_scale")
    parser.add_argument("--data", type=Path, default=os.environ.get("ATTEST_EVAL_DATA"), help="public sets")
    parser.add_argument("--keep", type=Path, default=Path("data/bench-scale"), help="where indexes are kept")
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES), help="chunks")
    parser.add_argument("--base", type=int, default=4000, help="real chunks that are embedded")
    parser.add_argument("--questions", type=int, default=200)
    parser.add_argument("--name", default="retrieval_scale", help="of the result file")
    given = parser.parse_args(words)
    if given.data is None:
        sys.exit("name the folder of public sets with --data or ATTEST_EVAL_DATA")
    silence_libraries()
    figures = run(given.data, given.keep, given.sizes, given.base, given.questions)
    options = f"--sizes {' '.join(map(str, given.sizes))} --base {given.base} --questions {given.questions}"
    write_result(given.name, f"python -m bench.retrieval_scale {options}", figures)


if __name__ == "__main__":
    main()
