"""The areas of a table that are read each by itself: a form, tables side by side under headers of their own,
or the whole.

Pure; knows nothing of questions.
"""

from collections.abc import Sequence
from dataclasses import replace

from agents.tables.forms import read_form
from agents.tables.grid import Grid, read_grid
from core.cells import is_data, is_nothing
from core.types import Table

_MOSTLY = 0.8


def read_areas(table: Table) -> tuple[Grid, ...]:
    """The grids of a table; none when it holds no answers."""
    if form := read_form(table):
        return (form,)
    starts = _starts(table)
    grids = []
    for start, end in zip(starts, [*starts[1:], None], strict=True):
        part = replace(table, rows=tuple(row[start:end] for row in table.rows))
        if grid := read_grid(part, start + 1):
            grids.append(grid)
    return tuple(grids)


def _starts(table: Table) -> list[int]:
    """The first columns of tables that stand side by side: one of words within the figures, and the same
    labels behind it as before it."""
    if not table.header_rows or len(table.body) < 2:
        return [0]
    header = table.rows[table.header_rows - 1]
    for at in range(2, len(header) // 2 + 1):
        if len(header) % at:
            continue
        parts = [header[start : start + at] for start in range(0, len(header), at)]
        if any(part[1:] != parts[0][1:] or not all(part) for part in parts):
            continue
        starts = list(range(0, len(header), at))
        if all(_is_table(table.body, start, at) for start in starts):
            return starts
    return [0]


def _is_table(body: Sequence[Sequence[str]], start: int, width: int) -> bool:
    """Whether a column of words that differ stands before figures."""
    names = [row[start] for row in body if row[start]]
    figures = [cell for row in body for cell in row[start + 1 : start + width] if cell]
    if not names or not figures or len(set(names)) < len(names):
        return False
    held = sum(is_data(cell) or is_nothing(cell) for cell in figures)
    return held >= _MOSTLY * len(figures) and not any(map(is_data, names))
