"""Which parser reads which kind of file. A parser's module is loaded when it is needed:
the process that only looks files up stays small."""

from importlib import import_module

from core.errors import FileError
from core.seams import Parser
from ingest.image_types import IMAGE_TYPES
from ingest.parse_options import ParseOptions
from ingest.parsers.media_types import (
    CSV,
    DOCX,
    EML,
    EPUB,
    JSON,
    JSONL,
    MSG,
    NOTEBOOK,
    ODP,
    ODS,
    ODT,
    PPTX,
    RTF,
    TAR,
    TSV,
    XLS,
    XLSB,
    XLSX,
    XML,
    ZIP,
)

_PARSERS = {
    "text/plain": ("ingest.parsers.plain", "PlainParser"),
    "text/markdown": ("ingest.parsers.markdown", "MarkdownParser"),
    "text/html": ("ingest.parsers.html", "HtmlParser"),
    "application/pdf": ("ingest.parsers.pdf", "PdfParser"),
    DOCX: ("ingest.parsers.docx", "DocxParser"),
    **dict.fromkeys((XLSX, XLSB, XLS, ODS), ("ingest.parsers.spreadsheet", "SpreadsheetParser")),
    **dict.fromkeys((CSV, TSV), ("ingest.parsers.separated", "SeparatedParser")),
    PPTX: ("ingest.parsers.pptx", "PptxParser"),
    ODT: ("ingest.parsers.opendocument", "OpenDocumentParser"),
    ODP: ("ingest.parsers.opendocument", "OpenDocumentParser"),
    EPUB: ("ingest.parsers.epub", "EpubParser"),
    RTF: ("ingest.parsers.rtf", "RtfParser"),
    EML: ("ingest.parsers.eml", "EmlParser"),
    MSG: ("ingest.parsers.msg", "MsgParser"),
    JSON: ("ingest.parsers.json_text", "JsonParser"),
    JSONL: ("ingest.parsers.json_text", "JsonLinesParser"),
    NOTEBOOK: ("ingest.parsers.notebook", "NotebookParser"),
    XML: ("ingest.parsers.xml", "XmlParser"),
    ZIP: ("ingest.parsers.archive", "ZipParser"),
    TAR: ("ingest.parsers.archive", "TarParser"),
    **dict.fromkeys(IMAGE_TYPES, ("ingest.parsers.images", "ImageParser")),
}
# Parsers that are made with the options of the parse.
_WITH_OPTIONS = frozenset(
    {"application/pdf", "text/html", DOCX, PPTX, ODT, ODP, EPUB, *IMAGE_TYPES, EML, MSG, ZIP, TAR}
)
WITH_PICTURES = _WITH_OPTIONS
"""Kinds of files whose pictures are kept."""

CONVERT = "convert it to PDF, PNG, DOCX, XLSX, CSV, PPTX, ODT, RTF, EPUB, HTML, Markdown, JSON, mail or text"

# Raise a parser's number when it reads the same bytes otherwise: then files are read again.
_RAISED = {"text/plain": 2, "text/markdown": 2, "text/html": 4, "application/pdf": 4, DOCX: 3}
_RAISED |= dict.fromkeys((PPTX, ODT, ODP, EPUB), 2)
PARSER_VERSIONS = dict.fromkeys(_PARSERS, 1) | _RAISED
# What holds other files is read by their parsers too.
PARSER_VERSIONS |= dict.fromkeys((EML, MSG, ZIP, TAR), sum(PARSER_VERSIONS.values()))


def parser_for(media_type: str, options: ParseOptions | None = None) -> Parser:
    """A new parser, with the options if its kind of file knows any.

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
    made = getattr(import_module(module), name)
    return made(options) if options and media_type in _WITH_OPTIONS else made()
