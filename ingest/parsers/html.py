"""HTML to elements: every visible word, in the order of the source.

A walk over lxml's tree. docs/decisions/003-parsers.md says why not unstructured.
Scripts, styles, hidden parts and the controls around a page's text are left out; nothing
is fetched.
"""

import re
from pathlib import Path
from typing import ClassVar

import lxml.html
from lxml.etree import ParserError
from lxml.html import HtmlElement

from core.errors import FileError
from core.types import Element, ElementKind
from ingest.parse_options import ParseOptions
from ingest.parsers.charset import decode_text
from ingest.parsers.figures import Pictures
from ingest.parsers.html_chrome import drop_chrome
from ingest.parsers.html_hidden import take_hidden
from ingest.parsers.html_tables import table_of
from ingest.parsers.html_text import INLINE, holds_block, is_hidden, text_of, tidy, visible_text
from ingest.parsers.picture_sources import ReadPicture, read_inline

_HEADING = re.compile(r"^h([1-6])$")
_META_CHARSET = re.compile(rb"""<meta[^>]+charset\s*=\s*["']?\s*([A-Za-z0-9_\-]+)""", re.IGNORECASE)
_XML_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
_MAX_DEPTH = 200


class HtmlParser:
    """The parser of text/html."""

    media_types: ClassVar[frozenset[str]] = frozenset({"text/html"})

    def __init__(self, options: ParseOptions | None = None) -> None:
        self._options = options
        self.warnings: list[tuple[str, str]] = []

    def parse(self, path: Path) -> list[Element]:
        """The elements of the page, in its order. Its pictures are those that lie in the page
        itself (`data:`)."""
        pictures = Pictures(self._options)
        found = pictures.finish(parse_html(decode_html(path.read_bytes()), pictures))
        self.warnings = pictures.warnings
        return found


def parse_html(
    text: str, pictures: Pictures | None = None, read: ReadPicture = read_inline
) -> list[Element]:
    """Elements of an HTML text; figures too when `pictures` takes what `read` finds. What its
    style hides comes last.

    Raises:
        FileError: code `corrupt`, when there is no tree in it.
    """
    parser = lxml.html.HTMLParser(huge_tree=True)
    try:
        root = lxml.html.document_fromstring(_XML_DECLARATION.sub("", text), parser=parser)
    except (ParserError, ValueError) as exc:
        raise FileError(f"it is not HTML: {exc}", code="corrupt", remedy="open and save it again") from exc
    if any("depth" in entry.message for entry in parser.error_log):
        # The library drops the rest in silence: a page that is cut short must not pass.
        raise FileError("it is nested too deeply", code="corrupt", remedy="open and save it again")
    hidden = take_hidden(root)
    drop_chrome(root)
    walker = _Walker(pictures, read)
    walker.walk(root, 0)
    walker.close()
    return walker.found + hidden


class _Walker:
    """Collects running text until a block ends, then makes an element of it."""

    def __init__(self, pictures: Pictures | None = None, read: ReadPicture = read_inline) -> None:
        self.found: list[Element] = []
        self._text: list[str] = []
        self._pictures = pictures
        self._read = read
        self._figures: list[Element] = []

    def walk(self, node: HtmlElement, depth: int) -> None:
        """Goes through the children of a node and its own text."""
        if depth > _MAX_DEPTH:
            self._text.append(visible_text(node))
            return
        self._text.append(node.text or "")
        for child in node:
            if isinstance(child.tag, str) and not is_hidden(child):
                self._visit(child, depth)
            self._text.append(child.tail or "")

    def _visit(self, node: HtmlElement, depth: int) -> None:
        if node.tag == "br":
            self._text.append("\v")
        elif node.tag in INLINE and not holds_block(node):
            self._text.append(text_of(node))
            self._take_pictures(node)
        elif match := _HEADING.match(node.tag):
            self._add(ElementKind.TITLE, visible_text(node), level=int(match.group(1)))
        elif node.tag == "table":
            self._add_table(node, depth)
        elif node.tag == "pre":
            self._add(ElementKind.CODE, node.text_content().strip("\n").rstrip())
        elif node.tag in ("ul", "ol"):
            self._add_list(node, depth)
        elif node.tag == "figure":
            self._add_figure(node, depth)
        else:
            self.close()
            self.walk(node, depth + 1)
            self.close()

    def close(self) -> None:
        """Ends the running paragraph."""
        if text := tidy("".join(self._text)):
            self.found.append(Element(ElementKind.TEXT, text))
        self.found += self._figures
        self._text, self._figures = [], []

    def _take_pictures(self, node: HtmlElement, words: str = "") -> None:
        """Those at and below a node; they stand behind the block that they are in."""
        for image in node.iter("img") if self._pictures is not None else ():
            if content := self._read((image.get("src") or "").strip()):
                alternative = " ".join((image.get("alt") or "").split())
                said = "\n".join(part for part in (words, alternative) if part)
                if element := self._pictures.element(content, said):
                    self._figures.append(element)

    def _add_figure(self, node: HtmlElement, depth: int) -> None:
        """With its `figcaption` when there is one picture in it, else a block like any other."""
        self.close()
        caption = node.find(".//figcaption")
        words = visible_text(caption) if caption is not None else ""
        if words and len(list(node.iter("img"))) == 1:
            self._take_pictures(node, words)
            if self._figures:
                caption.getparent().remove(caption)
                self.found, self._figures = [*self.found, *self._figures], []
                node = _without_pictures(node)
        self.walk(node, depth + 1)
        self.close()

    def _add(self, kind: ElementKind, text: str, level: int = 0) -> None:
        self.close()
        if text.strip():
            self.found.append(Element(kind, text, level=level))

    def _add_list(self, node: HtmlElement, depth: int) -> None:
        """One element an item of the outer list; a list with headings, tables or code
        inside is a layout, and is walked like any other block."""
        self.close()
        if node.xpath(".//h1|.//h2|.//h3|.//h4|.//h5|.//h6|.//table|.//pre"):
            self.walk(node, depth + 1)
            self.close()
            return
        self._take_pictures(node)
        pending, self._figures = self._figures, []
        for number, item in enumerate((c for c in node if isinstance(c.tag, str)), start=_list_start(node)):
            marker = f"{number}. " if node.tag == "ol" else "- "
            if text := "\n".join(_item_lines(item, marker, depth)):
                self._add(ElementKind.LIST, text)
        self.found += pending

    def _add_table(self, node: HtmlElement, depth: int) -> None:
        """A table inside a table means layout: then the cells are blocks."""
        self.close()
        if node.xpath(".//table"):
            self.walk(node, depth + 1)
            self.close()
            return
        if element := table_of(node):
            self.found.append(element)
        self._take_pictures(node)
        self.close()


def _without_pictures(node: HtmlElement) -> HtmlElement:
    for image in list(node.iter("img")):
        image.drop_tree()
    return node


def _list_start(node: HtmlElement) -> int:
    value = node.get("start") or "1"
    return int(value) if value.isascii() and value.isdigit() and len(value) < 7 else 1


def _item_lines(item: HtmlElement, marker: str, depth: int) -> list[str]:
    inner = _Walker()
    if depth > _MAX_DEPTH:
        return [marker + visible_text(item)]
    inner.walk(item, depth + 1)
    inner.close()
    lines = [line for element in inner.found for line in element.text.split("\n")]
    return [f"{marker}{lines[0]}", *(f"  {line}" for line in lines[1:])] if lines else []


def decode_html(data: bytes) -> str:
    """UTF-8 when it is, else the encoding that the page names, else a guess."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        match = _META_CHARSET.search(data[:4096])
    if match:
        name = match.group(1).decode("ascii").lower()
        try:
            return data.decode("gb18030" if name in ("gb2312", "gbk") else name, errors="strict")
        except (LookupError, UnicodeDecodeError):
            return decode_text(data)
    return decode_text(data)
