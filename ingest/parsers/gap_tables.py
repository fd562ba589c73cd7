"""Tables without rules: words that keep to columns over several rows.

Knows what is no table though it has columns: prose, lists, equations.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, takewhile

from core.cells import is_data
from core.text import CJK
from ingest.parsers.gap_bands import (
    Band,
    columns_of,
    make_bands,
    part_words,
    row_groups,
    row_pitch_of,
    spanning_bands,
    spans_of,
    text_of,
)
from ingest.parsers.gap_regions import is_near, table_regions, without_last_words
from ingest.parsers.grid import Area, header_rows
from ingest.parsers.lines import join_all
from ingest.parsers.pdf_lines import Line, Word

# In line heights.
_JUMP_BACK = 12.0
_HEADER_BANDS = 4
_HEADER_PITCH = 1.6
_FULL_ROWS = 4
_LEAST_FILLED = 0.5
_PROSE_WORDS = 4
_FULL_CELL = 0.75
_MARKER = re.compile(
    r"[-*+•·▪◦‣●○■□–—\x7f-\x9f]|[（(\[]?(?:\.?\d{1,3}|[a-zA-Z]|[ivx]{1,5})[.)\]）、]?|[①-⑳]|\.\d+"
)
_EQUATION_NUMBER = re.compile(r"[（(][\dA-Z.]{1,6}[)）]")
_WORD = re.compile(f"[{CJK}]{{1,2}}|[^\\s{CJK}]+")
_RIGHT_TO_LEFT = re.compile(r"[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")


@dataclass(frozen=True, slots=True)
class GapTable:
    """Rows with merged cells repeated, how many of them name the columns, and left and right of
    each column."""

    rows: tuple[tuple[str, ...], ...]
    header_rows: int
    columns: tuple[tuple[float, float], ...]
    row_pitch: float = 0.0
    """Lines nearer than this are of one row, where rows have lines of two distances; else 0."""


def put_gap_tables_in(lines: Sequence[Line]) -> list[Line]:
    """The lines with each table without rules as one line in the place of those it is made of."""
    made: list[Line] = []
    for run in _runs(lines):
        made.extend(_with_tables(run) if len(run) > 1 and all(line.words for line in run) else run)
    return made


def rows_within(lines: Sequence[Line], columns: Sequence[tuple[float, float]]) -> list[list[str]]:
    """The rows that stand between two rules, where the rules beside them give the columns (left
    and right of each); one row where its cells only take several lines."""
    if not columns or not all(line.words for line in lines):
        return []
    bands = make_bands(lines)
    cells = [_cells_between(band, columns) for band in bands]
    groups = row_groups(bands, cells)
    figures = (sum(any(is_data(cells[n][c]) for n in group) for group in groups) for c in range(len(columns)))
    full = sum(2 * sum(map(bool, row)) > len(columns) for row in cells)
    # Without figures, or many lines that fill most columns, these may be sentences side by side.
    if max(figures) < 2 and not (len(groups) >= _FULL_ROWS and full >= 0.7 * len(groups)):
        return []
    return _joined(groups, cells)


def row_pitch(lines: Sequence[Line]) -> float:
    """The `row_pitch` of the table that the lines are of."""
    bands = make_bands(lines)
    return row_pitch_of(bands) if len(bands) > 2 else 0.0


def rows_below(
    lines: Sequence[Line], columns: Sequence[tuple[float, float]], pitch: float
) -> tuple[list[list[str]], list[Line]]:
    """The rows at the top of a page that keep to the columns of a table before it, and their
    lines; `pitch` as in GapTable."""
    plain = list(takewhile(lambda line: line.words and not line.is_block, lines))
    bands = make_bands(plain) if plain else []
    kept: list[Band] = []
    for band in bands:
        single = all(
            sum(left < end and right > start for start, end in columns) == 1
            for left, right in spans_of(band, band.gutter)
        )
        if not single or (kept and not is_near(kept, band)):
            break
        kept.append(band)
    kept = kept[: without_last_words(kept, 0, len(kept) - 1) + 1] if kept else []
    if not any(len(spans_of(band, band.gutter)) > 1 for band in kept):
        return [], []
    cells = [_cells(band, columns, False)[0] for band in kept]
    groups = row_groups(kept, cells, pitch)
    return _joined(groups, cells), [line for band in kept for line in band.lines]


def _joined(groups: Sequence[Sequence[int]], cells: Sequence[Sequence[str]]) -> list[list[str]]:
    """The cells of each group of bands, their lines joined."""
    return [[join_all([cells[n][c] for n in group]) for c in range(len(cells[0]))] for group in groups]


def _cells_between(band: Band, columns: Sequence[tuple[float, float]]) -> list[str]:
    parts: list[list[Word]] = [[] for _ in columns]
    for word in band.words:
        middle = (word.left + word.right) / 2
        away = [max(left - middle, middle - right) for left, right in columns]
        parts[away.index(min(away))].append(word)
    return [text_of(part) for part in parts]


def _runs(lines: Sequence[Line]) -> Iterator[list[Line]]:
    """Lines that follow each other downwards, parted where the file goes back up or at what
    cannot be part of a table."""
    run: list[Line] = []
    for line in lines:
        whole = line.is_block or bool(_RIGHT_TO_LEFT.search(line.text))
        if run and (whole or line.box.bottom < run[-1].box.top - _JUMP_BACK * line.height):
            yield run
            run = []
        if whole:
            yield [line]
        else:
            run.append(line)
    if run:
        yield run


def _with_tables(run: Sequence[Line]) -> list[Line]:
    bands, lines = make_bands(run), list(run)
    for first, last in table_regions(bands):
        region = bands[first : last + 1]
        members = {id(line) for band in region for line in band.lines}
        inside = [line for line in run if id(line) in members]
        if cut := _second_block(inside):
            blocks = [line for half in (inside[:cut], inside[cut:]) for line in _with_tables(half)]
            at = next(n for n, line in enumerate(lines) if id(line) in members)
            after = [line for line in lines[at:] if id(line) not in members]
            lines = [*lines[:at], *blocks, *after]
        elif table := _table(region):
            lines = replaced(lines, inside, table, keep=True)
        elif _is_text(region):
            # Not to be taken for a table by the number of its gaps later.
            for line in inside:
                line.cells = [line.text]
    return lines


def _second_block(lines: Sequence[Line]) -> int:
    """Where the second of two blocks begins that stand side by side and that the file holds one
    after the other: an address and a date, not the cells of rows. 0 where they are rows, or where
    the right one is but figures for the left one."""
    jumps = [n for n in range(1, len(lines)) if lines[n].box.top < lines[n - 1].box.top - lines[n].height / 2]
    if len(jumps) != 1 or not 1 < jumps[0] < len(lines) - 1:
        return 0
    left, right = lines[: jumps[0]], lines[jumps[0] :]
    beside = max(line.box.right for line in left) < min(line.box.left for line in right)
    figures = all(is_data(line.text) for line in right)
    return jumps[0] if beside and not figures else 0


def replaced(
    lines: Sequence[Line], inside: Sequence[Line], table: GapTable, keep: bool = False
) -> list[Line]:
    """The lines with those inside as one, which is the table and keeps them if it may be read anew."""
    gone = {id(line) for line in inside}
    at = next(n for n, line in enumerate(lines) if id(line) in gone)
    text = " ".join(cell for row in table.rows for cell in row if cell)
    box = replace(
        inside[0].box,
        left=min(line.box.left for line in inside),
        top=min(line.box.top for line in inside),
        right=max(line.box.right for line in inside),
        bottom=max(line.box.bottom for line in inside),
    )
    made = Line(text, box, inside[0].height, table=table.rows)
    made.header_rows, made.columns, made.row_pitch = table.header_rows, table.columns, table.row_pitch
    made.parts = list(inside) if keep else []
    before = [line for line in lines[:at] if id(line) not in gone]
    return [*before, made, *(line for line in lines[at:] if id(line) not in gone)]


def _table(bands: Sequence[Band]) -> GapTable | None:
    columns, cells, merges = _read(bands)
    if len(columns) < 2 or _is_prose(bands, columns, cells) or _is_list(cells):
        return None
    groups = row_groups(bands, cells)
    if not merges and (head := _header_bands(bands, cells)) > len(groups[0]):
        groups = [[*range(head)], *(group for group in groups if group[0] >= head)]
    rows = tuple(tuple(row) for row in _joined(groups, cells))
    row_of = {n: at for at, group in enumerate(groups) for n in group}
    areas = [Area(row_of[band], first, row_of[band], last) for band, first, last in merges]
    if not _is_table(rows):
        return None
    return GapTable(rows, header_rows(rows, [*areas, *repeated(rows)]), tuple(columns), row_pitch_of(bands))


def _read(
    bands: Sequence[Band],
) -> tuple[list[tuple[float, float]], list[list[str]], list[tuple[int, int, int]]]:
    """Columns, the cells of each band, and band, first and last column of what runs over several."""
    skipped = spanning_bands(bands)
    columns = columns_of(bands[skipped:])
    cells, merges = [], []
    for at, band in enumerate(bands):
        row, spans = _cells(band, columns, at < skipped)
        cells.append(row)
        merges.extend((at, first, last) for first, last in spans)
    return columns, cells, merges


def _is_text(bands: Sequence[Band]) -> bool:
    """Whether what stands in columns is prose or a list."""
    columns, cells, _ = _read(bands)
    return _is_prose(bands, columns, cells) or _is_list(cells)


def repeated(rows: Sequence[Sequence[str]]) -> list[Area]:
    """Names in the first row that stand over several columns, each written over every one."""
    areas, first = [], 0
    top = rows[0] if rows else ()
    for at in range(1, len(top) + 1):
        if at == len(top) or top[at] != top[first] or not top[first]:
            if at - first > 1 and len(rows) > 2 and not any(map(is_data, rows[1][first:at])):
                areas.append(Area(0, first, 0, at - 1))
            first = at
    return areas


def _cells(
    band: Band, columns: Sequence[tuple[float, float]], may_span: bool
) -> tuple[list[str], list[tuple[int, int]]]:
    """The text of each column, and first and last column of what runs over several."""
    cells: list[list[str]] = [[] for _ in columns]
    spans = []
    for part in part_words(band.words, band.gutter):
        left, right = part[0].left, max(word.right for word in part)
        under = [n for n, (start, end) in enumerate(columns) if left < end and right > start]
        if not under:
            under = [min(range(len(columns)), key=lambda n: abs(sum(columns[n]) - left - right))]
        if may_span and len(under) > 1:
            spans.append((under[0], under[-1]))
        for n in under if may_span else under[:1]:
            cells[n].append(text_of(part))
    return [" ".join(texts) for texts in cells], spans


def _header_bands(bands: Sequence[Band], cells: Sequence[Sequence[str]]) -> int:
    """How many bands hold the names of columns that take several lines: all before the first
    data, close to each other, above rows of data."""
    head = next((at for at, row in enumerate(cells) if any(map(is_data, row))), 0)
    below = [cell for row in cells[head:] for cell in row if cell]
    if not 1 < head <= _HEADER_BANDS or sum(map(is_data, below)) < 0.5 * len(below):
        return 0
    close = all(b.middle - a.middle <= _HEADER_PITCH * a.height for a, b in pairwise(bands[:head]))
    gaps = sum(not cell for row in cells[:head] for cell in row)
    return head if close and gaps and all(any(column[:head]) for column in zip(*cells, strict=True)) else 0


def _is_table(rows: Sequence[Sequence[str]]) -> bool:
    filled = [sum(map(bool, row)) for row in rows]
    full = sum(count > 1 for count in filled)
    return full > 1 and 2 * full >= len(rows) and sum(filled) > _LEAST_FILLED * len(rows) * len(rows[0])


def _is_prose(
    bands: Sequence[Band], columns: Sequence[tuple[float, float]], cells: Sequence[Sequence[str]]
) -> bool:
    """Columns of a page: all are lines of several words, most as long as the column is wide."""
    for at, (left, right) in enumerate(columns):
        lines = [row[at] for row in cells if row[at]]
        words = sum(len(_WORD.findall(line)) for line in lines) / len(lines)
        wide = 0
        for band in bands:
            inside = [w for w in band.words if w.left < right and w.right > left]
            if inside:
                wide += inside[-1].right - inside[0].left >= _FULL_CELL * (right - left)
        if words < _PROSE_WORDS or wide < 0.5 * len(lines):
            return False
    return True


def _is_list(cells: Sequence[Sequence[str]]) -> bool:
    """Marks before the items of a list, or numbers behind equations."""
    columns = [[cell for cell in column if cell] for column in zip(*cells, strict=True)]
    *before, last = columns
    if before and all(_MARKER.fullmatch(cell) for column in before for cell in column):
        return not all(map(is_data, last))
    return len(columns) == 2 and all(_EQUATION_NUMBER.fullmatch(cell) for cell in last)
