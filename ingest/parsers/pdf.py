"""PDF to elements, from the text layer, by pypdfium2. Scanned pages need OCR, which is not here."""

from pathlib import Path
from typing import ClassVar

import pypdfium2
from pypdfium2 import PdfiumError

from core.errors import FileError
from core.types import Element
from ingest.parsers.pdf_layout import compose_pages
from ingest.parsers.pdf_lines import Line, read_lines

_ENCRYPTED = "password"


class PdfParser:
    """The parser of application/pdf."""

    media_types: ClassVar[frozenset[str]] = frozenset({"application/pdf"})

    def parse(self, path: Path) -> list[Element]:
        """Paragraphs, titles and plain tables with page and box.

        Raises:
            FileError: `encrypted`, `corrupt`, or `no_text` when no page has a text layer.
        """
        document = _open(path)
        try:
            pages = [_read_page(document, number) for number in range(len(document))]
        finally:
            document.close()
        elements = compose_pages(pages)
        if not elements:
            raise FileError(
                f"its {len(pages)} pages hold pictures only, no text layer",
                code="no_text",
                remedy="run it through OCR first; reading scans is not built in yet",
            )
        return elements


def _open(path: Path) -> pypdfium2.PdfDocument:
    try:
        document = pypdfium2.PdfDocument(path)
    except PdfiumError as exc:
        if _ENCRYPTED in str(exc).lower():
            raise FileError(
                "it is locked with a password", code="encrypted", remedy="save a copy without a password"
            ) from exc
        raise _corrupt(str(exc)) from exc
    if not len(document):
        document.close()
        raise _corrupt("it has no pages")
    return document


def _read_page(document: pypdfium2.PdfDocument, number: int) -> list[Line]:
    try:
        page = document[number]
    except PdfiumError as exc:
        raise _corrupt(f"page {number + 1}: {exc}") from exc
    try:
        return read_lines(page, number + 1)
    finally:
        page.close()


def _corrupt(reason: str) -> FileError:
    return FileError(f"it is a damaged PDF: {reason}", code="corrupt", remedy="save or print it to PDF again")
