"""What a user waits for and gives up: start times, memory, disk.

`python -m bench.footprint`: in the environment that runs it, over the sample library in a
fresh data directory.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from evals.record import spread, write_result

ROOT = Path(__file__).resolve().parent.parent
RUNS = 5
LARGEST = 12


def run_command(*words: str) -> tuple[float, float]:
    """Wall seconds and peak memory (MB) of one `attest` command."""
    command = [str(Path(sys.executable).with_name("attest")), *words]
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    begun = time.perf_counter()
    child = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(command)} ended with {status}")
    return time.perf_counter() - begun, usage.ru_maxrss / 1000


def repeat(*words: str) -> dict:
    """Several runs of one command, after one that does not count."""
    run_command(*words)
    runs = [run_command(*words) for _ in range(RUNS)]
    return {"wall_s": spread([wall for wall, _ in runs]), "peak_rss_mb": spread([rss for _, rss in runs])}


def disk() -> dict:
    """Megabytes of the environment and of its largest parts."""
    packages = Path(next(path for path in sys.path if path.endswith("site-packages")))
    sizes = {entry.name: _size(entry) for entry in packages.iterdir()}
    largest = sorted(sizes, key=lambda name: -sizes[name])[:LARGEST]
    return {
        "environment_mb": _size(Path(sys.prefix)),
        "largest_mb": {name: sizes[name] for name in largest},
    }


def _size(path: Path) -> int:
    files = [path] if path.is_file() else path.rglob("*")
    return round(sum(f.stat().st_blocks * 512 for f in files if f.is_file() and not f.is_symlink()) / 1e6)


def measure() -> dict:
    """All of it."""
    with tempfile.TemporaryDirectory() as data:
        ingest = run_command("ingest", str(ROOT / "samples" / "library"), "--data", data)
        return {
            "attest --help": repeat("--help"),
            "attest search, cold": repeat("search", "保修期是多久", "--data", data),
            "attest ask, cold": repeat("ask", "TM-20 主机的保修期是多久？", "--data", data),
            "ingest of 12 documents": {"wall_s": round(ingest[0], 1), "peak_rss_mb": round(ingest[1])},
            "disk": disk(),
        }


if __name__ == "__main__":
    write_result("footprint", "python -m bench.footprint", measure())
