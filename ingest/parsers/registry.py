"""Which parser reads which kind of file. A parser's module is loaded when it is needed:
the process that only looks files up stays small."""

from importlib import import_module

from core.errors import FileError
from core.seams import Parser

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"

_PARSERS = {
    "text/plain": ("ingest.parsers.plain", "PlainParser"),
    "text/markdown": ("ingest.parsers.markdown", "MarkdownParser"),
    "text/html": ("ingest.parsers.html", "HtmlParser"),
    "application/pdf": ("ingest.parsers.pdf", "PdfParser"),
    DOCX: ("ingest.parsers.docx", "DocxParser"),
}

# Raise a parser's number when it reads the same bytes otherwise: then files are read again.
PARSER_VERSIONS = {
    "text/plain": 1,
    "text/markdown": 1,
    "text/html": 1,
    "application/pdf": 1,
    DOCX: 1,
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
            remedy="convert it to PDF, DOCX, HTML, Markdown or text",
        )
    module, name = _PARSERS[media_type]
    return getattr(import_module(module), name)()
