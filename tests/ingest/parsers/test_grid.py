"""A sheet's cells to tables: parted, captioned, headed, and none lost."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.parsers.grid import Area, Grid, grid_elements, header_rows


def grid(text, merges=(), **extra):
    """Rows on lines, cells parted by `|`."""
    return Grid(
        [[c.strip() for c in line.split("|")] for line in text.strip("\n").split("\n")], merges, **extra
    )


def told(elements):
    return [(str(e.kind), e.table.rows if e.table else e.text) for e in elements]


CELLS = st.sampled_from(
    ["", "", "", "a", "b c", "12", "3.5", "2024-01-02", "注：甲", "Note: x", "单位：万元", "|"]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.lists(CELLS, max_size=7), max_size=10), st.booleans())
def test_every_filled_cell_is_in_some_element(rows, splits):
    elements = grid_elements(Grid(rows, splits_columns=splits))
    kept = []
    for element in elements:
        if element.table:
            table = element.table
            assert len({len(row) for row in table.rows}) == 1
            assert table.cells_read == table.filled
            kept.extend(c for row in table.rows for c in row if c)
            kept.extend(f"{table.caption}\n{' '.join(table.footnotes)}".split())
        kept.extend(element.text.split())
    for cell in {c for row in rows for c in row if c}:
        assert all(word in kept for word in cell.split())


def test_blank_rows_and_columns_part_tables():
    elements = grid_elements(grid("a|b||x|y\n1|2||3|4\n||||\nc|d||\n5|6||"))
    assert told(elements) == [
        ("table", (("a", "b"), ("1", "2"))),
        ("table", (("x", "y"), ("3", "4"))),
        ("table", (("c", "d"), ("5", "6"))),
    ]


def test_a_blank_row_within_a_table_does_not_end_it():
    [table] = grid_elements(grid("name|n\na|1\n|\nTotal|1"))
    assert table.table.rows == (("name", "n"), ("a", "1"), ("Total", "1"))


def test_a_spacer_column_before_figures_does_not_part_a_table():
    [table] = grid_elements(grid("topic||page\none||1\ntwo||2"))
    assert table.table.rows == (("topic", "", "page"), ("one", "", "1"), ("two", "", "2"))


def test_titles_units_and_notes_stay_with_their_table():
    text = "2023 年销售||\n||单位：万元\n||\n地区|收入|成本\n华东|12.5|8\n华南|9|7\n注：未经审计。||\n||\n||\n||\n以上。||"
    table, rest = grid_elements(grid(text))
    assert table.table.caption == "2023 年销售 单位：万元"
    assert table.table.footnotes == ("注：未经审计。",)
    assert table.table.rows[0] == ("地区", "收入", "成本")
    assert table.text.split("\n")[0] == "2023 年销售 单位：万元"
    assert table.text.endswith("注：未经审计。")
    assert rest.text == "以上。"


def test_a_title_merged_over_tables_side_by_side_is_a_text():
    merges = [Area(0, 0, 0, 4)]
    elements = grid_elements(grid("T|T|T|T|T\na|b||c|d\n1|2||3|4", merges))
    assert told(elements) == [
        ("text", "T"),
        ("table", (("a", "b"), ("1", "2"))),
        ("table", (("c", "d"), ("3", "4"))),
    ]


def test_header_rows_follow_merged_cells():
    merges = [Area(0, 0, 1, 0), Area(0, 1, 0, 2)]
    [table] = grid_elements(grid("part|Sales|Sales\npart|2022|2023\na|1|2\nb|3|4", merges))
    assert table.table.header_rows == 2
    assert table.table.header == ("part", "Sales / 2022", "Sales / 2023")
    assert table.text.startswith("| part | Sales / 2022 | Sales / 2023 |\n| --- | --- | --- |\n| a | 1 | 2 |")


def test_a_row_that_is_longer_than_the_header_above_it_is_read_too():
    rows = [["Sales", "Sales", "Sales"], ["2021", "2022", "2023", "Notes"], ["1", "2", "3", "4"]]
    assert header_rows(rows, [Area(0, 0, 0, 2)]) == 2


@pytest.mark.parametrize(
    ("rows", "count"),
    [([["1", "2"], ["3", "4"]], 0), ([["2022", "2023"], ["3", "4"]], 1), ([["", "2"], ["a", "4"]], 0)],
)
def test_a_first_row_of_data_is_no_header(rows, count):
    assert header_rows(rows, []) == count


def test_cells_that_the_reader_counted_and_the_grid_lacks_are_told():
    [table] = grid_elements(grid("a|b\n1|2", filled=6))
    assert (table.table.cells_read, table.table.filled) == (6, 4)
