"""The rows and columns of a grid that a question speaks of, with what can be asked of them.

Years part an axis: of one that has years only those that are asked for are meant. Pure.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from agents.tables.coverage import terms_of
from agents.tables.cues import Operation
from agents.tables.grid import Cell, Grid, Line
from agents.tables.matching import (
    SURE_RECALL,
    TIE,
    Match,
    group_said,
    is_tied,
    match_columns,
    match_rows,
    named_cells,
    select,
)
from agents.tables.periods import periods_in, same_words, years_of
from agents.tables.question import TableQuestion

_QUARTERS = tuple(
    re.compile(rf"\b(?:{word})\b|第?{zh}季", re.IGNORECASE)
    for word, zh in (("first|q1", "一"), ("second|q2", "二"), ("third|q3", "三"), ("fourth|q4", "四"))
)
_LATER = {"期末": 2, "本期": 2, "期初": 1, "上期": 1}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = re.compile(rf"\b(?P<month>{'|'.join(_MONTHS)})[a-z]{{0,6}}\.?(?: (?P<day>\d{{1,2}})\b)?")
TIED_FACTOR = 0.75


@dataclass(frozen=True)
class Reading:
    """What was found of one question in one grid."""

    grid: Grid
    question: TableQuestion
    rows: tuple[Match, ...]
    columns: tuple[Match, ...]
    factor: float
    cue: str = ""

    @property
    def terms(self) -> frozenset[str]:
        """What of the question the lines explain."""
        return frozenset().union(*(match.terms for match in [*self.rows, *self.columns]))

    def across(
        self, rows: Sequence[Line] | None = None, columns: Sequence[Line] | None = None
    ) -> tuple[Cell, ...]:
        """The cells where the lines meet, row by row; those that were found where none are given."""
        rows = [match.line for match in self.rows] if rows is None else rows
        columns = [match.line for match in self.columns] if columns is None else columns
        return tuple(self.grid.cell(row, column) for row in rows for column in columns)

    @property
    def row_lines(self) -> list[Line]:
        """The rows as lines."""
        return [match.line for match in self.rows]

    @property
    def column_lines(self) -> list[Line]:
        """The columns as lines."""
        return [match.line for match in self.columns]

    @property
    def columns_or_only(self) -> list[Line]:
        """The columns that are named; the only one of figures where none is."""
        only = list(self.grid.columns) if len(self.grid.columns) == 1 else []
        return self.column_lines or only

    @property
    def alike(self) -> list[Line]:
        """All columns where one label stands above all of them."""
        columns = list(self.grid.columns)
        return columns if len({line.label for line in columns}) == 1 and columns[0].label else []

    @property
    def yearly(self) -> list[Line]:
        """All columns of one year each."""
        return [line for line in self.grid.columns if len(years_of(line.label)) == 1]

    @property
    def items(self) -> list[Line]:
        """All rows without totals."""
        return [row for row in self.grid.rows if not row.is_total]

    @property
    def told(self) -> str:
        """The labels of the lines as they are read."""
        return " ".join(same_words(line.label) for line in [*self.row_lines, *self.column_lines])

    @property
    def labels(self) -> frozenset[str]:
        """What the labels of the lines say, and what they stand under."""
        lines = [*self.row_lines, *self.column_lines]
        return frozenset().union(*(terms_of(same_words(f"{line.label} {line.context}")) for line in lines))


def read_axes(grid: Grid, question: TableQuestion) -> Reading | None:
    """The lines of both axes; None when the table has years and none of those that are asked for."""
    row_matches = match_rows(grid, question)
    rows, row_factor = _select_axis(row_matches, question)
    if rows is None:
        return None
    if grid.is_form and len(rows) > 1:
        # What the question tells itself is no answer to it.
        told = {cell.place for _, cell in named_cells(grid, question)}
        column = grid.columns[0]
        rows = [match for match in rows if grid.cell(match.line, column).place not in told] or rows
    said = frozenset().union(*(match.terms for match in rows if match.recall >= SURE_RECALL))
    group = group_said(row_matches, question) if len(grid.labels) > 1 and not rows else []
    rows = rows or group
    if twins := _twins(rows, row_matches, question):
        rows, row_factor = twins, 1.0
    with_labels = bool(group) or any(match.conditions for match in row_matches)
    columns, column_factor = _select_axis(match_columns(grid, question, said, with_labels), question)
    if columns is None:
        return None
    by_cells = [match for match in row_matches if match.conditions]
    if by_cells and (not rows or rows[0].recall < SURE_RECALL or rows[0].conditions):
        best = by_cells[0]
        alike = (m for m in by_cells if m.told == best.told and m.score >= best.score - TIE)
        rows = sorted(alike, key=lambda match: match.line.at)
    taken = {cell.column for match in rows for cell in match.conditions}
    columns = [match for match in columns if match.line.at not in taken]
    return Reading(grid, question, tuple(rows), tuple(columns), row_factor * column_factor)


def _twins(rows: Sequence[Match], matches: Sequence[Match], question: TableQuestion) -> list[Match]:
    """All rows of the name of the one that was chosen: the name means each of them, where nothing is to be
    worked out. None where it is the only one."""
    if len(rows) != 1 or question.cues or question.years or rows[0].recall < SURE_RECALL:
        return []
    names = (rows[0].line.label, rows[0].line.context)
    twins = [match for match in matches if (match.line.label, match.line.context) == names]
    return sorted(twins, key=lambda match: match.line.at) if len(twins) > 1 else []


def _select_axis(matches: Sequence[Match], question: TableQuestion) -> tuple[list[Match] | None, float]:
    """The lines of one axis; None when the axis has years and none of those that are asked for."""
    yearly = {match.line.at: years_of_line(match.line) for match in matches}
    known = frozenset().union(*yearly.values()) if yearly else frozenset()
    wanted = [year for year in _years_asked(question) if year in known]
    if wanted and (len(known) > 1 or len(matches) <= 2):
        chosen, factor = _select_each(matches, yearly, wanted, question)
        return chosen, factor * (TIED_FACTOR if _passes_over(matches, chosen, yearly, question) else 1.0)
    if question.years and len(known) > 1:
        return None, 0.0
    periods = {match.line.at: frozenset(periods_in(same_words(match.line.label))) for match in matches}
    known = frozenset().union(*periods.values()) if periods else frozenset()
    wanted = [period for period in question.periods if period in known]
    if len(wanted) > 1:
        chosen, factor = _select_each(matches, periods, wanted, question)
        timeless = [match for match in select(matches, question) if not periods[match.line.at]]
        if not question.asks_share:
            timeless = [match for match in timeless if "%" not in match.line.label]
        if timeless and question.compares:
            # How much this period is above the last one stands in a column of its own.
            return timeless, 1.0
        return [*chosen, *timeless], factor
    if wanted and len(known) > 1:
        matches = [m for m in matches if not periods[m.line.at] or wanted[0] in periods[m.line.at]]
    chosen = select(matches, question)
    return chosen, TIED_FACTOR if chosen and is_tied(matches, chosen) else 1.0


def _years_asked(question: TableQuestion) -> tuple[str, ...]:
    """The years of a question, with those between where it names a span of years."""
    asked = question.years
    takes_two = {Operation.DIFFERENCE, Operation.PERCENT_CHANGE} & {cue for cue, _ in question.cues}
    if not question.spans_years or takes_two:
        return asked
    low, high = sorted(map(int, asked))
    between = tuple(str(year) for year in range(low, high + 1))
    return between if asked[0] == str(low) else between[::-1]


def _select_each(
    matches: Sequence[Match], times: dict[int, frozenset[str]], wanted: Sequence[str], question: TableQuestion
) -> tuple[list[Match], float]:
    """Of each time that is asked for the lines that are spoken of: the same ones of all times where they are
    named alike but for the time."""
    groups = {}
    for time in wanted:
        # A column of the change from one year to another is none of either year.
        least = min(len(own) for own in times.values() if time in own)
        groups[time] = [m for m in matches if time in times[m.line.at] and len(times[m.line.at]) == least]
    named = {time: select(own, question) for time, own in groups.items()}
    counts = {len(lines) for lines in named.values()}
    if len(counts) == 1 and counts.pop() > 1:
        chosen = [match for time in wanted for match in named[time]]
        return list(dict.fromkeys(chosen)), 1.0
    by_rest = [{_rest_of(m.line, time): m for m in reversed(groups[time])} for time in wanted]
    shared = set.intersection(*map(set, by_rest))
    if not shared:
        tied = [sum(m.score >= own[0].score - 0.05 for m in own) > 1 for own in groups.values()]
        chosen = [own[0] for own in groups.values()]
        return list(dict.fromkeys(chosen)), TIED_FACTOR ** sum(tied)
    scores = {rest: sum(own[rest].score for own in by_rest) for rest in shared}
    best = max(shared, key=lambda rest: (scores[rest], -by_rest[0][rest].line.at))
    tied = sum(score >= scores[best] - 0.05 for score in scores.values()) > 1
    return list(dict.fromkeys(own[best] for own in by_rest)), TIED_FACTOR if tied else 1.0


def _passes_over(
    matches: Sequence[Match],
    chosen: Sequence[Match],
    yearly: dict[int, frozenset[str]],
    question: TableQuestion,
) -> bool:
    """Whether a line without a year is named by words that neither a chosen one nor the asking has: of
    `granted in 2019`, Granted, where the years stand beside balances."""
    said = frozenset().union(*(terms_of(cue) for _, cue in question.cues), *(m.terms for m in chosen))
    return any(m.recall >= SURE_RECALL and m.terms - said for m in matches if not yearly[m.line.at])


def _rest_of(line: Line, time: str) -> str:
    """What a label says besides its time."""
    return " ".join(same_words(line.label).replace(time, " ").split())


def best_line(matches: Sequence[Match]) -> Line:
    """The line that is most spoken of."""
    return max(matches, key=lambda match: (match.score, -match.line.at)).line


def year_before(columns: Sequence[Line], column: Line) -> Line | None:
    """The column that says the same of the year before."""
    years = years_of(column.label)
    if len(years) != 1:
        return None
    wanted = str(int(next(iter(years))) - 1)
    rest = same_words(column.label).replace(next(iter(years)), "")
    yearly = [column for column in columns if wanted in years_of(column.label)]
    same = [column for column in yearly if same_words(column.label).replace(wanted, "") == rest]
    return same[0] if len(same) == 1 else None


def later_first(lines: Sequence[Line]) -> list[Line]:
    """By their years, then 期末 before 期初, 本期 before 上期, the last quarter first; else as they stand."""
    return sorted(lines, key=age_of, reverse=True)


def age_of(line: Line) -> tuple[int, int, int, int]:
    """Greater is later; falsy parts say nothing."""
    label = same_words(line.label)
    year = max(map(int, years_of(label)), default=0)
    period = max((_LATER.get(period, 0) for period in periods_in(label)), default=0)
    quarter = next((at for at, part in enumerate(_QUARTERS, start=1) if part.search(label)), 0)
    month = _MONTH.search(label)
    day = (_MONTHS.index(month["month"][:3]) + 1) * 100 + int(month["day"] or 0) if month else 0
    return year, period, quarter, day


def years_of_line(line: Line) -> frozenset[str]:
    """The years of its own label; of the section that it stands in where that names none."""
    return years_of(line.label) or years_of(line.context)


def quarters_of(grid: Grid) -> frozenset[str]:
    """The word for them where columns or rows are those of a year: First, Second, Third, Fourth."""
    named = [line.label for line in [*grid.columns, *grid.rows]]
    return (
        terms_of("quarter quarterly")
        if all(any(q.search(n) for n in named) for q in _QUARTERS)
        else frozenset()
    )


def is_percent(cell: Cell) -> bool:
    """Whether a cell holds percent."""
    return cell.quantity is not None and cell.quantity.unit == "%"
