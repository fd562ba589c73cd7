"""A plan as SQL over the cells of one table, and what that gives. All figures come from DuckDB.

The relation of cells has a line for each: `row`, `col`, `row_label`, `column_label`, `text`, `value` (exact
decimals) and `unit`. Nothing of a question is pasted into SQL: places and thresholds are numbers.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from agents.tables.cues import Operation
from agents.tables.grid import Cell, Grid
from agents.tables.planning import TablePlan
from agents.tables.question import label_words
from agents.tables.sandbox import SqlLimits, run_select

if TYPE_CHECKING:
    import pyarrow

CELLS = "cells"
_MOST_DIGITS = 38
_MOST_TOLD_DIGITS = 28
"""Of a result with its decimal places: what Python's decimals keep exact."""
_MOST_FLOAT_DIGITS = 15
"""The same of a quotient, which DuckDB gives in floating point."""
_LEAST_PLACES = 2
_TOLD_AS_THEY_STAND = frozenset((Operation.CELLS, Operation.NAMES))
_GIVING_CELLS = frozenset(
    (Operation.CELLS, Operation.NAMES, Operation.HIGHEST, Operation.LOWEST, Operation.FILTER)
)


@dataclass(frozen=True, slots=True)
class Reckoned:
    """What the SQL of a plan gave: a number, or the cells that were found."""

    plan: TablePlan
    sql: str
    value: Decimal | None
    found: tuple[Cell, ...]


def reckon(plan: TablePlan, grid: Grid, limits: SqlLimits | None = None) -> Reckoned | None:
    """Runs a plan over its grid; None when there is no result, as of a division by zero, and when a
    figure or the result has more digits than are kept: what is left out would make it a wrong one.

    Raises:
        InputError: the SQL takes more than its limits.
    """
    scale = _shared_scale(grid)
    figures = [cell for cell in plan.cells if cell.value is not None]
    if plan.operation not in _TOLD_AS_THEY_STAND and not all(_fits(cell, scale) for cell in figures):
        return None
    sql = sql_of(plan)
    result = run_select(sql, {CELLS: cell_relation(grid)}, limits)
    if plan.operation in _GIVING_CELLS:
        by_place = {cell.place: cell for cell in plan.cells}
        places = [(int(row[0]), int(row[1])) for row in result.rows]
        if plan.operation in (Operation.CELLS, Operation.NAMES, Operation.FILTER):
            places = [place for place in by_place if place in places]
        found = tuple(by_place[place] for place in places)
        return Reckoned(plan, sql, None, found) if found else None
    given = result.rows[0][0] if result.rows else None
    value, most = _decimal(given), _MOST_FLOAT_DIGITS if isinstance(given, float) else _MOST_TOLD_DIGITS
    if value is None or max(value.adjusted() + 1, 1) + max(scale, _LEAST_PLACES) > most:
        return None
    return Reckoned(plan, sql, value, ())


def sql_of(plan: TablePlan) -> str:
    """The SELECT of a plan."""
    chosen = _places(plan.cells)
    listed = f'SELECT "row", col, row_label, column_label, text FROM {CELLS} WHERE {chosen}'
    order = ' ORDER BY "row", col'
    match plan.operation:
        case Operation.CELLS | Operation.NAMES:
            return listed + order
        case Operation.HIGHEST | Operation.LOWEST:
            down = " DESC" if plan.operation is Operation.HIGHEST else ""
            values = f"SELECT DISTINCT value FROM {CELLS} WHERE {chosen} ORDER BY value{down}"
            return f'{listed} AND value IN ({values} LIMIT {plan.most:d}) ORDER BY value{down}, "row", col'
        case Operation.FILTER:
            return f"{listed} AND {_limit(plan)}{order}"
        case Operation.COUNT:
            return f"SELECT count(*) AS result FROM {CELLS} WHERE {chosen} AND {_limit(plan)}"
        case Operation.SUM:
            return f"SELECT sum(value) AS result FROM {CELLS} WHERE {chosen}"
        case Operation.AVERAGE:
            return f"SELECT sum(value) / count(value) AS result FROM {CELLS} WHERE {chosen}"
    first, second = (f"(SELECT value FROM {CELLS} WHERE {_place(cell)})" for cell in plan.cells[:2])
    return {
        Operation.DIFFERENCE: f"SELECT {first} - {second} AS result",
        Operation.PERCENT_CHANGE: f"SELECT 100 * ({first} - {second}) / nullif({second}, 0) AS result",
        Operation.RATIO: f"SELECT {first} / nullif({second}, 0) AS result",
        Operation.SHARE: f"SELECT 100 * {first} / nullif({second}, 0) AS result",
    }[plan.operation]


def cell_relation(*grids: Grid) -> "pyarrow.Table":
    """The cells of a table, area by area, as a relation."""
    import pyarrow as pa

    scale = max(map(_shared_scale, grids))
    held = [part for grid in grids for part in _labelled(grid)]
    cells = [cell for _, _, cell in held]
    values = [cell.value if _fits(cell, scale) else None for cell in cells]
    return pa.table(
        {
            "row": pa.array([cell.row for cell in cells], pa.int32()),
            "col": pa.array([cell.column for cell in cells], pa.int32()),
            "row_label": pa.array([row for row, _, _ in held], pa.string()),
            "column_label": pa.array([column for _, column, _ in held], pa.string()),
            "text": pa.array([cell.text for cell in cells], pa.string()),
            "value": pa.array(values, pa.decimal128(_MOST_DIGITS, scale)),
            "unit": pa.array([cell.quantity.unit if cell.quantity else "" for cell in cells], pa.string()),
        }
    )


def _labelled(grid: Grid) -> Iterator[tuple[str, str, Cell]]:
    """Each cell with the labels of its row and its column."""
    rows = {row.at: label_of(row.context, row.label) for row in grid.rows}
    columns = {column.at: column.label for column in [*grid.columns, *grid.labels]}
    for (row, column), cell in grid.cells.items():
        if row in rows:
            yield rows[row], columns[column], cell


def label_of(context: str, label: str) -> str:
    """A label with what it stands under, unless that says the same."""
    if context and label_words(context) not in label_words(label):
        return f"{context}, {label}" if context.isascii() else f"{context}，{label}"
    return label


def _places(cells: Sequence[Cell]) -> str:
    return "(" + " OR ".join(f"({_place(cell)})" for cell in cells) + ")"


def _place(cell: Cell) -> str:
    return f'"row" = {int(cell.row)} AND col = {int(cell.column)}'


def _limit(plan: TablePlan) -> str:
    if plan.threshold is None:
        return "text <> ''"
    sign = "<" if plan.threshold.is_below else ">"
    return f"value {sign} {Decimal(plan.threshold.number):f}"


def _shared_scale(grid: Grid) -> int:
    """Decimal places of the relation's values."""
    rows = {row.at for row in grid.rows}
    return max((_scale(cell) for (row, _), cell in grid.cells.items() if row in rows), default=0)


def _scale(cell: Cell) -> int:
    return max(0, -int(cell.value.as_tuple().exponent)) if cell.value is not None else 0


def _fits(cell: Cell, scale: int) -> bool:
    return cell.value is not None and max(cell.value.adjusted() + 1, 1) + scale <= _MOST_DIGITS


def _decimal(value: object) -> Decimal | None:
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
