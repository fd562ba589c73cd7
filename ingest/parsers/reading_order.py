"""Places on a page to the order in which people read them: columns first, then rows.

Knows rectangles only. Used where a page has no order of its own: scans and pictures.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

_MIN_COLUMN_LINES = 3
_MAX_CROSSING = 0.3
_COLUMN_HEIGHTS = 7.0
_FILL = 0.5
_STEPS = 60
_SAME_ROW = 0.5


@dataclass(frozen=True, slots=True)
class Place:
    """A rectangle and the number of what lies in it; coordinates from the top left corner."""

    number: int
    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        """From left to right."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """From top to bottom."""
        return self.bottom - self.top


def reading_rows(places: Sequence[Place]) -> list[list[int]]:
    """Rows of numbers in reading order: a two-column page gives all rows of the left column,
    then those of the right one; what spans both parts them. Within a row from left to right."""
    if not places:
        return []
    gutter = _find_gutter(places)
    if gutter is None:
        return _rows(places)
    left = [p for p in places if p.right <= gutter]
    right = [p for p in places if p.left >= gutter]
    across = sorted((p for p in places if p.left < gutter < p.right), key=lambda p: p.top)
    rows: list[list[int]] = []
    for spanner in across:
        middle = (spanner.top + spanner.bottom) / 2
        for side in (left, right):
            above = [p for p in side if (p.top + p.bottom) / 2 < middle]
            rows.extend(reading_rows(above))
            side[:] = [p for p in side if (p.top + p.bottom) / 2 >= middle]
        rows.append([spanner.number])
    return [*rows, *reading_rows(left), *reading_rows(right)]


def _find_gutter(places: Sequence[Place]) -> float | None:
    """The line from top to bottom that the fewest lines cross, with text that fills its column
    on both sides. Cells of a table are narrow: between them there is none."""
    if len(places) < 2 * _MIN_COLUMN_LINES:
        return None
    left, right = min(p.left for p in places), max(p.right for p in places)
    height = median(p.height for p in places)
    best: tuple[int, float, float] | None = None
    for step in range(_STEPS // 6, _STEPS - _STEPS // 6):
        at = left + (right - left) * step / _STEPS
        sides = [p for p in places if p.right <= at], [p for p in places if p.left >= at]
        crossing = len(places) - len(sides[0]) - len(sides[1])
        if crossing > _MAX_CROSSING * len(places) or not all(_is_column(side, height) for side in sides):
            continue
        gap = min(p.left for p in sides[1]) - max(p.right for p in sides[0])
        if best is None or (crossing, -gap) < best[:2]:
            best = (crossing, -gap, at)
    return best[2] if best else None


def _is_column(side: Sequence[Place], height: float) -> bool:
    if len(side) < _MIN_COLUMN_LINES:
        return False
    extent = max(p.right for p in side) - min(p.left for p in side)
    typical = median(p.width for p in side)
    return typical >= _COLUMN_HEIGHTS * height and typical >= _FILL * extent


def _rows(places: Sequence[Place]) -> list[list[int]]:
    rows: list[list[Place]] = []
    for place in sorted(places, key=lambda p: (p.top + p.bottom) / 2):
        if rows and _overlap(rows[-1][-1], place) > _SAME_ROW:
            rows[-1].append(place)
        else:
            rows.append([place])
    return [[p.number for p in sorted(row, key=lambda p: p.left)] for row in rows]


def _overlap(one: Place, other: Place) -> float:
    """The shared height as a share of the lower one's."""
    shared = min(one.bottom, other.bottom) - max(one.top, other.top)
    return shared / max(1e-6, min(one.height, other.height))
