"""Tables that go on over a page: the part on the next page gets the names of its columns.

Knows the lines of pages. The parts stay parts, since a citation shows one page.
"""

from collections.abc import Sequence
from dataclasses import replace

from core.cells import is_data
from ingest.parsers.gap_tables import GapTable, replaced, rows_below
from ingest.parsers.pdf_lines import Line


def carry_headers(pages: Sequence[Sequence[Line]]) -> list[list[Line]]:
    """The pages, with the header of a table that ends one page before the rows that begin the
    next, unless these have a header themselves."""
    carried: list[list[Line]] = []
    before: Line | None = None
    for page in pages:
        lines = _continued(before, list(page)) if before and page else list(page)
        carried.append(lines)
        if lines:
            before = lines[-1] if lines[-1].table else None
    return carried


def _continued(above: Line, lines: list[Line]) -> list[Line]:
    if not above.columns or not above.header_rows or lines[0].figure:
        return lines
    if not lines[0].table or lines[0].parts:
        rows, used = rows_below(lines[0].parts or lines, above.columns, above.row_pitch)
        if not rows or not _has_data_below(above, rows) or len(used) < len(lines[0].parts):
            return lines
        inside = [lines[0]] if lines[0].parts else used
        found = GapTable(tuple(tuple(row) for row in rows), 0, above.columns, above.row_pitch)
        lines = replaced(lines, inside, found)
    elif not _same_columns(above, lines[0]) or not _has_data_below(above, lines[0].table):
        return lines
    header = above.table[: above.header_rows]
    if header == lines[0].table[: above.header_rows]:
        return [replace(lines[0], header_rows=above.header_rows), *lines[1:]]
    first = replace(lines[0], table=(*header, *lines[0].table), header_rows=above.header_rows)
    return [first, *lines[1:]]


def _has_data_below(above: Line, rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first row with anything where the table above has but data has data there too;
    so for a table that has no such column."""
    header = above.table[: above.header_rows]
    if tuple(map(tuple, rows[: above.header_rows])) == header:
        return True
    body = above.table[above.header_rows :]
    figures = [bool(cells) and all(map(is_data, cells)) for cells in _filled_columns(body)]
    for row in rows:
        if first := [cell for cell, is_figure in zip(row, figures, strict=True) if is_figure and cell]:
            return all(map(is_data, first))
    return not any(figures)


def _filled_columns(rows: Sequence[Sequence[str]]) -> list[list[str]]:
    return [[cell for cell in column if cell] for column in zip(*rows, strict=True)]


def _same_columns(above: Line, below: Line) -> bool:
    if len(above.columns) != len(below.columns):
        return False
    return all(
        left < right_below and left_below < right
        for (left, right), (left_below, right_below) in zip(above.columns, below.columns, strict=True)
    )
