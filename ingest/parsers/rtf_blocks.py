"""Running text with paragraph, cell and row ends to elements. Knows nothing of RTF's syntax."""

import re

from core.types import Element, ElementKind
from ingest.parsers.tables import table_element

_BULLET = re.compile(r"^\s*(?:\d{1,3}[.)、]|[a-zA-Z][.)])")


class Blocks:
    """Collects the elements of one document. `styles` is the heading level of each style."""

    def __init__(self) -> None:
        self.found: list[Element] = []
        self.styles: dict[int, int] = {}
        self._text: list[str] = []
        self._bullet = ""
        self._level = 0
        self._cells: list[str] = []
        self._rows: list[list[str]] = []
        self._in_table = False

    def add(self, text: str, in_bullet: bool = False) -> None:
        """More of the running paragraph; the mark of a list item is kept apart."""
        if in_bullet:
            self._bullet += text
        else:
            self._text.append(text)

    def set_level(self, level: int) -> None:
        """The paragraph is a heading; 0: it is not."""
        self._level = level

    def reset(self) -> None:
        """The properties of paragraphs begin anew."""
        self._level = 0
        self._in_table = False

    def enter_table(self) -> None:
        """The paragraph is in a table."""
        self._in_table = True

    def end_paragraph(self) -> None:
        """Inside a table the paragraph belongs to its cell."""
        if self._in_table:
            self._text.append("\n")
            return
        self._end_table()
        text = _tidy("".join(self._text))
        self._text = []
        if text and self._level:
            self.found.append(Element(ElementKind.TITLE, text.replace("\n", " "), level=min(6, self._level)))
        elif text and self._bullet.strip():
            number = _BULLET.match(self._bullet)
            mark = number.group().strip() if number else "-"
            self.found.append(Element(ElementKind.LIST, f"{mark} {text}"))
        elif text:
            self.found.append(Element(ElementKind.TEXT, text))
        self._bullet = ""

    def end_cell(self) -> None:
        """What ran until here is a cell."""
        self._cells.append(_tidy("".join(self._text)))
        self._text = []
        self._bullet = ""

    def end_row(self) -> None:
        """The cells until here are a row."""
        if self._cells:
            self._rows.append(self._cells)
        self._cells = []

    def close(self) -> None:
        """The document ends."""
        if self._cells:
            self.end_row()
        self._in_table = False
        self.end_paragraph()

    def _end_table(self) -> None:
        if self._cells:  # a row that was never ended
            self.end_row()
        if element := table_element(self._rows):
            self.found.append(element)
        self._rows = []


def _tidy(text: str) -> str:
    lines = (" ".join(line.split()) for line in text.split("\n"))
    return "\n".join(line for line in lines if line)
