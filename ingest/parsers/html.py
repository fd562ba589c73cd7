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
from ingest.parsers.charset import decode_text
from ingest.parsers.html_chrome import drop_chrome
from ingest.parsers.tables import markdown_table

_SKIP = frozenset(
    {
        "script",
        "style",
        "noscript",
        "template",
        "head",
        "svg",
        "canvas",
        "iframe",
        "object",
        "select",
        "datalist",
    }
)
_INLINE = frozenset(
    {
        "a",
        "abbr",
        "acronym",
        "b",
        "bdi",
        "bdo",
        "big",
        "cite",
        "code",
        "data",
        "del",
        "dfn",
        "em",
        "font",
        "i",
        "img",
        "ins",
        "kbd",
        "label",
        "mark",
        "math",
        "q",
        "rp",
        "rt",
        "ruby",
        "s",
        "samp",
        "small",
        "span",
        "strike",
        "strong",
        "sub",
        "sup",
        "time",
        "tt",
        "u",
        "var",
        "wbr",
        "input",
        "button",
        "nobr",
        "meter",
        "output",
        "progress",
    }
)
_HEADING = re.compile(r"^h([1-6])$")
_META_CHARSET = re.compile(rb"""<meta[^>]+charset\s*=\s*["']?\s*([A-Za-z0-9_\-]+)""", re.IGNORECASE)
_XML_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
_SPACE = re.compile(r"\s+")
_MAX_DEPTH = 200
_MAX_SPAN = 100
_MAX_REPEATED_COLUMNS = 500


class HtmlParser:
    """The parser of text/html."""

    media_types: ClassVar[frozenset[str]] = frozenset({"text/html"})

    def parse(self, path: Path) -> list[Element]:
        """The elements of the page, in its order."""
        return parse_html(decode_html(path.read_bytes()))


def parse_html(text: str) -> list[Element]:
    """Elements of an HTML text.

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
    drop_chrome(root)
    walker = _Walker()
    walker.walk(root, 0)
    walker.close()
    return walker.found


class _Walker:
    """Collects running text until a block ends, then makes an element of it."""

    def __init__(self) -> None:
        self.found: list[Element] = []
        self._text: list[str] = []

    def walk(self, node: HtmlElement, depth: int) -> None:
        """Goes through the children of a node and its own text."""
        if depth > _MAX_DEPTH:
            self._text.append(visible_text(node))
            return
        self._text.append(node.text or "")
        for child in node:
            if isinstance(child.tag, str) and not _is_hidden(child):
                self._visit(child, depth)
            self._text.append(child.tail or "")

    def _visit(self, node: HtmlElement, depth: int) -> None:
        if node.tag == "br":
            self._text.append("\v")
        elif node.tag in _INLINE and not _holds_block(node):
            self._text.append(_text_of(node))
        elif match := _HEADING.match(node.tag):
            self._add(ElementKind.TITLE, visible_text(node), level=int(match.group(1)))
        elif node.tag == "table":
            self._add_table(node, depth)
        elif node.tag == "pre":
            self._add(ElementKind.CODE, node.text_content().strip("\n").rstrip())
        elif node.tag in ("ul", "ol"):
            self._add_list(node, depth)
        else:
            self.close()
            self.walk(node, depth + 1)
            self.close()

    def close(self) -> None:
        """Ends the running paragraph."""
        if text := _tidy("".join(self._text)):
            self.found.append(Element(ElementKind.TEXT, text))
        self._text = []

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
        for number, item in enumerate((c for c in node if isinstance(c.tag, str)), start=_list_start(node)):
            marker = f"{number}. " if node.tag == "ol" else "- "
            if text := "\n".join(_item_lines(item, marker, depth)):
                self._add(ElementKind.LIST, text)

    def _add_table(self, node: HtmlElement, depth: int) -> None:
        """A table inside a table means layout: then the cells are blocks."""
        self.close()
        if node.xpath(".//table"):
            self.walk(node, depth + 1)
            self.close()
            return
        for caption in node.xpath("./caption"):
            self._add(ElementKind.TEXT, visible_text(caption))
        self._add(ElementKind.TABLE, markdown_table(table_rows(node)))


def table_rows(table: HtmlElement) -> list[list[str]]:
    """The cells of a table; a spanning cell stands in each place that it covers."""
    rows: list[list[str]] = []
    pending: dict[int, tuple[int, str]] = {}
    for row in table.xpath("./tr|./thead/tr|./tbody/tr|./tfoot/tr"):
        cells: list[str] = []
        for cell in row.xpath("./td|./th"):
            _fill_from_above(cells, pending)
            text = visible_text(cell)
            # Past a width that no table has a cell is not repeated: spans multiply each other.
            narrow = len(cells) < _MAX_REPEATED_COLUMNS
            down = _span(cell, "rowspan") - 1 if narrow else 0
            for _ in range(_span(cell, "colspan") if narrow else 1):
                if down:
                    pending[len(cells)] = (down, text)
                cells.append(text)
        _fill_from_above(cells, pending)
        rows.append(cells)
    return rows


def _fill_from_above(cells: list[str], pending: dict[int, tuple[int, str]]) -> None:
    while len(cells) in pending:
        column = len(cells)
        left, text = pending.pop(column)
        if left > 1:
            pending[column] = (left - 1, text)
        cells.append(text)


def _span(cell: HtmlElement, name: str) -> int:
    value = (cell.get(name) or "1").strip()
    return max(1, min(int(value), _MAX_SPAN)) if value.isascii() and value.isdigit() else 1


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


def visible_text(node: HtmlElement) -> str:
    """The running text of a node, blocks parted by a blank."""
    return _tidy(_text_of(node))


def _text_of(node: HtmlElement) -> str:
    """Text and tails in order, without hidden parts; iterative, since pages nest deeply."""
    parts: list[str] = []
    stack: list[tuple[HtmlElement, bool]] = [(node, True)]
    while stack:
        at, opening = stack.pop()
        if not opening:
            parts.append(at.tail or "")
            continue
        if at is not node:
            stack.append((at, False))
        if not isinstance(at.tag, str) or (at is not node and _is_hidden(at)):
            continue
        parts.append("\v" if at.tag == "br" else "" if at.tag in _INLINE else " ")
        parts.append(at.text or "")
        stack.extend((child, True) for child in reversed(at))
    return "".join(parts)


def _is_hidden(node: HtmlElement) -> bool:
    style = (node.get("style") or "").replace(" ", "").lower()
    return node.tag in _SKIP or node.get("hidden") is not None or "display:none" in style


def _holds_block(node: HtmlElement) -> bool:
    tags = (inner.tag for inner in node.iterdescendants())
    return any(isinstance(tag, str) and tag not in _INLINE and tag != "br" for tag in tags)


def _tidy(text: str) -> str:
    """White space as a browser shows it; a `br` (\\v until here) is a line break."""
    lines = (_SPACE.sub(" ", line).strip() for line in text.split("\v"))
    return "\n".join(line for line in lines if line)


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
