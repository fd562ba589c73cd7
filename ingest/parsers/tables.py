"""Rows of cells to a table element: the one way in which every parser makes a table.

Knows the Markdown form in which tables are read and cited; knows no file format.
"""

import re
from collections.abc import Iterable, Sequence

from core.types import Box, Element, ElementKind, Table

_SPACE = re.compile(r"\s+")
_PIPE = re.compile(r"(?<!\\)\|")
_RULE = re.compile(r"\|(?:\s*:?-+:?\s*\|)+")


def table_element(
    rows: Iterable[Sequence[str]],
    frame: Table | None = None,
    page: int | None = None,
    box: Box | None = None,
) -> Element | None:
    """A TABLE element; None when no cell holds anything.

    Cells are trimmed, rows without any filled cell go, short rows get empty cells. `frame`
    gives all but the rows: header rows (default 1), caption, footnotes, place, and the count
    of cells that were read where the parser knows better than by counting `rows`.
    """
    frame = frame or Table(())
    given = [[cell.strip() for cell in row] for row in rows]
    header_rows = max(min(1, frame.header_rows), sum(any(row) for row in given[: frame.header_rows]))
    given = [row for row in given if any(row)]
    if not given:
        return None
    width = max(len(row) for row in given)
    cells = tuple((*row, *[""] * (width - len(row))) for row in given)
    counted = frame.cells_read or sum(bool(cell) for row in given for cell in row)
    table = Table(
        cells,
        min(header_rows, len(cells)),
        _line_of(frame.caption),
        tuple(note for note in map(_line_of, frame.footnotes) if note),
        frame.place,
        counted,
    )
    return Element(ElementKind.TABLE, table_text(table), page, box, table=table)


def table_text(table: Table) -> str:
    """Caption, Markdown and footnotes, each on lines of their own."""
    markdown = _markdown(table.header, table.body)
    return "\n".join(part for part in (table.caption, markdown, *table.footnotes) if part)


def markdown_table(rows: Sequence[Sequence[str]]) -> str:
    """A table whose first row is the header; short rows are filled with empty cells.

    Returns an empty string when no cell holds text.
    """
    element = table_element(rows)
    return element.text if element else ""


def markdown_cells(text: str) -> list[list[str]]:
    """The cells of the first Markdown table in a text, header first and without the rule;
    the inverse of what `table_text` writes but for white space."""
    lines = [line.strip() for line in text.split("\n")]
    rule = next((at for at, line in enumerate(lines) if at and _RULE.fullmatch(line)), 0)
    if not rule:
        return []
    rows = [lines[rule - 1]]
    for line in lines[rule + 1 :]:
        if not (line.startswith("|") and line.endswith("|")):
            break
        rows.append(line)
    return [pipe_cells(row) for row in rows]


def pipe_cells(line: str) -> list[str]:
    """The cells of one Markdown row; the pipes at its ends may be missing."""
    parts = _PIPE.split(line.strip())
    first = 1 if len(parts) > 1 and not parts[0].strip() else 0
    last = -1 if len(parts) > 1 and not parts[-1].strip() else None
    return [cell.strip().replace("\\|", "|") for cell in parts[first:last]]


def _markdown(header: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    rule = _row(["---"] * len(header))
    return "\n".join([_row(header), rule, *(_row(row) for row in body)])


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(_cell(cell) for cell in cells)} |"


def shown_cell(cell: str) -> str:
    """A cell on one line, as it stands in Markdown but for the escapes."""
    return _SPACE.sub(" ", cell).strip()


def _cell(cell: str) -> str:
    return shown_cell(cell).replace("|", "\\|")


def _line_of(text: str) -> str:
    """One line; it must not look like a row of a table."""
    return _SPACE.sub(" ", text).strip()
