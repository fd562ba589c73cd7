"""Where on a page a table without rules may be: bands of words that leave a gutter free.

Knows places of words, and little of what they say.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from core.cells import is_data
from ingest.parsers.gap_bands import (
    SPANNING_ROWS,
    WRAP_PITCH,
    Band,
    columns_of,
    part_words,
    row_pitch_of,
    spanning_bands,
    spans_of,
    texts_of,
)

# In line heights. A gap this wide shows that a line may be a row.
_ROW_GAP = 0.95
_MOST_PITCH = 3.2
_PITCH_GROWTH = 2.0
_SAME_SIZE = 0.7
_ACROSS_SHARE = 0.6
_MOST_NAME_PITCH = 2.2


def table_regions(bands: Sequence[Band]) -> Iterator[tuple[int, int]]:
    """Runs of bands that leave a gutter free from the first to the last; both within."""
    at = 0
    while at < len(bands):
        end = at
        if len(part_words(bands[at].words, _ROW_GAP * bands[at].height)) > 1:
            while added := _added(bands, at, end):
                end += added
            end = without_last_words(bands, at, end)
        if end > at:
            yield _raised(bands, at, end), end
        at = end + 1


def _added(bands: Sequence[Band], first: int, last: int) -> int:
    """How many bands below the last go on with the table: one, or one across and the next."""
    above = bands[first : last + 1]
    if last + 1 < len(bands) and _belongs(above, bands[last + 1]):
        return int(not _starts_anew(above, bands[last + 1 : last + 3]))
    if last + 2 >= len(bands) or len(above) < 2:
        return 0
    parts = spans_of(bands[last + 1], bands[last + 1].gutter)
    columns = columns_of(above)
    narrow = parts[0][1] - parts[0][0] < _ACROSS_SHARE * (columns[-1][1] - columns[0][0])
    if len(parts) == 1 and narrow and is_near(above, bands[last + 1]):
        bands[last + 1].is_across = _belongs(
            [*above, replace(bands[last + 1], is_across=True)], bands[last + 2]
        )
    return 2 if bands[last + 1].is_across else 0


def _starts_anew(above: Sequence[Band], below: Sequence[Band]) -> bool:
    """A title and a header of the next table: words alone at the left, apart from the row above,
    then cells without data in half of the columns at least."""
    if len(below) < 2 or len(part_words(below[0].words, below[0].gutter)) > 1:
        return False
    columns = columns_of(above)
    apart = below[0].middle - above[-1].middle > WRAP_PITCH * below[0].height
    names = texts_of(below[1])
    if not apart or below[0].words[0].left >= columns[0][1] or 2 * len(names) < len(columns):
        return False
    return not any(map(is_data, names)) and any(is_data(text) for band in above for text in texts_of(band))


def _belongs(above: Sequence[Band], band: Band) -> bool:
    """Whether a band below may be of the same table: near, of the same size, and in its columns."""
    return (
        is_near(above, band)
        and len(columns_of([*above[spanning_bands(above) :], band])) > 1
        and _keeps_columns(above, band)
    )


def is_near(above: Sequence[Band], band: Band) -> bool:
    last = above[-1]
    pitch, height = band.middle - last.middle, max(band.height, last.height)
    widest = max((b.middle - a.middle for a, b in pairwise(above)), default=0.0)
    # What is below a header may stand further apart.
    settled = len(above) > SPANNING_ROWS
    if pitch > _MOST_PITCH * height or (settled and pitch > _PITCH_GROWTH * max(widest, WRAP_PITCH * height)):
        return False
    return min(band.height, last.height) >= _SAME_SIZE * height


def _keeps_columns(above: Sequence[Band], band: Band) -> bool:
    """No part of the band runs over cells that stand side by side above it, and none of the
    columns above, if they are of more than the rows that may run over several, has two parts of it."""
    parts = spans_of(band, band.gutter)
    for other in (other for other in above if not other.is_across):
        cells = spans_of(other, other.gutter)
        if any(sum(left < end and right > start for start, end in cells) > 1 for left, right in parts):
            return False
    if len(above) <= SPANNING_ROWS:
        return True
    columns = columns_of(above[spanning_bands(above) :])
    return all(sum(left < end and right > start for left, right in parts) < 2 for start, end in columns)


def _raised(bands: Sequence[Band], first: int, last: int) -> int:
    """With the bands above that are the first lines of a cell in the first row, or a name over
    several columns."""
    columns = columns_of(bands[first : last + 1])
    while first > 0:
        parts = spans_of(bands[first - 1], bands[first - 1].gutter)
        under = [n for n, (start, end) in enumerate(columns) if parts[0][0] < end and parts[0][1] > start]
        pitch = bands[first].middle - bands[first - 1].middle
        is_line = len(under) == 1 and pitch < row_pitch_of(bands[first - 1 : last + 1])
        # A caption begins above the first column.
        is_name = len(under) > 1 and under[0] > 0 and pitch <= _MOST_NAME_PITCH * bands[first].height
        if len(parts) > 1 or not (is_line or is_name) or not is_near(bands[first - 1 : first], bands[first]):
            break
        first -= 1
    return first


def without_last_words(bands: Sequence[Band], first: int, last: int) -> int:
    """The last band of a table: not one of words alone, unless they follow as closely as the
    lines of a cell."""
    while last > first:
        band, above = bands[last], bands[last - 1]
        alone = len(part_words(band.words, band.gutter)) == 1
        close = band.middle - above.middle <= WRAP_PITCH * band.height
        if not alone or (close and row_pitch_of(bands[first : last + 1])):
            break
        last -= 1
    return last
