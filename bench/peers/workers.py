"""Worker processes from the driver's side: started, asked, ended.

Knows pipes and environments; knows nothing of what the messages mean.
"""

import json
import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.peers.protocol import send

ROOT = Path(__file__).absolute().parents[2]
# No library may reach for a hub, report home, or be slowed by a missing byte-code cache.
DROPPED = ("PYTHONDONTWRITEBYTECODE",)
ADDED = {
    "PYTHONPATH": str(ROOT),
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HAYSTACK_TELEMETRY_ENABLED": "False",
    "LANGSMITH_TRACING": "false",
    "DO_NOT_TRACK": "1",
}


class WorkerFailed(RuntimeError):
    """A worker ended, or said something that is no answer; the message shows its last words."""


@dataclass(frozen=True, slots=True)
class WorkerCommand:
    """How to start one system. `name` is what it is called in the results."""

    name: str
    python: str
    module: str
    arguments: tuple[str, ...] = ()

    def words(self) -> list[str]:
        """The command line."""
        return [self.python, "-m", self.module, *self.arguments]


class Worker:
    """One worker process. Use it as a context: it is ended, if need be by force."""

    def __init__(self, command: WorkerCommand, log: Path) -> None:
        """Starts the process, whose stderr goes to `log`; does not wait for it."""
        self.name = command.name
        self._log_path = log
        self._log = log.open("a", encoding="utf-8")
        self._process = subprocess.Popen(
            command.words(),
            cwd=ROOT,
            env=worker_environment(os.environ),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            encoding="utf-8",
        )

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, *exc_info) -> None:
        self.close()

    def receive(self) -> dict:
        """The next message of the worker. Raises WorkerFailed."""
        line = self._process.stdout.readline()
        if not line:
            raise WorkerFailed(f"{self.name} ended with {self._process.wait()}: {self._last_words()}")
        try:
            return json.loads(line)
        except json.JSONDecodeError as exc:
            raise WorkerFailed(f"{self.name} said {line[:200]!r}, which is no JSON") from exc

    def ask(self, message: Mapping) -> dict:
        """Sends a message and waits for the answer. Raises WorkerFailed."""
        try:
            send(self._process.stdin, dict(message))
        except BrokenPipeError as exc:
            raise WorkerFailed(f"{self.name} is gone: {self._last_words()}") from exc
        return self.receive()

    def close(self, wait_s: float = 30.0) -> None:
        """Ends the process."""
        if self._process.poll() is None:
            try:
                send(self._process.stdin, {"do": "close"})
                self._process.wait(wait_s)
            except (BrokenPipeError, subprocess.TimeoutExpired):
                self._process.kill()
                self._process.wait()
        self._process.stdin.close()
        self._process.stdout.close()
        self._log.close()

    def _last_words(self) -> str:
        self._log.flush()
        return self._log_path.read_text(encoding="utf-8", errors="replace")[-1500:]


def worker_environment(outer: Mapping[str, str]) -> dict[str, str]:
    """The environment of every worker, the same for each system."""
    return {**{key: value for key, value in outer.items() if key not in DROPPED}, **ADDED}


def rotated(workers: Sequence, turn: int) -> list:
    """The same in another order each turn, so that none is always first."""
    start = turn % len(workers) if workers else 0
    return [*workers[start:], *workers[:start]]


def time_cold_start(command: WorkerCommand, opening: Mapping, query: Mapping, log: Path) -> dict:
    """Seconds from the start of a fresh process to its first hits over a saved library.

    Raises WorkerFailed when it finds nothing."""
    begun = time.perf_counter()
    with Worker(command, log) as worker:
        worker.receive()
        ready_s = time.perf_counter() - begun
        worker.ask(opening)
        found = worker.ask({**query, "settle_s": 0})
        seconds = time.perf_counter() - begun
    if not all(way["ids"] for way in found["ways"].values()):
        raise WorkerFailed(f"{command.name} found nothing after a cold start")
    return {"first_hit_s": round(seconds, 3), "ready_s": round(ready_s, 3)}
