"""One file to elements: what runs inside the parse process, and the shape of its result."""

import base64
import re
import struct
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from core.errors import FileError
from core.types import Box, Element, ElementKind, Figure, Table
from ingest.parse_options import ParseOptions
from ingest.parsers.registry import parser_for

_TITLE_CHARS = 200
# What the libraries below the parsers raise over bytes that are not what they should be; lxml's
# XMLSyntaxError is a SyntaxError.
_DAMAGES = (EOFError, SyntaxError, struct.error, zipfile.BadZipFile, zlib.error)
_PICTURE_MARKS = {"image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff"}
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class ParsedFile:
    """Elements in reading order; `pages` is 0 for kinds of file that have none. `warnings`
    are pairs of a code and words: what was left out, not read or is doubtful. The first
    heading of an archive is not its title."""

    elements: tuple[Element, ...]
    pages: int
    warnings: tuple[tuple[str, str], ...] = ()
    is_archive: bool = False

    def title(self, name: str) -> str:
        """The first heading of the first level, when the file begins with it; else the name."""
        for element in self.elements[:0] if self.is_archive else self.elements[:3]:
            if element.kind is ElementKind.TITLE and element.level == 1 and not element.hidden:
                return _SPACE.sub(" ", element.text).strip()[:_TITLE_CHARS]
        return Path(name).stem or name


class ParserRunner(Protocol):
    """Parses a file somewhere: in this process or in a limited one."""

    def parse(self, path: Path, media_type: str) -> ParsedFile:
        """Raises FileError for whatever the file does to its parser."""
        ...

    def close(self) -> None: ...


def parse_file(path: Path, media_type: str, options: ParseOptions | None = None) -> ParsedFile:
    """Parses in this process. A parser may have `warnings` to tell after its parse.

    Raises:
        FileError: the parser's codes, `corrupt`, or `no_text` when nothing readable came out.
    """
    parser = parser_for(media_type, options)
    try:
        elements = [e for e in parser.parse(path) if e.text.strip() or e.figure]
    except _DAMAGES as exc:
        raise FileError(f"it is damaged: {exc}"[:300], code="corrupt", remedy="save it again") from exc
    if not elements:
        raise FileError("no text was found in it", code="no_text")
    return ParsedFile(
        tuple(elements),
        max((e.page or 0 for e in elements), default=0),
        tuple(getattr(parser, "warnings", ())),
        getattr(parser, "is_archive", False),
    )


class DirectParserRunner:
    """Parses in this process, without limits: for files that are trusted."""

    def __init__(self, options: ParseOptions | None = None) -> None:
        self._options = options

    def parse(self, path: Path, media_type: str) -> ParsedFile:
        """See ParserRunner."""
        return parse_file(path, media_type, self._options)

    def close(self) -> None:
        """Nothing to close."""


def to_json(parsed: ParsedFile) -> dict:
    """For the pipe between the processes: plain JSON, since a parser that was taken over
    by a file must not be able to send objects."""
    return {
        "pages": parsed.pages,
        "elements": [_element_to_json(e) for e in parsed.elements],
        "warnings": [list(warning) for warning in parsed.warnings],
        "is_archive": parsed.is_archive,
    }


def from_json(value: dict) -> ParsedFile:
    """The inverse of to_json.

    Raises:
        KeyError, TypeError, ValueError: it is something else.
    """
    return ParsedFile(
        tuple(_element_from_json(e) for e in value["elements"]),
        int(value["pages"]),
        tuple((_text(code), _text(words)) for code, words in value["warnings"]),
        bool(value["is_archive"]),
    )


def _element_to_json(element: Element) -> list:
    box = element.box
    corners = [box.page, box.left, box.top, box.right, box.bottom] if box else None
    table = _table_to_json(element.table) if element.table else None
    figure = _figure_to_json(element.figure) if element.figure else None
    place = [str(element.kind), element.text, element.page, corners, element.level]
    return [*place, table, element.hidden, figure]


def _element_from_json(value: Sequence) -> Element:
    kind, text, page, corners, level, table, hidden, figure = value
    if not isinstance(text, str) or not (page is None or isinstance(page, int)):
        raise ValueError("not an element")
    box = Box(int(corners[0]), *(float(c) for c in corners[1:5])) if corners else None
    found = _table_from_json(table) if table else None
    picture = _figure_from_json(figure) if figure else None
    return Element(ElementKind(kind), text, page, box, int(level), found, _text(hidden), picture)


def _figure_to_json(figure: Figure) -> list:
    return [base64.b64encode(figure.data).decode("ascii"), figure.media_type, figure.width, figure.height]


def _figure_from_json(value: Sequence) -> Figure:
    """Its data is shown to people, so it must at least begin as what it says it is."""
    data, media_type, width, height = value
    picture = base64.b64decode(_text(data), validate=True)
    if not picture.startswith(_PICTURE_MARKS.get(media_type, b"\0none")):
        raise ValueError("not a picture")
    return Figure(picture, media_type, int(width), int(height))


def _table_to_json(table: Table) -> list:
    rows = [list(row) for row in table.rows]
    return [rows, table.header_rows, table.caption, list(table.footnotes), table.place, table.cells_read]


def _table_from_json(value: Sequence) -> Table:
    given, header_rows, caption, footnotes, place, cells_read = value
    rows = tuple(tuple(_text(cell) for cell in row) for row in given)
    if len({len(row) for row in rows}) != 1 or not 0 <= int(header_rows) <= len(rows):
        raise ValueError("not a table")
    notes = tuple(_text(note) for note in footnotes)
    return Table(rows, int(header_rows), _text(caption), notes, _text(place), int(cells_read))


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("not a text")
    return value
