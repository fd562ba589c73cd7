"""Which parser reads which kind of file. A parser's module is loaded when it is needed:
the process that only looks files up stays small."""

from importlib import import_module

from core.errors import FileError
from core.seams import Parser
from ingest.image_types import IMAGE_TYPES
from ingest.parse_options import ParseOptions

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"

_PARSERS = {
    "text/plain": ("ingest.parsers.plain", "PlainParser"),
    "text/markdown": ("ingest.parsers.markdown", "MarkdownParser"),
    "text/html": ("ingest.parsers.html", "HtmlParser"),
    "application/pdf": ("ingest.parsers.pdf", "PdfParser"),
    DOCX: ("ingest.parsers.docx", "DocxParser"),
    **dict.fromkeys(IMAGE_TYPES, ("ingest.parsers.images", "ImageParser")),
}
# Parsers that are made with the options of the parse.
_WITH_OPTIONS = frozenset({"application/pdf", *IMAGE_TYPES})

# Raise a parser's number when it reads the same bytes otherwise: then files are read again.
PARSER_VERSIONS = {
    "text/plain": 1,
    "text/markdown": 1,
    "text/html": 1,
    "application/pdf": 2,
    DOCX: 1,
    **dict.fromkeys(IMAGE_TYPES, 1),
}


def parser_for(media_type: str, options: ParseOptions | None = None) -> Parser:
    """A new parser, with the options if its kind of file knows any.

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
    made = getattr(import_module(module), name)
    return made(options) if options and media_type in _WITH_OPTIONS else made()
