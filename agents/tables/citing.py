"""Where the rows of a table stand in the chunks of its document, so that they can be quoted.

A citation quotes a chunk letter by letter; a stored table knows no chunks. A row is found by its cells; of a
table that was cut into bands of columns, by those of the band. Pure.
"""

import re
from collections.abc import Iterable, Sequence

from agents.binding import BoundSpan
from agents.tables.grid import Cell
from core.types import Chunk, Table
from retrieval.pieces import split_pieces

_PIPE = re.compile(r"(?<!\\)\|")
_RULE = re.compile(r"^\s*\|[\s:|-]*-[\s:|-]*\|\s*$", re.MULTILINE)


def holds_table(text: str) -> bool:
    """Whether a chunk's text has a Markdown table in it."""
    return _RULE.search(text) is not None


def quote_cells(cells: Sequence[Cell], table: Table, chunks: Iterable[Chunk]) -> list[BoundSpan] | None:
    """The lines of the chunks that hold the cells, each once, in the order of the cells; None when one of
    them stands nowhere."""
    body = [[_shown(text) for text in row] for row in table.body]
    lines = [
        (chunk, piece.span, piece.header, _cells_of(piece.span.of(chunk.text)))
        for chunk in chunks
        for piece in split_pieces(chunk.text)
        if piece.header and piece.span.of(chunk.text) != piece.header
    ]
    spans: list[BoundSpan] = []
    for cell in cells:
        row, wanted = body[cell.row - 1], _shown(cell.text)
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
