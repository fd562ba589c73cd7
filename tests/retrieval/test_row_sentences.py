"""Rows as sentences: header and unit in each cell, marks of the language, nothing lost."""

from hypothesis import given, settings
from hypothesis import strategies as st

from core.types import Chunk, ElementKind
from retrieval.embedded_text import embedded_text
from retrieval.row_sentences import row_sentences

ENGLISH = "Table 2\n| year | revenue (million yuan) |\n| --- | --- |\n| 2023 | 12.5 |\n| 2024 |  |\nNote: audited."
CHINESE = "| 年份 | 收入（百万元） | 备注 |\n| --- | --- | --- |\n| 2023 | 12.5 | 已经审计的年度合并财务报表 |"


def test_rows_become_sentences_and_other_lines_stay():
    assert row_sentences(ENGLISH) == "Table 2\nyear: 2023; revenue (million yuan): 12.5.\nyear: 2024.\nNote: audited."
    assert row_sentences(CHINESE) == "年份：2023；收入（百万元）：12.5；备注：已经审计的年度合并财务报表。"


def test_text_without_a_header_is_left_alone():
    for text in ("no table", "| a |", "|  |  |\n| --- | --- |\n| 1 | 2 |", "| a |  |\n| --- | --- |\n| 1 | 2 |", "| a | b |\n| --- | --- |"):
        assert row_sentences(text) == text


def test_a_wide_table_of_short_figures_keeps_its_header_once():
    header = " | ".join(f"quarterly revenue {n}" for n in range(8))
    rows = "\n".join(f"| {' | '.join('1' * 8)} |" for _ in range(6))
    text = f"| {header} |\n|{' --- |' * 8}\n{rows}"
    assert row_sentences(text) == text


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(st.sampled_from(["a\\|b", "中文", "12.5", ""]), min_size=2, max_size=2), min_size=1, max_size=5))
def test_no_cell_is_lost(rows):
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    told = row_sentences(f"| h | i |\n| --- | --- |\n{table}")
    for row in rows:
        assert all(cell.replace("\\|", "|") in told.replace("\\|", "|") for cell in row)


def test_only_parts_of_long_tables_are_told_as_sentences():
    whole = Chunk("i", "d", 0, ENGLISH, "Report", "/r", kind=ElementKind.TABLE)
    part = Chunk("i", "d", 0, ENGLISH, "Report", "/r", kind=ElementKind.ROWS)
    assert embedded_text(whole) == f"Report\n{ENGLISH}"
    assert embedded_text(part).startswith("Report\nTable 2\nyear: 2023; revenue")
