"""Ruled tables of a PDF, by pdfplumber: slow, so only for pages on which rules cross.

Knows cells; where there are no rules, the gaps between words tell cells apart (pdf_layout).
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from core.types import Box
from ingest.parsers.gap_tables import GapTable, repeated, replaced, row_pitch, rows_within
from ingest.parsers.grid import Area, header_rows
from ingest.parsers.lines import join_all
from ingest.parsers.pdf_lines import Line

Place = tuple[float, float, float, float]
"""Left, top, right and bottom of a cell, as the page is shown."""
TextIn = Callable[[Place], str]

_MIN_CELLS = 4
# Rules nearer than this meet, in points.
_SNAP = 3.0
# Vertical rules that end together.
_OPEN_FRAME = 3
# What pdfminer lets out of a file that is not as it should be.
_MALFORMED = (ValueError, TypeError, KeyError, IndexError, AssertionError, AttributeError, OverflowError)
_MIN_FILLED = 0.3


class RuledTables:
    """The tables of one file. Opens it when the first page is asked for; close by `with`."""

    def __init__(self, path: Path, password: str = "") -> None:
        self._path, self._password = path, password
        self._file: Any = None

    def __enter__(self) -> "RuledTables":
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def put_in(self, lines: list[Line], number: int, text_in: TextIn) -> list[Line]:
        """The lines of page `number` (from 0) with each ruled table as one line in the place of
        those within it; `text_in` gives the text of a place. A table that would lose characters
        is left as it was."""
        for box, places in self._find(number):
            inside = [line for line in lines if _within(line.box, box)]
            if not inside or any(line.is_block for line in inside):
                continue
            table = _read(places, inside, text_in)
            if table is not None:
                lines = replaced(lines, inside, table)
        return lines

    def _find(self, number: int) -> list[tuple[Box, list[list[Place | None]]]]:
        import pdfplumber
        from pdfminer.psexceptions import PSException
        from pdfplumber.utils.exceptions import MalformedPDFException, PdfminerException

        try:
            if self._file is None:
                self._file = pdfplumber.open(self._path, password=self._password)
            page = self._file.pages[number]
            tables = page.find_tables(_settings(page))
            found = [(table.bbox, [row.cells for row in table.rows]) for table in tables]
            left, top = page.cropbox[0], page.cropbox[1]
            page.close()
        except (PSException, PdfminerException, MalformedPDFException, *_MALFORMED):
            # Its reader of PDF is stricter than the first one: then the gaps must do.
            return []
        return [
            (
                Box(number + 1, *_moved(place, left, top)),
                [[cell and _moved(cell, left, top) for cell in row] for row in rows],
            )
            for place, rows in found
        ]


def _settings(page: Any) -> dict[str, Any]:
    """Closes the frames that are open at the top or the bottom, as at the end of a page."""
    across = page.horizontal_edges
    closing = []
    for side in ("top", "bottom"):
        ends: dict[int, list[Any]] = {}
        for edge in page.vertical_edges:
            ends.setdefault(round(edge[side]), []).append(edge)
        for edges in ends.values():
            left, right = min(e["x0"] for e in edges), max(e["x0"] for e in edges)
            level = edges[0][side]
            closed = any(abs(e["top"] - level) < _SNAP and e["x0"] < right and e["x1"] > left for e in across)
            if len({round(e["x0"]) for e in edges}) >= _OPEN_FRAME and not closed:
                line = {"object_type": "line", "orientation": "h", "x0": left, "x1": right}
                closing.append({**line, "top": level, "bottom": level, "width": right - left, "height": 0})
    return {"explicit_horizontal_lines": closing}


def _moved(place: tuple[float, ...], left: float, top: float) -> tuple[float, float, float, float]:
    return place[0] - left, place[1] - top, place[2] - left, place[3] - top


def _read(
    places: Sequence[Sequence[Place | None]], inside: Sequence[Line], text_in: TextIn
) -> GapTable | None:
    """The cells of a ruled table; None where it is none, or would lose characters."""
    texts = [[_one_line(text_in(place)) if place else "" for place in row] for row in places]
    filled = [n for n, row in enumerate(texts) if any(row)]
    texts, places = [texts[n] for n in filled], [places[n] for n in filled]
    columns = _columns(places)
    full, merges = _with_merged(texts, places, columns)
    spanned = {row for area in merges for row in range(area.top, area.bottom + 1)}
    if not _is_table(texts) or not _holds(texts, inside):
        return None
    made: list[Sequence[str]] = []
    for n, row in enumerate(full):
        stripe = [line for line in inside if n not in spanned and _beside(line.box, places[n])]
        hidden = rows_within(stripe, columns) if len(stripe) > 1 else []
        made.extend(hidden if len(hidden) > 1 else [row])
    named = header_rows(made, [*merges, *repeated(made)])
    rows = tuple(tuple(row) for row in made)
    return GapTable(rows, named, tuple(columns), row_pitch(inside) if all(x.words for x in inside) else 0.0)


def _columns(places: Sequence[Sequence[Place | None]]) -> list[tuple[float, float]]:
    """Left and right of each column: its narrowest cell's, for others run over several."""
    columns = []
    for column in zip(*places, strict=True):
        cells = [cell for cell in column if cell]
        narrowest = min(cells, key=lambda cell: cell[2] - cell[0], default=(0.0, 0.0, 0.0, 0.0))
        columns.append((narrowest[0], narrowest[2]))
    return columns


def _with_merged(
    texts: Sequence[Sequence[str]],
    places: Sequence[Sequence[Place | None]],
    columns: Sequence[tuple[float, float]],
) -> tuple[list[list[str]], list[Area]]:
    """The rows with each cell's text in all places that it covers, and those that cover several."""
    rows, merges = [list(row) for row in texts], []
    middles = [_middle(row) for row in places]
    for top, row in enumerate(places):
        for left, cell in enumerate(row):
            if cell is None:
                continue
            right = max(n for n in range(len(columns)) if n == left or _holds_middle(cell, columns[n]))
            below = range(top, len(places))
            bottom = max(n for n in below if n == top or cell[1] < middles[n] < cell[3])
            # What runs over all columns is a title or a note, which is said once.
            whole = len(columns) > 1 and right - left + 1 == len(columns)
            if (bottom, right) != (top, left) and not whole:
                merges.append(Area(top, left, bottom, right))
                for n in range(top, bottom + 1):
                    rows[n][left : right + 1] = [texts[top][left]] * (right - left + 1)
    return rows, [area for area in merges if texts[area.top][area.left]]


def _middle(row: Sequence[Place | None]) -> float:
    """The middle of a row's lowest cell, for others run over several rows."""
    cells = [cell for cell in row if cell]
    lowest = min(cells, key=lambda cell: cell[3] - cell[1])
    return (lowest[1] + lowest[3]) / 2


def _holds_middle(cell: Place, column: tuple[float, float]) -> bool:
    return cell[0] < (column[0] + column[1]) / 2 < cell[2]


def _beside(box: Box, row: Sequence[Place | None]) -> bool:
    cells = [cell for cell in row if cell]
    middle = (box.top + box.bottom) / 2
    return min(cell[1] for cell in cells) <= middle <= min(cell[3] for cell in cells)


def _one_line(text: str) -> str:
    return join_all([" ".join(line.split()) for line in text.splitlines() if line.strip()])


def _is_table(rows: Sequence[Sequence[str]]) -> bool:
    """More than a frame around a text: two columns and two rows, with something in them."""
    if len(rows) < 2 or max(len(row) for row in rows) < 2:
        return False
    cells = [cell for row in rows for cell in row]
    filled = sum(bool(cell) for cell in cells)
    return filled >= _MIN_CELLS and filled >= _MIN_FILLED * len(cells)


def _within(box: Box, frame: Box) -> bool:
    x, y = (box.left + box.right) / 2, (box.top + box.bottom) / 2
    return frame.left <= x <= frame.right and frame.top <= y <= frame.bottom


def _holds(rows: Sequence[Sequence[str]], lines: list[Line]) -> bool:
    """Whether the cells have (almost) all characters of the lines."""
    have = sum(len(cell.replace(" ", "")) for row in rows for cell in row)
    wanted = sum(len("".join(line.text.split())) for line in lines)
    return have >= 0.98 * wanted
