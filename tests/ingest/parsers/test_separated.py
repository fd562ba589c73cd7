"""CSV and TSV: separators, quotes, encodings, several tables."""

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import FileError
from ingest.media_types import detect_media_type
from ingest.parsers.media_types import CSV, TSV
from ingest.parsers.separated import find_separator, parse_separated
from ingest.parsing import parse_file

CELL = st.text(alphabet="ab1 ,;|\t\"'\n中。", max_size=8)
WIDE = st.integers(2, 5).flatmap(
    lambda n: st.lists(st.lists(CELL, min_size=n, max_size=n), min_size=1, max_size=6)
)


@settings(max_examples=150, deadline=None)
@given(WIDE, st.sampled_from(",;\t|"))
def test_a_known_header_gives_the_separator_and_every_cell(rows, separator):
    header = [f"name{at}" for at in range(len(rows[0]))]
    body = [["x", *row[1:]] for row in rows]
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=separator, quoting=csv.QUOTE_ALL).writerows([header, *body])
    assert find_separator(buffer.getvalue()) == separator
    found = [c for e in parse_separated(buffer.getvalue()) for row in e.table.rows for c in row if c]
    assert sorted(found) == sorted(c.strip() for row in [header, *body] for c in row if c.strip())


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030", "utf-16"])
def test_quoted_line_breaks_in_chinese_files(tmp_path, encoding):
    path = tmp_path / "表.csv"
    text = '地区,备注,金额\r\n华东,"分公司在上海，\r\n不在杭州的","1,200"\r\n华南,我们的,90\r\n' * 3
    path.write_bytes(text.encode(encoding))
    assert detect_media_type(path, path.name) == CSV
    table = parse_file(path, CSV).elements[0].table
    assert table.rows[0] == ("地区", "备注", "金额")
    assert table.rows[1] == ("华东", "分公司在上海，\n不在杭州的", "1,200")


def test_blank_lines_part_tables_and_one_column_is_a_table(tmp_path):
    first, second = parse_separated("a;b\n1;2\n\nname;other\nx;y\n")
    assert (first.table.rows[0], second.table.rows[0]) == (("a", "b"), ("name", "other"))
    [single] = parse_separated("Industry\nSales\nHealth\n")
    assert single.table.rows == (("Industry",), ("Sales",), ("Health",))


def test_a_tsv_is_known_by_its_name(tmp_path):
    path = tmp_path / "a.tsv"
    path.write_text("a\tb\n1\t2\n", encoding="utf-8")
    assert detect_media_type(path, path.name) == TSV


def test_a_cell_without_end_is_refused():
    with pytest.raises(FileError) as caught:
        parse_separated('a,b\n1,"' + "x" * 2_000_000)
    assert caught.value.code == "corrupt"
