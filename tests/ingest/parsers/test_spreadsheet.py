"""Workbooks: number formats, merged cells, hidden sheets, formulas, old and open formats."""

import datetime as dt
import os
import zipfile
from pathlib import Path

import openpyxl
import pytest

from core.errors import FileError
from ingest.media_types import detect_media_type
from ingest.parsers.cell_formats import shown
from ingest.parsers.media_types import ODS, XLS, XLSX
from ingest.parsers.spreadsheet import SpreadsheetParser
from ingest.parsing import from_json, parse_file, to_json

EVALS = Path(os.environ.get("ATTEST_EVAL_DATA", "/nowhere"))
ODS_CONTENT = """<?xml version="1.0" encoding="UTF-8"?><office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" 
xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" 
xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" office:version="1.2"><office:body>
<office:spreadsheet><table:table table:name="库存">
<table:table-row><table:table-cell office:value-type="string"><text:p>件</text:p></table:table-cell>
<table:table-cell office:value-type="string"><text:p>数量</text:p></table:table-cell></table:table-row>
<table:table-row><table:table-cell office:value-type="string"><text:p>阀门</text:p></table:table-cell>
<table:table-cell office:value-type="float" office:value="12"><text:p>12</text:p></table:table-cell>
</table:table-row></table:table></office:spreadsheet></office:body></office:document-content>"""


def parse(path):
    return parse_file(path, detect_media_type(path, path.name))


@pytest.fixture
def book():
    return openpyxl.Workbook()


def saved(book, tmp_path, name="b.xlsx"):
    path = tmp_path / name
    book.save(path)
    return path


@pytest.mark.parametrize(
    ("value", "number_format", "text"),
    [
        (0.125, "0.0%", "12.5%"),
        (1, "General", "1"),
        (1.0, "General", "1"),
        (0.1 + 0.2, "General", "0.3"),
        (1234567.891, "#,##0.00", "1,234,567.89"),
        (-5, "#,##0;(#,##0)", "(5)"),
        (-5.5, "0.0", "-5.5"),
        (12.5, '0.0"万元"', "12.5万元"),
        (99, "[$€-407] #,##0", "€ 99"),
        (99, "$#,##0.00_);($#,##0.00)", "$99.00"),
        (7, "000", "007"),
        (1500000, "0.0,,", "1.5"),
        (1e21, "General", "1e+21"),
        (123456, "0.00E+00", "1.23E+05"),
        (3.25, "# ?/?", "3.25"),
        (True, "General", "TRUE"),
        (None, "0", ""),
        (dt.datetime(2024, 3, 5), "d/m/yy", "2024-03-05"),
        (dt.datetime(2024, 3, 5, 14, 30), "General", "2024-03-05 14:30:00"),
        (dt.time(9, 30), "h:mm", "09:30:00"),
        (dt.timedelta(hours=30), "[h]:mm", "30:00:00"),
    ],
)
def test_values_are_shown_as_in_the_sheet(value, number_format, text):
    assert shown(value, number_format) == text


def test_a_workbook_keeps_formats_merged_cells_and_the_names_of_its_sheets(book, tmp_path):
    sheet = book.active
    sheet.title = "销售"
    for row in (["地区", "收入", None], [None, 2022, 2023], ["华东", 0.5, 0.25], ["华南", 1, 2]):
        sheet.append(row)
    sheet.merge_cells("A1:A2")
    sheet.merge_cells("B1:C1")
    sheet["B3"].number_format = "0%"
    title, table = parse(saved(book, tmp_path)).elements
    assert (title.text, title.level) == ("销售", 2)
    assert table.table.header == ("地区", "收入 / 2022", "收入 / 2023")
    assert table.table.body == (("华东", "50%", "0.25"), ("华南", "1", "2"))
    assert table.table.place == "销售"


def test_hidden_sheets_and_formulas_without_value_are_told(book, tmp_path):
    book.active.append(["a", "b"])
    book.active.append([1, "=A2*2"])
    hidden = book.create_sheet("secret")
    hidden.append(["do not read"])
    hidden.sheet_state = "hidden"
    parsed = parse(saved(book, tmp_path))
    assert parsed.elements[0].table.body == (("1", "=A2*2"),)
    assert [code for code, _ in parsed.warnings] == ["formulas", "hidden_sheet"]
    assert "secret" in parsed.warnings[1][1]
    assert from_json(to_json(parsed)) == parsed


def test_a_formula_counts_by_the_value_saved_with_it(book, tmp_path):
    book.active.append(["a", "b"])
    book.active.append([2, "=A2*2"])
    plain, computed = saved(book, tmp_path), tmp_path / "c.xlsx"
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(computed, "w") as new:
        for name in old.namelist():
            data = old.read(name).replace(b"<f>A2*2</f><v></v>", b"<f>A2*2</f><v>4</v>")
            new.writestr(name, data.replace(b"<f>A2*2</f><v />", b"<f>A2*2</f><v>4</v>"))
    parsed = parse(computed)
    assert parsed.elements[0].table.body == (("2", "4"),)
    assert parsed.warnings == ()


def test_a_file_without_a_suffix_is_read_as_what_it_is(book, tmp_path):
    book.active.append(["a", "b"])
    book.active.append([1, 2])
    path = saved(book, tmp_path).rename(tmp_path / ("ab" * 32))
    assert parse(path).elements[0].table.rows == (("a", "b"), ("1", "2"))


def test_an_empty_workbook_says_so(book, tmp_path):
    with pytest.raises(FileError) as caught:
        parse(saved(book, tmp_path))
    assert caught.value.code == "empty"


def test_a_cell_far_away_does_not_fill_the_memory(book, tmp_path):
    book.active["A1"] = "a"
    book.active["XFD1048576"] = "b"
    with pytest.raises(FileError) as caught:
        parse(saved(book, tmp_path))
    assert caught.value.code == "too_large"


def test_a_damaged_workbook_is_refused(book, tmp_path):
    path = tmp_path / "b.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook>")
    with pytest.raises(FileError) as caught:
        parse(path)
    assert caught.value.code == "corrupt"


BOMB = "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9))


@pytest.mark.parametrize(
    "entities",
    ['<!ENTITY j SYSTEM "file:///etc/hostname">', f'<!ENTITY a "aaaaaaaaaa">{BOMB}'],
    ids=["outside", "bomb"],
)
@pytest.mark.parametrize("styled_bytes", [1 << 20, 0], ids=["openpyxl", "calamine"])
def test_entities_are_refused(book, tmp_path, entities, styled_bytes):
    book.active.append(["name", "SECRET"])
    plain, hostile = saved(book, tmp_path), tmp_path / "h.xlsx"
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(hostile, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "xl/worksheets/sheet1.xml":
                data = f"<!DOCTYPE x [{entities}]>".encode() + data.replace(b"SECRET", b"&j;")
            new.writestr(name, data)
    with pytest.raises(FileError) as caught:
        SpreadsheetParser(styled_bytes).parse(hostile)
    assert caught.value.code == "corrupt"


def test_a_very_large_workbook_is_read_without_formats_and_says_so(book, tmp_path):
    book.active.append(["a", "b"])
    book.active.append([0.5, dt.date(2024, 3, 5)])
    book.active["A2"].number_format = "0%"
    parser = SpreadsheetParser(max_styled_bytes=0)
    [table] = parser.parse(saved(book, tmp_path))
    assert table.table.body == (("0.5", "2024-03-05"),)
    assert [code for code, _ in parser.warnings] == ["number_formats"]


def test_an_opendocument_sheet_is_known_by_its_content(tmp_path):
    path = tmp_path / "sheet.bin"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", ODS)
        archive.writestr("content.xml", ODS_CONTENT.replace("\n", ""))
        archive.writestr(
            "META-INF/manifest.xml",
            '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>',
        )
    assert detect_media_type(path, path.name) == ODS
    assert parse(path).elements[-1].table.rows == (("件", "数量"), ("阀门", "12"))


def test_a_locked_workbook_is_told_from_an_old_one(tmp_path):
    # Names of streams stand in entries of 128 bytes and end with a zero.
    start = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(632)
    locked = tmp_path / "a.xlsx"
    locked.write_bytes(start + "EncryptedPackage\0".encode("utf-16-le"))
    with pytest.raises(FileError) as caught:
        detect_media_type(locked, locked.name)
    assert caught.value.code == "encrypted"
    broken = tmp_path / "a.xls"
    broken.write_bytes(start + "Workbook\0".encode("utf-16-le"))
    assert detect_media_type(broken, broken.name) == XLS
    with pytest.raises(FileError) as caught:
        SpreadsheetParser().parse(broken)
    assert caught.value.code == "corrupt"


@pytest.mark.skipif(not (EVALS / "markitdown").is_dir(), reason="ATTEST_EVAL_DATA names no public test files")
def test_the_same_tables_in_an_old_and_a_new_workbook():
    old, new = (parse(EVALS / "markitdown" / "test_files" / f"test.{s}") for s in ("xls", "xlsx"))
    assert [e.text for e in old.elements] == [e.text for e in new.elements]
    assert detect_media_type(EVALS / "markitdown" / "test_files" / "test.xlsx", "x") == XLSX
