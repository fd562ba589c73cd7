"""Scans and pictures: read by OCR with the real models, whichever way up; or a reason why not."""

import io
from itertools import pairwise

import numpy as np
import pypdfium2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from core.errors import FileError
from core.settings import IngestSettings
from core.types import ElementKind
from ingest.isolation import ProcessParserRunner
from ingest.media_types import detect_media_type
from ingest.parse_options import OcrWanted, ParseOptions
from ingest.parsers.images import ImageParser
from ingest.parsers.pdf import PdfParser
from ingest.parsers.scans import _bands

LINES = [
    "The annual inspection of the crane",
    "is due in October and takes one day.",
    "The report goes to the plant manager.",
]


@pytest.fixture(scope="module")
def scan() -> Image.Image:
    """A page as a scanner gives it."""
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=(400, 300))
    canvas.setFont("Helvetica", 14)
    for at, line in enumerate(LINES):
        canvas.drawString(40, 240 - 22 * at, line)
    canvas.showPage()
    canvas.save()
    document = pypdfium2.PdfDocument(out.getvalue())
    image = document[0].render(scale=2).to_pil().convert("RGB")
    document.close()
    return image


def words(elements) -> str:
    return " ".join(e.text for e in elements).replace("\n", " ")


def parse_picture(path, **options):
    return ImageParser(ParseOptions(**options)).parse(path)


def code_of(parse, *arguments, **options) -> str:
    with pytest.raises(FileError) as caught:
        parse(*arguments, **options)
    assert caught.value.remedy
    return caught.value.code


@pytest.mark.slow
@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_a_picture_is_read_whichever_way_up(tmp_path, scan, turn):
    path = tmp_path / "a.png"
    turned = scan.rotate(turn, expand=True)
    turned.save(path)
    elements = parse_picture(path)
    assert words(elements) == " ".join(LINES)
    for element in elements:
        box = element.box
        assert 0 <= box.left < box.right <= turned.width and 0 <= box.top < box.bottom <= turned.height
        ink = np.asarray(turned.convert("L"))[int(box.top) : int(box.bottom), int(box.left) : int(box.right)]
        assert ink.min() < 100, "there is ink in the box"


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "suffix"), [("JPEG", "jpg"), ("WEBP", "webp"), ("TIFF", "tiff")])
def test_kinds_of_pictures_are_told_by_their_bytes(tmp_path, scan, kind, suffix):
    path = tmp_path / f"a.{suffix}"
    scan.save(path, kind)
    assert detect_media_type(path, "a.txt") == f"image/{suffix.replace('jpg', 'jpeg')}"
    assert words(parse_picture(path)) == " ".join(LINES)


@pytest.mark.slow
def test_every_picture_of_a_tiff_is_a_page(tmp_path, scan):
    path = tmp_path / "a.tiff"
    scan.save(path, "TIFF", save_all=True, append_images=[scan, scan])
    told = []
    elements = ImageParser(ParseOptions(on_page=told.append)).parse(path)
    assert {e.page for e in elements} == {1, 2, 3}
    assert told == [1, 2, 3]


@pytest.mark.slow
def test_what_shines_through_is_paper(tmp_path, scan):
    path = tmp_path / "a.png"
    glass = scan.convert("RGBA")
    glass.putalpha(scan.convert("L").point(lambda value: 255 - value))
    glass.save(path)
    assert words(parse_picture(path)) == " ".join(LINES)


@pytest.mark.slow
def test_only_pages_without_text_are_read_by_ocr(tmp_path, scan):
    path = tmp_path / "mixed.pdf"
    canvas = Canvas(str(path), pagesize=(400, 300))
    canvas.drawString(40, 200, "This page has a text layer.")
    canvas.showPage()
    canvas.drawImage(ImageReader(scan), 0, 0, 400, 300)
    canvas.showPage()
    canvas.save()
    told = []
    elements = PdfParser(ParseOptions(on_page=told.append)).parse(path)
    assert told == [2]
    assert words(e for e in elements if e.page == 1) == "This page has a text layer."
    second = [e for e in elements if e.page == 2]
    assert words(second) == " ".join(LINES)
    assert all(e.box.right <= 400 and e.box.bottom <= 300 for e in second), "in points of the page"
    without = PdfParser(ParseOptions(ocr=False)).parse(path)
    assert {e.page for e in without} == {1}


def test_a_scan_without_ocr_says_what_it_needs(tmp_path, scan):
    path = tmp_path / "scan.pdf"
    canvas = Canvas(str(path), pagesize=(400, 300))
    canvas.drawImage(ImageReader(scan), 0, 0, 400, 300)
    canvas.showPage()
    canvas.save()
    assert code_of(PdfParser(ParseOptions(ocr=False)).parse, path) == "needs_ocr"
    scan.save(tmp_path / "a.png")
    assert code_of(parse_picture, tmp_path / "a.png", ocr=False) == "needs_ocr"


@pytest.mark.slow
def test_nothing_to_read_is_no_text(tmp_path):
    Image.new("RGB", (500, 400), "white").save(tmp_path / "white.png")
    assert code_of(parse_picture, tmp_path / "white.png") == "no_text"


def test_broken_and_vast_pictures_fail_with_a_reason(tmp_path, scan):
    scan.save(tmp_path / "a.png")
    data = (tmp_path / "a.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(data[: len(data) // 2])
    assert code_of(parse_picture, tmp_path / "cut.png") == "corrupt"
    (tmp_path / "head.png").write_bytes(data[:20])
    with pytest.raises(FileError) as caught:
        parse_picture(tmp_path / "head.png")
    assert caught.value.code == "corrupt" and str(tmp_path) not in str(caught.value)
    Image.new("1", (9000, 9000)).save(tmp_path / "vast.png")
    assert code_of(parse_picture, tmp_path / "vast.png") == "too_large"


@pytest.mark.slow
def test_the_limited_process_reads_a_picture(tmp_path, scan):
    """Models load without a network and within the memory that a parse may have."""
    scan.save(tmp_path / "a.png")
    runner = ProcessParserRunner(60, 2048)
    try:
        parsed = runner.parse(tmp_path / "a.png", "image/png")
        assert words(parsed.elements) == " ".join(LINES)
        again = runner.parse(tmp_path / "a.png", "image/png")
        assert again == parsed
    finally:
        runner.close()


@pytest.mark.slow
def test_a_small_process_leaves_pictures_to_another(tmp_path, scan):
    scan.save(tmp_path / "a.png")
    settings = IngestSettings()
    runner = ProcessParserRunner(60, settings.parse_memory_mb, reads_pictures=False)
    try:
        with pytest.raises(OcrWanted):
            runner.parse(tmp_path / "a.png", "image/png")
    finally:
        runner.close()


@pytest.mark.slow
@pytest.mark.parametrize("memory_mb", [128, 256, 512])
def test_too_little_memory_for_ocr_is_named_as_such(tmp_path, scan, memory_mb):
    scan.save(tmp_path / "a.png")
    runner = ProcessParserRunner(60, memory_mb)
    try:
        with pytest.raises(FileError) as caught:
            runner.parse(tmp_path / "a.png", "image/png")
        assert caught.value.code == "parse_memory"
        assert "ingest.ocr_memory_mb" in caught.value.remedy
    finally:
        runner.close()


@pytest.mark.slow
def test_chinese_is_read(tmp_path, request):
    document = pypdfium2.PdfDocument(request.config.rootpath / "samples" / "library" / "safety-rules-zh.pdf")
    document[0].render(scale=2).to_pil().save(tmp_path / "zh.png")
    document.close()
    text = words(parse_picture(tmp_path / "zh.png"))
    assert "泊川仪器苏州工厂安全管理规定" in text
    assert "批准人是苏州工厂厂长顾承远" in text.replace(" ", "")


@pytest.mark.slow
def test_a_figure_is_found_by_its_caption_and_its_words(tmp_path, scan):
    path = tmp_path / "figure.pdf"
    canvas = Canvas(str(path), pagesize=(600, 800))
    canvas.drawString(40, 700, "The crane is described in the manual of its maker.")
    canvas.drawImage(ImageReader(scan), 100, 300, 400, 300)
    canvas.drawString(100, 285, "Figure 2: Dates of the inspection")
    canvas.showPage()
    canvas.save()
    elements = PdfParser().parse(path)
    (figure,) = [e for e in elements if e.kind is ElementKind.FIGURE]
    first, *rest = figure.text.split("\n")
    assert first == "Figure 2: Dates of the inspection"
    assert " ".join(rest) == " ".join(LINES)
    assert (figure.box.left, figure.box.top, figure.box.right, figure.box.bottom) == (100, 200, 500, 500)
    assert [e.text for e in elements if e.kind is ElementKind.TEXT] == [
        "The crane is described in the manual of its maker."
    ]


@given(st.integers(1, 9000), st.integers(1, 60))
def test_bands_cover_a_long_picture(height, width):
    found = _bands(np.zeros((height, width, 3), dtype=np.uint8))
    assert found[0][0] == 0 and found[-1][1] == height
    assert all(above[1] == below[0] and above[0] < above[1] for above, below in pairwise(found))
