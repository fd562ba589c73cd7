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
# Flags of a font descriptor (ISO 32000-1, table 123).
_FIXED_PITCH = 1
_FORCE_BOLD = 1 << 18
_BOLD_WEIGHT = 600
_BOLD_FONTS = (b"bold", b"black", b"heavy", b"-medi", b"cmbx", b"simhei")
_MONO_FONTS = (b"mono", b"courier", b"consol", b"menlo", b"cmtt", b"typewriter")
_LINE_ENDS = frozenset("\r\n")


@dataclass(slots=True)
class Line:
    """One line: text, box, height of its characters, and its pieces parted by wide gaps; whether
    it is set bold, or in a font whose characters are equally wide."""

    text: str
    box: Box
    height: float
    cells: list[str] = field(default_factory=list)
    bold: bool = False
    mono: bool = False
    table: tuple[tuple[str, ...], ...] = ()
    """Rows of a ruled table that stands here; the other values are then those of its place."""


@dataclass(slots=True)
class _Char:
    index: int
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
        lines = []
        for chars in _split_lines(_chars(textpage, height)):
            line = _make_line(chars, number)
            if line.text:
                line.bold, line.mono = _style(textpage.raw, chars)
                lines.append(line)
        return lines
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
            index,
            "\x02" if pdfium.FPDFText_IsHyphen(raw, index) == 1 else chr(code),
            rect.left,
            rect.right,
            page_height - rect.top,
            page_height - rect.bottom,
        )


def _style(raw: pdfium.FPDF_TEXTPAGE, chars: list[_Char]) -> tuple[bool, bool]:
    """Bold and equally wide, when the first, the middle and the last character are."""
    seen = [c.index for c in chars if not c.text.isspace()]
    name, flags = ctypes.create_string_buffer(128), ctypes.c_int()
    bold, mono = True, True
    for index in {seen[0], seen[len(seen) // 2], seen[-1]}:
        pdfium.FPDFText_GetFontInfo(raw, index, name, len(name), ctypes.byref(flags))
        font = name.value.lower()
        heavy = bool(flags.value & _FORCE_BOLD) or any(word in font for word in _BOLD_FONTS)
        bold &= heavy or pdfium.FPDFText_GetFontWeight(raw, index) >= _BOLD_WEIGHT
        mono &= bool(flags.value & _FIXED_PITCH) or any(word in font for word in _MONO_FONTS)
    return bold, mono


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
