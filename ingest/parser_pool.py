"""Several parse processes behind one `ParserRunner`. Knows nothing of files."""

import queue
from collections.abc import Callable
from pathlib import Path

from ingest.parsing import ParsedFile, ParserRunner


class ParserPool:
    """A ParserRunner for as many threads at once as it has runners; more of them wait."""

    def __init__(self, make: Callable[[], ParserRunner], size: int) -> None:
        self._runners = [make() for _ in range(size)]
        self._free: queue.LifoQueue[ParserRunner] = queue.LifoQueue()
        for runner in self._runners:
            self._free.put(runner)

    def parse(self, path: Path, media_type: str) -> ParsedFile:
        """See ParserRunner."""
        runner = self._free.get()
        try:
            return runner.parse(path, media_type)
        finally:
            self._free.put(runner)

    def close(self) -> None:
        """Ends all processes."""
        for runner in self._runners:
            runner.close()
