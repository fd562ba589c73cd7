"""Parsing in a limited process: a file can cost its own failure, never the run.

One process is kept and reused; it is ended and replaced when a file makes it too slow,
too large, or crash.
"""

import base64
import json
import logging
import os
import selectors
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from core.errors import FileError, NotFoundError, ServiceError
from ingest.page_images import PageImage
from ingest.parse_options import OcrWanted, ParseOptions
from ingest.parse_worker import memory_remedy, write_message
from ingest.parsing import ParsedFile, from_json

logger = logging.getLogger(__name__)

_MAX_OUTPUT_BYTES = 256 * 2**20
_READ_BYTES = 1 << 16
_SAMPLE_S = 0.02
"""How often the memory of a process at work is looked at."""
# A long scan goes on as long as its pages do, but not for ever: this many times the limit.
_MOST_EXTENSIONS = 30
# How libraries in C end a process when they are refused memory.
_ENDS_WITHOUT_MEMORY = (signal.SIGABRT, signal.SIGTRAP, signal.SIGILL, signal.SIGSEGV, signal.SIGBUS)
_KEPT_ENVIRONMENT = ("PATH", "HOME", "LANG", "LC_ALL", "VIRTUAL_ENV")


class ProcessParserRunner:
    """A ParserRunner with limits on time, memory and output. Safe to call from threads,
    one parse at a time. `memory_mb` is address space above what the process has at its start;
    one that does not read pictures needs far less of it, and raises OcrWanted where it should."""

    def __init__(
        self,
        timeout_s: float,
        memory_mb: int,
        max_output_bytes: int = _MAX_OUTPUT_BYTES,
        options: ParseOptions | None = None,
        reads_pictures: bool = True,
    ) -> None:
        self._reads_pictures = reads_pictures
        self._options = options or ParseOptions()
        self._timeout_s = timeout_s
        self._memory_mb = memory_mb
        self._max_output_bytes = max_output_bytes
        self._process: subprocess.Popen | None = None
        self._folder: str | None = None
        self._peak_before_mb = self._peak_mb = 0.0
        self._lock = threading.Lock()

    def parse(self, path: Path, media_type: str) -> ParsedFile:
        """See ParserRunner.

        Raises:
            FileError: the parser's codes, or `parse_timeout`, `parse_memory`,
                `parse_crashed`, `parse_output`, `parse_failed`.
            ServiceError: no process can be started.
            OcrWanted: it must be parsed by a runner that reads pictures.
        """
        answer = self._request(path, media_type)
        try:
            return from_json(answer["parsed"])
        except (KeyError, TypeError, ValueError) as exc:
            raise _crashed(f"the parse process answered nonsense: {exc}") from exc

    def render(self, path: Path, media_type: str, number: int) -> PageImage:
        """A page of the file as a picture (`ingest.page_images.render_page`), within the same
        limits.

        Raises:
            NotFoundError: there is no such page.
            FileError, ServiceError: as `parse`.
        """
        answer = self._request(path, media_type, page=number)
        try:
            image = answer["image"]
            png = base64.b64decode(image["png"], validate=True)
            return PageImage(png, float(image["width"]), float(image["height"]))
        except (KeyError, TypeError, ValueError) as exc:
            raise _crashed(f"the parse process answered nonsense: {exc}") from exc

    def _request(self, path: Path, media_type: str, **more: int) -> dict:
        request = {"path": str(path.resolve()), "media_type": media_type, "options": self._options.to_json()}
        with self._lock:
            answer = self._ask(request | more)
        if answer.get("wants_ocr"):
            raise OcrWanted
        if trace := answer.get("traceback"):
            logger.error("a defect in the parser of %s, met in %s\n%s", media_type, path.name, trace)
        if failure := answer.get("failure"):
            if failure["code"] == NotFoundError.code:
                raise NotFoundError(str(failure["reason"]), remedy=str(failure["remedy"]))
            raise FileError(
                str(failure["reason"]),
                code=str(failure["code"]),
                remedy=str(failure["remedy"]),
                retryable=bool(failure["retryable"]),
            )
        return answer

    def close(self) -> None:
        """Ends the process."""
        with self._lock:
            self._end()

    def _ask(self, request: dict) -> dict:
        process = self._running()
        self._peak_before_mb = self._peak_mb = _peak_mb(process.pid)
        try:
            write_message(process.stdin, request)
            answer = self._read_answer(process)
        except BrokenPipeError as exc:
            raise self._gone(process) from exc
        except ValueError as exc:
            self._end()
            raise _crashed(f"the parse process answered nonsense: {exc}") from exc
        except BaseException:
            # Also when interrupted: the rest of this answer would be taken for the next one.
            self._end()
            raise
        if answer.get("failure", {}).get("code") == "parse_memory":
            self._end()
        return answer

    def _running(self) -> subprocess.Popen:
        if self._process is not None and self._process.poll() is None:
            return self._process
        self._end()
        try:
            kind = "ocr" if self._reads_pictures else "plain"
            self._folder = tempfile.mkdtemp(prefix="attest-parse-")
            self._process = subprocess.Popen(
                [sys.executable, "-m", "ingest.parse_worker", str(self._memory_mb), self._folder, kind],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=self._folder,
                env=_worker_environment() | {"TMPDIR": self._folder},
                start_new_session=True,
            )
        except OSError as exc:
            raise ServiceError(
                f"no parse process can be started: {exc}", remedy="run: attest doctor"
            ) from exc
        return self._process

    def _read_answer(self, process: subprocess.Popen) -> dict:
        """The first message that is not a word about a page; each of those gives more time."""
        last = time.monotonic() + _MOST_EXTENSIONS * self._timeout_s
        while True:
            answer = json.loads(self._read(process, min(last, time.monotonic() + self._timeout_s)))
            if "page" not in answer:
                return answer

    def _read(self, process: subprocess.Popen, deadline: float) -> bytes:
        """One message, within the time and size that are allowed."""
        data, wanted = bytearray(), 4
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            while len(data) < wanted:
                while not selector.select(min(_SAMPLE_S, max(0.0, deadline - time.monotonic()))):
                    self._peak_mb = max(self._peak_mb, _peak_mb(process.pid))
                    if time.monotonic() >= deadline:
                        raise self._too_slow()
                # Never more than this message: another may follow it.
                block = os.read(process.stdout.fileno(), min(_READ_BYTES, wanted - len(data)))
                if not block:
                    raise self._gone(process)
                data += block
                if wanted == 4 and len(data) >= 4:
                    wanted = 4 + struct.unpack(">I", data[:4])[0]
                    if wanted > self._max_output_bytes:
                        raise _too_much_text()
        return bytes(data[4:])

    def _too_slow(self) -> FileError:
        return FileError(
            f"reading it takes longer than {self._timeout_s:g} s",
            code="parse_timeout",
            remedy="raise ingest.parse_timeout_s or split it",
            retryable=True,
        )

    def _gone(self, process: subprocess.Popen) -> FileError:
        # Looked at while it ran: what the system tells of an ended process counts the memory of
        # the one that it was forked from.
        status, peak_mb = _wait_for_end(process), self._peak_mb
        if status is None:
            return _crashed("the parse process closed its pipe")
        name = signal.Signals(-status).name if status < 0 else f"exit {status}"
        # A buffer that grows by doubling is refused when half of the memory is taken. What an
        # earlier file took says nothing of this one.
        took_much = peak_mb >= self._memory_mb / 2 and peak_mb > self._peak_before_mb
        if -status in _ENDS_WITHOUT_MEMORY and took_much:
            reason = f"reading it takes too much memory: its parser ended with {name} at {peak_mb:.0f} MB"
            return FileError(reason, code="parse_memory", remedy=memory_remedy(self._reads_pictures))
        return _crashed(f"the parse process ended with {name}")

    def _end(self) -> None:
        process, self._process = self._process, None
        folder, self._folder = self._folder, None
        if process is not None:
            self._stop(process)
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)

    @staticmethod
    def _stop(process: subprocess.Popen) -> None:
        if process.poll() is None:
            process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            try:
                pipe.close()
            except BrokenPipeError:
                continue


def _peak_mb(pid: int) -> float:
    """The most memory that a process has held so far; 0 where the system does not tell."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:")), 0.0)


def _wait_for_end(process: subprocess.Popen, timeout_s: float = 5.0) -> int | None:
    """The exit code of a process; None: it goes on."""
    try:
        return process.wait(timeout_s)
    except subprocess.TimeoutExpired:
        return None


def _worker_environment() -> dict[str, str]:
    """Ours without secrets: a parser needs no keys. The import path is handed down, since
    the process starts in another folder."""
    kept = {name: os.environ[name] for name in _KEPT_ENVIRONMENT if name in os.environ}
    here = str(Path(__file__).resolve().parent.parent)
    paths = dict.fromkeys([here, *(str(Path(p).resolve()) for p in sys.path if p)])
    # glibc gives large blocks back at once: a process that has read a scan stays small.
    sizes = dict.fromkeys(("MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_"), str(2**20))
    memory = {**sizes, "MALLOC_ARENA_MAX": "2"}
    return kept | memory | {"PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"}


def _too_much_text() -> FileError:
    return FileError("it unpacks to too much text", code="parse_output", remedy="split it")


def _crashed(reason: str) -> FileError:
    return FileError(reason, code="parse_crashed", remedy="save the file again", retryable=True)
