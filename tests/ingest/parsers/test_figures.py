"""Figures of every kind of document: the picture, its caption, the words in it; and what
pictures are not kept or cannot be read."""

import io
import struct
import zipfile
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from core.types import Element, ElementKind
from ingest.media_types import detect_media_type
from ingest.parse_options import ParseOptions
from ingest.parsers.archive import ZipParser
from ingest.parsers.captions import with_captions
from ingest.parsers.figures import Pictures, is_telling
from ingest.parsers.members import Budget, Members
from ingest.parsers.picture_sources import beside, read_inline
from ingest.parsing import ParsedFile, from_json, parse_file, to_json
from tests.ingest.pictures import (
    CAPTION,
    CHART,
    MAKERS,
    WORDS,
    chart,
    encoded,
    save_docx,
    save_html,
    save_pptx,
)

QUICK = ParseOptions(ocr=False)


def figures_of(parsed: ParsedFile) -> list[Element]:
    return [element for element in parsed.elements if element.figure]


def parsed(path, options=QUICK) -> ParsedFile:
    return parse_file(path, detect_media_type(path, path.name), options)


@pytest.mark.parametrize("suffix", MAKERS)
def test_a_picture_comes_with_what_is_said_about_it(tmp_path, suffix):
    [figure] = figures_of(parsed(MAKERS[suffix](tmp_path / f"a.{suffix}")))
    assert figure.kind is ElementKind.FIGURE
    said = "Output by quarter" if suffix == "html" else CAPTION
    wanted = {"pdf": [CAPTION], "pptx": ["Bars"], "epub": ["Bars"]}.get(suffix, [said, "Bars"])
    assert all(words in figure.text for words in wanted)
    shown = Image.open(io.BytesIO(figure.figure.data))
    assert shown.format == "PNG" and shown.size == (figure.figure.width, figure.figure.height)
    assert shown.convert("RGB").getpixel((shown.width * 13 // 70, shown.height * 35 // 42)) == (0, 0, 128)


@pytest.mark.parametrize("suffix", MAKERS)
def test_no_word_stands_twice_and_text_around_a_picture_stays(tmp_path, suffix):
    elements = parsed(MAKERS[suffix](tmp_path / f"a.{suffix}")).elements
    everything = "\n".join(element.text for element in elements)
    assert everything.count("Bars of three") <= 1 and everything.count(CAPTION) <= 1
    if suffix == "docx":
        kinds = [element.kind.value for element in elements]
        assert kinds == ["title", "title", "text", "figure", "text"]


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["docx", "pdf"])
def test_the_words_in_a_picture_are_read(tmp_path, suffix):
    [figure] = figures_of(parsed(MAKERS[suffix](tmp_path / f"a.{suffix}"), ParseOptions()))
    assert WORDS in figure.text


def test_without_figures_documents_are_as_they_were(tmp_path):
    elements = parsed(save_docx(tmp_path / "a.docx"), ParseOptions(ocr=False, figures=False)).elements
    assert [e.text for e in elements if e.kind is ElementKind.FIGURE] == ["Bars of three heights"]
    assert not any(e.figure for e in elements)


def test_figures_cross_the_pipe_and_what_is_no_picture_does_not(tmp_path):
    found = parsed(save_html(tmp_path / "a.html"))
    assert from_json(to_json(found)) == found
    message = to_json(found)
    at = next(n for n, e in enumerate(message["elements"]) if e[7])
    message["elements"][at][7][0] = "PHN2ZyBvbmxvYWQ9YWxlcnQoMSk+"
    with pytest.raises(ValueError, match="not a picture"):
        from_json(message)


@pytest.mark.parametrize(
    "size", [(40, 40), (63, 900), (100, 100), (1300, 100)], ids=["icon", "thin", "small", "rule"]
)
def test_decorations_are_left_out(size):
    assert not is_telling(chart("x", size))
    assert Pictures(QUICK).element(encoded(chart("x", size))) is None
    assert Pictures(QUICK).element(encoded(chart("x", size)), "said of it").figure is None


def test_a_coloured_area_tells_nothing_and_a_photograph_is_a_jpeg():
    assert not is_telling(Image.new("RGB", (500, 500), "navy"))
    noise = Image.merge("RGB", [Image.effect_noise((400, 300), 80) for _ in range(3)])
    figure = Pictures(QUICK).element(encoded(noise)).figure
    assert figure.media_type == "image/jpeg" and figure.name.endswith(".jpg")


def test_a_large_picture_is_scaled_down_and_loses_what_its_camera_wrote():
    out = io.BytesIO()
    chart(size=(4000, 1000)).save(out, "JPEG", exif=b"Exif\0\0secret place", comment=b"secret place")
    figure = Pictures(QUICK).element(out.getvalue()).figure
    assert (figure.width, figure.height) == (1600, 400) and b"secret" not in figure.data


def test_a_logo_on_every_slide_is_no_figure(tmp_path):
    import pptx
    from pptx.util import Inches

    deck = pptx.Presentation(str(save_pptx(tmp_path / "a.pptx")))
    for at in range(3):
        slide = deck.slides.add_slide(deck.slide_layouts[5])
        slide.shapes.title.text = f"Part {at}"
        slide.shapes.add_picture(io.BytesIO(encoded(chart("ACME LTD", (300, 200)))), Inches(1), Inches(2))
    deck.save(str(tmp_path / "b.pptx"))
    assert [e.page for e in figures_of(parsed(tmp_path / "b.pptx"))] == [1]


def bomb(side: int = 12_000) -> bytes:
    """A PNG of a few kilobytes that would take hundreds of megabytes."""

    def part(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    rows = zlib.compress(b"\0" * 1_000_000)
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", head) + part(b"IDAT", rows) + part(b"IEND", b"")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (bomb(), "12000 × 12000 pixels"),
        (CHART[:900], ""),
        (b"\x01\0\0\0EMF nothing that is known", "a kind of picture that is not known"),
    ],
    ids=["bomb", "cut", "emf"],
)
def test_a_picture_that_cannot_be_read_is_a_warning_and_the_text_stays(tmp_path, content, why):
    found = parsed(save_html(tmp_path / "a.html", content))
    assert not figures_of(found) and "The plant was rebuilt." in [e.text for e in found.elements]
    [(code, words)] = found.warnings
    assert code == "figure_unread" and why in words


def test_a_packed_bomb_is_a_warning(tmp_path):
    path = MAKERS["odt"](tmp_path / "a.odt")
    with zipfile.ZipFile(path) as archive:
        content = archive.read("content.xml")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.text")
        archive.writestr("content.xml", content)
        archive.writestr("Pictures/a.png", b"\0" * (33 * 2**20))
    found = parsed(path)
    assert not figures_of(found)
    assert found.warnings == (("figure_unread", "1 pictures were not read: a.png: it unpacks to more than 32 MB"),)


def test_more_pictures_than_are_kept_are_told():
    pictures = Pictures(QUICK)
    made = [pictures.element(encoded(chart("x", (300, 130 + at)))) for at in range(103)]
    assert sum(element is not None for element in made) == 100
    assert pictures.warnings == [
        ("figures_left_out", "3 pictures were left out: at most 100 of a file are kept, and 32 MB of them")
    ]


def test_an_archive_keeps_pictures_while_they_fit_and_says_what_it_left_out(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(save_html(tmp_path / "a.html"), "a.html")
        archive.write(save_docx(tmp_path / "b.docx", encoded(chart("OTHER"))), "b.docx")
    assert len(figures_of(parsed(path))) == 2
    found = Members(Budget(figure_bytes_left=10), options=QUICK)
    ZipParser().parse_into(path, found)
    assert not any(e.figure for e in found.elements) and any("Output by quarter" in e.text for e in found.elements)
    assert [code for code, _ in found.warnings] == ["figures_left_out"] * 2


@given(st.binary(max_size=400), st.sampled_from([b"", CHART[:60], b"GIF89a", b"II*\0", b"RIFF\x10\0\0\0WEBP"]))
def test_no_bytes_break_the_reader(content, head):
    assert Pictures(QUICK).element(head + content) is None


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("data:image/png;base64,iVBO", b"\x89PN"),
        ("DATA:image/gif,%47IF", b"GIF"),
        ("data:image/png;base64,***", b""),
        ("data:text/html,<b>", b""),
        ("data:image/svg+xml;base64,PHN2Zz4=", b""),
        ("https://198.51.100.7/a.png", b""),
        ("file:///etc/passwd", b""),
    ],
)
def test_only_data_lies_in_a_page(source, found):
    assert read_inline(source) == found


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("a.png", "OEBPS/text/a.png"),
        ("../img/a%20b.png#x", "OEBPS/img/a b.png"),
        ("../../../etc/passwd", ""),
        ("/etc/passwd", ""),
        ("//198.51.100.7/a.png", ""),
        ("http://198.51.100.7/a.png", ""),
    ],
)
def test_what_lies_beside_a_page(source, name):
    assert beside("OEBPS/text/c.xhtml", source) == name


def test_a_caption_belongs_to_one_picture_and_a_sentence_is_none():
    figure = Pictures(QUICK).element(CHART)
    lines = [Element(ElementKind.TEXT, text) for text in ("图 2 产量", "Figures show much.")]
    found = with_captions([lines[0], figure, lines[1], figure])
    assert [e.text for e in found] == ["图 2 产量", "Figures show much.", ""]
