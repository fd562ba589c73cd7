"""XML to elements: RSS and Atom as feeds, anything else as its text in order.

A feed's entries are headings with their date and content; content that is HTML goes through
the HTML parser.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from lxml import etree

from core.errors import FileError
from core.types import Element, ElementKind
from ingest.parsers.html import parse_html
from ingest.parsers.media_types import XML
from ingest.parsers.safe_xml import parse_xml

_ENTRIES = frozenset({"item", "entry"})
_BODIES = ("encoded", "content", "description", "summary")
_DATES = ("pubDate", "published", "updated", "date")
_AUTHORS = ("creator", "author")
_ABOUT = ("description", "subtitle", "tagline")
_WORDED = frozenset({"title", "label", "name", "value", "alt", "desc", "description", "text"})
_MAX_DEPTH = 250


class XmlParser:
    """The parser of XML files."""

    media_types: ClassVar[frozenset[str]] = frozenset({XML})

    def parse(self, path: Path) -> list[Element]:
        """The elements in the order of the file.

        Raises:
            FileError: `corrupt`, or `unsafe` when it defines entities.
        """
        root = parse_xml(path.read_bytes())
        entries = [node for node in root.iter() if _name(node) in _ENTRIES]
        if _name(root) in ("rss", "feed", "RDF") and entries:
            return list(_read_feed(root, entries))
        return list(_read_tree(root, 0))


def _read_feed(root: etree._Element, entries: list[etree._Element]) -> Iterator[Element]:
    channel = next((node for node in root if _name(node) == "channel"), root)
    if title := _child_text(channel, ("title",)):
        yield Element(ElementKind.TITLE, title, level=1)
    if about := _child_text(channel, _ABOUT):
        yield from _read_html(about, 2)
    for entry in entries:
        if title := _child_text(entry, ("title",)):
            yield Element(ElementKind.TITLE, title, level=2)
        date, author = _child_text(entry, _DATES), _child_text(entry, _AUTHORS)
        if facts := "; ".join(part for part in (date, author) if part):
            yield Element(ElementKind.TEXT, facts)
        if body := _child_text(entry, _BODIES):
            yield from _read_html(body, 3)


def _read_html(text: str, level: int) -> Iterator[Element]:
    """Text that may hold markup; its headings begin at `level`."""
    if "<" not in text:
        yield Element(ElementKind.TEXT, text)
        return
    for element in parse_html(text):
        if element.kind is ElementKind.TITLE:
            element = replace(element, level=min(6, element.level + level - 1))
        yield element


def _child_text(node: etree._Element, names: tuple[str, ...]) -> str:
    """The text of the first child of these names, in the order of the names. Atom may hold
    markup as elements: then it is written out, to be read as HTML."""
    for name in names:
        for child in node:
            if _name(child) != name:
                continue
            inner = [c for c in child if isinstance(c.tag, str)]
            if inner and child.get("type") == "xhtml":
                return "".join(etree.tostring(c, encoding="unicode", with_tail=True) for c in inner)
            if text := " ".join("".join(child.itertext()).split()):
                return text
    return ""


def _read_tree(node: etree._Element, depth: int) -> Iterator[Element]:
    """Text with elements inside is a paragraph; elements that hold text alone are lines
    `name: text` of one block."""
    if depth > _MAX_DEPTH:
        raise FileError("it is nested too deeply", code="corrupt", remedy="save it flatter")
    children = [child for child in node if isinstance(child.tag, str)]
    mixed = (node.text or "").strip() or any((child.tail or "").strip() for child in children)
    if children and mixed:
        yield Element(ElementKind.TEXT, " ".join("".join(node.itertext()).split()))
        return
    lines: list[str] = [f"{_name(node)}: {(node.text or '').strip()}"] if mixed else []
    lines += _attributes(node)
    for child in children:
        if len(child):
            if lines:
                yield Element(ElementKind.TEXT, "\n".join(lines))
                lines = []
            yield from _read_tree(child, depth + 1)
        else:
            text = " ".join((child.text or "").split())
            lines += [f"{_name(child)}: {text}"] if text else []
            lines += _attributes(child)
    if lines:
        yield Element(ElementKind.TEXT, "\n".join(lines))


def _attributes(node: etree._Element) -> list[str]:
    """Attributes that hold words; numbers, ids and addresses say nothing to a reader."""
    found = []
    for key, value in node.attrib.items():
        name = etree.QName(key).localname
        if (
            name in ("title", "label", "name", "value", "alt", "desc", "description", "text")
            and value.strip()
        ):
            found.append(f"{_name(node)} {name}: {value.strip()}")
    return found


def _name(node: etree._Element) -> str:
    return etree.QName(node).localname if isinstance(node.tag, str) else ""
