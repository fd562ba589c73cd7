"""Which parser reads which kind of file. A parser's module is loaded when it is needed:
the process that only looks files up stays small."""

from importlib import import_module

from core.errors import FileError
from core.seams import Parser
from ingest.parsers.media_types import CSV, DOCX, ODS, TSV, XLS, XLSB, XLSX

_PARSERS = {
    "text/plain": ("ingest.parsers.plain", "PlainParser"),
    "text/markdown": ("ingest.parsers.markdown", "MarkdownParser"),
    "text/html": ("ingest.parsers.html", "HtmlParser"),
    "application/pdf": ("ingest.parsers.pdf", "PdfParser"),
    DOCX: ("ingest.parsers.docx", "DocxParser"),
    **dict.fromkeys((XLSX, XLSB, XLS, ODS), ("ingest.parsers.spreadsheet", "SpreadsheetParser")),
    **dict.fromkeys((CSV, TSV), ("ingest.parsers.separated", "SeparatedParser")),
}

CONVERT = "convert it to PDF, DOCX, XLSX, CSV, HTML, Markdown or text"

# Raise a parser's number when it reads the same bytes otherwise: then files are read again.
PARSER_VERSIONS = {
    "text/plain": 2,
    "text/markdown": 2,
    "text/html": 2,
    "application/pdf": 2,
    DOCX: 2,
    XLSX: 1,
    XLSB: 1,
    XLS: 1,
    ODS: 1,
    CSV: 1,
    TSV: 1,
}


def parser_for(media_type: str) -> Parser:
    """A new parser.

    Raises:
        FileError: code `unknown_type`.
    """
    if media_type not in _PARSERS:
        raise FileError(
            f"files of type {media_type} cannot be read",
            code="unknown_type",
            remedy=CONVERT,
        )
    module, name = _PARSERS[media_type]
    return getattr(import_module(module), name)()
