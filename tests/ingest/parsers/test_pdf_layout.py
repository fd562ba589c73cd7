"""Layout of PDF pages with a text layer: what is a heading, a table, code, or furniture."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.pdfgen.canvas import Canvas

from core.errors import FileError
from ingest.parse_options import ParseOptions
from ingest.parsers.headings import numbered_depth, stands_for_itself
from ingest.parsers.lines import join_all
from ingest.parsers.pdf import PdfParser
from ingest.parsers.reading_order import Place, reading_rows

FILLER = "Every visitor reports to the gate and wears the badge that is given there until leaving."


def pdf(path, *pages, **options):
    canvas = Canvas(str(path), **options)
    for draw in pages:
        draw(canvas)
        canvas.showPage()
    canvas.save()
    return path


def body(canvas, top=700, lines=8, left=72):
    for at in range(lines):
        canvas.setFont("Helvetica", 10)
        canvas.drawString(left, top - 12 * at, FILLER)


def found(path, **options):
    return [(str(e.kind), e.level, e.text) for e in PdfParser(ParseOptions(**options)).parse(path)]


def test_running_headers_footers_and_page_numbers_go(tmp_path):
    def page(number):
        def draw(canvas):
            canvas.drawString(72, 800, f"Handbook, part {number}")
            body(canvas)
            canvas.drawString(290, 30, str(number))

        return draw

    text = " ".join(t for _, _, t in found(pdf(tmp_path / "a.pdf", *(page(n) for n in range(1, 5)))))
    assert "Handbook" not in text
    assert text.count("Every visitor") == 4 * 8
    assert not any(word.isdigit() for word in text.split())


def test_one_page_keeps_what_stands_at_its_edges(tmp_path):
    def draw(canvas):
        canvas.drawString(72, 800, "Only here")
        body(canvas)

    assert "Only here" in str(found(pdf(tmp_path / "a.pdf", draw)))


def test_headings_by_weight_and_number(tmp_path):
    def draw(canvas):
        for at, heading in enumerate(["Visitors", "2 Scope", "2.1 Exceptions"]):
            canvas.setFont("Helvetica-Bold", 10)
            canvas.drawString(72, 760 - 160 * at, heading)
            body(canvas, 740 - 160 * at)

    titles = [(level, text) for kind, level, text in found(pdf(tmp_path / "a.pdf", draw)) if kind == "title"]
    assert titles == [(1, "Visitors"), (1, "2 Scope"), (2, "2.1 Exceptions")]


@pytest.mark.parametrize(
    ("text", "depth"),
    [
        ("3 Scope", 1),
        ("3.2.1 Tests", 3),
        ("第三章 总则", 1),
        ("第二节 范围", 2),
        ("一、适用范围", 1),
        ("（二）例外", 2),
        ("Appendix B", 1),
        ("3 of the visitors went home.", 0),
        ("2024年", 0),
        ("第三次会议", 0),
        ("", 0),
    ],
)
def test_depth_of_numbers(text, depth):
    assert numbered_depth(text) == depth


def test_only_a_chapter_is_a_heading_by_its_number_alone():
    assert stands_for_itself("第三章 总则")
    assert not stands_for_itself("3 Scope")


def test_code_stays_whole_with_its_indent(tmp_path):
    def draw(canvas):
        body(canvas)
        canvas.setFont("Courier", 10)
        for at, line in enumerate(["def area(r):", "    return 3 * r", "print(area(2))"]):
            canvas.drawString(72 + 6 * (len(line) - len(line.lstrip())), 560 - 12 * at, line.lstrip())

    code = [text for kind, _, text in found(pdf(tmp_path / "a.pdf", draw)) if kind == "code"]
    assert code == ["def area(r):\n    return 3 * r\nprint(area(2))"]


def test_a_ruled_table_keeps_empty_cells_in_their_column(tmp_path):
    rows = [["Part", "Mass", "Price"], ["A-1", "", "12 EUR"], ["B-2", "3 kg", ""]]

    def draw(canvas):
        for r, row in enumerate(rows):
            for c, cell in enumerate(row):
                canvas.rect(72 + 100 * c, 680 - 20 * r, 100, 20)
                canvas.drawString(76 + 100 * c, 686 - 20 * r, cell)
        body(canvas, 600)

    tables = [text for kind, _, text in found(pdf(tmp_path / "a.pdf", draw)) if kind == "table"]
    assert tables == ["| Part | Mass | Price |\n| --- | --- | --- |\n| A-1 |  | 12 EUR |\n| B-2 | 3 kg |  |"]


def test_words_broken_at_a_line_end_are_joined(tmp_path):
    def draw(canvas):
        canvas.drawString(72, 700, "The inspection of the measuring instru-")
        canvas.drawString(72, 686, "ments is done every year by the labora-")
        canvas.drawString(72, 672, "tory of the plant.")

    (text,) = [text for _, _, text in found(pdf(tmp_path / "a.pdf", draw))]
    assert (
        text
        == "The inspection of the measuring instruments is done every year by the laboratory of the plant."
    )


def test_a_name_keeps_the_hyphen_at_which_it_was_broken():
    assert join_all(["the Lucene\x02", "BM25 and retriev\x02", "al"]) == "the Lucene-BM25 and retrieval"


def test_boxes_of_a_turned_page_are_those_of_the_page_as_shown(tmp_path):
    def draw(canvas):
        canvas.setPageRotation(90)
        canvas.saveState()
        canvas.translate(300, 100)
        canvas.rotate(90)
        canvas.drawString(0, 0, "turned")
        canvas.restoreState()

    (element,) = PdfParser().parse(pdf(tmp_path / "a.pdf", draw, pagesize=(400, 600)))
    box = element.box
    assert box.right - box.left > box.bottom - box.top, "as shown it runs from left to right"
    assert 95 < box.left < 110 and 285 < box.top < 300


@pytest.mark.parametrize(("password", "code"), [("", "encrypted"), ("wrong", "encrypted"), ("pw", "")])
def test_a_password_opens_what_it_fits(tmp_path, password, code):
    path = pdf(
        tmp_path / "l.pdf", lambda c: c.drawString(72, 700, "secret"), encrypt=StandardEncryption("pw", "o")
    )
    if not code:
        assert found(path, password=password) == [("text", 0, "secret")]
        return
    with pytest.raises(FileError) as caught:
        found(path, password=password)
    assert caught.value.code == code
    assert "ATTEST_INGEST__PDF_PASSWORD" in caught.value.remedy
    assert not password or password not in str(caught.value).replace("password", "")


place = st.builds(
    lambda n, x, y, w, h: (x, y, x + w, y + h),
    st.integers(),
    st.floats(0, 500),
    st.floats(0, 800),
    st.floats(1, 300),
    st.floats(1, 40),
)


@given(st.lists(place, max_size=40))
def test_reading_order_has_everything_once(boxes):
    rows = reading_rows([Place(n, *box) for n, box in enumerate(boxes)])
    assert sorted(n for row in rows for n in row) == list(range(len(boxes)))


def test_columns_are_read_one_after_the_other():
    title = Place(0, 50, 20, 550, 40)
    left = [Place(1 + n, 50, 60 + 20 * n, 290, 74 + 20 * n) for n in range(6)]
    right = [Place(7 + n, 310, 60 + 20 * n, 550, 74 + 20 * n) for n in range(6)]
    mixed = [title, *(p for pair in zip(right, left, strict=True) for p in pair)]
    assert [n for row in reading_rows(mixed) for n in row] == list(range(13))


def test_cells_are_read_row_by_row():
    cells = [
        Place(n, 50 + 200 * (n % 3), 60 + 20 * (n // 3), 90 + 200 * (n % 3), 74 + 20 * (n // 3))
        for n in range(12)
    ]
    assert reading_rows(cells) == [[0, 1, 2], [3, 4, 5], [6, 7, 8], [9, 10, 11]]
