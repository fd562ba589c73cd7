"""ZIP and TAR archives: each member by the parser of its kind. Nothing is unpacked to disk
under a member's name; members.py holds the limits."""

import bz2
import gzip
import lzma
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, ClassVar

from core.errors import FileError
from core.types import Element
from ingest.media_types import BoundedFile
from ingest.parse_options import ParseOptions
from ingest.parsers.media_types import TAR, ZIP
from ingest.parsers.members import MAX_MEMBER_BYTES, BudgetError, Members, read_container

_MAX_RATIO = 200
_RATIO_FROM_BYTES = 2**20
_NOISE = ("__MACOSX/", ".DS_Store", "Thumbs.db", "desktop.ini")
_UTF8_NAME = 0x800
_READERS: dict[bytes, Callable] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ\0": lzma.open}
_DAMAGES = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    OSError,
    EOFError,
    ValueError,
    NotImplementedError,
)


class ZipParser:
    """The parser of .zip archives. After a parse `warnings` names what was not read."""

    media_types: ClassVar[frozenset[str]] = frozenset({ZIP})
    is_archive: ClassVar[bool] = True

    def __init__(self, options: ParseOptions | None = None) -> None:
        self._options = options
        self.warnings: list[tuple[str, str]] = []

    def parse(self, path: Path) -> list[Element]:
        """The elements of all members.

        Raises:
            FileError: `corrupt`, `bomb`, `too_large`, or `no_text` when no member can be read.
        """
        found = read_container(self, path, self._options)
        self.warnings = found.warnings
        return found.elements

    def parse_into(self, path: Path, found: Members) -> None:
        """See ContainerParser."""
        try:
            with BoundedFile(path.open("rb", buffering=0)) as file, zipfile.ZipFile(file) as archive:
                for info in archive.infolist():
                    _add_zip_member(archive, info, found)
        except _DAMAGES as exc:
            raise _corrupt(exc) from exc


class TarParser:
    """The parser of .tar archives, plain or packed by gzip, bzip2 or xz, and of one file
    that is so packed."""

    media_types: ClassVar[frozenset[str]] = frozenset({TAR})
    is_archive: ClassVar[bool] = True

    def __init__(self, options: ParseOptions | None = None) -> None:
        self._options = options
        self.warnings: list[tuple[str, str]] = []

    def parse(self, path: Path) -> list[Element]:
        """See ZipParser.parse."""
        found = read_container(self, path, self._options)
        self.warnings = found.warnings
        return found.elements

    def parse_into(self, path: Path, found: Members) -> None:
        """See ContainerParser."""
        try:
            if not _holds_tar(path):
                with _unpacked(path) as stream:
                    found.add(_name_in_gzip(path) or "content", stream)
                return
            # As a stream: a member is read once, on the way, and nothing is looked for.
            with tarfile.open(path, "r|*") as archive:
                for info in archive:
                    archive.members = []  # else every header is kept
                    _add_tar_member(archive, info, found)
        except _DAMAGES as exc:
            raise _corrupt(exc) from exc


def _add_zip_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, found: Members) -> None:
    name = _zip_name(info)
    if info.is_dir() or _is_noise(name):
        return
    try:
        if info.flag_bits & 1:
            raise FileError("it is locked with a password", code="encrypted", remedy="pack it without")
        if stat.S_ISLNK(info.external_attr >> 16):
            raise FileError("it is a link", code="outside_root", remedy="pack the target itself")
        _check_size(info.file_size, info.compress_size)
        member = archive.open(info)
    except FileError as error:
        found.warn(found.shown(name), error)
        return
    except (zipfile.BadZipFile, NotImplementedError, OSError, RuntimeError) as exc:
        found.warn(found.shown(name), _corrupt(exc))
        return
    with member:
        found.add(name, member)


def _add_tar_member(archive: tarfile.TarFile, info: tarfile.TarInfo, found: Members) -> None:
    if info.isdir() or _is_noise(info.name):
        return
    shown = found.shown(info.name)
    if info.issym() or info.islnk():
        found.warn(shown, FileError("it is a link", code="outside_root"))
    elif not info.isreg():
        found.warn(shown, FileError("it is not a regular file", code="unknown_type"))
    elif info.size > MAX_MEMBER_BYTES:
        # What comes after can be reached only by unpacking this one.
        raise BudgetError(f"{shown} unpacks to {info.size // 2**20} MB", code="bomb", remedy="split it")
    elif info.issparse():
        found.warn(shown, FileError("it is a sparse file", code="unknown_type"))
    else:
        found.add(info.name, archive.extractfile(info))


def _check_size(unpacked: int, packed: int) -> None:
    if unpacked > MAX_MEMBER_BYTES:
        raise FileError(f"it unpacks to {unpacked // 2**20} MB", code="too_large", remedy="split it")
    if unpacked > _RATIO_FROM_BYTES and unpacked > _MAX_RATIO * max(1, packed):
        raise FileError(f"it unpacks to {unpacked // max(1, packed)} times its size", code="bomb")


def _zip_name(info: zipfile.ZipInfo) -> str:
    """Without the mark for UTF-8 a name is in the encoding of who packed it, and zipfile has
    read it as cp437: in practice UTF-8, or GBK from a Chinese Windows."""
    if info.flag_bits & _UTF8_NAME or info.filename.isascii():
        return info.filename
    try:
        data = info.filename.encode("cp437")
    except UnicodeEncodeError:
        return info.filename
    for encoding in ("utf-8", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return info.filename


def _is_noise(name: str) -> bool:
    return name.startswith(_NOISE[0]) or name.rsplit("/", 1)[-1] in _NOISE[1:]


def _holds_tar(path: Path) -> bool:
    with _unpacked(path) as stream:
        return stream.read(512)[257:262] == b"ustar"


def _unpacked(path: Path) -> BinaryIO:
    with path.open("rb") as file:
        head = file.read(8)
    opener = next((f for mark, f in _READERS.items() if head.startswith(mark)), None)
    return opener(path, "rb") if opener else path.open("rb")


def _name_in_gzip(path: Path) -> str:
    """The name that a gzip file remembers, if it does (RFC 1952, FNAME)."""
    with path.open("rb") as file:
        head = file.read(512)
    if head[:2] != b"\x1f\x8b" or head[3] & 0b1100 != 0b1000:
        return ""
    return head[10:].partition(b"\0")[0].decode("latin-1")


def _corrupt(exc: Exception) -> FileError:
    return FileError(f"it is a damaged archive: {exc}"[:300], code="corrupt", remedy="pack it again")
