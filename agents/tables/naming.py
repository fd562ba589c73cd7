"""Which years a table tells of, and which items stand under a heading of it: what is asked for are labels.

Pure.
"""

import re
from collections.abc import Sequence

from agents.tables.axes import Reading
from agents.tables.coverage import terms_of
from agents.tables.grid import Cell, Line
from agents.tables.periods import same_words
from agents.tables.question import label_words

_YEARS = re.compile(r"\byears\b|哪[些几]个?年", re.IGNORECASE)
_LEAST_RECALL = 0.9


def cells_of_names(reading: Reading) -> tuple[Cell, ...]:
    """A filled cell of each line whose label is asked for; none where the question does not tell which."""
    if _YEARS.search(reading.cue):
        return _of_years(reading)
    return _of_items(reading)


def explained_by(reading: Reading, cells: Sequence[Cell]) -> frozenset[str]:
    """What of a question is told by the lines of the labels: all, for years head each of them; what stands
    above them, for items."""
    rows = reading.grid.rows
    if not _YEARS.search(reading.cue):
        held = {cell.row for cell in cells}
        rows = [row for row in rows if row.at in held]
        return frozenset().union(*(terms_of(same_words(row.context)) for row in rows))
    return frozenset().union(*(terms_of(same_words(f"{row.label} {row.context}")) for row in rows))


def _of_years(reading: Reading) -> tuple[Cell, ...]:
    rows = reading.row_lines[:1] or reading.items[:1]
    return tuple(cell for cell in reading.across(rows, reading.yearly) if cell.text)


def _of_items(reading: Reading) -> tuple[Cell, ...]:
    found = []
    for row in _items(reading):
        cells = [cell for cell in reading.across([row], reading.grid.columns) if cell.value is not None]
        if cells and row.label:
            found.append(cells[0])
    return tuple(found) if len(found) > 1 else ()


def _items(reading: Reading) -> list[Line]:
    """The rows under the heading that is named, or above the total that is, up to the first total."""
    rows = list(reading.grid.rows)
    asked = reading.question.terms
    headings = {row.context for row in rows if row.context and terms_of(label_words(row.context)) <= asked}
    if len(headings) == 1:
        heading = headings.pop()
        own = [row for row in rows if row.context == heading]
        named = terms_of(label_words(heading))
        ends = (
            at
            for at, row in enumerate(own)
            if row.is_total or not row.label or named <= terms_of(label_words(row.label))
        )
        return own[: next(ends, len(own))]
    totals = [m.line for m in reading.rows if m.line.is_total and m.recall >= _LEAST_RECALL]
    if len(totals) != 1 or any(row.context for row in rows):
        return []
    above = rows[: rows.index(totals[0])]
    return above if not any(row.is_total or not row.label for row in above) else []
