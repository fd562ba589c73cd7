"""Word and PDF: structure, pages, boxes, and the codes of what cannot be read."""

import re
import subprocess
import sys

import docx
import pypdfium2
import pytest
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.pdfgen.canvas import Canvas

from core.errors import FileError
from core.types import ElementKind
from ingest.parsers.docx import DocxParser
from ingest.parsers.pdf import PdfParser


@pytest.fixture(scope="module")
def library(request):
    return request.config.rootpath / "samples" / "library"


def save(path, draw, **options):
    canvas = Canvas(str(path), **options)
    draw(canvas)
    canvas.showPage()
    canvas.save()
    return path


def code_of(path):
    with pytest.raises(FileError) as caught:
        PdfParser().parse(path)
    return caught.value.code


def test_chinese_pdf_lines_become_whole_sentences_with_page_and_box(library):
    elements = PdfParser().parse(library / "safety-rules-zh.pdf")
    texts = [e.text for e in elements]
    assert any("批准人是苏州工厂厂长顾承远。" in text for text in texts)
    assert any("不得佩戴手表和首饰。" in text for text in texts)
    heads = [e for e in elements if e.kind is ElementKind.TITLE]
    assert (heads[0].level, heads[0].text) == (1, "泊川仪器苏州工厂安全管理规定")
    assert {e.level for e in heads[1:]} == {2} and len(heads) == 11
    assert {e.page for e in elements} == {1, 2, 3}
    for element in elements:
        box = element.box
        assert 0 <= box.left < box.right <= 596 and 0 <= box.top < box.bottom <= 842
    assert heads[0].box.top < heads[1].box.top, "measured from the top"


def test_aligned_columns_of_a_pdf_are_a_table(library):
    tables = [
        e for e in PdfParser().parse(library / "calibration-terms-en.pdf") if e.kind is ElementKind.TABLE
    ]
    assert "| FS-85 | 36 months | 18 months | EUR 410 |" in tables[0].text.split("\n")
    assert tables[0].text.startswith("| Instrument | Warranty period |")


def test_no_character_of_a_text_layer_is_lost(library):
    for name in ("safety-rules-zh.pdf", "calibration-terms-en.pdf"):
        document = pypdfium2.PdfDocument(library / name)
        raw = "".join(page.get_textpage().get_text_range() for page in document)
        document.close()
        raw = re.sub(r"SF-03 第\d页|BCT-7, page \d|page \d of \d", "", raw)  # the footer, which is dropped
        kept = "".join(e.text for e in PdfParser().parse(library / name))
        for char in set(raw) - set(" \r\n|-"):
            assert kept.count(char) == raw.count(char), char


def test_a_list_in_a_pdf_is_not_joined_and_paragraphs_part_at_gaps(tmp_path):
    def draw(canvas):
        for at, line in enumerate(["First paragraph ends.", "", "1. one item.", "2. other item."]):
            canvas.drawString(72, 700 - 14 * at, line)

    elements = PdfParser().parse(save(tmp_path / "a.pdf", draw))
    assert [e.text for e in elements] == ["First paragraph ends.", "1. one item.", "2. other item."]


def test_codes_of_pdfs_that_cannot_be_read(tmp_path):
    locked = save(
        tmp_path / "l.pdf", lambda c: c.drawString(72, 700, "x"), encrypt=StandardEncryption("pw", "own")
    )
    assert code_of(locked) == "encrypted"
    assert code_of(save(tmp_path / "n.pdf", lambda c: c.rect(10, 10, 50, 50))) == "no_text"
    broken = tmp_path / "b.pdf"
    broken.write_bytes(b"%PDF-1.7\nnothing of it")
    assert code_of(broken) == "corrupt"


def test_docx_keeps_levels_tables_lists_and_text_boxes(tmp_path):
    word = docx.Document()
    word.add_heading("办法", 0)
    word.add_heading("范围", 1)
    word.add_heading("例外", 2)
    word.add_paragraph("SHORT LINE THAT IS NO TITLE")
    word.add_paragraph("第一项", style="List Bullet")
    table = word.add_table(2, 2)
    for cell, text in zip(
        (c for row in table.rows for c in row.cells), ["项目", "值", "温度", "20|30 °C"], strict=True
    ):
        cell.text = text
    path = tmp_path / "a.docx"
    word.save(str(path))
    found = [(str(e.kind), e.level, e.text) for e in DocxParser().parse(path)]
    assert found == [
        ("title", 1, "办法"),
        ("title", 2, "范围"),
        ("title", 3, "例外"),
        ("text", 0, "SHORT LINE THAT IS NO TITLE"),
        ("list", 0, "- 第一项"),
        ("table", 0, "| 项目 | 值 |\n| --- | --- |\n| 温度 | 20\\|30 °C |"),
    ]


def test_docx_text_boxes_are_not_dropped(tmp_path):
    word = docx.Document()
    paragraph = word.add_paragraph("body")
    xml = (
        '<w:pict xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:txbxContent>'
        "<w:p><w:r><w:t>in the box</w:t></w:r></w:p></w:txbxContent></w:pict>"
    )
    paragraph.add_run()._r.append(docx.oxml.parse_xml(xml))
    path = tmp_path / "a.docx"
    word.save(str(path))
    assert [e.text for e in DocxParser().parse(path)] == ["body", "in the box"]


def test_a_damaged_docx_is_corrupt(tmp_path):
    path = tmp_path / "a.docx"
    path.write_bytes(b"PK\x03\x04broken")
    with pytest.raises(FileError) as caught:
        DocxParser().parse(path)
    assert caught.value.code == "corrupt"


@pytest.mark.slow
def test_unstructured_works_offline_and_without_the_compilers_it_asks_for(library):
    """numba and llvmlite are left out of the install: nothing that is used may need them."""
    code = (
        "import sys; sys.modules['numba'] = sys.modules['llvmlite'] = None\n"
        "import socket\n"
        "def refuse(*_): raise AssertionError('network')\n"
        "socket.socket.connect = socket.getaddrinfo = refuse\n"
        "from pathlib import Path; from ingest.parsers.docx import DocxParser\n"
        f"print(len(DocxParser().parse(Path({str(library / 'purchasing-rules-zh.docx')!r}))))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=library.parents[1], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.split()[-1]) == 22
