"""From a question to the cells that answer it and what is to be done with them: rules, no model.

A plan is made only when rules find rows and columns by their labels; `confidence` says how much of the
question they explain. Whoever asks decides from where on that is enough. Pure.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from agents.tables.axes import (
    Reading,
    age_of,
    best_line,
    is_percent,
    later_first,
    quarters_of,
    read_axes,
    year_before,
)
from agents.tables.coverage import contradicts, terms_of, uncovered
from agents.tables.cues import Operation
from agents.tables.grid import Cell, Grid
from agents.tables.matching import named_cells
from agents.tables.naming import cells_of_names, explained_by
from agents.tables.periods import same_words
from agents.tables.question import Threshold, label_words, read_question
from agents.tables.thresholds import in_unit_of

MOST_CELLS = 24
_OVER_ALL = re.compile(r"\b(?:all|across|over|each|every)\b|各|所有|每")
# "what percentage of the whole is the part" against "the part as a percentage of the whole".
_WHOLE_FIRST = re.compile(
    r"^(?!.*\bas an? (?:percent|proportion|share)).*(?:percent(?:age)?|proportion|share) of\b"
    r".*\b(?:is|are|was|were|does|do|did|makes?|comes?)\b",
    re.IGNORECASE,
)
_UNSIGNED = re.compile(r"differen|相差|差额|差值|差异|之差|差多少", re.IGNORECASE)
_FALLEN = re.compile(r"(?:decrease|decline)(?!\s*/)|减少|下降", re.IGNORECASE)
_REFINED = frozenset((Operation.DIFFERENCE, Operation.PERCENT_CHANGE, Operation.SHARE, Operation.RATIO))
_BESIDES = re.compile(r"[,，、] ?(?:and|以及|及|还有|和)[^,，、]{0,12}$", re.IGNORECASE)
_RESPECTIVE = re.compile(r"\brespective(?:ly)?\b|分别", re.IGNORECASE)
_UNNAMED_FACTOR = 0.8
_ALL_COLUMNS_FACTOR = 0.6
_NAMED_RECALL = 0.75
_MIXED_FACTOR = 0.5
_ONE_OF_SEVERAL = 0.6
_OTHER_FACTOR = 0.6


@dataclass(frozen=True, slots=True)
class TablePlan:
    """`cells` in the order that the operation takes them: of a difference the first less the second. `most`
    is how many of the highest or lowest are wanted, with all that equal the last of them."""

    operation: Operation
    cells: tuple[Cell, ...]
    confidence: float
    threshold: Threshold | None = None
    cue: str = ""
    most: int = 1


def plan_cells(question: str, grid: Grid, context: str = "") -> TablePlan | None:
    """The plan for a question; None when rules do not find its rows and columns. `context` is what is said
    of the whole table: title, headings, caption."""
    asked = read_question(question)
    reading = read_axes(grid, asked)
    if reading is None:
        return None
    operation, cue = _operation(reading)
    plan = _PLANNERS[operation](replace(reading, cue=cue))
    if plan is None or not is_sound(plan):
        return None
    around = terms_of(same_words(f"{context} {grid.caption}")) | reading.labels
    around |= quarters_of(grid)
    if operation is Operation.NAMES:
        around |= explained_by(replace(reading, cue=cue), plan.cells)
    if grid.is_form:
        # What the form is of stands in it: its name, its number.
        named = named_cells(grid, asked)
        labels = (same_words(grid.row_of(cell).label) for _, cell in named)
        around = around.union(*(terms_of(said) for said in [*labels, *(normal for normal, _ in named)]))
    is_worked_out = operation not in (Operation.CELLS, Operation.NAMES)
    if is_worked_out and cue and (_also(asked.text, cue) or _RESPECTIVE.search(asked.text)):
        plan = replace(plan, confidence=plan.confidence * _MIXED_FACTOR)
    lines = [m.line for m in [*reading.rows, *reading.columns] if not m.conditions]
    covered = reading.terms | around
    if asked.language == "zh" and any(
        contradicts(label_words(line.label), asked.text, covered) for line in lines
    ):
        plan = replace(plan, confidence=plan.confidence * _OTHER_FACTOR)
    missing = uncovered(asked.text, asked.language, covered, cue, reading.told)
    return replace(plan, confidence=round((1 - missing) * plan.confidence * reading.factor, 4), cue=cue)


def _also(text: str, cue: str) -> bool:
    """Whether the operation is asked for besides something else: "revenue in both years, and the change"."""
    return bool(_BESIDES.search(text[: text.find(cue)]))


def is_sound(plan: TablePlan) -> bool:
    """Whether the cells can bear the operation: figures of one kind, percent or not, or cells that say
    something."""
    cells = plan.cells
    if not 0 < len(cells) <= MOST_CELLS:
        return False
    if plan.operation in (Operation.CELLS, Operation.NAMES):
        return any(cell.text for cell in cells)
    return all(cell.value is not None for cell in cells) and len({is_percent(cell) for cell in cells}) == 1


def _operation(reading: Reading) -> tuple[Operation, str]:
    """The first operation that the words mean and that no label explains: a row named `total change` is
    looked up."""
    question = reading.question
    if reading.grid.is_form:
        return Operation.CELLS, ""
    labels = " ".join(same_words(m.line.label) for m in [*reading.rows, *reading.columns])
    asks_names = question.naming and not question.threshold and not question.years
    if asks_names and cells_of_names(replace(reading, cue=question.naming)):
        return Operation.NAMES, question.naming
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
        if operation is Operation.SHARE and all(is_percent(cell) for cell in reading.across()):
            continue
        if operation is Operation.SUM and len(reading.rows) * max(1, len(reading.columns)) < 2:
            continue
        return operation, cue
    return Operation.CELLS, ""


def _cells(reading: Reading) -> TablePlan | None:
    columns = reading.columns_or_only or reading.alike
    over_all = len(columns) == 1 and bool(_OVER_ALL.search(reading.question.text))
    is_named = bool(reading.rows) and max(match.recall for match in reading.rows) >= _NAMED_RECALL
    if reading.rows and columns and (is_named or not over_all):
        cells = reading.across(columns=columns)
        # Whoever asks two things and is told one was not understood.
        factor = _ONE_OF_SEVERAL if len(cells) < reading.question.asked_things else 1.0
        if len(cells) == 1 and reading.question.asks_each:
            factor = _ONE_OF_SEVERAL
        return TablePlan(Operation.CELLS, _filled(cells) or cells, factor)
    if reading.rows and not columns and len(reading.rows) <= 3:
        cells = _filled(reading.across(columns=reading.grid.columns))
        return TablePlan(Operation.CELLS, cells, _ALL_COLUMNS_FACTOR)
    if over_all:
        cells = _filled(reading.across(reading.items, columns))
        return TablePlan(Operation.CELLS, cells, _UNNAMED_FACTOR)
    return None


def _filled(cells: Sequence[Cell]) -> tuple[Cell, ...]:
    return tuple(cell for cell in cells if cell.text)


def _many(operation: Operation, reading: Reading) -> TablePlan | None:
    """A sum or a mean over the cells that are named; over all years where none is."""
    columns = reading.column_lines or reading.yearly or reading.columns_or_only
    rows = reading.row_lines
    factor = 1.0
    if not rows and len(columns) == 1:
        rows, factor = reading.items, _UNNAMED_FACTOR
    mixed = {other for other, cue in reading.question.cues if not terms_of(cue) <= reading.labels}
    if operation is Operation.AVERAGE and mixed & _REFINED:
        factor *= _MIXED_FACTOR
    if operation is Operation.AVERAGE and len(rows) == len(columns) == 1:
        # The average of a balance in a year lies between those of its end and its beginning.
        before = year_before(reading.grid.columns, columns[0])
        columns, factor = [*columns, *([before] if before else [])], 0.9
    if not rows or len(rows) * len(columns) < 2:
        return None
    return TablePlan(operation, reading.across(rows, columns), factor)


def _sum(reading: Reading) -> TablePlan | None:
    return _many(Operation.SUM, reading)


def _average(reading: Reading) -> TablePlan | None:
    return _many(Operation.AVERAGE, reading)


def _difference(reading: Reading) -> TablePlan | None:
    return _two(Operation.DIFFERENCE, reading)


def _percent_change(reading: Reading) -> TablePlan | None:
    return _two(Operation.PERCENT_CHANGE, reading)


def _two(operation: Operation, reading: Reading) -> TablePlan | None:
    """Two cells: one row in two years, the later one first, or two rows in one column as they are named."""
    rows = reading.row_lines
    columns = reading.column_lines
    factor = 1.0
    if len(rows) == 1 and len(columns) == 1 and (before := year_before(reading.grid.columns, columns[0])):
        columns, factor = [columns[0], before], 0.9
    if len(rows) == 1 and not columns and len(reading.yearly) == 2:
        columns, factor = reading.yearly, 0.9
    if len(rows) > 1 and len(columns) == 2:
        rows, factor = [best_line(reading.rows)], 0.8
    if len(rows) == 1 and len(columns) == 2:
        return _ordered(operation, reading, reading.across(rows, later_first(columns)), factor)
    if len(rows) == 2 and (len(columns) == 1 or len(reading.grid.columns) == 1):
        columns = columns or list(reading.grid.columns)
        rows = later_first(rows) if all(any(age_of(row)) for row in rows) else rows
        return _ordered(operation, reading, reading.across(rows, columns), factor)
    return None


def _ordered(
    operation: Operation, reading: Reading, cells: tuple[Cell, ...], factor: float
) -> TablePlan | None:
    """A difference has no sign, a decrease is what was there before less what is left."""
    if any(cell.value is None for cell in cells):
        return None
    if operation is Operation.DIFFERENCE:
        if _UNSIGNED.search(reading.cue):
            cells = tuple(sorted(cells, key=lambda cell: -cell.value))
        elif _FALLEN.match(reading.cue):
            cells = cells[::-1]
    return TablePlan(operation, cells, factor)


def _ratio(reading: Reading) -> TablePlan | None:
    return _quotient(Operation.RATIO, reading)


def _share(reading: Reading) -> TablePlan | None:
    return _quotient(Operation.SHARE, reading)


def _quotient(operation: Operation, reading: Reading) -> TablePlan | None:
    rows, columns = reading.row_lines, reading.column_lines
    columns = columns or reading.columns_or_only
    if operation is Operation.SHARE and len(rows) == 2 and _WHOLE_FIRST.search(reading.question.text):
        rows = rows[::-1]
    if len(rows) == 2 and len(columns) == 1:
        return TablePlan(operation, reading.across(rows, columns), 1.0)
    if len(rows) == 1 and len(columns) == 2:
        return TablePlan(operation, reading.across(rows, columns), 1.0)
    return None


def _highest(reading: Reading) -> TablePlan | None:
    return _first_of(Operation.HIGHEST, reading)


def _lowest(reading: Reading) -> TablePlan | None:
    return _first_of(Operation.LOWEST, reading)


def _first_of(operation: Operation, reading: Reading) -> TablePlan | None:
    plan = _extreme(operation, reading)
    return replace(plan, most=reading.question.most) if plan else None


def _extreme(operation: Operation, reading: Reading) -> TablePlan | None:
    """Over the years of one row, or over the rows of one column."""
    rows, columns = reading.row_lines, reading.column_lines
    if len(rows) > 1 and len(columns) != 1:
        rows = [best_line(reading.rows)]
    if len(rows) == 1 and (len(columns) > 1 or not columns):
        columns = columns or reading.yearly or list(reading.grid.columns)
        return TablePlan(operation, _figures(reading.across(rows, columns)), 1.0)
    if len(columns) == 1 and not (len(rows) == 1 and rows[0].is_total):
        rows = rows if len(rows) > 1 else reading.items
        return TablePlan(operation, _figures(reading.across(rows, columns)), 0.9)
    return None


def _count(reading: Reading) -> TablePlan | None:
    return _compared(Operation.COUNT, reading)


def _filter(reading: Reading) -> TablePlan | None:
    return _compared(Operation.FILTER, reading)


def _compared(operation: Operation, reading: Reading) -> TablePlan | None:
    plan = _extreme(operation, reading)
    threshold = in_unit_of(reading.question.threshold, plan.cells, reading.grid) if plan else None
    return replace(plan, threshold=threshold) if threshold else None


def _names(reading: Reading) -> TablePlan | None:
    """Labels, or how many there are."""
    is_counted = any(operation is Operation.COUNT for operation, _ in reading.question.cues)
    operation = Operation.COUNT if is_counted else Operation.NAMES
    return TablePlan(operation, cells_of_names(reading), 1.0)


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
    Operation.NAMES: _names,
}
