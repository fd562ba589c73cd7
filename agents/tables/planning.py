"""From a question to the cells that answer it and what is to be done with them: rules, no model.

A plan is made only when rules find rows and columns by their labels; `confidence` says how much of the
question they explain. Whoever asks decides from where on that is enough. Pure.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from agents.tables.grid import Cell, Grid, Line
from agents.tables.matching import Match, is_tied, match_columns, match_rows, select
from agents.tables.question import (
    Operation,
    TableQuestion,
    Threshold,
    read_question,
    same_words,
    terms_of,
    uncovered,
    years_of,
)

MOST_CELLS = 24
_OVER_ALL = re.compile(r"\b(?:all|across|over|each|every)\b|各|所有|每")
# "what percentage of the whole is the part" against "the part as a percentage of the whole".
_WHOLE_FIRST = re.compile(
    r"^(?!.*\bas an? (?:percent|proportion|share)).*(?:percent(?:age)?|proportion|share) of\b.*\b(?:is|are|was|were|does|do|did|makes?|comes?)\b",
    re.IGNORECASE,
)
_UNSIGNED = re.compile(r"differen|相差|差额|差值|差异|之差|差多少", re.IGNORECASE)
_FALLEN = re.compile(r"(?:decrease|decline)(?!\s*/)|减少|下降", re.IGNORECASE)
_QUARTERS = tuple(
    re.compile(rf"\b(?:{word}\b|q{at}\b)|第?{zh}季", re.IGNORECASE)
    for at, (word, zh) in enumerate(zip(("first", "second", "third", "fourth"), "一二三四", strict=True), start=1)
)
_REFINED = frozenset((Operation.DIFFERENCE, Operation.PERCENT_CHANGE, Operation.SHARE, Operation.RATIO))
_TIED_FACTOR = 0.75
_UNNAMED_FACTOR = 0.8
_ALL_COLUMNS_FACTOR = 0.6
_SURE_RECALL = 0.9
_NAMED_RECALL = 0.75
_MIXED_FACTOR = 0.5


@dataclass(frozen=True, slots=True)
class TablePlan:
    """`cells` in the order that the operation takes them: of a difference the first less the second."""

    operation: Operation
    cells: tuple[Cell, ...]
    confidence: float
    threshold: Threshold | None = None
    cue: str = ""


@dataclass(frozen=True)
class _Reading:
    """What was found of one question in one grid."""

    grid: Grid
    question: TableQuestion
    rows: tuple[Match, ...]
    columns: tuple[Match, ...]
    factor: float
    cue: str = ""

    @property
    def terms(self) -> frozenset[str]:
        return frozenset().union(*(match.terms for match in [*self.rows, *self.columns]))

    def across(self, rows: Sequence[Line] | None = None, columns: Sequence[Line] | None = None) -> tuple[Cell, ...]:
        rows = [match.line for match in self.rows] if rows is None else rows
        columns = [match.line for match in self.columns] if columns is None else columns
        return tuple(self.grid.cell(row, column) for row in rows for column in columns)


def plan_cells(question: str, grid: Grid, context: str = "") -> TablePlan | None:
    """The plan for a question; None when rules do not find its rows and columns. `context` is what is said
    of the whole table: title, headings, caption."""
    asked = read_question(question)
    reading = _read(grid, asked)
    if reading is None:
        return None
    operation, cue = _operation(reading)
    plan = _PLANNERS[operation](replace(reading, cue=cue))
    if plan is None or not 0 < len(plan.cells) <= MOST_CELLS:
        return None
    if plan.operation is not Operation.CELLS and not _can_be_reckoned(plan.cells):
        return None
    if plan.operation is Operation.CELLS and not any(cell.text for cell in plan.cells):
        return None
    around = terms_of(same_words(f"{context} {grid.caption}")) | _labels_around(reading)
    missing = uncovered(asked, reading.terms | around, cue)
    return replace(plan, confidence=round((1 - missing) * plan.confidence * reading.factor, 4), cue=cue)


def _can_be_reckoned(cells: Sequence[Cell]) -> bool:
    """Whether all are figures, and of one kind: percent or not."""
    return all(cell.value is not None for cell in cells) and len({_is_percent(cell) for cell in cells}) == 1


def _labels_around(reading: _Reading) -> frozenset[str]:
    lines = [match.line for match in [*reading.rows, *reading.columns]]
    return frozenset().union(*(terms_of(same_words(f"{line.label} {line.context}")) for line in lines))


def _read(grid: Grid, question: TableQuestion) -> _Reading | None:
    row_matches = match_rows(grid, question)
    rows, row_factor = _select_axis(row_matches, question)
    if rows is None:
        return None
    said = frozenset().union(*(match.terms for match in rows if match.recall >= _SURE_RECALL))
    by_cells = any(match.conditions for match in row_matches)
    columns, column_factor = _select_axis(match_columns(grid, question, said, with_labels=by_cells), question)
    if columns is None:
        return None
    by_cells = [match for match in row_matches if match.conditions]
    if by_cells and (not rows or rows[0].recall < _SURE_RECALL or rows[0].conditions):
        best = by_cells[0].score
        rows = sorted((m for m in by_cells if m.score >= best - 0.01), key=lambda m: m.line.at)
    taken = {cell.column for match in rows for cell in match.conditions}
    columns = [match for match in columns if match.line.at not in taken]
    return _Reading(grid, question, tuple(rows), tuple(columns), row_factor * column_factor)


def _select_axis(
    matches: Sequence[Match], question: TableQuestion
) -> tuple[list[Match] | None, float]:
    """The lines of one axis; None when the axis has years and none of those that are asked for."""
    yearly = {match.line.at: years_of(match.line.label) for match in matches}
    known = frozenset().union(*yearly.values()) if yearly else frozenset()
    asked = question.years
    if question.spans_years:
        low, high = sorted(map(int, asked))
        between = [str(year) for year in range(low, high + 1)]
        takes_two = {Operation.DIFFERENCE, Operation.PERCENT_CHANGE} & {cue for cue, _ in question.cues}
        asked = asked if takes_two else tuple(between if asked[0] == str(low) else between[::-1])
    wanted = [year for year in asked if year in known]
    if not wanted or len(known) < 2 and len(matches) > 2:
        chosen = select(matches, question)
        if question.years and known and not wanted and len(known) > 1:
            return None, 0.0
        tied = bool(chosen) and is_tied(matches, chosen)
        return chosen, _TIED_FACTOR if tied else 1.0
    chosen, factor = [], 1.0
    for year in wanted:
        # A column of the change from one year to another is none of either year.
        least = min(len(years) for years in yearly.values() if year in years)
        own = [m for m in matches if year in yearly[m.line.at] and len(yearly[m.line.at]) == least]
        best = [match for match in own if match.score >= own[0].score - 0.05]
        factor *= _TIED_FACTOR if len(best) > 1 else 1.0
        chosen.append(best[0])
    return list(dict.fromkeys(chosen)), factor


def _operation(reading: _Reading) -> tuple[Operation, str]:
    """The first operation that the words mean and that no label explains: a row named `total change` is
    looked up."""
    question = reading.question
    labels = " ".join(same_words(m.line.label) for m in [*reading.rows, *reading.columns])
    if question.threshold:
        counts = next((cue for operation, cue in question.cues if operation is Operation.COUNT), "")
        if counts or question.asks_which:
            return (Operation.COUNT, counts) if counts else (Operation.FILTER, "")
    for operation, cue in question.cues:
        said = terms_of(cue)
        if said and said <= terms_of(labels):
            continue
        if operation is Operation.COUNT:
            continue
        if operation is Operation.SHARE and all(_is_percent(cell) for cell in reading.across()):
            continue
        if operation is Operation.SUM and len(reading.rows) * max(1, len(reading.columns)) < 2:
            continue
        return operation, cue
    return Operation.CELLS, ""


def _is_percent(cell: Cell) -> bool:
    return cell.quantity is not None and cell.quantity.unit == "%"


def _columns_or_only(reading: _Reading) -> list[Line]:
    """The columns that are named; the only one of figures where none is."""
    if reading.columns:
        return [match.line for match in reading.columns]
    columns = reading.grid.columns
    return list(columns) if len(columns) == 1 else []


def _cells(reading: _Reading) -> TablePlan | None:
    columns = _columns_or_only(reading)
    over_all = len(columns) == 1 and bool(_OVER_ALL.search(reading.question.text))
    is_named = bool(reading.rows) and max(match.recall for match in reading.rows) >= _NAMED_RECALL
    if reading.rows and columns and (is_named or not over_all):
        return TablePlan(Operation.CELLS, reading.across(columns=columns), 1.0)
    if reading.rows and not columns and len(reading.rows) <= 3:
        return TablePlan(Operation.CELLS, _filled(reading.across(columns=reading.grid.columns)), _ALL_COLUMNS_FACTOR)
    if over_all:
        return TablePlan(Operation.CELLS, _filled(reading.across(_items(reading.grid), columns)), _UNNAMED_FACTOR)
    return None


def _items(grid: Grid) -> list[Line]:
    """The rows without totals."""
    return [row for row in grid.rows if not row.is_total]


def _filled(cells: Sequence[Cell]) -> tuple[Cell, ...]:
    return tuple(cell for cell in cells if cell.text)


def _all_yearly(reading: _Reading) -> list[Line]:
    return [line for line in reading.grid.columns if len(years_of(line.label)) == 1]


def _many(operation: Operation, reading: _Reading) -> TablePlan | None:
    """A sum or a mean over the cells that are named; over all years where none is."""
    columns = [match.line for match in reading.columns] or _all_yearly(reading) or _columns_or_only(reading)
    rows = [match.line for match in reading.rows]
    factor = 1.0
    if not rows and len(columns) == 1:
        rows, factor = _items(reading.grid), _UNNAMED_FACTOR
    mixed = {other for other, cue in reading.question.cues if not terms_of(cue) <= _labels_around(reading)}
    if operation is Operation.AVERAGE and mixed & _REFINED:
        factor *= _MIXED_FACTOR
    if operation is Operation.AVERAGE and len(rows) == len(columns) == 1:
        # The average of a balance in a year lies between those of its end and its beginning.
        before = _year_before(reading.grid.columns, columns[0])
        columns, factor = [*columns, *([before] if before else [])], 0.9
    if not rows or len(rows) * len(columns) < 2:
        return None
    return TablePlan(operation, reading.across(rows, columns), factor)


def _sum(reading: _Reading) -> TablePlan | None:
    return _many(Operation.SUM, reading)


def _average(reading: _Reading) -> TablePlan | None:
    return _many(Operation.AVERAGE, reading)


def _difference(reading: _Reading) -> TablePlan | None:
    return _two(Operation.DIFFERENCE, reading)


def _percent_change(reading: _Reading) -> TablePlan | None:
    return _two(Operation.PERCENT_CHANGE, reading)


def _two(operation: Operation, reading: _Reading) -> TablePlan | None:
    """Two cells: one row in two years, the later one first, or two rows in one column as they are named."""
    rows = [match.line for match in reading.rows]
    columns = [match.line for match in reading.columns]
    factor = 1.0
    if len(rows) == 1 and len(columns) == 1 and (before := _year_before(reading.grid.columns, columns[0])):
        columns, factor = [columns[0], before], 0.9
    if len(rows) == 1 and not columns and len(_all_yearly(reading)) == 2:
        columns, factor = _all_yearly(reading), 0.9
    if len(rows) > 1 and len(columns) == 2:
        rows, factor = [_best(reading.rows)], 0.8
    if len(rows) == 1 and len(columns) == 2:
        return _ordered(operation, reading, reading.across(rows, _later_first(columns)), factor)
    if len(rows) == 2 and (len(columns) == 1 or len(reading.grid.columns) == 1):
        columns = columns or list(reading.grid.columns)
        rows = _later_first(rows) if all(any(_age(row)) for row in rows) else rows
        return _ordered(operation, reading, reading.across(rows, columns), factor)
    return None


def _ordered(operation: Operation, reading: _Reading, cells: tuple[Cell, ...], factor: float) -> TablePlan | None:
    """A difference has no sign, a decrease is what was there before less what is left."""
    if any(cell.value is None for cell in cells):
        return None
    if operation is Operation.DIFFERENCE:
        if _UNSIGNED.search(reading.cue):
            cells = tuple(sorted(cells, key=lambda cell: -cell.value))
        elif _FALLEN.match(reading.cue):
            cells = cells[::-1]
    return TablePlan(operation, cells, factor)


def _best(matches: Sequence[Match]) -> Line:
    return max(matches, key=lambda match: (match.score, -match.line.at)).line


def _year_before(columns: Sequence[Line], column: Line) -> Line | None:
    years = years_of(column.label)
    if len(years) != 1:
        return None
    wanted = str(int(next(iter(years))) - 1)
    rest = same_words(column.label).replace(next(iter(years)), "")
    same = [c for c in columns if wanted in years_of(c.label) and same_words(c.label).replace(wanted, "") == rest]
    return same[0] if len(same) == 1 else None


def _later_first(lines: Sequence[Line]) -> list[Line]:
    """By their years, then 期末 before 期初 and 本期 before 上期, the last quarter first, else as they stand."""
    return sorted(lines, key=_age, reverse=True)


def _age(line: Line) -> tuple[int, int, int]:
    """Greater is later; falsy parts say nothing."""
    label = same_words(line.label)
    year = max(map(int, years_of(label)), default=0)
    period = 2 * bool(re.search("期末|本期", label)) + bool(re.search("期初|上期", label))
    quarter = next((at for at, part in enumerate(_QUARTERS, start=1) if part.search(label)), 0)
    return year, period, quarter


def _ratio(reading: _Reading) -> TablePlan | None:
    return _quotient(Operation.RATIO, reading)


def _share(reading: _Reading) -> TablePlan | None:
    return _quotient(Operation.SHARE, reading)


def _quotient(operation: Operation, reading: _Reading) -> TablePlan | None:
    rows, columns = [m.line for m in reading.rows], [m.line for m in reading.columns]
    columns = columns or _columns_or_only(reading)
    if operation is Operation.SHARE and len(rows) == 2 and _WHOLE_FIRST.search(reading.question.text):
        rows = rows[::-1]
    if len(rows) == 2 and len(columns) == 1:
        return TablePlan(operation, reading.across(rows, columns), 1.0)
    if len(rows) == 1 and len(columns) == 2:
        return TablePlan(operation, reading.across(rows, columns), 1.0)
    return None


def _highest(reading: _Reading) -> TablePlan | None:
    return _extreme(Operation.HIGHEST, reading)


def _lowest(reading: _Reading) -> TablePlan | None:
    return _extreme(Operation.LOWEST, reading)


def _extreme(operation: Operation, reading: _Reading) -> TablePlan | None:
    """Over the years of one row, or over the rows of one column."""
    rows, columns = [m.line for m in reading.rows], [m.line for m in reading.columns]
    if len(rows) > 1 and len(columns) != 1:
        rows = [_best(reading.rows)]
    if len(rows) == 1 and (len(columns) > 1 or not columns):
        columns = columns or _all_yearly(reading) or list(reading.grid.columns)
        return TablePlan(operation, _figures(reading.across(rows, columns)), 1.0)
    if len(columns) == 1 and not (len(rows) == 1 and rows[0].is_total):
        rows = rows if len(rows) > 1 else _items(reading.grid)
        return TablePlan(operation, _figures(reading.across(rows, columns)), 0.9)
    return None


def _count(reading: _Reading) -> TablePlan | None:
    return _compared(Operation.COUNT, reading)


def _filter(reading: _Reading) -> TablePlan | None:
    return _compared(Operation.FILTER, reading)


def _compared(operation: Operation, reading: _Reading) -> TablePlan | None:
    plan = _extreme(operation, reading)
    return replace(plan, threshold=reading.question.threshold) if plan else None


def _figures(cells: Sequence[Cell]) -> tuple[Cell, ...]:
    return tuple(cell for cell in cells if cell.value is not None)


_PLANNERS = {
    Operation.CELLS: _cells,
    Operation.SUM: _sum,
    Operation.AVERAGE: _average,
    Operation.DIFFERENCE: _difference,
    Operation.PERCENT_CHANGE: _percent_change,
    Operation.RATIO: _ratio,
    Operation.SHARE: _share,
    Operation.COUNT: _count,
    Operation.FILTER: _filter,
    Operation.HIGHEST: _highest,
    Operation.LOWEST: _lowest,
}
