"""A threshold that a question counts in millions, in the unit of the figures that it is held against.

Pure.
"""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from agents.tables.grid import Cell, Grid, scale_of
from agents.tables.question import Threshold

_SIZES = {
    "thousand": 3,
    "million": 6,
    "billion": 9,
    "千": 3,
    "万": 4,
    "百万": 6,
    "千万": 7,
    "亿": 8,
}
_FAR = 100
"""A number so much greater or smaller than all figures is not counted in their unit."""


def in_unit_of(threshold: Threshold, cells: Sequence[Cell], grid: Grid) -> Threshold | None:
    """The threshold as a number of the table; None where nobody knows in which unit the figures are."""
    if not threshold.scale:
        return threshold
    size = _SIZES.get(threshold.scale)
    columns = [grid.column_of(cell) for cell in cells]
    labels = [label for column in columns for label in (column.label, column.context)]
    told = scale_of([*labels, grid.caption]).removesuffix("元")
    number = Decimal(threshold.number)
    if told in _SIZES and size is not None:
        return replace(threshold, number=_plain(number.scaleb(size - _SIZES[told])))
    whole = number.scaleb(size or 0)
    as_told, as_counted = _lies_among(number, cells), _lies_among(whole, cells)
    if as_told == as_counted:
        return None
    return replace(threshold, number=_plain(number if as_told else whole))


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"


def _lies_among(number: Decimal, cells: Sequence[Cell]) -> bool:
    sizes = [abs(cell.value) for cell in cells if cell.value]
    return bool(sizes) and min(sizes) / _FAR <= abs(number) <= max(sizes) * _FAR
