"""The text layer of a PDF page as lines with boxes. Knows characters and places, not meaning."""

import ctypes
from collections.abc import Iterator
from dataclasses import dataclass, field
from statistics import median

import pypdfium2
import pypdfium2.raw as pdfium

from core.types import Box

# A gap wider than this many line heights parts two cells of a table row.
_CELL_GAP = 1.2
_LINE_ENDS = frozenset("\r\n")


@dataclass(slots=True)
class Line:
    """One line: text, box, height of its characters, and its pieces parted by wide gaps."""

    text: str
    box: Box
    height: float
    cells: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Char:
    text: str
    left: float
    right: float
    top: float
    bottom: float


def read_lines(page: pypdfium2.PdfPage, number: int) -> list[Line]:
    """The lines of a page in the order of its content; coordinates from the top left corner."""
    textpage = page.get_textpage()
    try:
        height = page.get_height()
        lines = (_make_line(chars, number) for chars in _split_lines(_chars(textpage, height)))
        return [line for line in lines if line.text]
    finally:
        textpage.close()


def _chars(textpage: pypdfium2.PdfTextPage, page_height: float) -> Iterator[_Char]:
    raw, rect = textpage.raw, pdfium.FS_RECTF()
    pending_high = 0
    for index in range(textpage.count_chars()):
        code = pdfium.FPDFText_GetUnicode(raw, index)
        if 0xD800 <= code < 0xDC00:  # the first half of a surrogate pair
            pending_high = code
            continue
        if 0xDC00 <= code < 0xE000:
            code = 0x10000 + ((pending_high - 0xD800) << 10) + (code - 0xDC00) if pending_high else 0xFFFD
        pending_high = 0
        pdfium.FPDFText_GetLooseCharBox(raw, index, ctypes.byref(rect))
        yield _Char(
            "\x02" if pdfium.FPDFText_IsHyphen(raw, index) == 1 else chr(code),
            rect.left,
            rect.right,
            page_height - rect.top,
            page_height - rect.bottom,
        )


def _split_lines(chars: Iterator[_Char]) -> Iterator[list[_Char]]:
    line: list[_Char] = []
    for char in chars:
        if char.text in _LINE_ENDS:
            yield line
            line = []
        elif char.text != "\0":
            line.append(char)
    yield line


def _make_line(chars: list[_Char], page: int) -> Line:
    seen = [c for c in chars if not c.text.isspace() and c.right > c.left]
    text = "".join(c.text for c in chars).strip()
    if not seen:
        return Line("", Box(page, 0, 0, 0, 0), 0.0)
    height = median(c.bottom - c.top for c in seen)
    box = Box(
        page,
        round(min(c.left for c in seen), 1),
        round(min(c.top for c in seen), 1),
        round(max(c.right for c in seen), 1),
        round(max(c.bottom for c in seen), 1),
    )
    return Line(text, box, height, _cells(chars, height))


def _cells(chars: list[_Char], height: float) -> list[str]:
    cells, right = [""], None
    for char in chars:
        if char.text.isspace() or char.right <= char.left:
            cells[-1] += char.text
            continue
        if right is not None and char.left - right > _CELL_GAP * height:
            cells.append("")
        cells[-1] += char.text
        right = char.right
    return [cell.strip() for cell in cells if cell.strip()]
