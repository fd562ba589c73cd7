"""Several parse processes behind one `ParserRunner`: many small ones, and few that read pictures.

Knows nothing of files. OCR takes ten times the memory of any other parse, so a file that needs it
is given to another process, of which there are as many as the setting allows.
"""

import queue
from collections.abc import Callable
from pathlib import Path

from ingest.parse_options import OcrWanted
from ingest.parsing import ParsedFile, ParserRunner


class ParserPool:
    """A ParserRunner for as many threads at once as it has runners; more of them wait.

    `make` gives runners that raise OcrWanted for a file with pictures to be read, `make_ocr` those
    that read it then, from its beginning.
    """

    def __init__(
        self,
        make: Callable[[], ParserRunner],
        size: int,
        make_ocr: Callable[[], ParserRunner],
        ocr_size: int = 1,
    ) -> None:
        self._plain, self._ocr = _Runners(make, size), _Runners(make_ocr, ocr_size)

    def parse(self, path: Path, media_type: str) -> ParsedFile:
        """See ParserRunner."""
        try:
            return self._plain.parse(path, media_type)
        except OcrWanted:
            return self._ocr.parse(path, media_type)

    def close(self) -> None:
        """Ends all processes."""
        self._plain.close()
        self._ocr.close()


class _Runners:
    def __init__(self, make: Callable[[], ParserRunner], size: int) -> None:
        self._all = [make() for _ in range(size)]
        # The one used last: processes start with their first file, so few files start few.
        self._free: queue.LifoQueue[ParserRunner] = queue.LifoQueue()
        for runner in self._all:
            self._free.put(runner)

    def parse(self, path: Path, media_type: str) -> ParsedFile:
        runner = self._free.get()
        try:
            return runner.parse(path, media_type)
        finally:
            self._free.put(runner)

    def close(self) -> None:
        for runner in self._all:
            runner.close()
