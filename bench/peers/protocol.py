"""What a worker process answers, and how it measures itself: JSON lines over stdin and stdout.

    {"do": "index", "library", "passages": [{"id", "text"}]}   add a block of passages
    {"do": "finish", "library"}                                no more passages will come
    {"do": "encode", "questions": [...]}                       the vectors of some questions
    {"do": "query", "library", "question", "ways", "limit"}    ids, best first, by way
    {"do": "save" | "open", "library", "folder"}               to disk, or from it
    {"do": "stats"} | {"do": "close"}

Every answer holds `wall_ms` and `cpu_ms` (user and system time of the worker's whole
process, all threads). Runs in the environment of each peer, so it knows nothing but the
standard library, and nothing of any system.
"""

import json
import os
import resource
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import IO, Protocol

# Thread pools of numeric libraries spin for some milliseconds after a model has run; a pause
# keeps that out of the search that is measured next.
SETTLE_S = 0.01


@dataclass(frozen=True, slots=True)
class Passage:
    """What is indexed and found again by its id."""

    id: str
    text: str


class System(Protocol):
    """One retrieval library, held in the way its documentation shows."""

    ways: tuple[str, ...]
    """The kinds of search it is asked for; the first one answers after a cold start."""

    def about(self) -> dict:
        """Versions and whatever had to differ from its documentation."""
        ...

    def add(self, library: str, passages: Sequence[Passage]) -> None:
        """Embeds and stores."""
        ...

    def finish(self, library: str) -> None:
        """Builds what needs the whole library."""
        ...

    def encode(self, question: str) -> Sequence[float]:
        """The vector of a question, which is kept for the searches that follow."""
        ...

    def search(self, way: str, library: str, question: str, limit: int) -> list[str]:
        """Ids, best first. Uses the vector that `encode` kept."""
        ...

    def save(self, library: str, folder: str) -> None:
        """Everything that `open` needs."""
        ...

    def open(self, library: str, folder: str) -> None:
        """A library that another process saved."""
        ...

    def close(self) -> None:
        """Frees files and ports."""
        ...


class Meter:
    """Wall and processor milliseconds of what runs inside it."""

    def __enter__(self) -> "Meter":
        self._wall, self._cpu = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *exc_info) -> None:
        self.wall_ms = round((time.perf_counter() - self._wall) * 1000, 3)
        self.cpu_ms = round((time.process_time() - self._cpu) * 1000, 3)

    def figures(self) -> dict:
        """Both, once the block has ended."""
        return {"wall_ms": self.wall_ms, "cpu_ms": self.cpu_ms}


def serve(build: Callable[[], System]) -> None:
    """The life of a worker: build the system, answer until `close` or the end of stdin.

    Whatever a library prints goes to stderr. A failure ends the process with its traceback,
    which the driver shows.
    """
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    with Meter() as meter:
        system = build()
    send(answers, {"ready": True, "about": system.about(), "ways": list(system.ways), **meter.figures()})
    for reply in replies(system, (json.loads(line) for line in sys.stdin)):
        send(answers, reply)
    system.close()
    # Peers leave threads behind that would keep the process for seconds.
    sys.stderr.flush()
    os._exit(0)


def replies(system: System, messages: Iterable[dict]) -> Iterable[dict]:
    """One reply a message, until `close`."""
    for message in messages:
        if message["do"] == "close":
            return
        yield answer(system, message)


def answer(system: System, message: dict) -> dict:
    """Does what one message asks. Raises ValueError for an unknown one."""
    match message["do"]:
        case "index":
            passages = [Passage(**row) for row in message["passages"]]
            return _measured(lambda: system.add(message["library"], passages))
        case "finish":
            return _measured(lambda: system.finish(message["library"]))
        case "encode":
            with Meter() as meter:
                vectors = [list(map(float, system.encode(text))) for text in message["questions"]]
            return {"vectors": vectors, **meter.figures()}
        case "query":
            return answer_query(system, message)
        case "save":
            return _measured(lambda: system.save(message["library"], message["folder"]))
        case "open":
            return _measured(lambda: system.open(message["library"], message["folder"]))
        case "stats":
            return memory()
        case other:
            raise ValueError(f"unknown message {other!r}")


def answer_query(system: System, message: dict) -> dict:
    """Encodes once, then searches in each way; each is measured apart."""
    question = message["question"]
    with Meter() as encoding:
        system.encode(question)
    found = {}
    for way in message["ways"]:
        time.sleep(message.get("settle_s", SETTLE_S))
        with Meter() as meter:
            ids = system.search(way, message["library"], question, message["limit"])
        found[way] = {"ids": list(ids), **meter.figures()}
    return {"encode": encoding.figures(), "ways": found}


def memory() -> dict:
    """Resident megabytes now and at the most."""
    with open("/proc/self/statm", encoding="ascii") as file:
        pages = int(file.read().split()[1])
    peak_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"rss_mb": round(pages * resource.getpagesize() / 1e6), "peak_rss_mb": round(peak_kb * 1024 / 1e6)}


def send(stream: IO[str], message: dict) -> None:
    """One message as one line."""
    stream.write(json.dumps(message, ensure_ascii=False) + "\n")
    stream.flush()


def _measured(work: Callable[[], None]) -> dict:
    with Meter() as meter:
        work()
    return meter.figures()
