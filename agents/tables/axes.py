"""The rows and columns of a grid that a question speaks of, with what can be asked of them.

Years part an axis: of one that has years only those that are asked for are meant. Pure.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from agents.tables.cues import Operation
from agents.tables.grid import Cell, Grid, Line
from agents.tables.matching import Match, is_tied, match_columns, match_rows, select
from agents.tables.question import TableQuestion, same_words, terms_of, years_of

_QUARTERS = tuple(
    re.compile(rf"\b(?:{word})\b|第?{zh}季", re.IGNORECASE)
    for word, zh in (("first|q1", "一"), ("second|q2", "二"), ("third|q3", "三"), ("fourth|q4", "四"))
)
SURE_RECALL = 0.9
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
    def yearly(self) -> list[Line]:
        """All columns of one year each."""
        return [line for line in self.grid.columns if len(years_of(line.label)) == 1]

    @property
    def items(self) -> list[Line]:
        """All rows without totals."""
        return [row for row in self.grid.rows if not row.is_total]

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
    said = frozenset().union(*(match.terms for match in rows if match.recall >= SURE_RECALL))
    by_cells = any(match.conditions for match in row_matches)
    columns, column_factor = _select_axis(match_columns(grid, question, said, with_labels=by_cells), question)
    if columns is None:
        return None
    by_cells = [match for match in row_matches if match.conditions]
    if by_cells and (not rows or rows[0].recall < SURE_RECALL or rows[0].conditions):
        best = by_cells[0].score
        rows = sorted((m for m in by_cells if m.score >= best - 0.01), key=lambda m: m.line.at)
    taken = {cell.column for match in rows for cell in match.conditions}
    columns = [match for match in columns if match.line.at not in taken]
    return Reading(grid, question, tuple(rows), tuple(columns), row_factor * column_factor)


def _select_axis(matches: Sequence[Match], question: TableQuestion) -> tuple[list[Match] | None, float]:
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
        return chosen, TIED_FACTOR if tied else 1.0
    chosen, factor = [], 1.0
    for year in wanted:
        # A column of the change from one year to another is none of either year.
        least = min(len(years) for years in yearly.values() if year in years)
        own = [m for m in matches if year in yearly[m.line.at] and len(yearly[m.line.at]) == least]
        best = [match for match in own if match.score >= own[0].score - 0.05]
        factor *= TIED_FACTOR if len(best) > 1 else 1.0
        chosen.append(best[0])
    return list(dict.fromkeys(chosen)), factor


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


def age_of(line: Line) -> tuple[int, int, int]:
    """Greater is later; falsy parts say nothing."""
    label = same_words(line.label)
    year = max(map(int, years_of(label)), default=0)
    period = 2 * bool(re.search("期末|本期", label)) + bool(re.search("期初|上期", label))
    quarter = next((at for at, part in enumerate(_QUARTERS, start=1) if part.search(label)), 0)
    return year, period, quarter


def is_percent(cell: Cell) -> bool:
    """Whether a cell holds percent."""
    return cell.quantity is not None and cell.quantity.unit == "%"
