"""Workbooks to elements: .xlsx and .xlsm with their number formats by openpyxl, .xls, .xlsb,
.ods and very large workbooks by calamine, which is quick and reads values only.

docs/decisions/014-tables.md says why two libraries. Formulas count by the value that was
saved with them; hidden sheets are left out, and said so.
"""

import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from core.errors import FileError
from core.types import Element, ElementKind
from ingest.parsers.cell_formats import shown
from ingest.parsers.grid import Area, Grid, grid_elements
from ingest.parsers.media_types import ODS, XLS, XLSB, XLSX
from ingest.parsers.office_archive import check_archive

_MAX_STYLED_BYTES = 24 * 1024 * 1024
"""Of unpacked sheets: above it openpyxl takes more than the memory of a parse."""
_MAX_CELLS = 5_000_000
_UNCOMPUTED = re.compile(rb"(?:</f>|<f [^>]*/>)\s*(?:<v\s*/>|<v></v>)?\s*</c>")
_PLAIN_NAME = re.compile(r"(?:sheet|table|worksheet|工作表|表)\s*\d*", re.IGNORECASE)
_SHEET_LEVEL = 2


@dataclass(frozen=True, slots=True)
class _Sheet:
    """A sheet whose cells are texts already."""

    name: str
    cells: list[list[str]]
    merges: list[Area]


class SpreadsheetParser:
    """The parser of workbooks. `warnings` are known after `parse`."""

    media_types: ClassVar[frozenset[str]] = frozenset({XLSX, XLSB, XLS, ODS})

    def __init__(self, max_styled_bytes: int = _MAX_STYLED_BYTES) -> None:
        self.warnings: list[tuple[str, str]] = []
        self._max_styled_bytes = max_styled_bytes

    def parse(self, path: Path) -> list[Element]:
        """The elements of all visible sheets; a sheet's name is a heading when it says more
        than `Sheet1` or there are several.

        Raises:
            FileError: `empty`, `corrupt`, `encrypted` or `too_large`.
        """
        sheets = [sheet for sheet in self._sheets(path) if any(map(any, sheet.cells))]
        if not sheets:
            raise FileError("no sheet of it holds anything that can be seen", code="empty")
        elements: list[Element] = []
        for sheet in sheets:
            if len(sheets) > 1 or not _PLAIN_NAME.fullmatch(sheet.name.strip()):
                elements.append(Element(ElementKind.TITLE, sheet.name, level=_SHEET_LEVEL))
            filled = _repeat_merged(sheet)
            elements.extend(grid_elements(Grid(sheet.cells, sheet.merges, sheet.name, filled=filled)))
        return elements

    def _sheets(self, path: Path) -> Iterator[_Sheet]:
        if not zipfile.is_zipfile(path):
            return self._by_calamine(path)
        members = check_archive(path, ".xlsx")
        sizes = [m.file_size for m in members if m.filename.startswith("xl/worksheets/")]
        is_styled = any(m.filename == "xl/workbook.xml" for m in members)
        if is_styled and sum(sizes) <= self._max_styled_bytes:
            return self._by_openpyxl(path)
        if is_styled:
            self.warnings.append(("number_formats", "it is so large that numbers are read without format"))
        return self._by_calamine(path)

    def _by_openpyxl(self, path: Path) -> Iterator[_Sheet]:
        book, formulas = _open_styled(path, data_only=True), None
        if _has_uncomputed(path):
            formulas = _open_styled(path, data_only=False)
            self.warnings.append(("formulas", "formulas without a saved value are kept as formulas"))
        for sheet in book.worksheets:
            if sheet.sheet_state != "visible":
                self._skip(sheet.title)
                continue
            yield _styled_sheet(sheet, formulas[sheet.title] if formulas else None)

    def _by_calamine(self, path: Path) -> Iterator[_Sheet]:
        import python_calamine as calamine

        try:
            book = calamine.CalamineWorkbook.from_path(str(path))
            for about in book.sheets_metadata:
                if about.typ != calamine.SheetTypeEnum.WorkSheet:
                    continue
                if about.visible != calamine.SheetVisibleEnum.Visible:
                    self._skip(about.name)
                    continue
                sheet = book.get_sheet_by_name(about.name)
                _check_size(sheet.total_height * sheet.total_width)
                cells = [[_plain(value) for value in row] for row in sheet.to_python(skip_empty_area=False)]
                ranges = sheet.merged_cell_ranges or []
                yield _Sheet(about.name, cells, [Area(*first, *last) for first, last in ranges])
        except calamine.PasswordError as exc:
            raise FileError(
                "it is locked with a password", code="encrypted", remedy="save a copy without a password"
            ) from exc
        except (calamine.CalamineError, OSError) as exc:
            raise _corrupt(exc) from exc

    def _skip(self, name: str) -> None:
        self.warnings.append(("hidden_sheet", f"the hidden sheet {name!r} is left out"))


def _open_styled(path: Path, data_only: bool) -> Any:
    import openpyxl

    try:
        # As an open file: of a path the library wants a suffix, which stored copies lack.
        with path.open("rb") as file:
            return openpyxl.load_workbook(file, data_only=data_only, keep_links=False)
    except (LookupError, ValueError, TypeError, AttributeError, SyntaxError, OSError) as exc:
        raise _corrupt(exc) from exc


def _styled_sheet(sheet: Any, formulas: Any) -> _Sheet:
    """By the cells that the file holds: a sheet may claim a million empty rows."""
    texts: dict[tuple[int, int], str] = {}
    # There is no public way to the cells that are there; rows and columns count from 1.
    for (row, column), cell in sheet._cells.items():
        value = cell.value
        if value is None and formulas is not None:
            value = formulas.cell(row, column).value
            value = getattr(value, "text", value)
        if text := shown(value, cell.number_format or "General").strip():
            texts[row - 1, column - 1] = text
    height = max((row for row, _ in texts), default=-1) + 1
    width = max((column for _, column in texts), default=-1) + 1
    _check_size(height * width)
    cells = [[""] * width for _ in range(height)]
    for (row, column), text in texts.items():
        cells[row][column] = text
    merges = [
        Area(m.min_row - 1, m.min_col - 1, m.max_row - 1, m.max_col - 1) for m in sheet.merged_cells.ranges
    ]
    return _Sheet(sheet.title, cells, merges)


def _repeat_merged(sheet: _Sheet) -> int:
    """Writes each merged cell into all the places that it covers, as far as the sheet goes;
    returns how many filled cells there are then."""
    filled = sum(bool(cell.strip()) for row in sheet.cells for cell in row)
    for merge in sheet.merges:
        if merge.top >= len(sheet.cells) or merge.left >= len(sheet.cells[merge.top]):
            continue
        text = sheet.cells[merge.top][merge.left]
        for row in sheet.cells[merge.top : merge.bottom + 1]:
            for column in range(merge.left, min(merge.right + 1, len(row))):
                if text.strip() and not row[column].strip():
                    row[column] = text
                    filled += 1
    return filled


def _plain(value: Any) -> str:
    return shown(value).strip()


def _has_uncomputed(path: Path) -> bool:
    """Whether a formula has no value saved with it, as in files that no office program saw."""
    with zipfile.ZipFile(path) as archive:
        names = [n for n in archive.namelist() if n.startswith("xl/worksheets/") and n.endswith(".xml")]
        return any(_UNCOMPUTED.search(archive.read(name)) for name in names)


def _check_size(cells: int) -> None:
    if cells > _MAX_CELLS:
        raise FileError(
            f"a sheet of it spans {cells} cells, the limit is {_MAX_CELLS}",
            code="too_large",
            remedy="split it, or clear cells far from the table",
        )


def _corrupt(exc: Exception) -> FileError:
    return FileError(f"it is not a readable workbook: {exc}", code="corrupt", remedy="save it again as .xlsx")
