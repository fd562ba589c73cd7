"""Made-up tables come through every parser whole: a short run of bench.table_fidelity."""

import pytest

from bench.pdf_cases import PDF_WRITERS
from bench.table_fidelity import run
from core.types import Element, ElementKind, Table
from ingest.table_check import check_tables

TEXT_FORMATS = ("csv", "html", "md")


@pytest.mark.parametrize("kind", [*TEXT_FORMATS, "xlsx"])
def test_every_cell_is_found_again_in_its_place(kind):
    figures = run(12, [kind])[kind]
    assert figures["found_share"] == 1.0
    assert figures["exact_tables"] == figures["header_rows_right"] == 12
    assert figures["flagged"] == 0


@pytest.mark.parametrize("kind", PDF_WRITERS)
def test_pdf_tables_keep_their_cells_however_they_are_drawn(kind):
    figures = run(6, [kind])[kind]
    assert figures["found_share"] >= 0.98
    assert figures["header_rows_right"] == 6


@pytest.mark.slow
def test_word_tables_keep_their_cells():
    figures = run(4, ["docx"])["docx"]
    assert figures["found_share"] >= 0.98
    assert figures["flagged"] == 0


def test_a_lost_cell_is_flagged():
    table = Table((("a", "b"), ("1", "2")), cells_read=5)
    element = Element(ElementKind.TABLE, "| a | b |\n| --- | --- |\n| 1 | 2 |", table=table)
    [(code, words)] = check_tables([element], [4])
    assert code == "table_cells"
    assert words == "of table 1 5 cells were read, 4 kept as text, 4 as structure"
