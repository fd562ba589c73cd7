"""Few processes read pictures, however many files are parsed at once."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from core.errors import FileError
from core.types import Element, ElementKind
from ingest.memory_faults import ran_out_of_memory
from ingest.parse_options import OcrWanted
from ingest.parser_pool import ParserPool
from ingest.parsing import ParsedFile

PARSED = ParsedFile((Element(ElementKind.TEXT, "words"),), 1)


class Runner:
    """Counts how many of its kind are at work at once."""

    def __init__(self, counts, reads_pictures):
        self._counts, self._reads = counts, reads_pictures
        self.closed = False

    def parse(self, path, media_type):
        if not self._reads and path.name.startswith("scan"):
            raise OcrWanted
        if not self._reads and path.name.startswith("bad"):
            raise FileError("it is bad", code="corrupt")
        with self._counts["lock"]:
            self._counts["now"] += self._reads
            self._counts["most"] = max(self._counts["most"], self._counts["now"])
            self._counts["read"] += self._reads
        time.sleep(0.01)
        with self._counts["lock"]:
            self._counts["now"] -= self._reads
        return PARSED

    def close(self):
        self.closed = True


@pytest.fixture
def counts():
    return {"lock": threading.Lock(), "now": 0, "most": 0, "read": 0}


def pool(counts, size, ocr_size):
    return ParserPool(lambda: Runner(counts, False), size, lambda: Runner(counts, True), ocr_size)


@pytest.mark.parametrize("ocr_size", [1, 2])
def test_as_many_read_pictures_at_once_as_may(counts, ocr_size):
    parsers = pool(counts, 6, ocr_size)
    names = [f"scan{n}.pdf" for n in range(12)]
    with ThreadPoolExecutor(6) as threads:
        found = list(threads.map(lambda name: parsers.parse(Path(name), "application/pdf"), names))
    assert found == [PARSED] * 12
    assert counts["read"] == 12
    assert counts["most"] == ocr_size


def test_a_file_without_pictures_never_gets_there(counts):
    parsers = pool(counts, 1, 1)
    assert parsers.parse(Path("a.txt"), "text/plain") == PARSED
    with pytest.raises(FileError):
        parsers.parse(Path("bad.txt"), "text/plain")
    assert counts["read"] == 0


@pytest.mark.parametrize(
    ("error", "is_memory"),
    [
        (MemoryError(), True),
        (RuntimeError("Exception from src/core: std::bad_alloc"), True),
        (ImportError("libopenvino.so: failed to map segment from shared object"), True),
        (OSError(12, "Cannot allocate memory"), True),
        (RuntimeError("Exception from src/inference/src/dev/plugin.cpp:54: can't alloc"), True),
        (RuntimeError("shape mismatch"), False),
        (ImportError("No module named 'rapidocr'"), False),
    ],
)
def test_a_lack_of_memory_is_known_by_its_words(error, is_memory):
    assert ran_out_of_memory(error) is is_memory


def test_a_lack_of_memory_behind_another_error_is_known():
    try:
        try:
            raise MemoryError
        except MemoryError as exc:
            raise ValueError("no model") from exc
    except ValueError as error:
        assert ran_out_of_memory(error)
