"""What kind of file some bytes are: by content, the name only tells kinds of text apart.

Runs in the process that looks files up, so it must cost little whatever the file is: no
parser is called, an archive's list of members is read only up to a limit.
"""

import bz2
import gzip
import io
import lzma
import re
import zipfile
import zlib
from pathlib import Path

from core.errors import FileError
from ingest.image_types import image_type
from ingest.parsers.charset import decode_text
from ingest.parsers.media_types import (
    CSV,
    DOCX,
    EML,
    EPUB,
    JSON,
    JSONL,
    MSG,
    NOTEBOOK,
    ODP,
    ODS,
    ODT,
    PPTX,
    RTF,
    TAR,
    TSV,
    XLS,
    XLSB,
    XLSX,
    XML,
    ZIP,
)
from ingest.parsers.registry import CONVERT

_HEAD_BYTES = 8192
_MAX_DIRECTORY_BYTES = 4 * 2**20
_MARKDOWN_SUFFIXES = frozenset({".md", ".markdown", ".mdown", ".mkd"})
_HTML_SUFFIXES = frozenset({".html", ".htm", ".xhtml"})
_JSON_SUFFIXES = {".json": JSON, ".jsonl": JSONL, ".ndjson": JSONL, ".ipynb": NOTEBOOK}
_SEPARATED_SUFFIXES = {".csv": CSV, ".tsv": TSV, ".tab": TSV}
_XML_SUFFIXES = frozenset({".xml", ".rss", ".atom", ".svg", ".rdf"})
_PLAIN_SUFFIXES = frozenset({".txt", ".text", ".log"})
_HTML_START = re.compile(
    r"^\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)\b", re.I | re.S
)
_XML_START = re.compile(r"^\s*<\?xml\s")
_JSON_START = re.compile(r'^\s*(?:\{\s*"|\[\s*[{\["])')
_MAIL_START = re.compile(r"(?:[!-9;-~]+:[ \t].*\n(?:[ \t]+.*\n)*){2,}")
_MAIL_FIELD = re.compile(r"^(?:From|Received|Return-Path|Message-ID|MIME-Version|Delivered-To):", re.I | re.M)
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OLE_ENTRY_BYTES = 128
_CONTROLS = {code: None for code in range(32) if chr(code) not in "\t\n\r\f\v\x1b"}
_PACKED = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ\0": lzma.open}
_OFFICE_MEMBERS = {
    "word/document.xml": DOCX,
    "ppt/presentation.xml": PPTX,
    "xl/workbook.xml": XLSX,
    "xl/workbook.bin": XLSB,
}
_MIMETYPE_MEMBERS = frozenset({ODT, ODP, ODS, EPUB})


def detect_media_type(path: Path, name: str) -> str:
    """The kind of a file.

    Raises:
        FileError: `unknown_type`, `corrupt`, `encrypted`, or `empty` when it holds white
            space only.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    # What begins a file beats a mark further on: an archive may hold a PDF at its start.
    if head.startswith(b"PK\x03\x04"):
        return _zip_type(path)
    if head.startswith(tuple(_PACKED)) or head[257:262] == b"ustar":
        return TAR
    if head.startswith(_OLE):
        return _ole_type(path)
    if head.startswith(b"{\\rtf"):
        return RTF
    if picture := image_type(head):
        return picture
    if b"%PDF-" in head[:1024]:
        return "application/pdf"
    if b"\0" in head and not head.startswith(_UTF16_MARKS):
        raise _unknown("it is not text and of no known format")
    return _text_type(path, Path(name).suffix.lower())


class BoundedFile(io.BufferedReader):
    """A file of which no single read gives more than a limit: a list of members that would
    fill the memory is refused before it is read."""

    def read(self, size: int | None = -1) -> bytes:
        """See io.BufferedReader.

        Raises:
            FileError: code `too_large`.
        """
        wanted = _MAX_DIRECTORY_BYTES + 1 if size is None or size < 0 else size
        if wanted > _MAX_DIRECTORY_BYTES + 1:
            raise _too_many_members()
        data = super().read(wanted)
        if len(data) > _MAX_DIRECTORY_BYTES:
            raise _too_many_members()
        return data


def _zip_type(path: Path) -> str:
    try:
        with BoundedFile(io.FileIO(path)) as file, zipfile.ZipFile(file) as archive:
            names = set(archive.namelist())
            for member, kind in _OFFICE_MEMBERS.items():
                if member in names:
                    return kind
            if "mimetype" in names and (kind := _first_member(archive)) in _MIMETYPE_MEMBERS:
                return kind
            if "[Content_Types].xml" in names:
                raise _unknown("it is an office file of a kind that is not read")
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError, EOFError, zlib.error) as exc:
        raise FileError("it is a damaged archive", code="corrupt", remedy="save it again") from exc
    return ZIP


def _first_member(archive: zipfile.ZipFile) -> str:
    """The text of the member `mimetype`, which says what an OpenDocument or EPUB file is."""
    if archive.getinfo("mimetype").flag_bits & 1:
        return ""
    with archive.open("mimetype") as member:
        return member.read(100).decode("ascii", "replace").strip()


def _ole_type(path: Path) -> str:
    """By the names in the directory, which stand in entries of 128 bytes: nothing of the
    file's own chains is followed."""
    data = path.read_bytes()
    if _has_ole_entry(data, "__properties_version1.0"):
        return MSG
    if _has_ole_entry(data, "EncryptedPackage"):
        raise FileError(
            "it is locked with a password", code="encrypted", remedy="save a copy without a password"
        )
    for stream, word in (("WordDocument", "Word"), ("PowerPoint Document", "PowerPoint")):
        if _has_ole_entry(data, stream):
            raise FileError(
                f"it is a {word} file of the old binary format",
                code="unknown_type",
                remedy=f"save it from {word} in the format of today, or convert it with LibreOffice",
            )
    # Last, for a Word file may hold a workbook; the other way round is rare.
    if any(_has_ole_entry(data, name) for name in ("Workbook", "Book")):
        return XLS
    raise _unknown("it is an old binary office file of a kind that is not read")


def _has_ole_entry(data: bytes, name: str) -> bool:
    wanted = name.encode("utf-16-le") + b"\0\0"
    at = data.find(wanted)
    while at >= 0:
        if at % _OLE_ENTRY_BYTES == 0:
            return True
        at = data.find(wanted, at + 2)
    return False


def _text_type(path: Path, suffix: str) -> str:
    text = decode_text(path.read_bytes())
    if not text.strip():
        raise FileError("it holds nothing but white space", code="empty")
    head = text[:_HEAD_BYTES]
    if len(head) - len(head.translate(_CONTROLS)) > 0.02 * len(head):
        raise _unknown("it is not text and of no known format")
    if kind := _SEPARATED_SUFFIXES.get(suffix) or _JSON_SUFFIXES.get(suffix):
        return kind
    if suffix == ".eml" or _is_mail(head, suffix):
        return EML
    if suffix in _HTML_SUFFIXES or _HTML_START.match(head):
        return "text/html"
    if suffix in _XML_SUFFIXES or _XML_START.match(head):
        return XML
    if suffix in _MARKDOWN_SUFFIXES:
        return "text/markdown"
    if suffix not in _PLAIN_SUFFIXES and _JSON_START.match(head) and text.rstrip()[-1] in "]}":
        return JSON
    return "text/plain"


def _is_mail(head: str, suffix: str) -> bool:
    """Header lines from the first character on, one of them such as only mail has; a text
    that is named as one stays one."""
    block = _MAIL_START.match(head)
    if suffix in _MARKDOWN_SUFFIXES or not block:
        return False
    fields = len(set(name.lower() for name in _MAIL_FIELD.findall(block.group())))
    return fields >= (3 if suffix in _PLAIN_SUFFIXES else 2)


def _too_many_members() -> FileError:
    return FileError("it is an archive of too many members", code="too_large", remedy="split it")


def _unknown(reason: str) -> FileError:
    return FileError(reason, code="unknown_type", remedy=CONVERT)
