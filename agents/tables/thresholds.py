"""A threshold that a question counts in millions, in the unit of the figures that it is held against.

Pure.
"""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from agents.tables.grid import Cell, Grid, scale_of
from agents.tables.question import Threshold

_WORDS = {"thousand": 3, "million": 6, "billion": 9, "trillion": 12}
_NUMERALS = {"元": 0, "十": 1, "百": 2, "千": 3, "万": 4, "亿": 8}
_FAR = 100
"""A number so much greater or smaller than all figures is not counted in their unit."""


def in_unit_of(threshold: Threshold, cells: Sequence[Cell], grid: Grid) -> Threshold | None:
    """The threshold as a number of the table; None where nobody knows in which unit the figures are."""
    if not threshold.scale:
        return threshold
    columns = [grid.column_of(cell) for cell in cells]
    labels = [label for column in columns for label in (column.label, column.context)]
    size, told = _size_of(threshold.scale), _size_of(scale_of([*labels, grid.caption]))
    number = Decimal(threshold.number)
    if told is not None:
        return replace(threshold, number=_plain(number.scaleb(size - told)))
    whole = number.scaleb(size)
    as_told, as_counted = _lies_among(number, cells), _lies_among(whole, cells)
    if as_told == as_counted:
        return None
    return replace(threshold, number=_plain(number if as_told else whole))


def _size_of(unit: str) -> int | None:
    """The zeros of a unit, of 千万 those of both parts; None for what counts nothing: percent, no unit."""
    if unit in _WORDS:
        return _WORDS[unit]
    return sum(map(_NUMERALS.__getitem__, unit)) if unit and set(unit) <= set(_NUMERALS) else None


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"


def _lies_among(number: Decimal, cells: Sequence[Cell]) -> bool:
    sizes = [abs(cell.value) for cell in cells if cell.value]
    return bool(sizes) and min(sizes) / _FAR <= abs(number) <= max(sizes) * _FAR
