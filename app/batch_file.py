"""The two files of a batch: questions, one JSON object a line, and what became of them.

A row of the second is on disk when its question is done with. A run that is killed leaves whole rows and at
most a piece of one, which the next run cuts off; so it goes on where the first one ended. Knows files and
rows; knows nothing of asking.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import stat
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agents.asking import Effort
from agents.policy import Policy
from core.errors import AttestError, ConflictError, InputError, ServiceError
from ingest.durable import sync_folder

HEAD = b'{"line": '
"""How each row of answers begins."""
FAILED = "failed"


class QuestionRow(BaseModel):
    """One line of questions. What is not given is that of the command, and then of the settings."""

    model_config = ConfigDict(extra="forbid", strict=True)

    question: str = Field(min_length=1)
    id: str | int | None = None
    collection: str = Field("", max_length=128)
    effort: Effort | None = Field(None, strict=False)
    policy: Policy | None = Field(None, strict=False)
    assistant: str | None = Field(None, max_length=128)
    readers: list[str] | None = Field(None, max_length=100)


@dataclass(frozen=True, slots=True)
class BatchLine:
    """A line of questions: what is `asked`, or the `error` that says why nothing can be. `digest` tells
    whether a row of answers is of this question."""

    line: int
    id: str
    digest: str
    asked: Mapping[str, Any]
    error: InputError | None = None


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a row of answers stands, and what it tells."""

    offset: int
    length: int
    digest: str
    status: str
    retryable: bool


def read_lines(path: Path, defaults: Mapping[str, Any]) -> list[BatchLine]:
    """All that is not blank, in order; `defaults` are fields of `QuestionRow` for rows that have none.

    Raises:
        InputError: the file cannot be read, or is none. What is wrong with one line is told by that line.
    """
    try:
        written = _read_regular(path).split(b"\n")
    except OSError as exc:
        raise InputError(
            f"{path} cannot be read: {exc.strerror}", remedy="name a file of JSON lines"
        ) from exc
    lines: list[BatchLine] = []
    first_of: dict[str, int] = {}
    for number, raw in enumerate(written, start=1):
        if raw.strip():
            line = _read_line(number, raw, defaults)
            # A line that cannot be read has no id that another one could not have.
            first = number if line.error else first_of.setdefault(line.id, number)
            if first != number:
                error = _wrong(
                    number, f"the id {line.id[:60]!r} is that of line {first}", "give it another id"
                )
                # With another digest than without the fault: when line `first` is mended, this one is asked.
                line = replace(line, error=error, digest=_digest([line.digest, first]))
            lines.append(line)
    return lines


def _read_regular(path: Path) -> bytes:
    # A pipe that nobody writes to would be waited for.
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
        _check_regular(file.fileno(), path)
        return file.read()


def _check_regular(handle: int, path: Path) -> None:
    """Raises InputError for a pipe, a device or a folder."""
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        raise InputError(f"{path} is no regular file", remedy="name a file of JSON lines")


def _read_line(number: int, raw: bytes, defaults: Mapping[str, Any]) -> BatchLine:
    try:
        row = QuestionRow.model_validate(json.loads(raw.decode("utf-8-sig")))
        if not row.question.strip():
            raise _wrong(number, "the question is empty", "write one, or take the line out")
    except ValidationError as exc:
        fault = exc.errors(include_input=False, include_url=False, include_context=False)[0]
        where = ".".join(str(part) for part in fault["loc"])
        error = _wrong(number, f"{where}: {fault['msg']}" if where else fault["msg"])
    except (ValueError, RecursionError) as exc:
        error = _wrong(number, f"this is no JSON object in UTF-8 ({exc})")
    except InputError as exc:
        error = exc
    else:
        asked = {**defaults, **row.model_dump(mode="json", exclude={"id"}, exclude_unset=True)}
        name = str(number if row.id is None else row.id)
        return BatchLine(number, name, _digest([name, asked]), asked)
    return BatchLine(number, str(number), _digest(raw.decode("utf-8", "backslashreplace")), {}, error)


def _wrong(number: int, why: str, remedy: str = "") -> InputError:
    return InputError(f"line {number}: {why}", remedy=remedy or 'write {"id": "…", "question": "…"}')


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


class BatchOutput:
    """The file of answers, which this process alone writes to until it is closed.

    Raises, when it is made:
        InputError: the file is something else, or cannot be written.
        ConflictError: another run writes to it.
    """

    def __init__(self, path: Path) -> None:
        # Where a link leads to: a new file takes the place of that one, and not of the link.
        self._path = Path(os.path.realpath(path))
        try:
            self._handle = _open_locked(self._path)
        except OSError as exc:
            raise InputError(
                f"{path} cannot be written: {exc.strerror}", remedy="name a file in a folder that is yours"
            ) from exc
        try:
            self._places, self._end = _read_places(self._path)
            os.ftruncate(self._handle, self._end)
            sync_folder(self._path.parent)
        except AttestError:
            self.close()
            raise
        except OSError as exc:
            self.close()
            raise self._unwritable(exc) from exc

    def begin(self, lines: Sequence[BatchLine], retry_failed: bool) -> list[BatchLine]:
        """The lines that are still to be asked. Rows that failed by an outage are taken out for that, those
        whose line was mended since, and with `retry_failed` all that failed.

        Raises:
            ConflictError: a row answers none of these lines, so the file is that of other questions.
        """
        known = {line.line: line.digest for line in lines}
        again = set()
        for number, place in self._places.items():
            is_same, has_failed = known.get(number) == place.digest, place.status == FAILED
            if not is_same and not (has_failed and number in known):
                raise ConflictError(
                    f"{self._path} holds an answer to another question than line {number} now asks",
                    remedy="name another file for the answers; lines may only be added behind the others",
                )
            if has_failed and (place.retryable or retry_failed or not is_same):
                again.add(number)
        if again:
            self._write_anew([number for number in self._places if number not in again])
        return [line for line in lines if line.line not in self._places]

    def append(self, line: BatchLine, result: Mapping[str, Any]) -> None:
        """Adds what became of a line, `answer` or `error`. On disk when it returns. Raises ServiceError."""
        head = {"line": line.line, "id": line.id, "digest": line.digest}
        row = head | {"question": line.asked.get("question", "")} | dict(result)
        # Half of a surrogate pair becomes an escape, as JSON has it.
        data = json.dumps(row, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"
        try:
            _write_at(self._handle, data, self._end)
            os.fsync(self._handle)
        except OSError as exc:
            # A piece of this row would stand behind a shorter one that is written in its place.
            with contextlib.suppress(OSError):
                os.ftruncate(self._handle, self._end)
            raise self._unwritable(exc) from exc
        self._places[line.line] = _place(row, self._end, len(data))
        self._end += len(data)

    def finish(self) -> dict[str, int]:
        """Puts the rows in the order of their lines, and counts them by status."""
        if list(self._places) != sorted(self._places):
            self._write_anew(sorted(self._places))
        return Counter(place.status for place in self._places.values())

    def close(self) -> None:
        """Gives the file free."""
        os.close(self._handle)

    def _write_anew(self, numbers: Sequence[int]) -> None:
        """The file with these rows alone, in this order: all of it or the former one, whenever we die."""
        beside = self._path.with_name(f".{self._path.name}.new")
        places: dict[int, _Place] = {}
        end = 0
        try:
            with contextlib.ExitStack() as undo:
                handle = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
                undo.callback(os.close, handle)
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.fchmod(handle, stat.S_IMODE(os.fstat(self._handle).st_mode))
                for number in numbers:
                    place = self._places[number]
                    _write_at(handle, os.pread(self._handle, place.length, place.offset), end)
                    places[number] = replace(place, offset=end)
                    end += place.length
                os.fsync(handle)
                os.replace(beside, self._path)
                undo.pop_all()
            # From here on the new one is the file, whatever comes.
            self.close()
            self._handle, self._places, self._end = handle, places, end
            sync_folder(self._path.parent)
        except OSError as exc:
            raise self._unwritable(exc) from exc

    def _unwritable(self, exc: OSError) -> ServiceError:
        return ServiceError(
            f"{self._path} cannot be written: {exc.strerror}",
            remedy="see that there is room, and run the same command again: it goes on from here",
        )


def _open_locked(path: Path) -> int:
    """A handle of the file, made if need be.

    Raises:
        ConflictError: another process writes to it.
        InputError: it is a pipe or a device.
    """
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NONBLOCK, 0o600)
        try:
            _check_regular(handle, path)
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            os.close(handle)
            raise ConflictError(
                f"another run writes to {path}", remedy="wait for it, or name another file"
            ) from exc
        except InputError:
            os.close(handle)
            raise
        # Whoever held it may have put another one in its place meanwhile.
        if path.exists() and os.path.samestat(os.fstat(handle), os.stat(path)):
            return handle
        os.close(handle)


def _write_at(handle: int, data: bytes, offset: int) -> None:
    left = memoryview(data)
    while left:
        written = os.pwrite(handle, left, offset)
        left, offset = left[written:], offset + written


def _read_places(path: Path) -> tuple[dict[int, _Place], int]:
    """Where rows stand, and where the last whole one ends."""
    places: dict[int, _Place] = {}
    end = 0
    with open(path, "rb") as file:
        for number, raw in enumerate(file, start=1):
            # What is no piece of a row is not ours to cut off.
            if not raw.endswith(b"\n") and (raw.startswith(HEAD) or HEAD.startswith(raw)):
                break
            try:
                row = json.loads(raw)
                line, place = _typed(row["line"], int), _place(row, end, len(raw))
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as exc:
                raise InputError(
                    f"line {number} of {path} is no row of attest batch",
                    remedy="name another file for the answers",
                ) from exc
            if line in places:
                raise InputError(
                    f"line {number} of {path} answers line {line} again", remedy="take one of both out"
                )
            places[line] = place
            end += len(raw)
    return places, end


def _place(row: Mapping[str, Any], offset: int, length: int) -> _Place:
    """Raises KeyError, TypeError or AttributeError for what is no row."""
    digest, error = _typed(row["digest"], str), row.get("error")
    if error is not None:
        return _Place(offset, length, digest, FAILED, bool(error["retryable"]))
    return _Place(offset, length, digest, _typed(row["answer"]["status"], str), False)


def _typed(value: Any, kind: type) -> Any:
    """Strictly: true is no number. Raises TypeError."""
    if type(value) is not kind:
        raise TypeError(f"{value!r:.60} is no {kind.__name__}")
    return value
