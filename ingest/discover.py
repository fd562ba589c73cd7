"""Paths to files worth reading: which they are, of what kind, and their hash.

Knows the file system; knows nothing of the ledger or of parsers' insides.
"""

import hashlib
import os
import stat
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.errors import FileError, InputError
from ingest.media_types import detect_media_type

_SETTLED_NS = 2_000_000_000


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file that can be read. `name` is what people call it."""

    path: Path
    uri: str
    name: str
    media_type: str
    size_bytes: int
    sha256: str
    signature: str = ""


@dataclass(frozen=True, slots=True)
class KnownFile:
    """What an earlier run found out about a file that had this signature then."""

    signature: str
    sha256: str
    media_type: str


@dataclass(frozen=True, slots=True)
class RefusedFile:
    """A file that cannot be read, with the reason."""

    uri: str
    name: str
    error: FileError
    size_bytes: int = 0
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A path that discovery came upon, before it is opened."""

    path: Path
    uri: str
    name: str
    error: FileError | None = None


def find_candidates(sources: Sequence[Path], root: Path | None) -> list[Candidate]:
    """Every file under the sources once, sorted within each folder; hidden ones are skipped.

    A link that leads out of the folder it was found in (or out of `root`) is a candidate
    with the error `outside_root`. A source that is not there has the error `missing`.

    Raises:
        InputError: no source is there at all.
    """
    missing = [source for source in sources if not source.exists()]
    if sources and len(missing) == len(sources):
        raise InputError(f"there is no file or folder {missing[0]}", remedy="check the path")
    seen: dict[str, Candidate] = {}
    for source in sources:
        for candidate in _candidates_of(source, root):
            seen.setdefault(candidate.uri, candidate)
    return list(seen.values())


def _candidates_of(source: Path, root: Path | None) -> Iterator[Candidate]:
    if not source.exists():
        error = FileError("there is no such file", code="missing", remedy="check the path")
        yield Candidate(source, Path(os.path.abspath(source)).as_posix(), source.name, error)
    elif source.is_dir():
        fence = (root or source).resolve()
        yield from (_candidate(path, fence) for path in _walk(source))
    else:
        yield _candidate(source, root.resolve() if root else source.resolve().parent)


def _walk(folder: Path) -> Iterator[Path]:
    """Files under a folder; a link to a folder is given as a path, not entered."""
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        links = [name for name in folders if Path(parent, name).is_symlink()]
        yield from (Path(parent, name) for name in sorted([*links, *files]) if not name.startswith("."))


def _candidate(path: Path, fence: Path) -> Candidate:
    try:
        resolved = path.resolve()
    except (RuntimeError, OSError):  # a loop of links; newer versions of Python raise OSError
        error = FileError("it is a link that leads back to itself", code="missing", remedy="mend the link")
        return Candidate(path, _shown(Path(os.path.abspath(path))), _shown(Path(path.name)), error)
    for name in (path, resolved):
        if _shown(name) != name.as_posix():
            error = FileError("its name is not valid UTF-8", code="bad_name", remedy="rename it")
            return Candidate(path, _shown(Path(os.path.abspath(path))), _shown(Path(path.name)), error)
    if not resolved.is_relative_to(fence):
        error = FileError(
            "it is a link that leads out of the folder", code="outside_root", remedy="give the target itself"
        )
        return Candidate(path, Path(os.path.abspath(path)).as_posix(), path.name, error)
    if not resolved.exists():
        error = FileError("it is a link to nothing", code="missing", remedy="mend the link")
        return Candidate(path, Path(os.path.abspath(path)).as_posix(), path.name, error)
    return Candidate(resolved, resolved.as_posix(), resolved.name)


def _shown(path: Path) -> str:
    """A path as text that can be stored and printed: bytes that are no UTF-8 are escaped."""
    return os.fsencode(path.as_posix()).decode("utf-8", "backslashreplace")


def signature_of(status: os.stat_result, now_ns: int) -> str:
    """Size, times and inode of a file: as long as they are the same, so are its bytes. The
    time of change is among them, since any program may set the time of modification.

    Empty for a file that was touched within the last seconds: it could be written again
    within one tick of the file system's clock, and nothing would show it.
    """
    if now_ns - max(status.st_mtime_ns, status.st_ctime_ns) < _SETTLED_NS:
        return ""
    return f"{status.st_size}:{status.st_mtime_ns}:{status.st_ctime_ns}:{status.st_ino}"


def inspect_file(
    candidate: Candidate, max_bytes: int, known: KnownFile | None = None
) -> FoundFile | RefusedFile | None:
    """Kind, size and hash of a candidate; None for a linked folder, whose files are found
    where they lie. A file that still has the signature of `known` is not read."""
    if candidate.error is not None:
        return RefusedFile(candidate.uri, candidate.name, candidate.error)
    try:
        status = candidate.path.stat()
        if stat.S_ISDIR(status.st_mode):
            return None
        _check_size(status, max_bytes)
        signature = signature_of(status, time.time_ns())
        if known and signature and signature == known.signature:
            kind, sha256 = known.media_type, known.sha256
            return FoundFile(
                candidate.path, candidate.uri, candidate.name, kind, status.st_size, sha256, signature
            )
        with candidate.path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as exc:
        return RefusedFile(candidate.uri, candidate.name, _unopened(exc))
    except FileError as error:
        return RefusedFile(candidate.uri, candidate.name, error, status.st_size)
    try:
        media_type = detect_media_type(candidate.path, candidate.name)
    except OSError as exc:
        return RefusedFile(candidate.uri, candidate.name, _unopened(exc))
    except FileError as error:
        return RefusedFile(candidate.uri, candidate.name, error, status.st_size, digest)
    return FoundFile(
        candidate.path, candidate.uri, candidate.name, media_type, status.st_size, digest, signature
    )


def _unopened(exc: OSError) -> FileError:
    return FileError(
        f"it cannot be opened: {exc.strerror}", code="unreadable", remedy="check its rights", retryable=True
    )


def _check_size(status: os.stat_result, max_bytes: int) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise FileError("it is not a regular file", code="unknown_type")
    if status.st_size == 0:
        raise FileError("it is empty", code="empty")
    if status.st_size > max_bytes:
        raise FileError(
            f"it has {status.st_size / 2**20:.0f} MB, the limit is {max_bytes / 2**20:.0f} MB",
            code="too_large",
            remedy="split it or raise ingest.max_file_mb",
        )
