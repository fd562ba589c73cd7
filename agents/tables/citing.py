"""Where the rows of a table stand in the chunks of its document, so that they can be quoted.

A citation quotes a chunk letter by letter; a stored table knows no chunks. A row is found by its cells; of a
table that was cut into bands of columns, by those of the band. Pure.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from agents.binding import BoundSpan
from agents.tables.grid import Cell
from core.text import Span
from core.types import Chunk, Table

_PIPE = re.compile(r"(?<!\\)\|")
_RULE = re.compile(r"^\s*\|[\s:|-]*-[\s:|-]*\|\s*$", re.MULTILINE)


def holds_table(text: str) -> bool:
    """Whether a chunk's text has a Markdown table in it."""
    return _RULE.search(text) is not None


def quote_cells(cells: Sequence[Cell], table: Table, chunks: Iterable[Chunk]) -> list[BoundSpan] | None:
    """The lines of the chunks that hold the cells, each once, in the order of the cells; None when one of
    them stands nowhere."""
    body = [[_shown(text) for text in row] for row in table.body]
    named = [_shown(label) for label in table.header]
    lines = [
        (chunk, span, header, _cells_of(span.of(chunk.text)))
        for chunk in chunks
        for span, header in _rows_of(chunk.text)
    ]
    spans: list[BoundSpan] = []
    for cell in cells:
        is_named = cell.row < 1  # A field in the first row of a form, which stands as its header.
        row = named if is_named else body[cell.row - 1]
        wanted = row[cell.column - 1] if is_named else _shown(cell.text)
        found = next(
            (
                BoundSpan(chunk, span, 1.0, header)
                for chunk, span, header, shown in lines
                if wanted in shown and _is_of(shown, row)
            ),
            None,
        )
        if found is None:
            return None
        if not any(span.chunk.id == found.chunk.id and span.span == found.span for span in spans):
            spans.append(found)
    return spans


def _rows_of(text: str) -> Iterator[tuple[Span, str]]:
    """The header above each rule, and the lines below with it: whole lines, since a cell may hold the end of
    a sentence."""
    start, header, before = 0, "", ""
    for line in text.split("\n"):
        is_row = line.startswith("|") and line.endswith("|") and len(line) > 1
        if _RULE.fullmatch(line):
            header = before
            if before:
                yield Span(start - len(before) - 1, start - 1), ""
        elif not is_row:
            header = ""
        elif header:
            yield Span(start, start + len(line)), header
        before = line
        start += len(line) + 1


def _is_of(shown: Sequence[str], row: Sequence[str]) -> bool:
    """Whether a line is the row, or a band of it: the same cells in the same order."""
    if list(shown) == list(row):
        return True
    left = iter(row)
    return bool(shown) and shown[0] == row[0] and all(cell in left for cell in shown)


def _cells_of(line: str) -> list[str]:
    return [_shown(cell.replace("\\|", "|")) for cell in _PIPE.split(line.strip())[1:-1]]


def _shown(cell: str) -> str:
    return " ".join(cell.split())
