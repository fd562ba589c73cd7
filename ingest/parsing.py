"""One file to elements: what runs inside the parse process, and the shape of its result."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from core.errors import FileError
from core.types import Box, Element, ElementKind
from ingest.parse_options import ParseOptions
from ingest.parsers.registry import parser_for

_TITLE_CHARS = 200
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class ParsedFile:
    """Elements in reading order; `pages` is 0 for kinds of file that have none."""

    elements: tuple[Element, ...]
    pages: int

    def title(self, name: str) -> str:
        """The first heading of the first level, when the file begins with it; else the name."""
        for element in self.elements[:3]:
            if element.kind is ElementKind.TITLE and element.level == 1:
                return _SPACE.sub(" ", element.text).strip()[:_TITLE_CHARS]
        return Path(name).stem or name


class ParserRunner(Protocol):
    """Parses a file somewhere: in this process or in a limited one."""

    def parse(self, path: Path, media_type: str) -> ParsedFile:
        """Raises FileError for whatever the file does to its parser."""
        ...

    def close(self) -> None: ...


def parse_file(path: Path, media_type: str, options: ParseOptions | None = None) -> ParsedFile:
    """Parses in this process.

    Raises:
        FileError: the parser's codes, or `no_text` when nothing readable came out.
    """
    elements = [e for e in parser_for(media_type, options).parse(path) if e.text.strip()]
    if not elements:
        raise FileError("no text was found in it", code="no_text")
    return ParsedFile(tuple(elements), max((e.page or 0 for e in elements), default=0))


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
    return {"pages": parsed.pages, "elements": [_element_to_json(e) for e in parsed.elements]}


def from_json(value: dict) -> ParsedFile:
    """The inverse of to_json.

    Raises:
        KeyError, TypeError, ValueError: it is something else.
    """
    return ParsedFile(tuple(_element_from_json(e) for e in value["elements"]), int(value["pages"]))


def _element_to_json(element: Element) -> list:
    box = element.box
    corners = [box.page, box.left, box.top, box.right, box.bottom] if box else None
    return [str(element.kind), element.text, element.page, corners, element.level]


def _element_from_json(value: Sequence) -> Element:
    kind, text, page, corners, level = value
    if not isinstance(text, str) or not (page is None or isinstance(page, int)):
        raise ValueError("not an element")
    box = Box(int(corners[0]), *(float(c) for c in corners[1:5])) if corners else None
    return Element(ElementKind(kind), text, page, box, int(level))
