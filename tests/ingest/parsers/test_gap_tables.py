"""Tables of a PDF without rules, and what is no table though it stands in columns."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reportlab.pdfgen.canvas import Canvas

from core.types import Box
from ingest.parsers.gap_bands import SPANNING_ROWS
from ingest.parsers.gap_tables import put_gap_tables_in
from ingest.parsers.page_tables import carry_headers
from ingest.parsers.pdf import PdfParser
from ingest.parsers.pdf_lines import Line, Word

SIZE = 10
PROSE = (
    "The visitor reports to the gate and wears the badge that is given there until the visit ends. "
    "Nobody enters the plant alone, and nobody leaves it with goods that are not on the list of the "
    "day. The officer on duty keeps that list and answers for it to the head of the plant. "
) * 3


def drawn(path, pieces, font="Helvetica"):
    """A page with pieces of text: left or right (negative) edge, height above the bottom, text."""
    canvas = Canvas(str(path), pagesize=(600, 800))
    canvas.setFont(font, SIZE)
    for left, bottom, text in pieces:
        draw = canvas.drawRightString if left < 0 else canvas.drawString
        draw(abs(left), bottom, text)
    canvas.save()
    return path


def grid(rows, lefts, top=700, pitch=18):
    return [
        (left, top - pitch * at, cell)
        for at, row in enumerate(rows)
        for left, cell in zip(lefts, row, strict=True)
        if cell
    ]


def tables(path):
    return [element.table for element in PdfParser().parse(path) if element.table]


def kinds(path):
    return {str(element.kind) for element in PdfParser().parse(path)}


def wrapped(text, width):
    lines, line = [], ""
    for word in text.split():
        if len(f"{line} {word}") > width:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}".strip()
    return [*lines, line]


def test_numbers_to_the_right_and_empty_cells_keep_their_columns(tmp_path):
    rows = [("Part", "Mass", "Price"), ("Pump A", "", "12.50"), ("Valve", "3", ""), ("Seal", "114", "7.00")]
    found = tables(drawn(tmp_path / "a.pdf", grid(rows, (72, -260, -400))))
    assert [table.rows for table in found] == [tuple(rows)]


def test_lines_of_a_cell_are_one_cell(tmp_path):
    pieces = [
        *grid([("Part", "Use", "Mass")], (72, 160, 330)),
        *grid([("Pump", "moves water to the", "12")], (72, 160, 330), top=680),
        (160, 669, "upper basin"),
        *grid([("Valve", "closes", "3")], (72, 160, 330), top=649),
    ]
    (table,) = tables(drawn(tmp_path / "a.pdf", pieces))
    assert table.rows[1:] == (("Pump", "moves water to the upper basin", "12"), ("Valve", "closes", "3"))


def test_a_name_over_two_columns_makes_two_header_rows(tmp_path):
    lefts = (72, 200, 260, 360)
    pieces = [
        (195, 718, "Revenue by half year"),
        *grid(
            [("Region", "H1", "H2", "Staff"), ("North", "120", "130", "8"), ("South", "90", "95", "6")], lefts
        ),
    ]
    (table,) = tables(drawn(tmp_path / "a.pdf", pieces))
    assert table.rows[0] == ("", "Revenue by half year", "Revenue by half year", "")
    assert table.header_rows == 2
    assert table.rows[3] == ("South", "90", "95", "6")


def test_two_columns_of_prose_are_no_table(tmp_path):
    left, right = wrapped(PROSE, 44), wrapped(PROSE[40:], 44)
    pieces = [
        p
        for at, pair in enumerate(zip(left, right, strict=False))
        for p in ((60, 700 - 12 * at, pair[0]), (320, 700 - 12 * at, pair[1]))
    ]
    assert "table" not in kinds(drawn(tmp_path / "a.pdf", pieces))


def test_two_columns_of_chinese_prose_are_no_table(tmp_path):
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont

    pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))
    text = (
        "来访者须在门卫处登记并佩戴发给的证件直至离开厂区任何人不得单独进入车间也不得携带未列入当日清单的物品离厂值班人员负责保管清单"
        * 4
    )
    lines = [text[at : at + 20] for at in range(0, 200, 20)]
    pieces = [
        p
        for at, line in enumerate(lines)
        for p in ((60, 700 - 14 * at, line), (320, 700 - 14 * at, line[::-1]))
    ]
    assert "table" not in kinds(drawn(tmp_path / "a.pdf", pieces, "STSong-Light"))


@pytest.mark.parametrize(
    "marks", [("•", "•", "•", "•"), ("1.", "2.", "3.", "4."), ("(a)", "(b)", "(c)", "(d)")]
)
def test_a_list_is_no_table(tmp_path, marks):
    items = wrapped(PROSE, 60)[:4]
    path = drawn(tmp_path / "a.pdf", grid(list(zip(marks, items, strict=True)), (72, 100), pitch=14))
    assert "table" not in kinds(path)


def test_numbered_equations_are_no_table(tmp_path):
    rows = [("E = mc2", "(1)"), ("F = ma", "(2)"), ("p = mv", "(3)")]
    assert "table" not in kinds(drawn(tmp_path / "a.pdf", grid(rows, (200, 500))))


def test_code_with_remarks_beside_it_is_no_table(tmp_path):
    code = [
        "def area(radius):",
        "    return 3.14 * radius",
        "",
        "print(area(2))  # four times",
        "x = [1, 2, 3]",
    ]
    pieces = [(72, 500 - 12 * at, line) for at, line in enumerate(code) if line]
    assert "table" not in kinds(drawn(tmp_path / "a.pdf", pieces, "Courier"))


def test_a_paragraph_is_no_table(tmp_path):
    pieces = [(72, 700 - 12 * at, line) for at, line in enumerate(wrapped(PROSE, 80))]
    assert kinds(drawn(tmp_path / "a.pdf", pieces)) == {"text"}


def test_what_stands_around_a_table_stays_outside(tmp_path):
    rows = [("Part", "Mass"), ("Pump", "12"), ("Valve", "3")]
    prose = wrapped(PROSE, 80)
    pieces = [
        *((72, 760 - 12 * at, line) for at, line in enumerate(prose[:3])),
        *grid(rows, (72, 300)),
        *((72, 630 - 12 * at, line) for at, line in enumerate(prose[3:6])),
    ]
    elements = PdfParser().parse(drawn(tmp_path / "a.pdf", pieces))
    assert [str(element.kind) for element in elements] == ["text", "table", "text"]
    assert elements[1].table.rows == tuple(rows)


def test_blocks_that_the_file_holds_one_after_the_other_are_no_rows(tmp_path):
    left = [(72, 700 - 14 * at, text) for at, text in enumerate(["Rules of the plant", "Works of the north", "Part two"])]
    right = [(400, 700 - 14 * at, text) for at, text in enumerate(["Section two", "For visitors", "Page one"])]
    (element, *_) = PdfParser().parse(drawn(tmp_path / "a.pdf", [*left, *right]))
    assert str(element.kind) == "text"
    assert "table" not in kinds(tmp_path / "a.pdf")


def test_figures_that_the_file_holds_after_their_names_are_rows(tmp_path):
    left = [(72, 700 - 14 * at, text) for at, text in enumerate(["Pump", "Valve", "Seal"])]
    right = [(400, 700 - 14 * at, text) for at, text in enumerate(["12", "3", "114"])]
    (table,) = tables(drawn(tmp_path / "a.pdf", [*left, *right]))
    assert table.rows == (("Pump", "12"), ("Valve", "3"), ("Seal", "114"))


def page(*rows, header_rows=0, columns=((0.0, 50.0), (100.0, 150.0))):
    line = Line("x", Box(1, 0, 0, 150, 100), 10.0, table=rows)
    line.header_rows, line.columns = header_rows, columns
    return [line]


HEADER = ("Part", "Mass")


def test_rows_on_the_next_page_get_the_header():
    first, second = carry_headers([page(HEADER, ("a", "1"), header_rows=1), page(("b", "2"), ("c", "3"))])
    assert second[0].table == (HEADER, ("b", "2"), ("c", "3"))
    assert second[0].header_rows == 1
    assert first[0].table == (HEADER, ("a", "1"))


def test_a_table_with_its_own_header_keeps_it():
    own = (("Name", "Age"), ("b", "2"))
    _, second = carry_headers([page(HEADER, ("a", "1"), header_rows=1), page(*own, header_rows=1)])
    assert second[0].table == own


def test_a_table_with_other_columns_keeps_its_rows():
    elsewhere = page(("b", "2"), ("c", "3"), columns=((0.0, 50.0), (300.0, 350.0)))
    _, second = carry_headers([page(HEADER, ("a", "1"), header_rows=1), elsewhere])
    assert second[0].table == (("b", "2"), ("c", "3"))


def test_one_row_on_the_next_page_belongs_to_the_table(tmp_path):
    canvas = Canvas(str(tmp_path / "a.pdf"), pagesize=(600, 800))
    rows = [
        ("Part", "Mass", "Price"),
        ("Pump", "12", "3.50"),
        ("Valve", "3", "1.20"),
        ("Seal", "114", "7.00"),
    ]
    for part in (rows[:3], rows[3:]):
        canvas.setFont("Helvetica", SIZE)
        for left, bottom, text in grid(part, (72, 200, 300)):
            canvas.drawString(left, bottom, text)
        canvas.showPage()
    canvas.save()
    first, second = tables(tmp_path / "a.pdf")
    assert first.rows == tuple(rows[:3])
    assert second.rows == (rows[0], rows[3])


def line_of(words):
    made = [Word(text, left, left + 6.0 * len(text)) for left, text in words]
    text = " ".join(word.text for word in made)
    return text, made


placed = st.tuples(st.integers(0, 500), st.text("abc123四五", min_size=1, max_size=9))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(placed, min_size=1, max_size=5), max_size=12), st.integers(9, 30))
def test_every_word_is_kept_once(rows, pitch):
    lines = []
    for at, words in enumerate(rows):
        text, made = line_of(words)
        box = Box(1, min(w.left for w in made), pitch * at, max(w.right for w in made), pitch * at + 10.0)
        line = Line(text, box, 10.0, [text])
        line.words = made
        lines.append(line)
    found = put_gap_tables_in(lines)
    wanted = Counter("".join(line.text for line in lines).replace(" ", ""))
    kept = Counter("".join(line.text for line in found).replace(" ", ""))
    assert not wanted - kept, "nothing is lost"
    # What stands over several columns, in the rows at the top alone, is written over each of them.
    top = "".join(cell for line in found for row in line.table[:SPANNING_ROWS] for cell in row)
    assert set(kept - wanted) <= set(top)
