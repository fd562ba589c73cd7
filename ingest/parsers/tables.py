"""Rows of cells to a Markdown table, the one form in which tables are read and cited."""

import re
from collections.abc import Sequence

_SPACE = re.compile(r"\s+")


def markdown_table(rows: Sequence[Sequence[str]]) -> str:
    """A table whose first row is the header; short rows are filled with empty cells.

    Returns an empty string when no cell holds text.
    """
    cleaned = [[_clean_cell(cell) for cell in row] for row in rows]
    cleaned = [row for row in cleaned if any(row)]
    if not cleaned:
        return ""
    width = max(len(row) for row in cleaned)
    lines = [_line(row + [""] * (width - len(row))) for row in cleaned]
    lines.insert(1, _line(["---"] * width))
    return "\n".join(lines)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _clean_cell(cell: str) -> str:
    return _SPACE.sub(" ", cell).strip().replace("|", "\\|")
