"""PowerPoint to elements: slide by slide, its title as heading, page = slide number.

By python-pptx, with what it leaves to its users: reading order, grouped shapes, merged cells,
the data behind charts, alternative texts, SmartArt, speaker notes and comments.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from core.errors import FileError
from core.types import Element, ElementKind, Table
from ingest.parse_options import ParseOptions
from ingest.parsers.figures import Pictures
from ingest.parsers.grid import Area, header_rows
from ingest.parsers.media_types import PPTX
from ingest.parsers.pptx_chart import chart_rows
from ingest.parsers.safe_xml import parse_xml
from ingest.parsers.strict_office import transitional
from ingest.parsers.tables import table_element

_DRAWING = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_DIAGRAM = "{http://schemas.openxmlformats.org/drawingml/2006/diagram}"
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_COMPATIBILITY = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_BODY_TYPES = ("BODY", "OBJECT", "VERTICAL_BODY", "VERTICAL_OBJECT")
_FURNITURE = ("DATE", "FOOTER", "SLIDE_NUMBER", "HEADER")
_ROWS_A_SLIDE = 24
_MAX_GROUPS = 20
_FILE_NAME = re.compile(r"[^\s]+\.\w{2,4}")


class PptxParser:
    """The parser of .pptx files."""

    media_types: ClassVar[frozenset[str]] = frozenset({PPTX})

    def __init__(self, options: ParseOptions | None = None) -> None:
        self._options = options
        self.warnings: list[tuple[str, str]] = []

    def parse(self, path: Path) -> list[Element]:
        """The elements of all slides, hidden ones too.

        Raises:
            FileError: `corrupt`, or `too_large` when it unpacks to too much.
        """
        with transitional(path, "presentation") as readable:
            return self._read(readable)

    def _read(self, path: Path) -> list[Element]:
        import pptx
        from pptx.exc import PythonPptxError

        try:
            deck = pptx.Presentation(str(path))
            height = int(deck.slide_height or 6858000)
            slides = [(number, slide) for number, slide in enumerate(deck.slides, start=1)]
        except (PythonPptxError, KeyError, ValueError, SyntaxError, AttributeError, OSError) as exc:
            raise FileError(
                f"it is not a readable presentation: {exc}"[:300], code="corrupt", remedy="save it again"
            ) from exc
        pictures = Pictures(self._options)
        found = [e for number, slide in slides for e in _Slide(slide, number, height, pictures).elements()]
        self.warnings = pictures.warnings
        return pictures.finish(found)


class _Slide:
    """Reads one slide."""

    def __init__(self, slide: Any, number: int, height: int, pictures: Pictures) -> None:
        self._pictures = pictures
        self._slide = slide
        self._number = number
        self._row_height = max(1, height // _ROWS_A_SLIDE)

    def elements(self) -> Iterator[Element]:
        title = self._slide.shapes.title
        heading = _text_of(title.text_frame).replace("\n", " ") if title is not None else ""
        body = [e for shape in self._ordered(self._slide.shapes) for e in self._read(shape, title)]
        body += [self._text(text) for text in self._loose_texts()]
        body += [self._text(text) for text in (*self._notes(), *self._comments())]
        if not heading and not body:
            return
        # Without a title the text would stand under the heading of the slide before.
        level = 1 if self._number == 1 and heading else 2
        yield Element(ElementKind.TITLE, heading or f"Slide {self._number}", self._number, level=level)
        yield from body

    def _text(self, text: str, kind: ElementKind = ElementKind.TEXT) -> Element:
        return Element(kind, text, self._number)

    def _ordered(self, shapes: Any) -> list[Any]:
        """Top to bottom in rows of a 24th of the slide, left to right within a row; a shape
        without a place keeps that of its source."""
        placed = []
        for index, shape in enumerate(shapes):
            top, left = _place(shape)
            row = -1 if top is None else top // self._row_height
            placed.append((row, left or 0, index, shape))
        return [item[-1] for item in sorted(placed, key=lambda item: item[:3])]

    def _read(self, shape: Any, title: Any, depth: int = 0) -> Iterator[Element]:
        if title is not None and shape._element is title._element:
            return
        if hasattr(shape, "shapes"):
            if depth < _MAX_GROUPS:
                for inner in self._ordered(shape.shapes):
                    yield from self._read(inner, title, depth + 1)
        elif getattr(shape, "has_table", False):
            if element := _table(shape.table, self._number):
                yield element
        elif getattr(shape, "has_chart", False):
            yield from self._chart(shape)
        elif shape.has_text_frame:
            yield from self._frame(shape)
        else:
            yield from (self._text(text) for text in self._diagram(shape))
        text, content = _alternative_text(shape), _picture(shape)
        if content:
            if element := self._pictures.element(content, text, self._number):
                yield element
        elif text:
            yield self._text(text, ElementKind.FIGURE)

    def _frame(self, shape: Any) -> Iterator[Element]:
        kind = _placeholder_kind(shape)
        if kind in _FURNITURE:
            return
        paragraphs = [(p.level, _paragraph_text(p)) for p in shape.text_frame.paragraphs]
        paragraphs = [(level, text) for level, text in paragraphs if text]
        is_list = len(paragraphs) > 1 and (kind in _BODY_TYPES or any(level for level, _ in paragraphs))
        if is_list:
            for level, text in paragraphs:
                yield self._text(f"{'  ' * level}- {text}", ElementKind.LIST)
        elif paragraphs:
            yield self._text("\n".join(text for _, text in paragraphs))

    def _chart(self, shape: Any) -> Iterator[Element]:
        title, rows = chart_rows(shape.chart)
        if element := table_element(rows, Table((), caption=title), self._number):
            yield element
        elif title:
            yield self._text(title)

    def _diagram(self, shape: Any) -> Iterator[str]:
        """The texts of SmartArt, which lie in a part of their own."""
        for ids in shape._element.iter(f"{_DIAGRAM}relIds"):
            yield from self._part_paragraphs(ids.get(f"{_RELATION}dm"))

    def _part_paragraphs(self, relation: str | None) -> list[str]:
        try:
            blob = self._slide.part.related_part(relation).blob
            return [text for text in _paragraphs(parse_xml(blob)) if text]
        except (KeyError, FileError, AttributeError):
            return []

    def _loose_texts(self) -> Iterator[str]:
        """Shapes of newer kinds, such as formulas, which stand beside a fallback picture."""
        for choice in self._slide.shapes._spTree.iterfind(f"{_COMPATIBILITY}AlternateContent"):
            for wanted in choice.iterfind(f"{_COMPATIBILITY}Choice"):
                if text := "\n".join(text for text in _paragraphs(wanted) if text):
                    yield text

    def _notes(self) -> Iterator[str]:
        if self._slide.has_notes_slide and (frame := self._slide.notes_slide.notes_text_frame) is not None:
            text = _text_of(frame)
            if text:
                yield f"Notes: {text}"

    def _comments(self) -> Iterator[str]:
        for relation in self._slide.part.rels.values():
            if relation.is_external or not relation.reltype.endswith("/comments"):
                continue
            for node in parse_xml(relation.target_part.blob).iter():
                tag = node.tag.rpartition("}")[2] if isinstance(node.tag, str) else ""
                if tag in ("text", "txBody") and (text := "".join(node.itertext()).strip()):
                    yield f"Comment: {text}"


def _picture(shape: Any) -> bytes:
    """The bytes of a picture that lies in the file; none for any other shape."""
    try:
        return shape.image.blob if hasattr(shape, "image") else b""
    except (AttributeError, KeyError, ValueError, NotImplementedError):
        return b""


def _place(shape: Any) -> tuple[int | None, int | None]:
    try:
        return shape.top, shape.left
    except (AttributeError, ValueError):
        return None, None


def _placeholder_kind(shape: Any) -> str:
    """The name of its type; empty for what is no placeholder."""
    try:
        return shape.placeholder_format.type.name if shape.is_placeholder else ""
    except (AttributeError, ValueError, KeyError):
        return ""


def _text_of(frame: Any) -> str:
    return "\n".join(text for p in frame.paragraphs if (text := _paragraph_text(p)))


def _paragraph_text(paragraph: Any) -> str:
    """Runs, fields and line breaks, and the letters of formulas."""
    return _node_text(paragraph._p)


def _node_text(node: Any) -> str:
    parts = []
    for inner in node.iter():
        tag = inner.tag.rpartition("}")[2] if isinstance(inner.tag, str) else ""
        if tag == "t":
            parts.append(inner.text or "")
        elif tag == "br":
            parts.append("\n")
        elif tag == "tab":
            parts.append("\t")
    return "\n".join(line.strip() for line in "".join(parts).split("\n") if line.strip())


def _paragraphs(node: Any) -> Iterator[str]:
    return (_node_text(p) for p in node.iter(f"{_DRAWING}p"))


def _table(table: Any, page: int) -> Element | None:
    """A merged cell stands in each place that it covers."""
    rows = [[_text_of(cell.text_frame) for cell in row.cells] for row in table.rows]
    merges: list[Area] = []
    for at, row in enumerate(table.rows):
        for left, cell in enumerate(row.cells):
            if cell.is_merge_origin:
                bottom = min(at + cell.span_height, len(rows)) - 1
                right = min(left + cell.span_width, len(rows[at])) - 1
                merges.append(Area(at, left, bottom, right))
    for area in merges:
        for down in range(area.top, area.bottom + 1):
            width = area.right + 1 - area.left
            rows[down][area.left : area.right + 1] = [rows[area.top][area.left]] * width
    return table_element(rows, Table((), header_rows(rows, merges)), page)


def _alternative_text(shape: Any) -> str:
    """What its author wrote for those who cannot see it; a file name says nothing."""
    for node in shape._element.iter():
        if isinstance(node.tag, str) and node.tag.endswith("}cNvPr"):
            text = (node.get("descr") or "").strip()
            return "" if _FILE_NAME.fullmatch(text) else text
    return ""
