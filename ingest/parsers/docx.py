"""Word documents to elements, by `unstructured`, with what it leaves out.

From python-docx come the heading levels (unstructured gives a title and a first heading
the same depth), the text boxes and the pictures, which it drops.
"""

import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

import lxml.html

from core.errors import FileError
from core.types import Element, ElementKind, Table
from ingest.parse_options import ParseOptions
from ingest.parsers.docx_hidden import take_hidden
from ingest.parsers.docx_pictures import put_pictures_in
from ingest.parsers.figures import Pictures
from ingest.parsers.grid import header_rows
from ingest.parsers.html_tables import spanned_cells
from ingest.parsers.media_types import DOCX
from ingest.parsers.strict_office import transitional
from ingest.parsers.tables import table_element
from ingest.parsers.unstructured_setup import prepare_unstructured

_WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


class DocxParser:
    """The parser of .docx files."""

    media_types: ClassVar[frozenset[str]] = frozenset({DOCX})

    def __init__(self, options: ParseOptions | None = None) -> None:
        self._options = options
        self.warnings: list[tuple[str, str]] = []

    def parse(self, path: Path) -> list[Element]:
        """The elements in reading order; then text boxes, then what its format hides.

        Raises:
            FileError: `corrupt`, or `too_large` when it unpacks to more than 512 MB.
        """
        with transitional(path, "Word document") as readable:
            return self._read(readable)

    def _read(self, path: Path) -> list[Element]:
        prepare_unstructured()
        import docx
        from unstructured.partition.docx import partition_docx

        try:
            word = docx.Document(str(path))
            hidden = take_hidden(word)
            parts = partition_docx(file=_saved(word, path, bool(hidden)), infer_table_structure=True)
        except (KeyError, ValueError, SyntaxError, zipfile.BadZipFile) as exc:
            raise FileError(
                f"it is not a readable Word document: {exc}", code="corrupt", remedy="save it again as .docx"
            ) from exc
        levels = _heading_levels(word)
        elements = [e for part in parts for e in _convert(part, levels)]
        pictures = Pictures(self._options)
        elements = pictures.finish(put_pictures_in(elements, word, pictures))
        self.warnings = pictures.warnings
        boxes = [Element(ElementKind.TEXT, text) for text in _text_boxes(word)]
        return elements + boxes + hidden


def _saved(word: Any, path: Path, changed: bool) -> BinaryIO:
    """The document as it is now, for another library."""
    if not changed:
        return BytesIO(path.read_bytes())
    target = BytesIO()
    word.save(target)
    target.seek(0)
    return target


def _heading_levels(word: Any) -> dict[str, int]:
    """Level of each heading text by its style. Under a title, `Heading 1` is level 2."""
    styled = [(p.text.strip(), p.style.name or "") for p in word.paragraphs if p.style is not None]
    shift = 1 if any(style == "Title" and text for text, style in styled) else 0
    levels = {}
    for text, style in styled:
        if style == "Title":
            levels[text] = 1
        elif style.startswith("Heading ") and style[8:].isdigit():
            levels[text] = min(6, int(style[8:]) + shift)
    return levels


def _convert(part: Any, levels: dict[str, int]) -> Iterator[Element]:
    text, category = part.text.strip(), part.category
    if category in ("Header", "Footer", "PageBreak") or not text:
        return
    if category == "Table":
        yield _table(part) or Element(ElementKind.TABLE, text)
    elif category == "Title" and text in levels:
        yield Element(ElementKind.TITLE, text, level=levels[text])
    elif category == "ListItem":
        yield Element(ElementKind.LIST, f"{'  ' * (part.metadata.category_depth or 0)}- {text}")
    else:
        yield Element(ElementKind.TEXT, text)


def _table(part: Any) -> Element | None:
    if not part.metadata.text_as_html:
        return None
    cells = spanned_cells(lxml.html.fragment_fromstring(part.metadata.text_as_html))
    return table_element(cells.rows, Table((), header_rows(cells.rows, cells.merges)))


def _text_boxes(word: Any) -> Iterator[str]:
    """Texts of boxes and shapes; each is stored twice in the file, the second time as a
    fallback for old programs."""
    for box in word.element.body.iter(f"{_WORD}txbxContent"):
        if any(ancestor.tag.endswith("}Fallback") for ancestor in box.iterancestors()):
            continue
        lines = ("".join(t.text or "" for t in p.iter(f"{_WORD}t")) for p in box.iter(f"{_WORD}p"))
        if text := "\n".join(line.strip() for line in lines if line.strip()):
            yield text
