"""PDF to elements: the text layer by pypdfium2, OCR for the pages that have none worth reading,
pdfplumber for the pages that hold ruled tables."""

from functools import cache
from pathlib import Path
from typing import ClassVar

import numpy as np
import pypdfium2
from pypdfium2 import PdfiumError

from core.errors import FileError
from core.types import Box, Element, Figure
from ingest.parse_options import ParseOptions
from ingest.parsers.figures import Pictures
from ingest.parsers.gap_tables import put_gap_tables_in
from ingest.parsers.page_furniture import drop_furniture
from ingest.parsers.pdf_figures import crop, figure_boxes, moved, put_figures_in, with_pictures
from ingest.parsers.pdf_hidden import take_hidden
from ingest.parsers.pdf_layout import compose_pages
from ingest.parsers.pdf_lines import Line, read_lines, text_by_place
from ingest.parsers.pdf_marks import PageMarks, read_marks
from ingest.parsers.pdf_tables import RuledTables

_ENCRYPTED = "password"
_OCR_SCALE = 200 / 72
_OCR_PIXELS = 2600
_FEW_CHARS = 10
_STAMP_CHARS = 200
_PICTURE_SHARE = 0.4
_FULL_PICTURE = 0.7
_OUTLINES = 300
_GARBAGE_SHARE = 0.3


class PdfParser:
    """The parser of application/pdf."""

    media_types: ClassVar[frozenset[str]] = frozenset({"application/pdf"})

    def __init__(self, options: ParseOptions | None = None) -> None:
        self._options = options or ParseOptions()
        self._pictures = Pictures(self._options)
        self._figures: dict[Box, Figure] = {}
        self.warnings: list[tuple[str, str]] = []

    def parse(self, path: Path) -> list[Element]:
        """Paragraphs, titles, lists, code and tables with page and box; what repeats at the edge
        of the pages is left out.

        Raises:
            FileError: `encrypted`, `corrupt`, `needs_ocr` when its pages are pictures and OCR is
                turned off or missing, or `no_text` when no page holds a word.
        """
        document, hidden = open_pdf(path, self._options.password), []
        try:
            with RuledTables(path, self._options.password) as tables:
                pages, pictures = self._pages_of(document, tables, hidden)
        finally:
            document.close()
        composed = with_pictures(compose_pages(drop_furniture(pages)), self._figures)
        elements = self._pictures.finish(composed) + hidden
        self.warnings = self._pictures.warnings
        if not elements:
            raise self._empty(len(pages), pictures)
        return elements

    def _pages_of(
        self, document: pypdfium2.PdfDocument, tables: RuledTables, hidden: list[Element]
    ) -> tuple[list[list[Line]], int]:
        """The lines of all pages, and how many pages are pictures that were not read. What
        nobody sees on them is added to `hidden`."""
        pages, unread = [], 0
        for number in range(len(document)):
            page = _load(document, number)
            try:
                marks = read_marks(page)
                lines, unseen = take_hidden(page, read_lines(page, number + 1), marks)
                hidden += unseen
                if _is_picture(lines, marks):
                    unread += not self._options.ocr
                    if self._options.ocr:
                        self._options.before_ocr()
                        lines = _merged(lines, _read_by_ocr(page, number + 1))
                        self._options.on_page(number + 1)
                else:
                    lines = self._completed(page, lines, marks, tables)
                pages.append(lines)
            except PdfiumError as exc:
                raise _corrupt(f"page {number + 1}: {exc}") from exc
            finally:
                page.close()
        return pages, unread

    def _completed(
        self, page: pypdfium2.PdfPage, lines: list[Line], marks: PageMarks, tables: RuledTables
    ) -> list[Line]:
        """A page of text, with its ruled tables and its pictures."""
        number = lines[0].box.page if lines else 1
        if marks.ruled and lines:
            with text_by_place(page) as text_in:
                lines = tables.put_in(lines, number - 1, text_in)
        lines = put_gap_tables_in(lines)
        boxes = figure_boxes(marks.pictures, number) if lines else []
        if boxes and (self._options.ocr or self._options.figures):
            places = _Places(page, self._options)
            for box in boxes:
                if figure := self._pictures.of_pixels(places.pixels(box)):
                    self._figures[box] = figure
            lines = put_figures_in(lines, boxes, places.read)
            self._options.on_page(number)
        return lines

    @staticmethod
    def _empty(pages: int, pictures: int) -> FileError:
        if pictures:
            return FileError(
                f"its {pages} pages hold pictures only, and reading pictures is turned off",
                code="needs_ocr",
                remedy="set ingest.ocr = true and ingest it with --retry-failed",
            )
        return FileError(f"no word is on its {pages} pages", code="no_text", remedy="scan it anew, sharper")


def open_pdf(path: Path, password: str = "") -> pypdfium2.PdfDocument:
    """An open document with one page at least. Raises FileError `encrypted` or `corrupt`."""
    try:
        document = pypdfium2.PdfDocument(path, password=password or None)
    except PdfiumError as exc:
        if _ENCRYPTED in str(exc).lower():
            raise _locked(bool(password)) from exc
        raise _corrupt(str(exc)) from exc
    if not len(document):
        document.close()
        raise _corrupt("it has no pages")
    return document


def _load(document: pypdfium2.PdfDocument, number: int) -> pypdfium2.PdfPage:
    try:
        return document[number]
    except PdfiumError as exc:
        raise _corrupt(f"page {number + 1}: {exc}") from exc


def _is_picture(lines: list[Line], marks: PageMarks) -> bool:
    """Whether the text layer is missing, a stamp on a scan, or without meaning, and there is
    something to see: a picture, or characters drawn as outlines."""
    text = "".join(line.text for line in lines)
    seen = [c for c in text if not c.isspace()]
    drawn = marks.picture_share >= _PICTURE_SHARE or marks.paths >= _OUTLINES
    if len(seen) < _FEW_CHARS:
        return drawn or marks.picture_share > 0.02
    bad = sum(c == "\ufffd" or "\ue000" <= c <= "\uf8ff" or c < " " for c in seen) + 5 * text.count("(cid:")
    if bad > _GARBAGE_SHARE * len(seen):
        return True
    return len(seen) < _STAMP_CHARS and marks.picture_share >= _FULL_PICTURE


def _read_by_ocr(page: pypdfium2.PdfPage, number: int) -> list[Line]:
    # The model is loaded only now: most files never need it.
    from ingest.parsers.scans import read_picture

    image, scale = _rendered(page)
    return read_picture(image, number, 1 / scale)


class _Places:
    """Parts of a page; it is rendered once, when the first part is asked for."""

    def __init__(self, page: pypdfium2.PdfPage, options: ParseOptions) -> None:
        self._rendered = cache(lambda: _rendered(page))
        self._options = options

    def pixels(self, box: Box) -> np.ndarray:
        image, scale = self._rendered()
        return np.ascontiguousarray(crop(image, box, scale))

    def read(self, box: Box) -> list[Line]:
        from ingest.parsers.scans import read_picture

        part = self.pixels(box)
        if not part.size or not self._options.ocr:
            return []
        self._options.before_ocr()
        _, scale = self._rendered()
        return [moved(line, box) for line in read_picture(part, box.page, 1 / scale)]


def _rendered(page: pypdfium2.PdfPage) -> tuple[np.ndarray, float]:
    """The page in three colours, and pixels a point."""
    scale = min(_OCR_SCALE, _OCR_PIXELS / max(page.get_size()))
    image = page.render(scale=scale, rev_byteorder=True, prefer_bgrx=False).to_numpy()
    if image.ndim == 2 or image.shape[2] == 1:
        image = image.reshape(*image.shape[:2], 1).repeat(3, axis=2)
    return image[:, :, :3], scale


def _merged(layer: list[Line], seen: list[Line]) -> list[Line]:
    """What OCR sees, and of the text layer only what OCR does not see in its place."""
    if not seen:
        return layer
    missed = [line for line in layer if not any(_covers(other, line) for other in seen)]
    return [*seen, *missed]


def _covers(other: Line, line: Line) -> bool:
    middle = (line.box.left + line.box.right) / 2, (line.box.top + line.box.bottom) / 2
    inside_x = other.box.left - line.height <= middle[0] <= other.box.right + line.height
    return inside_x and other.box.top <= middle[1] <= other.box.bottom


def _locked(with_password: bool) -> FileError:
    reason = "the password that is set does not open it" if with_password else "it is locked with a password"
    return FileError(
        reason,
        code="encrypted",
        remedy="set ATTEST_INGEST__PDF_PASSWORD and ingest it with --retry-failed, "
        "or save a copy without a password",
    )


def _corrupt(reason: str) -> FileError:
    return FileError(f"it is a damaged PDF: {reason}", code="corrupt", remedy="save or print it to PDF again")
