"""What ingestion costs beyond its model, how quick an unchanged folder is, and its memory.

`python -m bench.ingest_efficiency` writes bench/results/ingest_efficiency.json; `--files 20
--many 100` is a smoke test. The bare encoder embeds the very chunks that the ingest wrote, with
their token vectors, in one call, before and after the ingest: on a machine that others use too
the two tell how even the load was. Ratios of processor time stand beside those of wall time.
"""

import argparse
import json
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from app.services import Services
from core.settings import Settings
from core.types import Scope
from evals.record import write_result
from ingest.pipeline import IngestRequest
from retrieval.embedded_text import embedded_text

WORDS = [
    "device",
    "calibrate",
    "record",
    "retention",
    "quality",
    "department",
    "monthly",
    "report",
    "warranty",
    "battery",
    "employee",
    "holiday",
    "budget",
    "invoice",
    "network",
    "security",
    "backup",
    "server",
    "policy",
    "review",
    "contract",
    "supplier",
    "audit",
]
CHARACTERS = "设备每月校准一次记录保存五年由质量部门检查员工年假预算发票网络安全备份服务器政策评审保修电池"
SAMPLES = 50


def write_corpus(folder: Path, files: int, paragraphs: tuple[int, int], seed: int = 1) -> None:
    """Text files in Chinese and English by turns, none like another."""
    rng = random.Random(seed)
    for number in range(files):
        place = folder / f"{number // 1000:02d}" / f"{number}.md"
        place.parent.mkdir(parents=True, exist_ok=True)
        body = [paragraph(rng, number % 2 == 0) for _ in range(rng.randint(*paragraphs))]
        place.write_text(f"# Report {number}\n\n" + "\n\n".join(body) + "\n", encoding="utf-8")


def paragraph(rng: random.Random, chinese: bool) -> str:
    """One to three sentences."""
    if chinese:
        return "".join(
            "".join(rng.choice(CHARACTERS) for _ in range(rng.randint(20, 60))) + "。"
            for _ in range(rng.randint(1, 3))
        )
    return " ".join(
        " ".join(rng.choice(WORDS) for _ in range(rng.randint(10, 40))).capitalize()
        + f" {rng.randint(1, 999)}."
        for _ in range(rng.randint(1, 3))
    )


class Clock:
    """Wall and processor seconds, the latter of ended child processes too."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), self._used()

    def read(self) -> tuple[float, float]:
        """Seconds since it was made."""
        return time.perf_counter() - self._wall, self._used() - self._cpu

    @staticmethod
    def _used() -> float:
        both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        return sum(usage.ru_utime + usage.ru_stime for usage in both)


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Wall and processor seconds of a call."""
    clock = Clock()
    work()
    return clock.read()


def measure_efficiency(root: Path, files: int) -> dict:
    """Bare encoder ÷ ingest, and the same folder once more."""
    docs = root / "docs"
    write_corpus(docs, files, (2, 8))
    time.sleep(2.5)  # a file that was written just now is not trusted to be unchanged
    services = opened(root / "data")
    try:
        encoder, ingestor = services.embedder(), services.ingestor()
        texts = chunk_texts(root / "rehearsal", docs, encoder.count_tokens)
        encoder.embed_documents_and_tokens(texts[:64])
        before = timed(lambda: encoder.embed_documents_and_tokens(texts))
        ingest = timed(lambda: ingestor.ingest([docs], IngestRequest("default")))
        after = timed(lambda: encoder.embed_documents_and_tokens(texts))
        again = min(timed(lambda: ingestor.ingest([docs], IngestRequest("default")))[0] for _ in range(3))
    finally:
        services.close()
    encoder_s = (before[0] + after[0]) / 2
    return {
        "files": files,
        "chunks": len(texts),
        "encoder_s": [round(before[0], 2), round(after[0], 2)],
        "ingest_s": round(ingest[0], 2),
        "efficiency": round(encoder_s / ingest[0], 3),
        "encoder_cpu_s": [round(before[1], 2), round(after[1], 2)],
        "ingest_cpu_s": round(ingest[1], 2),
        "efficiency_cpu": round((before[1] + after[1]) / 2 / ingest[1], 3),
        "unchanged_s": round(again, 4),
        "unchanged_speedup": round(ingest[0] / again, 1),
    }


class NoVectors:
    """Stands in for the model where only the chunks are wanted."""

    dimensions, fingerprint, language_gap = 2, "rehearsal", 0.0

    def __init__(self, count_tokens: Callable[[str], int]) -> None:
        self.count_tokens = count_tokens

    def embed_documents(self, texts: Sequence[str]) -> np.ndarray:
        """The same vector for each."""
        return np.ones((len(texts), self.dimensions), np.float32)


def chunk_texts(data: Path, docs: Path, count_tokens: Callable[[str], int]) -> list[str]:
    """What will be embedded, in the order of ids."""
    settings = Settings(_env_file=None, data=data, retrieval={"reranker": "none"})
    services = Services(settings, {"embedder": NoVectors(count_tokens)})
    try:
        services.ingestor().ingest([docs], IngestRequest("default"))
        chunks = services.store().find_chunks(Scope("default"), [], 16_000)
        return [embedded_text(chunk) for chunk in chunks]
    finally:
        services.close()
        shutil.rmtree(data)


def opened(data: Path) -> Services:
    """Services whose store is open and whose collection is there: both are paid once, not by
    the file."""
    services = Services(Settings(_env_file=None, data=data))
    services.index().open_collection("default")
    return services


def measure_memory(root: Path, files: int) -> dict:
    """Resident memory of one process while it ingests many small files."""
    docs = root / "many"
    write_corpus(docs, files, (1, 1), seed=2)
    services = opened(root / "many-data")
    seen: list[float] = []
    clock = Clock()
    try:
        step = max(1, files // SAMPLES)
        services.ingestor().ingest(
            [docs],
            IngestRequest("default"),
            lambda p: seen.append(resident_mb()) if p.done % step == 0 else None,
        )
    finally:
        services.close()
    fifth = max(1, len(seen) // 5)
    return {
        "files": files,
        "seconds": round(clock.read()[0], 1),
        "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "rss_mb_after_a_fifth": round(sum(seen[:fifth][-3:]) / len(seen[:fifth][-3:])),
        "rss_mb_at_the_end": round(sum(seen[-3:]) / len(seen[-3:])),
        "rss_mb": [round(value) for value in seen],
    }


def resident_mb() -> float:
    """Resident memory of this process now."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 2**20


def main() -> None:
    """Each part in a process of its own, so that memory is that of the part alone."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=200)
    parser.add_argument("--many", type=int, default=5000)
    parser.add_argument("--name", default="ingest_efficiency", help="of the file in bench/results")
    parser.add_argument("--part", choices=["efficiency", "memory"], help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.part:
        with tempfile.TemporaryDirectory(prefix="attest-bench-") as folder:
            measure, files = {
                "efficiency": (measure_efficiency, given.files),
                "memory": (measure_memory, given.many),
            }[given.part]
            print(json.dumps(measure(Path(folder), files)))
        return
    figures = {part: measured_apart(part, given) for part in ("efficiency", "memory")}
    command = f"python -m bench.ingest_efficiency --files {given.files} --many {given.many}"
    write_result(given.name, command, figures)


def measured_apart(part: str, given: argparse.Namespace) -> dict:
    """What one part measures."""

    command = [sys.executable, "-m", "bench.ingest_efficiency", "--part", part]
    command += ["--files", str(given.files), "--many", str(given.many)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    main()
