"""Tables made up for measuring parsers, and their files in six formats.

Knows how each format is written by its own library; knows nothing of our parsers. The same
seed gives the same tables.
"""

import csv
import datetime as dt
import html
import io
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.pdf_cases import PDF_WRITERS

Merge = tuple[int, int, int, int]
"""Top, left, bottom, right; counted from 0, all within."""

_WORD_LINE = (
    "revenue cost margin North South staff branch pump valve approved pending é–ü R&D <5 3*4 a|b C:\\data_x "
    "营业收入 成本 利润率 华东 华南 人数 分公司 水泵 阀门 检验 合格 待定 「甲」"
)
_WORDS = tuple(_WORD_LINE.split())
_ENCODINGS = ("utf-8", "utf-8-sig", "gb18030")


@dataclass(frozen=True)
class Cell:
    """What is shown, and for a workbook the value and format that show it."""

    shown: str
    value: object = None
    number_format: str = "General"


@dataclass(frozen=True)
class TableCase:
    """A table with every merged cell's text in each place that it covers."""

    seed: int
    rows: Sequence[Sequence[Cell]]
    header_rows: int
    merges: Sequence[Merge]
    caption: str

    @property
    def shown(self) -> list[list[str]]:
        """The texts of all cells."""
        return [[cell.shown for cell in row] for row in self.rows]


def make_case(seed: int) -> TableCase:
    """Two to nine columns, up to thirty rows, one or two header rows, cells merged in the
    header and in the first column, some cells empty but no row and no column."""
    rng = random.Random(seed)
    columns, body = rng.randint(2, 9), rng.randint(2, 30)
    rows: list[list[Cell]] = [[Cell(f"{_words(rng)} {at + 1}") for at in range(columns)]]
    merges: list[Merge] = []
    if columns > 3 and rng.random() < 0.5:
        _add_second_header(rng, rows, merges)
    header_rows = len(rows)
    makers = [rng.choice(_MAKERS) for _ in range(columns)]
    makers[0] = _word_cell
    for _ in range(body):
        cells = [maker(rng) for maker in makers]
        empty = {at for at in range(1, columns) if rng.random() < 0.1}
        if len(empty) == columns - 1:
            empty = set()
        rows.append([Cell("") if at in empty else cell for at, cell in enumerate(cells)])
    for at in range(1, columns):
        if not any(row[at].shown for row in rows[header_rows:]):
            rows[-1][at] = makers[at](rng)
    if body > 5 and rng.random() < 0.5:
        top = header_rows + rng.randint(0, body - 3)
        for row in range(top + 1, top + 3):
            rows[row][0] = rows[top][0]
        merges.append((top, 0, top + 2, 0))
    return TableCase(seed, rows, header_rows, merges, f"Table {seed}: {_words(rng)}")


def _add_second_header(rng: random.Random, rows: list[list[Cell]], merges: list[Merge]) -> None:
    columns = len(rows[0])
    left = rng.randint(1, columns - 2)
    right = rng.randint(left + 1, columns - 1)
    top = list(rows[0])
    top[left : right + 1] = [Cell(f"{top[left].shown} group")] * (right - left + 1)
    below = [Cell(f"{_words(rng)} {at}") if left <= at <= right else top[at] for at in range(columns)]
    merges.append((0, left, 0, right))
    merges.extend((0, at, 1, at) for at in range(columns) if not left <= at <= right)
    rows[:] = [top, below]


def _words(rng: random.Random) -> str:
    return " ".join(rng.choices(_WORDS, k=rng.randint(1, 3)))


def _word_cell(rng: random.Random) -> Cell:
    text = _words(rng)
    if rng.random() < 0.1:
        text = f'{text}, "{_words(rng)}"'
    return Cell(text, text)


def _integer_cell(rng: random.Random) -> Cell:
    value = rng.randint(-5000, 5_000_000)
    return Cell(f"{value:,}", value, "#,##0") if rng.random() < 0.5 else Cell(str(value), value)


def _decimal_cell(rng: random.Random) -> Cell:
    value = rng.randint(-99_999, 9_999_999) / 100
    return Cell(f"{value:.2f}", value, "0.00")


def _percent_cell(rng: random.Random) -> Cell:
    value = rng.randint(1, 999)
    return Cell(f"{value / 10:.1f}%", value / 1000, "0.0%")


def _date_cell(rng: random.Random) -> Cell:
    value = dt.date(2000, 1, 1) + dt.timedelta(days=rng.randint(0, 9000))
    return Cell(value.isoformat(), value, "d/m/yyyy")


def _long_cell(rng: random.Random) -> Cell:
    text = "\n".join(_words(rng) for _ in range(rng.randint(1, 3)))
    return Cell(text, text)


_MAKERS = (_word_cell, _integer_cell, _decimal_cell, _percent_cell, _date_cell, _long_cell)


def write_xlsx(case: TableCase, path: Path) -> None:
    """A title above, a blank row, the table somewhere in the sheet, a note below."""
    import openpyxl

    rng = random.Random(case.seed)
    top, left = rng.randint(1, 4), rng.randint(1, 3)
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.cell(top, left, case.caption)
    top += rng.randint(1, 2)
    covered = _covered(case.merges)
    for at, row in enumerate(case.rows):
        for column, cell in enumerate(row):
            if cell.shown and (at, column) not in covered:
                value = cell.shown if cell.value is None else cell.value
                made = sheet.cell(top + at, left + column, value)
                made.number_format = cell.number_format
                if isinstance(value, str):
                    made.data_type = "s"
    for first, start, last, end in case.merges:
        sheet.merge_cells(
            start_row=top + first, start_column=left + start, end_row=top + last, end_column=left + end
        )
    sheet.cell(top + len(case.rows) + rng.randint(0, 1), left, "Note: made up for a test.")
    book.save(path)


def write_csv(case: TableCase, path: Path) -> None:
    """In one of three encodings, with one of three separators; merged cells are repeated."""
    rng = random.Random(case.seed)
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=rng.choice(",;\t"), lineterminator=rng.choice(("\n", "\r\n")))
    writer.writerows(case.shown)
    text = buffer.getvalue()
    encoding = rng.choice(_ENCODINGS)
    path.write_bytes(text.encode(encoding if encoding != "gb18030" or _is_chinese(text) else "utf-8"))


def _is_chinese(text: str) -> bool:
    """Enough that a reader could know the encoding at all."""
    return sum("\u4e00" <= char <= "\u9fff" for char in text) > 200


def write_html(case: TableCase, path: Path) -> None:
    """With spans, header cells, and line breaks as `<br>`."""
    lines = [f"<table><caption>{html.escape(case.caption)}</caption>"]
    spans = {(top, left): (bottom - top + 1, right - left + 1) for top, left, bottom, right in case.merges}
    covered = _covered(case.merges)
    for at, row in enumerate(case.shown):
        tag = "th" if at < case.header_rows else "td"
        cells = []
        for column, text in enumerate(row):
            if (at, column) not in covered:
                down, across = spans.get((at, column), (1, 1))
                inner = html.escape(text).replace("\n", "<br>")
                cells.append(f'<{tag} rowspan="{down}" colspan="{across}">{inner}</{tag}>')
        lines.append(f"<tr>{''.join(cells)}</tr>")
    path.write_text("<html><body>" + "\n".join([*lines, "</table></body></html>"]), encoding="utf-8")


def write_docx(case: TableCase, path: Path) -> None:
    """With merged cells as Word makes them."""
    import docx

    document = docx.Document()
    document.add_paragraph(case.caption)
    table = document.add_table(len(case.rows), len(case.rows[0]))
    covered = _covered(case.merges)
    for at, row in enumerate(case.shown):
        for column, text in enumerate(row):
            if (at, column) not in covered:
                table.cell(at, column).text = text
    for top, left, bottom, right in case.merges:
        text = table.cell(top, left).text
        table.cell(top, left).merge(table.cell(bottom, right)).text = text
    document.save(str(path))


def write_markdown(case: TableCase, path: Path) -> None:
    """One header row, in which the names of merged ones are repeated; no line breaks."""
    rows = [[_markdown_cell(text) for text in row] for row in case.shown]
    lines = [f"| {' | '.join(row)} |" for row in rows]
    lines.insert(1, f"|{' --- |' * len(rows[0])}")
    path.write_text("\n".join([f"# {case.caption}", "", *lines, ""]), encoding="utf-8")


def _markdown_cell(text: str) -> str:
    marked = "".join(f"\\{char}" if char in "\\|*_<&`[]" else char for char in text)
    return " ".join(marked.split())


def _covered(merges: Sequence[Merge]) -> set[tuple[int, int]]:
    """Places of merged cells but for their first."""
    return {
        (row, column)
        for top, left, bottom, right in merges
        for row in range(top, bottom + 1)
        for column in range(left, right + 1)
        if (row, column) != (top, left)
    }


WRITERS: Mapping[str, Callable[[TableCase, Path], None]] = {
    "xlsx": write_xlsx,
    "csv": write_csv,
    "html": write_html,
    "docx": write_docx,
    "md": write_markdown,
    **PDF_WRITERS,
}
