"""Which parser reads which kind of file. A parser's module is loaded when it is needed:
the process that only looks files up stays small."""

from importlib import import_module

from core.errors import FileError
from core.seams import Parser

_OPEN_XML = "application/vnd.openxmlformats-officedocument"
_OPEN_DOCUMENT = "application/vnd.oasis.opendocument"
DOCX = f"{_OPEN_XML}.wordprocessingml.document"
PPTX = f"{_OPEN_XML}.presentationml.presentation"
ODT = f"{_OPEN_DOCUMENT}.text"
ODP = f"{_OPEN_DOCUMENT}.presentation"
EPUB = "application/epub+zip"
RTF = "application/rtf"
EML = "message/rfc822"
MSG = "application/vnd.ms-outlook"
JSON = "application/json"
JSONL = "application/jsonl"
NOTEBOOK = "application/x-ipynb+json"
XML = "application/xml"
"""Any XML; RSS and Atom are read as feeds."""
ZIP = "application/zip"
TAR = "application/x-tar"
"""TAR, also compressed by gzip, bzip2 or xz; and a single file so compressed."""

_PARSERS = {
    "text/plain": ("ingest.parsers.plain", "PlainParser"),
    "text/markdown": ("ingest.parsers.markdown", "MarkdownParser"),
    "text/html": ("ingest.parsers.html", "HtmlParser"),
    "application/pdf": ("ingest.parsers.pdf", "PdfParser"),
    DOCX: ("ingest.parsers.docx", "DocxParser"),
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
}

# Raise a parser's number when it reads the same bytes otherwise: then files are read again.
PARSER_VERSIONS = {**dict.fromkeys(_PARSERS, 1), "text/html": 2}
# What holds other files is read by their parsers too.
PARSER_VERSIONS |= dict.fromkeys((EML, MSG, ZIP, TAR), sum(PARSER_VERSIONS.values()))


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
