"""OpenDocument text (.odt) and presentations (.odp) to elements: a walk over content.xml.

odfpy would build a tree of its own classes for what is one pass over one part.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from lxml import etree

from core.errors import FileError
from core.types import Element, ElementKind
from ingest.parse_options import ParseOptions
from ingest.parsers.figures import Pictures
from ingest.parsers.media_types import ODP, ODT
from ingest.parsers.picture_sources import ReadPicture, read_packed
from ingest.parsers.safe_xml import open_package, parse_xml, read_part
from ingest.parsers.tables import table_element

_NAMESPACE = "urn:oasis:names:tc:opendocument:xmlns:"
_OFFICE = f"{{{_NAMESPACE}office:1.0}}"
_TEXT = f"{{{_NAMESPACE}text:1.0}}"
_TABLE = f"{{{_NAMESPACE}table:1.0}}"
_DRAW = f"{{{_NAMESPACE}drawing:1.0}}"
_SVG = f"{{{_NAMESPACE}svg-compatible:1.0}}"
_PRESENTATION = f"{{{_NAMESPACE}presentation:1.0}}"
_HREF = "{http://www.w3.org/1999/xlink}href"
_WHAT = "OpenDocument file"
_VECTORS = (".svg", ".svm", ".emf", ".wmf")
_MAX_DEPTH = 100
_MAX_REPEAT = 100
_LEFT_OUT = frozenset(
    {f"{_TEXT}tracked-changes", f"{_OFFICE}annotation", f"{_TEXT}sequence-decls", f"{_OFFICE}forms"}
)


class OpenDocumentParser:
    """The parser of .odt and .odp files."""

    media_types: ClassVar[frozenset[str]] = frozenset({ODT, ODP})

    def __init__(self, options: ParseOptions | None = None) -> None:
        self._options = options
        self.warnings: list[tuple[str, str]] = []

    def parse(self, path: Path) -> list[Element]:
        """The elements in reading order; the page of a presentation is its slide.

        Raises:
            FileError: `corrupt`, `encrypted`, `unsafe`, or `too_large`.
        """
        with open_package(path, _WHAT) as archive:
            names = set(archive.namelist())
            if "META-INF/manifest.xml" in names:
                manifest = read_part(archive, "META-INF/manifest.xml", _WHAT)
                if b"encryption-data" in manifest:
                    raise FileError(
                        "it is locked with a password", code="encrypted", remedy="save it without one"
                    )
            root = parse_xml(read_part(archive, "content.xml", _WHAT))
            body = root.find(f"{_OFFICE}body")
            if body is None:
                raise FileError("it has no content", code="corrupt", remedy="save it again")
            pictures = Pictures(self._options)

            walker = _Walker(pictures, lambda name: read_packed(archive, name, pictures, _WHAT))
            walker.walk(body, 0)
        self.warnings = pictures.warnings
        return pictures.finish(walker.found)


class _Walker:
    """Collects the elements of one document."""

    def __init__(self, pictures: Pictures, read: ReadPicture) -> None:
        self.found: list[Element] = []
        self._pictures = pictures
        self._read = read
        self._page: int | None = None
        self._pages = 0

    def walk(self, node: etree._Element, depth: int) -> None:
        """Goes through the blocks below a node."""
        if depth > _MAX_DEPTH:
            raise FileError("it is nested too deeply", code="corrupt", remedy="save it again")
        for child in node:
            self._visit(child, depth + 1)

    def _visit(self, node: etree._Element, depth: int) -> None:
        match node.tag:
            case str() as tag if tag in _LEFT_OUT:
                return
            case tag if tag == f"{_TEXT}h":
                self._add(ElementKind.TITLE, _line(node), _level(node))
                self._anchored(node, depth)
            case tag if tag == f"{_TEXT}p":
                self._add(ElementKind.TEXT, _line(node))
                self._anchored(node, depth)
            case tag if tag == f"{_TEXT}list":
                for indent, text in _list_lines(node, 0):
                    self._add(ElementKind.LIST, f"{'  ' * indent}- {text}")
            case tag if tag == f"{_TABLE}table":
                if element := table_element(_table_rows(node), page=self._page):
                    self.found.append(element)
            case tag if tag == f"{_DRAW}page":
                self._slide(node, depth)
            case tag if tag == f"{_DRAW}frame":
                self._frame(node, depth)
            case tag if tag == f"{_PRESENTATION}notes":
                if text := "\n".join(_line(p) for p in node.iter(f"{_TEXT}p") if _line(p)):
                    self._add(ElementKind.TEXT, f"Notes: {text}")
            case tag if tag in (f"{_SVG}title", f"{_SVG}desc"):
                self._add(ElementKind.FIGURE, (node.text or "").strip())
            case str():
                self.walk(node, depth)

    def _slide(self, node: etree._Element, depth: int) -> None:
        self._pages += 1
        self._page = self._pages
        title = next((f for f in node if f.get(f"{_PRESENTATION}class") == "title"), None)
        heading = " ".join(_line(p) for p in title.iter(f"{_TEXT}p")).strip() if title is not None else ""
        level = 1 if self._page == 1 and heading else 2
        self._add(ElementKind.TITLE, heading or f"Slide {self._page}", level)
        for child in node:
            if child is not title:
                self._visit(child, depth)

    def _anchored(self, node: etree._Element, depth: int) -> None:
        """Frames inside a paragraph: text boxes, and pictures with their description."""
        for frame in node.iter(f"{_DRAW}frame"):
            outer = next(frame.iterancestors(f"{_DRAW}frame"), None)
            if outer is None or not any(a is node for a in outer.iterancestors()):
                self._frame(frame, depth)

    def _frame(self, frame: etree._Element, depth: int) -> None:
        """A text box, or a picture, of which there may be several kinds to choose from."""
        sources = [(i.get(_HREF) or "").removeprefix("./") for i in frame.iterchildren(f"{_DRAW}image")]
        sources.sort(key=lambda name: name.endswith(_VECTORS))
        content = next(filter(None, map(self._read, sources)), b"")
        if not content:
            self.walk(frame, depth)
            return
        said = [(node.text or "").strip() for node in frame.iterchildren(f"{_SVG}title", f"{_SVG}desc")]
        if element := self._pictures.element(content, "\n".join(filter(None, said)), self._page):
            self.found.append(element)

    def _add(self, kind: ElementKind, text: str, level: int = 0) -> None:
        if text.strip():
            self.found.append(Element(kind, text, self._page, level=level))


def _level(node: etree._Element) -> int:
    value = node.get(f"{_TEXT}outline-level", "1")
    return min(6, max(1, int(value))) if value.isascii() and value.isdigit() else 1


def _line(node: etree._Element) -> str:
    return "\n".join(part.strip() for part in "".join(_pieces(node, 0)).split("\n") if part.strip())


def _pieces(node: etree._Element, depth: int) -> Iterator[str]:
    """The text of a paragraph. Footnotes stand in brackets where their number was; frames are
    blocks of their own."""
    if depth > _MAX_DEPTH:
        return
    yield node.text or ""
    for child in node:
        match child.tag:
            case tag if tag == f"{_TEXT}s":
                yield " "
            case tag if tag == f"{_TEXT}tab":
                yield "\t"
            case tag if tag == f"{_TEXT}line-break":
                yield "\n"
            case tag if tag == f"{_TEXT}note":
                body = child.find(f"{_TEXT}note-body")
                text = " ".join(_line(p) for p in body.iter(f"{_TEXT}p")) if body is not None else ""
                yield f" [{text}]" if text else ""
            case tag if tag in _LEFT_OUT or tag == f"{_DRAW}frame" or not isinstance(tag, str):
                pass
            case _:
                yield from _pieces(child, depth + 1)
        yield child.tail or ""


def _list_lines(node: etree._Element, indent: int) -> Iterator[tuple[int, str]]:
    if indent > _MAX_DEPTH:
        return
    for item in node:
        for child in item:
            if child.tag == f"{_TEXT}list":
                yield from _list_lines(child, indent + 1)
            elif child.tag in (f"{_TEXT}p", f"{_TEXT}h") and (text := _line(child)):
                yield indent, text


def _table_rows(table: etree._Element) -> list[list[str]]:
    """The cells; a spanning cell stands in each place that it covers. A row or cell may say
    that it is repeated: the empty ones that fill a sheet are not."""
    rows: list[list[str]] = []
    spans: dict[tuple[int, int], str] = {}
    for row in table.iter(f"{_TABLE}table-row"):
        if next(row.iterancestors(f"{_TABLE}table")) is not table:
            continue
        cells = _cells(row, len(rows), spans)
        if any(cells):
            rows += [list(cells) for _ in range(_count(row, "number-rows-repeated"))]
    return rows


def _cells(row: etree._Element, at: int, spans: dict[tuple[int, int], str]) -> list[str]:
    cells: list[str] = []
    for cell in row:
        if cell.tag not in (f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell"):
            continue
        text = " ".join(_line(p) for p in cell.iter(f"{_TEXT}p", f"{_TEXT}h"))
        down, right = _count(cell, "number-rows-spanned"), _count(cell, "number-columns-spanned")
        for _ in range(_count(cell, "number-columns-repeated")):
            here = spans.pop((at, len(cells)), "") if cell.tag.endswith("covered-table-cell") else ""
            for y in range(down):
                for x in range(right):
                    if y or x:
                        spans[at + y, len(cells) + x] = text
            cells.append(text or here)
    return cells


def _count(node: etree._Element, name: str) -> int:
    value = node.get(f"{_TABLE}{name}", "1")
    return max(1, min(int(value), _MAX_REPEAT)) if value.isascii() and value.isdigit() else 1
