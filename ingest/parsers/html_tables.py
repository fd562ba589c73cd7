"""A `<table>` to a table element: spans, header rows, caption and footnotes."""

from collections.abc import Sequence
from dataclasses import dataclass

from lxml.html import HtmlElement

from core.types import Element, Table
from ingest.parsers.grid import Area, header_rows
from ingest.parsers.html_text import visible_text
from ingest.parsers.tables import table_element

_MAX_SPAN = 100
_MAX_REPEATED_COLUMNS = 500


@dataclass(frozen=True, slots=True)
class SpannedCells:
    """Rows of a table; a spanning cell stands in each place that it covers, and in `merges`.
    `named` counts the leading rows that hold header cells alone."""

    rows: Sequence[Sequence[str]]
    merges: Sequence[Area]
    named: int


def table_of(node: HtmlElement) -> Element | None:
    """The element of a `<table>`; None when nothing is in it."""
    cells = spanned_cells(node)
    caption = " ".join(visible_text(caption) for caption in node.xpath("./caption"))
    count = cells.named or header_rows(cells.rows, cells.merges)
    return table_element(cells.rows, Table((), count, caption))


def spanned_cells(table: HtmlElement) -> SpannedCells:
    """The cells of a table in the order of its source, the head first."""
    rows: list[list[str]] = []
    merges: list[Area] = []
    named: list[bool] = []
    pending: dict[int, tuple[int, str]] = {}
    for row in table.xpath("./thead/tr") + table.xpath("./tr|./tbody/tr") + table.xpath("./tfoot/tr"):
        cells: list[str] = []
        for cell in row.xpath("./td|./th"):
            _fill_from_above(cells, pending)
            text = visible_text(cell)
            # Past a width that no table has a cell is not repeated: spans multiply each other.
            narrow = len(cells) < _MAX_REPEATED_COLUMNS
            down, across = (_span(cell, "rowspan"), _span(cell, "colspan")) if narrow else (1, 1)
            if down > 1 or across > 1:
                at = len(cells)
                merges.append(Area(len(rows), at, len(rows) + down - 1, at + across - 1))
            for _ in range(across):
                if down > 1:
                    pending[len(cells)] = (down - 1, text)
                cells.append(text)
        _fill_from_above(cells, pending)
        rows.append(cells)
        named.append(row.getparent().tag == "thead" or not row.xpath("./td"))
    return SpannedCells(rows, merges, _leading(named))


def _leading(flags: Sequence[bool]) -> int:
    """How many flags at the start are set; 0 when all are, for then they tell nothing."""
    count = next((at for at, flag in enumerate(flags) if not flag), len(flags))
    return count if count < len(flags) else 0


def _fill_from_above(cells: list[str], pending: dict[int, tuple[int, str]]) -> None:
    while len(cells) in pending:
        column = len(cells)
        left, text = pending.pop(column)
        if left > 1:
            pending[column] = (left - 1, text)
        cells.append(text)


def _span(cell: HtmlElement, name: str) -> int:
    value = (cell.get(name) or "1").strip()
    return max(1, min(int(value), _MAX_SPAN)) if value.isascii() and value.isdigit() else 1
