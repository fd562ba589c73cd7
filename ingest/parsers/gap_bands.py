"""Rows of words on a page: bands, the columns that they leave, and which bands make one row.

Columns are what remains when all words of a run of bands are cast onto one line (a projection
profile, as in Nagy's XY cut); rows are parted by the wider of two line distances.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from core.cells import is_data
from ingest.parsers.pdf_lines import Line, Word

# In line heights. Columns are parted by no less: a blank is a third, in fonts of equal width a half.
_GUTTER = 0.6
_MONO_GUTTER = 1.0
# Lines of a cell are no further apart.
WRAP_PITCH = 1.3
# Rows at the top that may run over several columns.
SPANNING_ROWS = 3
_PITCH_RATIO = 1.2


@dataclass(slots=True)
class Band:
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


def make_bands(lines: Sequence[Line]) -> list[Band]:
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


def _band(lines: Sequence[Line]) -> Band:
    height = median(line.height for line in lines)
    words = sorted((word for line in lines for word in line.words), key=lambda word: word.left)
    gutter = (_MONO_GUTTER if any(line.mono for line in lines) else _GUTTER) * height
    top, bottom = min(line.box.top for line in lines), max(line.box.bottom for line in lines)
    return Band(list(lines), words, top, bottom, height, gutter)


def part_words(words: Sequence[Word], gap: float) -> list[list[Word]]:
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


def spans_of(band: Band, gap: float) -> list[tuple[float, float]]:
    return [(part[0].left, max(word.right for word in part)) for part in part_words(band.words, gap)]


def columns_of(bands: Sequence[Band]) -> list[tuple[float, float]]:
    """Left and right of each column: where words of any band are, joined over small gaps."""
    gutter = max(band.gutter for band in bands)
    spans = sorted(span for band in bands if not band.is_across for span in spans_of(band, gutter))
    columns = [spans[0]]
    for left, right in spans[1:]:
        if left - columns[-1][1] <= gutter:
            columns[-1] = (columns[-1][0], max(columns[-1][1], right))
        else:
            columns.append((left, right))
    return columns


def texts_of(band: Band) -> list[str]:
    return [text_of(part) for part in part_words(band.words, band.gutter)]


def text_of(part: Sequence[Word]) -> str:
    return "".join(f" {word.text}" if word.blank and n else word.text for n, word in enumerate(part))


def row_pitch_of(bands: Sequence[Band]) -> float:
    """What parts rows at least, where lines have two distances: within a cell, and from row to
    row; 0 where they have not."""
    pitches = sorted(b.middle - a.middle for a, b in pairwise(bands))
    most = WRAP_PITCH * median(band.height for band in bands)
    # Lines of cells that are set to the middle of their row may be half a line apart: the last jump counts.
    jumps = [(a + b) / 2 for a, b in pairwise(pitches) if a <= most and b >= _PITCH_RATIO * max(a, 0.1)]
    return jumps[-1] if jumps else 0.0


def row_groups(bands: Sequence[Band], cells: Sequence[Sequence[str]], limit: float = 0.0) -> list[list[int]]:
    """The bands of each row. Lines of one cell are closer than rows are, and never both data.
    `limit` is where rows part, if that is known."""
    known = limit > 0
    limit = limit or row_pitch_of(bands)
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


def _is_wrapped(groups: Sequence[Sequence[int]], cells: Sequence[Sequence[str]]) -> bool:
    """Whether lines that follow closely are rests of cells, and not rows of their own in
    groups: these would be as full as the others."""
    filled = [sum(map(bool, row)) for row in cells]
    fullest = [max(filled[n] for n in group) for group in groups]
    rest = [filled[n] for group in groups for n in group if n != max(group, key=filled.__getitem__)]
    if not rest:
        return True
    return len(groups) > 1 and sum(rest) / len(rest) <= 0.75 * sum(fullest) / len(fullest)


def spanning_bands(bands: Sequence[Band]) -> int:
    """How many bands at the top run over several of the columns below."""
    most, count = len(columns_of(bands)), 0
    for skip in range(1, min(SPANNING_ROWS, len(bands) - 2) + 1):
        below = columns_of(bands[skip:])
        if len(below) > most:
            most, count = len(below), skip
    return count
