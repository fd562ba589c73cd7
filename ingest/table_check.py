"""The tables of a parsed file with their places, and the check that no cell was lost.

Knows elements; knows nothing of files or stores.
"""

from collections.abc import Sequence

from core.types import Element, ElementKind, Table
from ingest.parsers.tables import markdown_cells, shown_cell
from ingest.table_store import PlacedTable

LOST_CELLS = "table_cells"


def placed_tables(elements: Sequence[Element]) -> list[PlacedTable]:
    """The tables in their order, each with the headings that it stands under."""
    path: list[tuple[int, str]] = []
    found = []
    for element in elements:
        if element.kind is ElementKind.TITLE:
            level = element.level or 1
            path = [*((at, text) for at, text in path if at < level), (level, element.text.strip())]
        elif element.table is not None:
            found.append(PlacedTable(element.table, tuple(text for _, text in path), element.page))
    return found


def check_tables(elements: Sequence[Element], kept_in_files: Sequence[int]) -> list[tuple[str, str]]:
    """A warning (code and words) for each table whose filled cells, as they were read from
    the source, are not all in its Markdown and in its file."""
    tables = [(element, element.table) for element in elements if element.table is not None]
    warnings = []
    for at, (element, table) in enumerate(tables):
        in_file = kept_in_files[at] if at < len(kept_in_files) else 0
        in_text = count_in_markdown(table, element.text)
        if {table.cells_read} != {in_file, in_text}:
            place = f" in {table.place}" if table.place else ""
            words = f"of table {at + 1}{place} {table.cells_read} cells were read,"
            warnings.append((LOST_CELLS, f"{words} {in_text} kept as text, {in_file} as structure"))
    return warnings


def count_in_markdown(table: Table, text: str) -> int:
    """How many filled cells of a table are found in a Markdown text, each in its place."""
    shown = markdown_cells(text)
    if len(shown) != len(table.body) + 1 or any(len(row) != len(table.header) for row in shown):
        return 0
    in_header = sum(
        bool(cell) and shown_cell(cell) in shown[0][at]
        for row in table.rows[: table.header_rows]
        for at, cell in enumerate(row)
    )
    in_body = sum(
        bool(cell) and shown_cell(cell) == kept
        for row, kept_row in zip(table.body, shown[1:], strict=True)
        for cell, kept in zip(row, kept_row, strict=True)
    )
    return in_header + in_body
