"""PowerPoint, OpenDocument, EPUB and RTF: order, structure, encodings."""

import contextlib
import io
import re
import zipfile

import pptx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.util import Inches

from core.errors import FileError
from core.types import ElementKind
from ingest.parsers.docx import DocxParser
from ingest.parsers.epub import EpubParser
from ingest.parsers.opendocument import OpenDocumentParser
from ingest.parsers.pptx import PptxParser
from ingest.parsers.rtf import parse_rtf
from tests.ingest.hostile_files import epub, odt, slides, word, zip_of

DRAW = (
    'xmlns:draw="urn:oasis:names:tc:opendocument:xmlns:drawing:1.0" '
    'xmlns:presentation="urn:oasis:names:tc:opendocument:xmlns:presentation:1.0"'
)


def told(elements):
    return [(str(e.kind), e.level, e.text) for e in elements]


def parsed(parser, tmp_path, data):
    path = tmp_path / "file"
    path.write_bytes(data)
    return parser.parse(path)


def box(shapes, left, top, text):
    frame = shapes.add_textbox(Inches(left), Inches(top), Inches(2), Inches(0.5)).text_frame
    frame.text = text


def test_slides_are_read_from_the_top_with_notes_tables_groups_and_charts(tmp_path):
    deck = pptx.Presentation()
    first = deck.slides.add_slide(deck.slide_layouts[5])
    box(first.shapes, 5, 2, "right")
    box(first.shapes, 1, 2.01, "left")
    box(first.shapes, 1, 5, "below")
    first.shapes.title.text = "季度报告"
    first.notes_slide.notes_text_frame.text = "Say hello."
    second = deck.slides.add_slide(deck.slide_layouts[6])
    grid = second.shapes.add_table(2, 3, Inches(1), Inches(1), Inches(6), Inches(1)).table
    for column, text in enumerate(("Area", "Q1", "Q2")):
        grid.cell(0, column).text = text
    grid.cell(1, 0).text, grid.cell(1, 1).text = "South", "both"
    grid.cell(1, 1).merge(grid.cell(1, 2))
    group = second.shapes.add_group_shape()
    box(group.shapes, 1, 4, "in a group")
    data = CategoryChartData()
    data.categories = ["2001", "2002"]
    data.add_series("Sales", (3.5, 4))
    second.shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, Inches(1), Inches(5), Inches(3), Inches(2), data)
    file = io.BytesIO()
    deck.save(file)
    elements = parsed(PptxParser(), tmp_path, file.getvalue())
    assert told(elements) == [
        ("title", 1, "季度报告"),
        ("text", 0, "left"),
        ("text", 0, "right"),
        ("text", 0, "below"),
        ("text", 0, "Notes: Say hello."),
        ("title", 2, "Slide 2"),
        ("table", 0, "| Area | Q1 | Q2 |\n| --- | --- | --- |\n| South | both | both |"),
        ("text", 0, "in a group"),
        ("table", 0, "|  | Sales |\n| --- | --- |\n| 2001 | 3.5 |\n| 2002 | 4 |"),
    ]
    assert [e.page for e in elements] == [1] * 5 + [2] * 4


def test_a_body_of_points_is_a_list(tmp_path):
    deck = pptx.Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[1])
    frame = slide.placeholders[1].text_frame
    frame.text = "one"
    inner = frame.add_paragraph()
    inner.text, inner.level = "two", 1
    file = io.BytesIO()
    deck.save(file)
    lists = [e.text for e in parsed(PptxParser(), tmp_path, file.getvalue()) if e.kind is ElementKind.LIST]
    assert lists == ["- one", "  - two"]


def test_an_open_document_keeps_headings_lists_tables_and_notes(tmp_path):
    body = (
        "<text:tracked-changes><text:p>deleted</text:p></text:tracked-changes>"
        '<text:h text:outline-level="1">手册</text:h>'
        "<text:p>One<text:s/>two<text:note><text:note-body><text:p>a note</text:p></text:note-body></text:note>.</text:p>"
        "<text:list><text:list-item><text:p>a</text:p><text:list><text:list-item><text:p>b</text:p>"
        "</text:list-item></text:list></text:list-item></text:list>"
        '<table:table><table:table-row><table:table-cell table:number-columns-spanned="2"><text:p>head</text:p>'
        "</table:table-cell><table:covered-table-cell/></table:table-row><table:table-row><table:table-cell>"
        "<text:p>1</text:p></table:table-cell><table:table-cell><text:p>2</text:p></table:table-cell>"
        "</table:table-row></table:table>"
    )
    assert told(parsed(OpenDocumentParser(), tmp_path, odt(body))) == [
        ("title", 1, "手册"),
        ("text", 0, "One two [a note]."),
        ("list", 0, "- a"),
        ("list", 0, "  - b"),
        ("table", 0, "| head | head |\n| --- | --- |\n| 1 | 2 |"),
    ]


def test_slides_of_an_open_document_are_pages(tmp_path):
    slide = (
        f'<draw:page {DRAW}><draw:frame presentation:class="title"><draw:text-box><text:p>Slide one</text:p>'
        "</draw:text-box></draw:frame><draw:frame><draw:text-box><text:p>Words</text:p></draw:text-box></draw:frame>"
        "<presentation:notes><text:p>Spoken</text:p></presentation:notes></draw:page>"
    )
    elements = parsed(OpenDocumentParser(), tmp_path, odt(slide + slide))
    assert [(e.page, e.text) for e in elements] == [
        (page, text) for page in (1, 2) for text in ("Slide one", "Words", "Notes: Spoken")
    ]


def test_a_locked_open_document_says_so(tmp_path):
    data = zip_of({"content.xml": "noise", "META-INF/manifest.xml": "<m><encryption-data/></m>"})
    with pytest.raises(FileError) as caught:
        parsed(OpenDocumentParser(), tmp_path, data)
    assert caught.value.code == "encrypted"


def test_chapters_of_a_book_stand_below_its_title(tmp_path):
    chapter = "<html><body><h1>第一章</h1><p>Words.</p></body></html>"
    assert told(parsed(EpubParser(), tmp_path, epub(chapter=chapter))) == [
        ("title", 1, "Book"),
        ("title", 2, "第一章"),
        ("text", 0, "Words."),
    ]


def test_a_chapter_that_is_missing_is_named(tmp_path):
    parser = EpubParser()
    package = epub().replace(b"a.xhtml", b"b.xhtml")  # in the list of members, not in the stored package
    try:
        parsed(parser, tmp_path, package)
    except FileError as error:
        assert error.code == "corrupt"
    else:
        assert parser.warnings


def test_rtf_keeps_headings_lists_and_tables():
    text = (
        rb"{\rtf1\ansi\ansicpg936{\fonttbl{\f0\fcharset134 SimSun;}{\f1\fcharset0 Arial;}}"
        rb"{\stylesheet{\s1\outlinelevel0 heading 1;}{\s2 heading 2;}}{\info{\title no}}"
        rb"\pard\s1\f0 \'b1\'a3\'d0\'de\par\pard\s2 Second\par"
        rb"\pard\f0 \'b1\'a3\uc2\u20462\'d0\'de words\line more\par"
        rb"{\pict\pngblip 89504e47}{\*\generator no}"
        rb"{\listtext\bullet\tab}item\par{\pntext 2.\tab}other\par"
        rb"\pard\intbl a\cell b\cell\row 1\cell 2\cell\row\pard after\par}trailing"
    )
    assert told(parse_rtf(text)) == [
        ("title", 1, "保修"),
        ("title", 2, "Second"),
        ("text", 0, "保修 words\nmore"),
        ("list", 0, "- item"),
        ("list", 0, "2. other"),
        ("table", 0, "| a | b |\n| --- | --- |\n| 1 | 2 |"),
        ("text", 0, "after"),
    ]


def test_rtf_joins_a_character_whose_second_byte_stands_unescaped():
    for first, second in (b"\x81A", b"\xd6z"):
        char = bytes([first, second]).decode("gb18030")
        text = rb"{\rtf1\ansicpg936 " + b"\\'%02x%c" % (first, second) + b"\\par}"
        assert [e.text for e in parse_rtf(text)] == [char]


@given(st.text(st.characters(blacklist_categories=("Cs", "Cc", "Zs", "Zl", "Zp")), min_size=1, max_size=40))
def test_rtf_gives_back_any_text_written_as_unicode(text):
    units = text.encode("utf-16-le")
    codes = [int.from_bytes(units[at : at + 2], "little") for at in range(0, len(units), 2)]
    body = b"".join(b"\\u%d?" % (code - 0x10000 if code > 0x7FFF else code) for code in codes)
    assert "".join(e.text for e in parse_rtf(rb"{\rtf1 " + body + b"}")) == text


@given(st.binary(max_size=300))
def test_rtf_that_is_noise_is_read_or_refused(noise):
    with contextlib.suppress(FileError):
        parse_rtf(rb"{\rtf1 " + noise)


def strict(package):
    """A package under the names of the Strict form."""
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        return zip_of(
            {
                name: re.sub(
                    rb"http://schemas\.openxmlformats\.org/(\w+)/2006/(\w+)",
                    rb"http://purl.oclc.org/ooxml/\1/\2",
                    archive.read(name),
                )
                if name != "[Content_Types].xml"
                else archive.read(name)
                for name in archive.namelist()
            }
        )


@pytest.mark.parametrize(("parser", "make"), [(PptxParser, slides), (DocxParser, word)])
def test_the_strict_form_is_read_alike(tmp_path, parser, make):
    data = make()
    assert b"purl.oclc" in zipfile.ZipFile(io.BytesIO(strict(data))).read("_rels/.rels")
    assert told(parsed(parser(), tmp_path, strict(data))) == told(parsed(parser(), tmp_path, data)) != []
