"""Rows of a stored table found again in the chunks that ingestion made of it."""

from hypothesis import given
from hypothesis import strategies as st

from agents.tables.citing import holds_table, quote_cells
from agents.tables.grid import Cell
from core.types import Document, Table
from ingest.chunker import ChunkLimits, chunk_elements
from ingest.parsers.tables import table_element
from ingest.table_check import placed_tables

DOCUMENT = Document("ab" * 32, "/t.csv", "T", "text/csv", 1, "default")
cell = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=9)


def count(text: str) -> int:
    return len(text.split()) * 3 + len(text) // 4


def chunks_of(rows, longest=120):
    element = table_element(rows)
    chunks = chunk_elements(DOCUMENT, [element], ChunkLimits(longest, 0), count)
    return placed_tables([element])[0].table, chunks


def cell_at(table: Table, row: int, column: int) -> Cell:
    return Cell(row, column, " ".join(table.body[row - 1][column - 1].split()), None)


@given(st.lists(st.lists(cell, min_size=3, max_size=3), min_size=2, max_size=12, unique_by=tuple))
def test_each_cell_is_quoted_from_the_line_that_holds_it(rows):
    table, chunks = chunks_of(rows)
    for row in range(1, len(table.body) + 1):
        spans = quote_cells([cell_at(table, row, 2)], table, chunks)
        assert spans is not None
        [span] = spans
        assert span.quote == span.chunk.text[span.span.start : span.span.end]
        shown = [part.strip().replace("\\|", "|") for part in span.quote.split(" | ")]
        assert " ".join(table.body[row - 1][1].split()) in shown


def test_rows_of_a_long_table_and_bands_of_a_wide_one_are_found():
    long = [("item", "price"), *((f"thing number {at}", str(at)) for at in range(60))]
    table, chunks = chunks_of(long, 100)
    assert len(chunks) > 3 and all(holds_table(chunk.text) for chunk in chunks)
    spans = quote_cells([cell_at(table, 2, 2), cell_at(table, 60, 2)], table, chunks)
    assert [span.quote for span in spans] == ["| thing number 1 | 1 |", "| thing number 59 | 59 |"]
    wide = [tuple(f"a rather long head {at}" for at in range(14)), tuple(f"value of column {at}" for at in range(14))]
    table, chunks = chunks_of(wide, 200)
    assert len(chunks) > 1
    [span] = quote_cells([cell_at(table, 1, 13)], table, chunks)
    assert "value of column 12" in span.quote and "value of column 1 " not in span.quote


def test_a_cell_that_stands_nowhere_gives_no_quotes():
    table, chunks = chunks_of([("item", "price"), ("tea", "3"), ("rice", "4")])
    assert quote_cells([cell_at(table, 1, 2), cell_at(table, 2, 2)], table, chunks[:0]) is None
    assert not holds_table("a | b")
