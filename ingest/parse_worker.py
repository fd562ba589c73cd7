"""The parse process: reads requests from its input, answers on its output, has no network and
writes below its own temporary folder only.

Run by isolation.py as `python -m ingest.parse_worker MEMORY_MB FOLDER KIND`; KIND `plain` does not
read pictures, but answers that a process of the KIND `ocr` must. A message is four bytes
of length, then JSON. Ends with its parent.
"""

import base64
import contextlib
import json
import os
import resource
import shutil
import struct
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import BinaryIO

from core.errors import FileError, NotFoundError
from ingest.memory_faults import ran_out_of_memory
from ingest.page_images import render_page
from ingest.parse_fence import raise_fence
from ingest.parse_options import OcrWanted, ParseOptions
from ingest.parsing import parse_file, to_json

_PARENT_CHECK_S = 1.0


def main() -> None:
    """Answers requests until the input ends."""
    answers = _take_stdout()
    requests = sys.stdin.buffer
    folder = Path(sys.argv[2])
    _watch_parent(folder)
    raise_fence(folder)
    _limit_memory(int(sys.argv[1]))
    while (request := read_message(requests)) is not None:
        write_message(answers, _answer(request, answers, sys.argv[3] == "ocr"))


def read_message(stream: BinaryIO) -> dict | None:
    """The next message; None at the end of the stream."""
    head = stream.read(4)
    if len(head) < 4:
        return None
    return json.loads(stream.read(struct.unpack(">I", head)[0]))


def write_message(stream: BinaryIO, message: dict) -> None:
    """Sends a message."""
    body = json.dumps(message, ensure_ascii=False).encode("utf-8", "surrogatepass")
    stream.write(struct.pack(">I", len(body)) + body)
    stream.flush()


def _answer(request: dict, answers: BinaryIO, reads_pictures: bool) -> dict:
    def tell(page: int) -> None:
        write_message(answers, {"page": page})

    def ask() -> None:
        if not reads_pictures:
            raise OcrWanted

    options = ParseOptions.from_json(request.get("options", {}), tell, ask)
    try:
        if number := request.get("page"):
            image = render_page(Path(request["path"]), request["media_type"], number, options.password)
            png = base64.b64encode(image.png).decode("ascii")
            return {"image": {"png": png, "width": image.width, "height": image.height}}
        return {"parsed": to_json(parse_file(Path(request["path"]), request["media_type"], options))}
    except OcrWanted:
        return {"wants_ocr": True}
    except FileError as exc:
        return _failure(exc.code, exc.message, exc.remedy, exc.retryable)
    except NotFoundError as exc:
        return _failure(exc.code, exc.message, exc.remedy)
    except MemoryError:
        return _too_large(reads_pictures)
    except RecursionError:
        return _failure("corrupt", "it is nested too deeply", "save it again")
    except Exception as exc:  # the worker loop: a parser's fault is the file's failure
        if ran_out_of_memory(exc):
            return _too_large(reads_pictures)
        # The traceback goes along: this process has no log of its own.
        answer = _failure("parse_failed", f"its parser failed: {exc!r}"[:500], "save it again")
        return {**answer, "traceback": traceback.format_exc()}


def memory_remedy(reads_pictures: bool) -> str:
    """What helps a file that takes more memory than a process of this kind may have."""
    return f"split it, or raise {'ingest.ocr_memory_mb' if reads_pictures else 'ingest.parse_memory_mb'}"


def _too_large(reads_pictures: bool) -> dict:
    return _failure("parse_memory", "reading it takes too much memory", memory_remedy(reads_pictures))


def _failure(code: str, reason: str, remedy: str, retryable: bool = False) -> dict:
    return {"failure": {"code": code, "reason": reason, "remedy": remedy, "retryable": retryable}}


def _take_stdout() -> BinaryIO:
    """Keeps the answer pipe to itself: what libraries print goes to the error stream."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return answers


def _watch_parent(folder: Path) -> None:
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_PARENT_CHECK_S)
        shutil.rmtree(folder, ignore_errors=True)  # the parent was killed and cannot do it
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _limit_memory(limit_mb: int) -> None:
    """Address space above what the process has now. Where the system has no such limit
    (macOS), only the time limit holds."""
    with contextlib.suppress(OSError, ValueError):
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        allowed = pages * resource.getpagesize() + limit_mb * 2**20
        resource.setrlimit(resource.RLIMIT_AS, (allowed, allowed))


if __name__ == "__main__":
    main()
