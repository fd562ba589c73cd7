"""The cells of one sheet to elements: tables parted by blank rows and columns, with the
titles, units and notes around them.

Knows how people lay out sheets; knows no file format. No filled cell is lost: each is in a
table, its caption, its footnotes or a text.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from core.cells import is_data, is_year
from core.types import Element, ElementKind, Table
from ingest.parsers.tables import table_element

_NOTE = re.compile(
    r"^\s*(?:[*＊†‡※]|\[\d{1,2}\]|[①-⑩]|[(（]\d{1,2}[)）]|(?:注|备注|附注|说明|资料来源|数据来源|来源)\s*\d*\s*[:：]"
    r"|(?:notes?|sources?|remarks?)\s*\d*\s*[:：.])",
    re.IGNORECASE,
)
_CAPTION_GAP = 2
_CAPTION_LINES = 4
_CAPTION_CHARS = 200
_HEADER_ROWS = 5
_LIST_ROWS = 3
_SPACED_LEAD = 2


@dataclass(frozen=True, slots=True)
class Area:
    """Cells from (top, left) to (bottom, right), both within; counted from 0."""

    top: int
    left: int
    bottom: int
    right: int


@dataclass(frozen=True)
class Grid:
    """A sheet: rows of cells as shown, merged ones repeated in each place that `merges` name.
    `filled` counts its filled cells as the reader of the file counts them. `splits_columns`:
    blank columns part tables."""

    cells: Sequence[Sequence[str]]
    merges: Sequence[Area] = ()
    place: str = ""
    splits_columns: bool = True
    filled: int = 0

    def at(self, row: int, column: int) -> str:
        """A cell; empty beyond the end of a row."""
        line = self.cells[row]
        return line[column].strip() if column < len(line) else ""

    def row(self, area: Area, row: int) -> list[str]:
        """The cells of a row within an area."""
        return [self.at(row, column) for column in range(area.left, area.right + 1)]

    def count(self, area: Area) -> int:
        """Filled cells in an area."""
        return sum(bool(c) for r in range(area.top, area.bottom + 1) for c in self.row(area, r))


@dataclass(slots=True)
class _Block:
    """A table, or lines of text when `lines` are given; `above` are texts that stood apart
    from the table. `is_apart`: these lines belong to no single table."""

    area: Area
    lines: list[str] = field(default_factory=list)
    above: list[str] = field(default_factory=list)
    captions: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    is_apart: bool = False


def grid_elements(grid: Grid) -> list[Element]:
    """The elements of a sheet from the top, side by side ones from the left."""
    width = max((len(row) for row in grid.cells), default=0)
    if not width:
        return []
    whole = Area(0, 0, len(grid.cells) - 1, width - 1)
    areas = _join_torn(grid, list(_cut(grid, whole)))
    blocks = _attach(blocks=[block for area in areas for block in _blocks_of(grid, area)])
    elements: list[Element] = []
    missing = grid.filled - grid.count(whole) if grid.filled else 0
    for block in blocks:
        if block.lines:
            elements.append(Element(ElementKind.TEXT, "\n".join(block.lines)))
        elif element := _table(grid, block, missing):
            elements.append(element)
            missing = 0
    return elements


def header_rows(rows: Sequence[Sequence[str]], merges: Sequence[Area]) -> int:
    """How many rows name the columns. A cell merged sideways in a header row has its parts
    named in the row below; one merged downwards makes all its rows header rows. None when
    the first row is data like the others."""
    if len(rows) < 2:
        return len(rows)
    first = [cell for cell in rows[0] if cell]
    if len(rows[0]) > 1 and first and all(map(is_data, first)) and not all(map(is_year, first)):
        return 0
    most = min(_HEADER_ROWS, len(rows) - 1)
    count, row = 1, 0
    while row < count and count < most:
        for merge in merges:
            if merge.top == row and merge.bottom < most:
                parted = merge.right > merge.left and _names_parts(rows, merge, merges)
                count = max(count, merge.bottom + 1 + parted)
        row += 1
    return min(count, most)


def _names_parts(rows: Sequence[Sequence[str]], merge: Area, merges: Sequence[Area]) -> bool:
    """Whether the row below a cell that is merged sideways names its parts: they differ and are no data, and
    beside them nothing begins but the names of rows."""
    below = merge.bottom + 1
    parts = {cell for cell in rows[below][merge.left : merge.right + 1] if cell}
    if parts and all(is_data(part) and not is_year(part) for part in parts):
        return False
    whole = merge.left == 0 and merge.right == len(rows[below]) - 1
    if len(parts) < 2 and not whole:
        return False
    parted = {
        c
        for m in merges
        if m.top <= merge.bottom <= m.bottom and m.right > m.left
        for c in range(m.left, m.right + 1)
    }
    # Rows of HTML may be of different lengths.
    beside = list(zip(rows[merge.bottom], rows[below], strict=False))[1:]
    return not any(a and b and a != b for c, (a, b) in enumerate(beside, start=1) if c not in parted)


def _cut(grid: Grid, area: Area) -> Iterator[Area]:
    """The areas within, parted by blank rows, then by blank columns, and so on."""
    rows = [r for r in range(area.top, area.bottom + 1) if any(grid.row(area, r))]
    for top, bottom in _runs(rows):
        band = Area(top, area.left, bottom, area.right)
        columns = sorted(
            {area.left + at for r in range(top, bottom + 1) for at, c in enumerate(grid.row(band, r)) if c}
        )
        runs = list(_runs(columns)) if grid.splits_columns else [(columns[0], columns[-1])]
        parts = _join_spaced(grid, [Area(top, left, bottom, right) for left, right in runs])
        if len(parts) == 1:
            yield parts[0]
        else:
            for part in parts:
                yield from _cut(grid, part)


def _runs(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    start = None
    for at, number in enumerate(numbers):
        start = number if start is None else start
        if at + 1 == len(numbers) or numbers[at + 1] != number + 1:
            yield start, number
            start = None


def _join_spaced(grid: Grid, parts: Sequence[Area]) -> list[Area]:
    """One blank column may be there for looks: figures to the right of it, in the same rows as
    the words to the left, belong to these."""
    joined: list[Area] = []
    for part in parts:
        last = joined[-1] if joined else None
        if last is not None and part.left - last.right == 2 and _belongs_beside(grid, last, part):
            joined[-1] = replace(last, right=part.right)
        else:
            joined.append(part)
    return joined


def _belongs_beside(grid: Grid, left: Area, right: Area) -> bool:
    rows = [[r for r in range(a.top, a.bottom + 1) if any(grid.row(a, r))] for a in (left, right)]
    lead = len(rows[0]) - len(rows[1])
    if len(rows[1]) < 2 or not 0 <= lead <= _SPACED_LEAD or rows[0][lead:] != rows[1]:
        return False
    names = [{c for c in grid.row(area, rows[1][0]) if c} for area in (left, right)]
    below = rows[1][1:]
    words = [c for c in (grid.at(r, left.left) for r in below) if c]
    figures = [c for r in below for c in grid.row(right, r) if c]
    return not names[0] & names[1] and not any(map(is_data, words)) and all(map(is_data, figures))


def _join_torn(grid: Grid, areas: Sequence[Area]) -> list[Area]:
    """A blank row within a table is no end of it: the rows below go on with the same columns,
    with data where there was data."""
    joined: list[Area] = []
    for area in areas:
        last = joined[-1] if joined else None
        if last and (last.left, last.right) == (area.left, area.right) and _goes_on(grid, last, area):
            joined[-1] = replace(last, bottom=area.bottom)
        else:
            joined.append(area)
    return joined


def _goes_on(grid: Grid, above: Area, below: Area) -> bool:
    if above.bottom == above.top or above.left == above.right or below.top - above.bottom > 2:
        return False
    last, first = grid.row(above, above.bottom), grid.row(below, below.top)
    pairs = [(a, b) for a, b in zip(last, first, strict=True) if is_data(a)]
    return bool(pairs) and all(is_data(b) for _, b in pairs)


def _blocks_of(grid: Grid, area: Area) -> list[_Block]:
    """An area as lines of text, or as one table with lines above and below it; as several
    tables when they stand apart without the title above them."""
    if _is_text(grid, area):
        return [_Block(area, lines=_lines(grid, area))]
    top, bottom = area.top, area.bottom
    while top < bottom and top - area.top < _CAPTION_LINES and _is_title(grid, area, top):
        top += 1
    while bottom > top + 1 and _is_note(grid, area, bottom):
        bottom -= 1
    titles = _lines(grid, replace(area, bottom=top - 1)) if top > area.top else []
    notes = _lines(grid, replace(area, top=bottom + 1)) if bottom < area.bottom else []
    inner = _join_torn(grid, list(_cut(grid, replace(area, top=top, bottom=bottom))))
    if len(inner) == 1:
        return [_Block(inner[0], captions=titles, notes=notes)]
    blocks = [block for part in inner for block in _blocks_of(grid, part)]
    if titles:
        blocks.insert(0, _Block(replace(area, bottom=top - 1), lines=titles, is_apart=True))
    if notes:
        blocks.append(_Block(replace(area, top=bottom + 1), lines=notes, is_apart=True))
    return blocks


def _is_text(grid: Grid, area: Area) -> bool:
    """One or two lines, or a column of sentences: no row says two things."""
    rows = [grid.row(area, r) for r in range(area.top, area.bottom + 1)]
    if any(len({c for c in row if c}) > 1 for row in rows):
        return False
    lines = [next((c for c in row if c), "") for row in rows]
    wide = any(sum(map(bool, row)) > 1 for row in rows)
    if len(lines) < _LIST_ROWS:
        return wide or not is_data(lines[-1]) or len(lines) == 1
    return wide or sum(len(line) > 40 for line in lines) * 2 > len(lines)


def _is_title(grid: Grid, area: Area, row: int) -> bool:
    """A row above a table that says one thing: one cell, or one merged over others."""
    cells = grid.row(area, row)
    filled = [c for c in cells if c]
    if area.left == area.right or len(set(filled)) != 1 or len(filled[0]) > _CAPTION_CHARS:
        return False
    return not is_data(filled[0]) and (len(filled) == 1 or _one_merge(grid, area, row, cells))


def _is_note(grid: Grid, area: Area, row: int) -> bool:
    cells = grid.row(area, row)
    filled = [c for c in cells if c]
    if area.left == area.right or len(set(filled)) != 1 or is_data(filled[0]):
        return False
    if _NOTE.match(filled[0]):
        return True
    return len(cells) > 2 and len(filled) == len(cells) and _one_merge(grid, area, row, cells)


def _one_merge(grid: Grid, area: Area, row: int, cells: Sequence[str]) -> bool:
    left = area.left + next(at for at, cell in enumerate(cells) if cell)
    right = left + sum(map(bool, cells)) - 1
    return any(m.top <= row <= m.bottom and m.left <= left and m.right >= right for m in grid.merges)


def _lines(grid: Grid, area: Area) -> list[str]:
    rows = (grid.row(area, r) for r in range(area.top, area.bottom + 1))
    lines = [" ".join(dict.fromkeys(c for c in row if c)) for row in rows]
    return list(dict.fromkeys(line for line in lines if line))


def _attach(blocks: Sequence[_Block]) -> list[_Block]:
    """Short texts right above a table become its caption, notes below it its footnotes."""
    kept: list[_Block] = []
    next_table: list[_Block | None] = [None]
    for block in reversed(blocks):
        next_table.append(next_table[-1] if block.lines else block)
    for block, following in zip(blocks, reversed(next_table[:-1]), strict=True):
        before = kept[-1] if kept else None
        if not block.lines or block.is_apart:
            kept.append(block)
        elif before and not before.lines and all(_NOTE.match(line) for line in block.lines):
            before.notes.extend(block.lines)
        elif following and _captions(block, following):
            following.above.extend(block.lines)
        else:
            kept.append(block)
    return kept


def _captions(block: _Block, table: _Block) -> bool:
    near = 0 < table.area.top - block.area.bottom <= 1 + _CAPTION_GAP
    short = len(block.lines) <= 2 and all(len(line) <= _CAPTION_CHARS for line in block.lines)
    overlaps = block.area.left <= table.area.right and table.area.left <= block.area.right
    return near and short and overlaps


def _table(grid: Grid, block: _Block, missing: int) -> Element | None:
    area = block.area
    rows = [grid.row(area, r) for r in range(area.top, area.bottom + 1)]
    merges = [
        Area(m.top - area.top, m.left - area.left, m.bottom - area.top, m.right - area.left)
        for m in grid.merges
        if m.top >= area.top and m.bottom <= area.bottom and m.right >= area.left and m.left <= area.right
    ]
    frame = Table(
        (),
        header_rows(rows, merges),
        " ".join([*block.above, *block.captions]),
        tuple(block.notes),
        grid.place,
        grid.count(area) + missing,
    )
    return table_element(rows, frame)
