"""The text layer of a PDF page as lines with boxes. Knows characters and places, not meaning."""

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median

import pypdfium2
import pypdfium2.raw as pdfium

from core.types import Box

# A gap wider than this many line heights parts two cells of a table row.
_CELL_GAP = 1.2
# A gap wider than this parts words, though no blank is between them.
_WORD_GAP = 0.3
# A gap wider than this parts columns of a page.
_ROW_GAP = 14.0
# Marks and powers are smaller than this beside their line.
_RAISED = 0.8
# Flags of a font descriptor (ISO 32000-1, table 123).
_FIXED_PITCH = 1
_FORCE_BOLD = 1 << 18
_BOLD_WEIGHT = 600
_BOLD_FONTS = (b"bold", b"black", b"heavy", b"-medi", b"cmbx", b"simhei")
_MONO_FONTS = (b"mono", b"courier", b"consol", b"menlo", b"cmtt", b"typewriter")
_HYPHEN = "\x02"
_HYPHEN_CODES = frozenset({0x02, 0x2D, 0xAD, 0x2010, 0xFFFE})
# Text rendering modes (ISO 32000-1, table 106).
_UNDRAWN = (3, 7)
_FILLED = (0, 4)
_LEAST_OPACITY = 5
_LIGHT = 160
_LINE_ENDS = frozenset("\r\n")


@dataclass(frozen=True, slots=True)
class Word:
    """Characters without white space or a wide gap between them; `blank`: one is before it."""

    text: str
    left: float
    right: float
    blank: bool = True


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
    """Rows of a table that stands here; the other values are then those of its place."""
    unseen: bool = False
    """It is set so that nothing is drawn, as the text layer behind a scan is."""
    faint: bool = False
    """It is set in a light colour: whether it is seen depends on what is behind it."""
    header_rows: int = 1
    columns: tuple[tuple[float, float], ...] = ()
    """Left and right of each column of the table."""
    row_pitch: float = 0.0
    """What parts the rows of the table; 0: not known."""
    parts: list["Line"] = field(default_factory=list)
    """The lines that a table without rules is made of."""
    figure: bool = False
    """A picture stands here; the text is its caption and its words, the box its own."""
    words: list[Word] = field(default_factory=list)
    """Where each word is; empty where that is not known, as in what OCR read."""

    @property
    def is_block(self) -> bool:
        """Whether it is more than a line of text."""
        return self.figure or bool(self.table)


@dataclass(slots=True)
class _Char:
    index: int
    text: str
    left: float
    top: float
    right: float
    bottom: float


def read_lines(page: pypdfium2.PdfPage, number: int) -> list[Line]:
    """The lines of a page in the order of its content; coordinates from the top left corner."""
    textpage = page.get_textpage()
    try:
        place, lines = DisplayedPlace(page), []
        for chars in _split_lines(_chars(textpage, place)):
            line = _make_line(chars, number)
            if line.text:
                line.bold, line.mono = _style(textpage.raw, chars)
                line.unseen, line.faint = _ink(textpage.raw, chars)
                lines.append(line)
        return _joined(lines)
    finally:
        textpage.close()


@contextmanager
def text_by_place(page: pypdfium2.PdfPage) -> Iterator[Callable[[tuple[float, float, float, float]], str]]:
    """A function that gives the text within left, top, right and bottom of the page as shown."""
    textpage, place = page.get_textpage(), DisplayedPlace(page)
    try:
        yield lambda box: textpage.get_text_bounded(*place.content_box(*box)).replace("\ufffe", "-")
    finally:
        textpage.close()


class DisplayedPlace:
    """Coordinates of a PDF page's content to those of the page as it is shown: cut to its crop
    box, turned as the file says, in points from the top left corner."""

    def __init__(self, page: pypdfium2.PdfPage) -> None:
        left, bottom, right, top = page.get_cropbox()
        frame = page.get_mediabox()
        self._left, self._bottom = max(left, frame[0]), max(bottom, frame[1])
        self._right, self._top = min(right, frame[2]), min(top, frame[3])
        self._turn = page.get_rotation()

    def content_box(
        self, left: float, top: float, right: float, bottom: float
    ) -> tuple[float, float, float, float]:
        """The inverse of box: left, bottom, right and top as in the content."""
        match self._turn:
            case 90:
                return top + self._left, left + self._bottom, bottom + self._left, right + self._bottom
            case 180:
                return self._right - right, top + self._bottom, self._right - left, bottom + self._bottom
            case 270:
                return self._right - bottom, self._top - right, self._right - top, self._top - left
            case _:
                return left + self._left, self._top - bottom, right + self._left, self._top - top

    def box(self, left: float, bottom: float, right: float, top: float) -> tuple[float, float, float, float]:
        """Left, top, right and bottom as shown."""
        match self._turn:
            case 90:
                return bottom - self._bottom, left - self._left, top - self._bottom, right - self._left
            case 180:
                return self._right - right, bottom - self._bottom, self._right - left, top - self._bottom
            case 270:
                return self._top - top, self._right - right, self._top - bottom, self._right - left
            case _:
                return left - self._left, self._top - top, right - self._left, self._top - bottom


def _chars(textpage: pypdfium2.PdfTextPage, place: DisplayedPlace) -> Iterator[_Char]:
    # Names of one word: this loop is most of the time of a page.
    raw, rect = textpage.raw, pdfium.FS_RECTF()
    at, box_of, code_of = ctypes.byref(rect), pdfium.FPDFText_GetLooseCharBox, pdfium.FPDFText_GetUnicode
    pending_high = 0
    for index in range(textpage.count_chars()):
        code = code_of(raw, index)
        if 0xD800 <= code < 0xDC00:  # the first half of a surrogate pair
            pending_high = code
            continue
        if 0xDC00 <= code < 0xE000:
            code = 0x10000 + ((pending_high - 0xD800) << 10) + (code - 0xDC00) if pending_high else 0xFFFD
        pending_high = 0
        box_of(raw, index, at)
        yield _Char(
            index,
            _HYPHEN if code in _HYPHEN_CODES and pdfium.FPDFText_IsHyphen(raw, index) == 1 else chr(code),
            *place.box(rect.left, rect.bottom, rect.right, rect.top),
        )


def _joined(lines: list[Line]) -> list[Line]:
    """Pieces of one row that the text layer holds as lines of their own, such as a raised mark
    and what follows it, or the cells of a table, become one line."""
    rows: list[Line] = []
    for line in lines:
        if rows and _goes_on(rows[-1], line):
            rows[-1] = _with_piece(rows[-1], line)
        else:
            rows.append(line)
    return rows


def _goes_on(row: Line, piece: Line) -> bool:
    one, other = row.box, piece.box
    if row.unseen != piece.unseen:
        return False
    shared = min(one.bottom, other.bottom) - max(one.top, other.top)
    least = min(one.bottom - one.top, other.bottom - other.top)
    gap, height = other.left - one.right, max(row.height, piece.height)
    small = min(row.height, piece.height) < _RAISED * height
    near = gap < _CELL_GAP * height
    return shared > 0.5 * least and gap > -0.3 * height and (near or not small) and gap < _ROW_GAP * height


def _with_piece(row: Line, piece: Line) -> Line:
    gap, height = piece.box.left - row.box.right, max(row.height, piece.height)
    one, other = row.box, piece.box
    box = Box(
        one.page,
        min(one.left, other.left),
        min(one.top, other.top),
        max(one.right, other.right),
        max(one.bottom, other.bottom),
    )
    blank = " " if gap > 0.15 * height else ""
    cells = [*row.cells, *piece.cells]
    if gap <= _CELL_GAP * height and row.cells and piece.cells:
        cells = [*row.cells[:-1], f"{row.cells[-1]}{blank}{piece.cells[0]}", *piece.cells[1:]]
    main = row if len(row.text) >= len(piece.text) else piece
    made = Line(
        f"{row.text}{blank}{piece.text}",
        box,
        main.height,
        cells,
        main.bold,
        main.mono,
        unseen=row.unseen and piece.unseen,
        faint=row.faint and piece.faint,
    )
    made.words = [*row.words, *piece.words]
    return made


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


def _ink(raw: pdfium.FPDF_TEXTPAGE, chars: list[_Char]) -> tuple[bool, bool]:
    """Not drawn, and drawn in a light colour, when the first, the middle and the last character
    are."""
    seen = [c.index for c in chars if not c.text.isspace()]
    rgba = [ctypes.c_uint() for _ in range(4)]
    unseen, faint = True, True
    for index in {seen[0], seen[len(seen) // 2], seen[-1]}:
        drawn = pdfium.FPDFTextObj_GetTextRenderMode(pdfium.FPDFText_GetTextObject(raw, index))
        pdfium.FPDFText_GetFillColor(raw, index, *map(ctypes.byref, rgba))
        red, green, blue, opacity = (value.value for value in rgba)
        unseen &= drawn in _UNDRAWN or opacity < _LEAST_OPACITY
        faint &= drawn in _FILLED and 0.3 * red + 0.59 * green + 0.11 * blue > _LIGHT
    return unseen, faint


def _split_lines(chars: Iterator[_Char]) -> Iterator[list[_Char]]:
    """At line ends, and where pdfium joined a word that a hyphen had parted, or short lines
    that stand right below each other."""
    line: list[_Char] = []
    for char in chars:
        if line and char.right > char.left < line[-1].left and char.top >= line[-1].bottom - 1:
            yield line
            line = []
        if line and line[-1].text == _HYPHEN and char.right > char.left and char.top > line[-1].top + 1:
            yield line
            line = []
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
    line = Line(text, box, height, _cells(chars, height))
    line.words = _words(chars, _WORD_GAP * height)
    return line


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


def _words(chars: list[_Char], gap: float) -> list[Word]:
    words: list[Word] = []
    text, left, right, blank = "", 0.0, 0.0, True
    for char in chars:
        is_blank = char.text.isspace()
        if text and (is_blank or char.left - right > gap or char.right < left):
            words.append(Word(text, left, right, blank))
            text, blank = "", False
        if is_blank:
            blank = True
        else:
            left = min(left, char.left) if text else char.left
            right = max(right, char.right) if text else char.right
            text += char.text
    return [*words, Word(text, left, right, blank)] if text else words
