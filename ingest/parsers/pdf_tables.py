"""Ruled tables of a PDF, by pdfplumber: slow, so only for pages on which rules cross.

Knows cells; where there are no rules, the gaps between words tell cells apart (pdf_layout).
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from core.types import Box
from ingest.parsers.pdf_lines import Line

Place = tuple[float, float, float, float]
"""Left, top, right and bottom of a cell, as the page is shown."""
TextIn = Callable[[Place], str]

_MIN_CELLS = 4
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
            if not inside:
                continue
            rows = _filled([[text_in(place) if place else "" for place in row] for row in places])
            if not _is_table(rows) or not _holds(rows, inside):
                continue
            at = next(n for n, line in enumerate(lines) if line is inside[0])
            text = " ".join(cell for row in rows for cell in row if cell)
            table = Line(text, box, inside[0].height, table=rows)
            kept = {id(line) for line in inside}
            lines = [
                *(line for line in lines[:at] if id(line) not in kept),
                table,
                *(line for line in lines[at:] if id(line) not in kept),
            ]
        return lines

    def _find(self, number: int) -> list[tuple[Box, list[list[Place | None]]]]:
        import pdfplumber
        from pdfminer.psexceptions import PSException
        from pdfplumber.utils.exceptions import MalformedPDFException, PdfminerException

        try:
            if self._file is None:
                self._file = pdfplumber.open(self._path, password=self._password)
            page = self._file.pages[number]
            found = [(table.bbox, [row.cells for row in table.rows]) for table in page.find_tables()]
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


def _moved(place: tuple[float, ...], left: float, top: float) -> tuple[float, float, float, float]:
    return place[0] - left, place[1] - top, place[2] - left, place[3] - top


def _filled(cells: Sequence[Sequence[str]]) -> tuple[tuple[str, ...], ...]:
    rows = (tuple(" ".join(cell.split()) for cell in row) for row in cells)
    return tuple(row for row in rows if any(row))


def _is_table(rows: tuple[tuple[str, ...], ...]) -> bool:
    """More than a frame around a text: two columns and two rows, with something in them."""
    if len(rows) < 2 or max(len(row) for row in rows) < 2:
        return False
    cells = [cell for row in rows for cell in row]
    filled = sum(bool(cell) for cell in cells)
    return filled >= _MIN_CELLS and filled >= _MIN_FILLED * len(cells)


def _within(box: Box, frame: Box) -> bool:
    x, y = (box.left + box.right) / 2, (box.top + box.bottom) / 2
    return frame.left <= x <= frame.right and frame.top <= y <= frame.bottom


def _holds(rows: tuple[tuple[str, ...], ...], lines: list[Line]) -> bool:
    """Whether the cells have (almost) all characters of the lines."""
    have = sum(len(cell.replace(" ", "")) for row in rows for cell in row)
    wanted = sum(len("".join(line.text.split())) for line in lines)
    return have >= 0.98 * wanted
