"""How a pipeline is timed, in the environment of each library: standard library only.

`main(load)` is the life of a process: `load(model)` gets everything ready, what it returns reads,
cuts, embeds and stores a folder. One JSON line on stdout tells what that took; what the
library prints goes to stderr.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

Texts = Callable[[], Sequence[str]]
Pipeline = Callable[[Path], Texts]
"""Ingests a folder; what it gives tells afterwards which texts were embedded."""


def main(load: Callable[[str], Pipeline]) -> None:
    """Arguments: the model's folder, the folder of files."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    model, folder = sys.argv[1], Path(sys.argv[2])
    ingest = load(model)
    wall, cpu = time.perf_counter(), _cpu_s()
    told_later = ingest(folder)
    wall_s, cpu_s = time.perf_counter() - wall, _cpu_s() - cpu
    texts = told_later()
    told = {
        "wall_s": round(wall_s, 3),
        "cpu_s": round(cpu_s, 3),
        "chunks": len(texts),
        "characters": sum(len(text) for text in texts),
    }
    answers.write(json.dumps(told) + "\n")
    answers.flush()
    os._exit(0)  # some libraries leave threads behind that would keep the process


def _cpu_s() -> float:
    """Of this process and of its children that have ended."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system
