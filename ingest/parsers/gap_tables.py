"""Tables without rules: words that keep to columns over several rows.

Knows places of words, and what is no table though it has columns: prose, lists, equations.
Columns are what remains when all words of a run of rows are cast onto one line (a projection
profile, as in Nagy's XY cut); rows are parted by the wider of two line distances.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, takewhile
from statistics import median

from core.text import CJK
from ingest.parsers.cell_kinds import is_data
from ingest.parsers.grid import Area, header_rows
from ingest.parsers.lines import join_all
from ingest.parsers.pdf_lines import Line, Word

# In line heights. A gap this wide shows that a line may be a row.
_ROW_GAP = 0.95
# Columns are parted by no less: a blank is a third, in fonts of equal width a half.
_GUTTER = 0.6
_MONO_GUTTER = 1.0
_MOST_PITCH = 3.2
_SAME_SIZE = 0.7
_JUMP_BACK = 12.0
_SPANNING_ROWS = 3
_HEADER_BANDS = 4
_FULL_ROWS = 4
_HEADER_PITCH = 1.6
_ACROSS_SHARE = 0.6
_PITCH_RATIO = 1.2
_PITCH_GROWTH = 2.0
_WRAP_PITCH = 1.3
_LEAST_FILLED = 0.5
_PROSE_WORDS = 4
_FULL_CELL = 0.75
_MARKER = re.compile(r"[-*+•·▪◦‣●○■□–—\x7f-\x9f]|[（(\[]?(?:\.?\d{1,3}|[a-zA-Z]|[ivx]{1,5})[.)\]）、]?|[①-⑳]|\.\d+")
_EQUATION_NUMBER = re.compile(r"[（(][\dA-Z.]{1,6}[)）]")
_WORD = re.compile(f"[{CJK}]{{1,2}}|[^\\s{CJK}]+")
_RIGHT_TO_LEFT = re.compile(r"[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")


@dataclass(slots=True)
class _Band:
    """Words that stand beside each other, from the left. `gutter` is in points."""

    lines: list[Line]
    words: list[Word]
    top: float
    bottom: float
    height: float
    gutter: float
    is_across: bool = False
    """One cell that runs over columns, amid rows that keep to them."""

    @property
    def middle(self) -> float:
        return (self.top + self.bottom) / 2


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
    bands = _bands(lines)
    cells = [_cells_between(band, columns) for band in bands]
    groups = _row_groups(bands, cells)
    figures = (sum(any(is_data(cells[n][c]) for n in group) for group in groups) for c in range(len(columns)))
    full = sum(2 * sum(map(bool, row)) > len(columns) for row in cells)
    # Without figures, or many lines that fill most columns, these may be sentences side by side.
    if max(figures) < 2 and not (len(groups) >= _FULL_ROWS and full >= 0.7 * len(groups)):
        return []
    return [[join_all([cells[n][c] for n in group]) for c in range(len(columns))] for group in groups]


def row_pitch(lines: Sequence[Line]) -> float:
    """The `row_pitch` of the table that the lines are of."""
    bands = _bands(lines)
    return _row_pitch(bands) if len(bands) > 2 else 0.0


def rows_below(
    lines: Sequence[Line], columns: Sequence[tuple[float, float]], pitch: float
) -> tuple[list[list[str]], list[Line]]:
    """The rows at the top of a page that keep to the columns of a table before it, and their
    lines; `pitch` as in GapTable."""
    plain = list(takewhile(lambda line: line.words and not line.is_block, lines))
    bands = _bands(plain) if plain else []
    kept: list[_Band] = []
    for band in bands:
        single = all(
            sum(left < end and right > start for start, end in columns) == 1
            for left, right in _spans(band, band.gutter)
        )
        if not single or (kept and not _is_near(kept, band)):
            break
        kept.append(band)
    kept = kept[: _trimmed(kept, 0, len(kept) - 1) + 1] if kept else []
    if not any(len(_spans(band, band.gutter)) > 1 for band in kept):
        return [], []
    cells = [_cells(band, columns, False)[0] for band in kept]
    groups = _row_groups(kept, cells, pitch)
    rows = [[join_all([cells[n][c] for n in group]) for c in range(len(columns))] for group in groups]
    return rows, [line for band in kept for line in band.lines]


def _cells_between(band: _Band, columns: Sequence[tuple[float, float]]) -> list[str]:
    parts: list[list[Word]] = [[] for _ in columns]
    for word in band.words:
        middle = (word.left + word.right) / 2
        parts[min(range(len(columns)), key=lambda n: max(columns[n][0] - middle, middle - columns[n][1]))].append(word)
    return [_text(part) for part in parts]


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
    bands, lines = _bands(run), list(run)
    for first, last in _regions(bands):
        region = bands[first : last + 1]
        inside = [line for band in region for line in band.lines]
        if table := _table(region):
            lines = replaced(lines, inside, table, keep=True)
        elif _is_text(region):
            # Not to be taken for a table by the number of its gaps later.
            for line in inside:
                line.cells = [line.text]
    return lines


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


def _bands(lines: Sequence[Line]) -> list[_Band]:
    """Lines whose middles are less than a third of a line apart share a band."""
    bands: list[list[Line]] = []
    for line in sorted(lines, key=lambda x: x.box.top + x.box.bottom):
        last = bands[-1][0] if bands else None
        middle = (line.box.top + line.box.bottom) / 2
        if last and middle - (last.box.top + last.box.bottom) / 2 < min(last.height, line.height) / 3:
            bands[-1].append(line)
        else:
            bands.append([line])
    return [_band(band) for band in bands]


def _band(lines: Sequence[Line]) -> _Band:
    height = median(line.height for line in lines)
    words = sorted((word for line in lines for word in line.words), key=lambda word: word.left)
    gutter = (_MONO_GUTTER if any(line.mono for line in lines) else _GUTTER) * height
    top, bottom = min(line.box.top for line in lines), max(line.box.bottom for line in lines)
    return _Band(list(lines), words, top, bottom, height, gutter)


def _parts(words: Sequence[Word], gap: float) -> list[list[Word]]:
    """The words parted where more than the gap is between them."""
    parts: list[list[Word]] = []
    right = 0.0
    for word in words:
        if parts and word.left - right <= gap:
            parts[-1].append(word)
        else:
            parts.append([word])
        right = max(right, word.right) if len(parts[-1]) > 1 else word.right
    return parts


def _columns(bands: Sequence[_Band]) -> list[tuple[float, float]]:
    """Left and right of each column: where words of any band are, joined over small gaps."""
    gutter = max(band.gutter for band in bands)
    spans = sorted(span for band in bands if not band.is_across for span in _spans(band, gutter))
    columns = [spans[0]]
    for left, right in spans[1:]:
        if left - columns[-1][1] <= gutter:
            columns[-1] = (columns[-1][0], max(columns[-1][1], right))
        else:
            columns.append((left, right))
    return columns


def _regions(bands: Sequence[_Band]) -> Iterator[tuple[int, int]]:
    """Runs of bands that leave a gutter free from the first to the last; both within."""
    at = 0
    while at < len(bands):
        end = at
        if len(_parts(bands[at].words, _ROW_GAP * bands[at].height)) > 1:
            while added := _added(bands, at, end):
                end += added
            end = _trimmed(bands, at, end)
        if end > at:
            yield _raised(bands, at, end), end
        at = end + 1


def _added(bands: Sequence[_Band], first: int, last: int) -> int:
    """How many bands below the last go on with the table: one, or one across and the next."""
    above = bands[first : last + 1]
    if last + 1 < len(bands) and _belongs(above, bands[last + 1]):
        return int(not _starts_anew(above, bands[last + 1 : last + 3]))
    if last + 2 >= len(bands) or len(above) < 2:
        return 0
    parts = _spans(bands[last + 1], bands[last + 1].gutter)
    columns = _columns(above)
    narrow = parts[0][1] - parts[0][0] < _ACROSS_SHARE * (columns[-1][1] - columns[0][0])
    if len(parts) == 1 and narrow and _is_near(above, bands[last + 1]):
        bands[last + 1].is_across = _belongs([*above, replace(bands[last + 1], is_across=True)], bands[last + 2])
    return 2 if bands[last + 1].is_across else 0


def _starts_anew(above: Sequence[_Band], below: Sequence[_Band]) -> bool:
    """A title and a header of the next table: words alone at the left, apart from the row above,
    then cells without data in half of the columns at least."""
    if len(below) < 2 or len(_parts(below[0].words, below[0].gutter)) > 1:
        return False
    columns = _columns(above)
    apart = below[0].middle - above[-1].middle > _WRAP_PITCH * below[0].height
    names = _texts(below[1])
    if not apart or below[0].words[0].left >= columns[0][1] or 2 * len(names) < len(columns):
        return False
    return not any(map(is_data, names)) and any(is_data(text) for band in above for text in _texts(band))


def _texts(band: _Band) -> list[str]:
    return [_text(part) for part in _parts(band.words, band.gutter)]


def _text(part: Sequence[Word]) -> str:
    return "".join(f" {word.text}" if word.blank and n else word.text for n, word in enumerate(part))


def _belongs(above: Sequence[_Band], band: _Band) -> bool:
    """Whether a band below may be of the same table: near, of the same size, and in its columns."""
    return (
        _is_near(above, band)
        and len(_columns([*above[_skipped(above) :], band])) > 1
        and _keeps_columns(above, band)
    )


def _is_near(above: Sequence[_Band], band: _Band) -> bool:
    last = above[-1]
    pitch, height = band.middle - last.middle, max(band.height, last.height)
    widest = max((b.middle - a.middle for a, b in pairwise(above)), default=0.0)
    # What is below a header may stand further apart.
    settled = len(above) > _SPANNING_ROWS
    if pitch > _MOST_PITCH * height or (settled and pitch > _PITCH_GROWTH * max(widest, _WRAP_PITCH * height)):
        return False
    return min(band.height, last.height) >= _SAME_SIZE * height


def _keeps_columns(above: Sequence[_Band], band: _Band) -> bool:
    """No part of the band runs over cells that stand side by side above it, and none of the
    columns above, if they are of more than the rows that may run over several, has two parts of it."""
    parts = _spans(band, band.gutter)
    for other in (other for other in above if not other.is_across):
        cells = _spans(other, other.gutter)
        if any(sum(left < end and right > start for start, end in cells) > 1 for left, right in parts):
            return False
    if len(above) <= _SPANNING_ROWS:
        return True
    columns = _columns(above[_skipped(above) :])
    return all(sum(left < end and right > start for left, right in parts) < 2 for start, end in columns)


def _skipped(bands: Sequence[_Band]) -> int:
    return _spanning(bands) if len(bands) > 2 else 0


def _spans(band: _Band, gap: float) -> list[tuple[float, float]]:
    return [(part[0].left, max(word.right for word in part)) for part in _parts(band.words, gap)]


def _raised(bands: Sequence[_Band], first: int, last: int) -> int:
    """With the bands above that are the first lines of a cell in the first row."""
    columns = _columns(bands[first : last + 1])
    while first > 0:
        parts = _spans(bands[first - 1], bands[first - 1].gutter)
        limit = _row_pitch(bands[first - 1 : last + 1])
        under = [1 for start, end in columns for left, right in parts if left < end and right > start]
        close = bands[first].middle - bands[first - 1].middle < limit
        if not close or len(parts) > 1 or len(under) != 1:
            break
        first -= 1
    return first


def _trimmed(bands: Sequence[_Band], first: int, last: int) -> int:
    """Without words alone in the last bands, unless they follow as closely as the lines of a cell."""
    while last > first:
        band, above = bands[last], bands[last - 1]
        alone = len(_parts(band.words, band.gutter)) == 1
        close = band.middle - above.middle <= _WRAP_PITCH * band.height and _row_pitch(bands[first : last + 1]) > 0
        if not alone or close:
            break
        last -= 1
    return last


def _row_pitch(bands: Sequence[_Band]) -> float:
    """What parts rows at least, where lines have two distances: within a cell, and from row to
    row; 0 where they have not."""
    pitches = sorted(b.middle - a.middle for a, b in pairwise(bands))
    most = _WRAP_PITCH * median(band.height for band in bands)
    # Lines of cells that are set to the middle of their row may be half a line apart: the last jump counts.
    jumps = [(a + b) / 2 for a, b in pairwise(pitches) if a <= most and b >= _PITCH_RATIO * max(a, 0.1)]
    return jumps[-1] if jumps else 0.0


def _table(bands: Sequence[_Band]) -> GapTable | None:
    columns, cells, merges = _read(bands)
    if len(columns) < 2 or _is_prose(bands, columns, cells) or _is_list(cells):
        return None
    groups = _row_groups(bands, cells)
    if not merges and (head := _header_bands(bands, cells)) > len(groups[0]):
        groups = [[*range(head)], *(group for group in groups if group[0] >= head)]
    rows = tuple(tuple(join_all([cells[n][c] for n in group]) for c in range(len(columns))) for group in groups)
    row_of = {n: at for at, group in enumerate(groups) for n in group}
    areas = [Area(row_of[band], first, row_of[band], last) for band, first, last in merges]
    if not _is_table(rows):
        return None
    return GapTable(rows, header_rows(rows, [*areas, *repeated(rows)]), tuple(columns), _row_pitch(bands))


def _read(
    bands: Sequence[_Band],
) -> tuple[list[tuple[float, float]], list[list[str]], list[tuple[int, int, int]]]:
    """Columns, the cells of each band, and band, first and last column of what runs over several."""
    skipped = _spanning(bands)
    columns = _columns(bands[skipped:])
    cells, merges = [], []
    for at, band in enumerate(bands):
        row, spans = _cells(band, columns, at < skipped)
        cells.append(row)
        merges.extend((at, first, last) for first, last in spans)
    return columns, cells, merges


def _is_text(bands: Sequence[_Band]) -> bool:
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


def _spanning(bands: Sequence[_Band]) -> int:
    """How many bands at the top run over several of the columns below."""
    most, count = len(_columns(bands)), 0
    for skip in range(1, min(_SPANNING_ROWS, len(bands) - 2) + 1):
        below = _columns(bands[skip:])
        if len(below) > most:
            most, count = len(below), skip
    return count


def _cells(
    band: _Band, columns: Sequence[tuple[float, float]], may_span: bool
) -> tuple[list[str], list[tuple[int, int]]]:
    """The text of each column, and first and last column of what runs over several."""
    cells: list[list[str]] = [[] for _ in columns]
    spans = []
    for part in _parts(band.words, band.gutter):
        left, right = part[0].left, max(word.right for word in part)
        under = [n for n, (start, end) in enumerate(columns) if left < end and right > start]
        if not under:
            under = [min(range(len(columns)), key=lambda n: abs(sum(columns[n]) - left - right))]
        if may_span and len(under) > 1:
            spans.append((under[0], under[-1]))
        for n in under if may_span else under[:1]:
            cells[n].append(_text(part))
    return [" ".join(texts) for texts in cells], spans


def _row_groups(
    bands: Sequence[_Band], cells: Sequence[Sequence[str]], limit: float = 0.0
) -> list[list[int]]:
    """The bands of each row. Lines of one cell are closer than rows are, and never both data.
    `limit` is where rows part, if that is known."""
    known = limit > 0
    limit = limit or _row_pitch(bands)
    groups = [[0]]
    for at in range(1, len(bands)):
        close = bands[at].middle - bands[at - 1].middle < limit
        above = [any(is_data(cells[n][c]) for n in groups[-1]) for c in range(len(cells[at]))]
        both = any(data and is_data(cell) for data, cell in zip(above, cells[at], strict=True))
        if close and not both:
            groups[-1].append(at)
        else:
            groups.append([at])
    return groups if known or _is_wrapped(groups, cells) else [[at] for at in range(len(bands))]


def _header_bands(bands: Sequence[_Band], cells: Sequence[Sequence[str]]) -> int:
    """How many bands hold the names of columns that take several lines: all before the first
    data, close to each other, above rows of data."""
    head = next((at for at, row in enumerate(cells) if any(map(is_data, row))), 0)
    below = [cell for row in cells[head:] for cell in row if cell]
    if not 1 < head <= _HEADER_BANDS or sum(map(is_data, below)) < 0.5 * len(below):
        return 0
    close = all(b.middle - a.middle <= _HEADER_PITCH * a.height for a, b in pairwise(bands[:head]))
    gaps = sum(not cell for row in cells[:head] for cell in row)
    return head if close and gaps and all(any(column[:head]) for column in zip(*cells, strict=True)) else 0


def _is_wrapped(groups: Sequence[Sequence[int]], cells: Sequence[Sequence[str]]) -> bool:
    """Whether lines that follow closely are rests of cells, and not rows of their own in
    groups: these would be as full as the others."""
    filled = [sum(map(bool, row)) for row in cells]
    fullest = [max(filled[n] for n in group) for group in groups]
    rest = [filled[n] for group in groups for n in group if n != max(group, key=filled.__getitem__)]
    if not rest:
        return True
    return len(groups) > 1 and sum(rest) / len(rest) <= 0.75 * sum(fullest) / len(fullest)


def _is_table(rows: Sequence[Sequence[str]]) -> bool:
    filled = [sum(map(bool, row)) for row in rows]
    full = sum(count > 1 for count in filled)
    return full > 1 and 2 * full >= len(rows) and sum(filled) > _LEAST_FILLED * len(rows) * len(rows[0])


def _is_prose(
    bands: Sequence[_Band], columns: Sequence[tuple[float, float]], cells: Sequence[Sequence[str]]
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
