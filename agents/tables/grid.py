"""A table as a question sees it: each cell of figures or words with the labels of its row and its column.

Header rows that the parser took for data (a line of years, a unit) are found again, sections are handed
down to their rows. Pure; knows nothing of questions.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from core.cells import Quantity, is_data, is_nothing, is_year, read_quantity
from core.types import Table

_NUMBERING = re.compile(r"序号|编号|no\.?|#|№", re.IGNORECASE)
_YEARLY = re.compile(r"(?:19|20)\d{2}|\bFY?\s*['’]?\d{2}\b", re.IGNORECASE)
_TOTAL = re.compile(
    r"^\s*(?:sub-?|grand |net )?totals?\b|^\s*(?:合\s*计|总\s*计|小\s*计|共\s*计)", re.IGNORECASE
)
_TOTAL_NAMES = {True: "Total", False: "合计"}
_MOST_HEADER_ROWS = 5
_UNIT = re.compile(
    r"[(（]?\s*(?:in|单位[:：]?|US|HK|人民币)?\s*[$€£¥'’]*\s*(?P<unit>thousands?|millions?|billions?|000s?|[千百]?万?亿?元|%|percent)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Cell:
    """A place in the table. `row` counts the rows below the table's header and `column` its columns, both
    from 1, as the stored table does; the last row of the header is row 0, where a field of a form stands."""

    row: int
    column: int
    text: str
    quantity: Quantity | None

    @property
    def value(self) -> Decimal | None:
        """The number that it holds."""
        return self.quantity.value if self.quantity else None

    @property
    def place(self) -> tuple[int, int]:
        """Row and column."""
        return self.row, self.column


@dataclass(frozen=True, slots=True)
class Line:
    """A row or a column: its number, its own label and what it stands under. `names_rows`: a column whose
    cells are the labels of the rows."""

    at: int
    label: str
    context: str = ""
    is_total: bool = False
    names_rows: bool = False


@dataclass(frozen=True)
class Grid:
    """`rows` and `columns` are those that hold cells of answers; `labels` are the columns that name rows.
    Of a form each field is a row of one column, wherever it stands; `places` says which for each place of
    the table, empty where rows and columns are the table's own."""

    rows: tuple[Line, ...]
    columns: tuple[Line, ...]
    labels: tuple[Line, ...]
    cells: dict[tuple[int, int], Cell] = field(repr=False)
    caption: str = ""
    places: dict[tuple[int, int], tuple[int, int]] = field(default_factory=dict, repr=False)

    @property
    def is_form(self) -> bool:
        """Whether it holds fields with their values, and no figures of one kind."""
        return bool(self.places)

    def cell(self, row: Line, column: Line) -> Cell:
        """The cell where a row and a column meet."""
        return self.cells[row.at, column.at]

    def row_of(self, cell: Cell) -> Line:
        """The row of a cell."""
        at, _ = self.places.get(cell.place, cell.place)
        return next(line for line in self.rows if line.at == at)

    def column_of(self, cell: Cell) -> Line:
        """The column of a cell."""
        _, at = self.places.get(cell.place, cell.place)
        return next(line for line in [*self.columns, *self.labels] if line.at == at)


def read_grid(table: Table, first_column: int = 1) -> Grid | None:
    """The grid of a table; None when it has no row or no column of answers. `first_column`: the number of
    its first column where it is cut from a wider one."""
    rows = [tuple(" ".join(cell.split()) for cell in row) for row in table.rows]
    top = _header_rows(rows, table.header_rows)
    body = rows[top:]
    if not body or len(rows[0]) < 2:
        return None
    labels = _label_columns(rows[:top], body)
    header = _header_labels(rows[:top], len(rows[0]))
    first = top - table.header_rows + 1
    told = labels[1:] if _is_numbered(rows[:top], body) else labels
    lines = _rows(body, told, first)
    named = [
        Line(at + first_column, own, context, bool(_TOTAL.search(own)), at in labels)
        for at, (own, context) in enumerate(header)
    ]
    columns = tuple(line for line in named if not line.names_rows)
    naming = tuple(line for line in named if line.names_rows)
    cells = {
        (first + r, c + first_column): Cell(first + r, c + first_column, text, read_quantity(text))
        for r, row in enumerate(body)
        for c, text in enumerate(row)
    }
    units = (row[0] for row in body if row[0] and not any(row[1:]) and _UNIT.match(row[0]))
    above = (row[0] for row in rows[:top] if row[0])
    caption = " ".join([table.caption, *table.footnotes[:1], *above, *units])
    return Grid(lines, columns, naming, cells, caption) if lines and columns else None


def scale_of(texts: Sequence[str]) -> str:
    """The unit that a caption or a header says all figures are in: `million`, `万元`; empty for none."""
    for text in texts:
        for match in _UNIT.finditer(text):
            unit = match["unit"].casefold().removesuffix("s")
            return {"000": "thousand", "percent": "%"}.get(unit, unit)
    return ""


def _header_rows(rows: Sequence[Sequence[str]], told: int) -> int:
    """At least those that the parser saw; lines of years or words under them that name no row as well."""
    count = max(told, 0)
    while count < min(len(rows) - 1, _MOST_HEADER_ROWS):
        filled = [cell for cell in rows[count][1:] if cell and not is_nothing(cell)]
        if not filled or any(is_data(cell) and not is_year(cell) for cell in filled):
            break
        yearly = sum(bool(_YEARLY.search(cell)) for cell in filled)
        if rows[count][0] and yearly * 2 < len(filled):
            break
        count += 1
    return count


def _header_labels(header: Sequence[Sequence[str]], width: int) -> list[tuple[str, str]]:
    """Of each column its own label (all levels) and what is said of several columns at once."""
    spread = [_spread(row, is_last=at + 1 == len(header)) for at, row in enumerate(header)]
    common = [row[0] for row in spread if len(set(row)) == 1 and row[0] and width > 2]
    found = []
    for at in range(width):
        levels = [row[at] for row in spread if row[at] and not (len(set(row)) == 1 and width > 2)]
        found.append((" ".join(dict.fromkeys(levels)), " ".join(common)))
    return found


def _spread(row: Sequence[str], is_last: bool) -> list[str]:
    """A header row with each label over the columns that it stands above: to the right, up to the next;
    one alone stands above all."""
    named = [at for at, cell in enumerate(row) if at and cell]
    if is_last and len(named) > 1 or not named:
        return list(row)
    if len(named) == 1:
        return [row[named[0]]] * len(row) if not row[0] else list(row)
    spread = list(row)
    gap = named[1] - named[0]
    # Labels that begin where their columns do leave those before the first of them alone.
    begins = named[0] > 1 and all(b - a == gap for a, b in zip(named, [*named[1:], len(row)], strict=True))
    for at in range(1, len(row)):
        if not spread[at]:
            spread[at] = spread[at - 1] if at > named[0] else "" if begins else row[named[0]]
    return spread


def _label_columns(header: Sequence[Sequence[str]], body: Sequence[Sequence[str]]) -> tuple[int, ...]:
    """The first column of words, without a running number before it; the next one too where merged cells
    part the first into groups."""
    width = len(body[0])
    first = int(_is_numbered(header, body))
    labels = list(range(first + 1))
    while len(labels) < width - 1 and _is_grouped([row[labels[-1]] for row in body]):
        following = [row[labels[-1] + 1] for row in body]
        if sum(is_data(cell) for cell in following) * 2 > len(following):
            break
        labels.append(labels[-1] + 1)
    named = [tuple(row[at] for at in labels[first:]) for row in body]
    # Columns that repeat themselves and name no row are told of the rows, and no labels.
    return tuple(labels) if len(set(named)) * 2 > len(named) else tuple(range(first + 1))


def _is_numbered(header: Sequence[Sequence[str]], body: Sequence[Sequence[str]]) -> bool:
    """Whether the first column only counts the rows."""
    is_named = bool(header) and bool(_NUMBERING.fullmatch(header[-1][0].strip()))
    return len(body[0]) > 2 and (is_named or _is_running([row[0] for row in body]))


def _is_running(cells: Sequence[str]) -> bool:
    numbers = [cell for cell in cells if cell]
    return len(numbers) > 1 and all(cell.isdigit() for cell in numbers) and _runs([int(n) for n in numbers])


def _runs(numbers: Sequence[int]) -> bool:
    return numbers[0] in (0, 1) and all(b - a == 1 for a, b in zip(numbers, numbers[1:], strict=False))


def _is_grouped(cells: Sequence[str]) -> bool:
    return any(a and a == b for a, b in zip(cells, cells[1:], strict=False))


def _rows(body: Sequence[Sequence[str]], labels: Sequence[int], first: int) -> tuple[Line, ...]:
    lines, section = [], ""
    begun: list[Sequence[str]] = []
    for at, row in enumerate(body):
        own = [row[c] for c in labels if row[c]]
        others = [cell for c, cell in enumerate(row) if c not in labels and cell]
        if own and (not others or (len(row) > 2 and set(others) == {own[-1]})):
            section = "" if _UNIT.match(own[-1].lower()) else own[-1].rstrip(":：")
            begun = []
            continue
        if not others:
            continue
        is_total = bool(own) and bool(_TOTAL.search(own[-1]))
        label = own[-1] if own else ""
        if not label and _sums_up(row, begun):
            label, is_total = _TOTAL_NAMES["".join(map("".join, begun)).isascii()], True
        begun = [] if is_total else [*begun, row]
        context = " ".join(dict.fromkeys([section, *own[:-1]])).strip()
        lines.append(Line(first + at, label, context, is_total))
    return tuple(lines)


def _sums_up(row: Sequence[str], above: Sequence[Sequence[str]]) -> bool:
    """Whether a row without a name is the total of those above it: all its figures are their sums."""
    figures = [(at, quantity.value) for at, cell in enumerate(row) if (quantity := read_quantity(cell))]
    if len(above) < 2 or not figures:
        return False
    columns = ([read_quantity(other[at]) for other in above] for at, _ in figures)
    sums = [sum(quantity.value for quantity in column if quantity) for column in columns]
    return all(total == value for total, (_, value) in zip(sums, figures, strict=True))
