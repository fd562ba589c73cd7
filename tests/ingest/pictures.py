"""Pictures and documents that hold them, made for tests."""

import base64
import io
import zipfile
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

WORDS = "TURBINE OUTPUT"


def chart(words: str = WORDS, size: tuple[int, int] = (700, 420)) -> Image.Image:
    """Bars under a title that OCR reads."""
    image = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(image)
    draw.text((40, 30), words, fill="black", font=ImageFont.load_default(40))
    for at, (height, colour) in enumerate(((100, "navy"), (180, "teal"), (260, "orange"))):
        draw.rectangle((80 + 150 * at, size[1] - 40 - height, 180 + 150 * at, size[1] - 40), fill=colour)
    return image


def encoded(image: Image.Image, kind: str = "PNG") -> bytes:
    """The bytes of its file."""
    out = io.BytesIO()
    image.save(out, kind)
    return out.getvalue()


CHART = encoded(chart())
CAPTION = "Figure 1: Output of the Walden plant by quarter"


def save_docx(path: Path, picture: bytes = CHART) -> Path:
    """A paragraph, a picture with an alternative text, its caption, and a paragraph behind it."""
    import docx

    word = docx.Document()
    word.add_heading("Annual report", 0)
    word.add_heading("Energy", 1)
    word.add_paragraph("The plant was rebuilt in spring.")
    shown = word.add_picture(io.BytesIO(picture))
    shown._inline.docPr.set("descr", "Bars of three heights")
    word.add_paragraph(CAPTION)
    word.add_paragraph("Afterwards the staff had a party.")
    word.save(str(path))
    return path


def save_pptx(path: Path, picture: bytes = CHART) -> Path:
    """A slide with a title, and a picture with an alternative text."""
    import pptx
    from pptx.util import Inches

    deck = pptx.Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[5])
    slide.shapes.title.text = "Energy"
    shown = slide.shapes.add_picture(io.BytesIO(picture), Inches(1), Inches(2))
    shown._element.nvPicPr.cNvPr.set("descr", "Bars of three heights")
    deck.save(str(path))
    return path


def save_html(path: Path, picture: bytes = CHART) -> Path:
    """A page whose picture lies in it, in a `figure` with its caption; another lies elsewhere."""
    data = base64.b64encode(picture).decode("ascii")
    path.write_text(
        "<h1>Annual report</h1><p>The plant was rebuilt.</p>"
        f'<figure><img alt="Bars of three heights" src="data:image/png;base64,{data}">'
        "<figcaption>Output by quarter</figcaption></figure>"
        '<p>A far one <img src="http://198.51.100.7/x.png" alt="far"> and text behind it.</p>',
        encoding="utf-8",
    )
    return path


def save_epub(path: Path, picture: bytes = CHART) -> Path:
    """A book of one chapter that shows a picture of the book, and one that leads out of it."""
    chapter = (
        "<html><body><h1>Energy</h1><p>The plant was rebuilt.</p>"
        '<p><img src="../img/a%20b.png" alt="Bars of three heights"/></p>'
        '<p><img src="../../../etc/passwd"/></p></body></html>'
    )
    package = (
        '<package xmlns="http://www.idpf.org/2007/opf"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/">'
        "<dc:title>Annual report</dc:title></metadata><manifest>"
        '<item id="c" href="text/c.xhtml" media-type="application/xhtml+xml"/></manifest>'
        '<spine><itemref idref="c"/></spine></package>'
    )
    container = (
        '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
        '<rootfile full-path="OEBPS/book.opf"/></rootfiles></container>'
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/epub+zip")
        archive.writestr("META-INF/container.xml", container)
        archive.writestr("OEBPS/book.opf", package)
        archive.writestr("OEBPS/text/c.xhtml", chapter)
        archive.writestr("OEBPS/img/a b.png", picture)
    return path


def save_odt(path: Path, picture: bytes = CHART) -> Path:
    """A paragraph with a picture and its description, then the caption."""
    names = "urn:oasis:names:tc:opendocument:xmlns:"
    content = (
        f'<office:document-content xmlns:office="{names}office:1.0" xmlns:text="{names}text:1.0" '
        f'xmlns:draw="{names}drawing:1.0" xmlns:svg="{names}svg-compatible:1.0" '
        'xmlns:xlink="http://www.w3.org/1999/xlink"><office:body><office:text>'
        '<text:h text:outline-level="1">Energy</text:h>'
        '<text:p>The plant was rebuilt.<draw:frame><draw:image xlink:href="Pictures/a.png"/>'
        "<svg:desc>Bars of three heights</svg:desc></draw:frame></text:p>"
        f"<text:p>{CAPTION}</text:p></office:text></office:body></office:document-content>"
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.text")
        archive.writestr("content.xml", content)
        archive.writestr("Pictures/a.png", picture)
    return path


def save_pdf(path: Path, picture: bytes = CHART) -> Path:
    """A page of text with a picture and its caption below."""
    from reportlab.lib.utils import ImageReader
    from reportlab.pdfgen.canvas import Canvas

    canvas = Canvas(str(path), pagesize=(595, 842))
    for at in range(6):
        canvas.drawString(72, 780 - 16 * at, f"Line {at} of a text about the plant that was rebuilt in spring.")
    canvas.drawImage(ImageReader(io.BytesIO(picture)), 72, 400, width=252, height=151)
    canvas.drawString(72, 380, CAPTION)
    canvas.save()
    return path


MAKERS = {
    "docx": save_docx,
    "pptx": save_pptx,
    "html": save_html,
    "epub": save_epub,
    "odt": save_odt,
    "pdf": save_pdf,
}
