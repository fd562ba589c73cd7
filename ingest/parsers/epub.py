"""EPUB to elements: the title page's data, then the chapters in the order of the spine.
Chapters are read by the HTML parser; their headings go one level down, below the book's title."""

import posixpath
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import ClassVar
from urllib.parse import unquote

from lxml import etree

from core.errors import FileError
from core.types import Element, ElementKind
from ingest.parse_options import ParseOptions
from ingest.parsers.figures import Pictures
from ingest.parsers.html import decode_html, parse_html
from ingest.parsers.media_types import EPUB
from ingest.parsers.picture_sources import beside, read_inline, read_packed
from ingest.parsers.safe_xml import open_package, parse_xml, read_part

_CONTAINER = "META-INF/container.xml"
_ENCRYPTION = "META-INF/encryption.xml"
_WHAT = "EPUB book"
_FIELDS = {"creator": "Authors", "publisher": "Publisher", "date": "Date", "description": "Description"}
_MAX_CHAPTERS = 5000


class EpubParser:
    """The parser of .epub files. After a parse `warnings` names chapters and pictures that
    were not read."""

    media_types: ClassVar[frozenset[str]] = frozenset({EPUB})

    def __init__(self, options: ParseOptions | None = None) -> None:
        self._options = options
        self.warnings: list[tuple[str, str]] = []

    def parse(self, path: Path) -> list[Element]:
        """The elements in reading order.

        Raises:
            FileError: `corrupt`, `encrypted`, `unsafe`, `too_large`.
        """
        pictures = Pictures(self._options)
        with open_package(path, _WHAT) as archive:
            locked = _locked_names(archive)
            opf_name = _package_name(archive)
            package = parse_xml(read_part(archive, opf_name, _WHAT))
            elements = list(_title_page(package))
            chapters = _chapter_names(package, posixpath.dirname(opf_name))
            if chapters and locked.issuperset(chapters):
                raise FileError("its chapters are locked", code="encrypted", remedy="use a copy without DRM")
            for name in chapters[:_MAX_CHAPTERS]:
                elements += self._chapter(archive, name, pictures)
        self.warnings += pictures.warnings
        return pictures.finish(elements)

    def _chapter(self, archive: zipfile.ZipFile, name: str, pictures: Pictures) -> list[Element]:
        def read(source: str) -> bytes:
            inline = read_inline(source)
            return inline or read_packed(archive, beside(name, source), pictures, _WHAT)

        try:
            found = parse_html(decode_html(read_part(archive, name, _WHAT)), pictures, read)
        except FileError as error:
            self.warnings.append((error.code, f"{name}: {error.message}"))
            return []
        return [replace(e, level=min(6, e.level + 1)) if e.kind is ElementKind.TITLE else e for e in found]


def _package_name(archive: zipfile.ZipFile) -> str:
    root = parse_xml(read_part(archive, _CONTAINER, _WHAT))
    for node in _named(root, "rootfile"):
        if name := node.get("full-path"):
            return name
    raise FileError("it names no book", code="corrupt", remedy="export it again")


def _title_page(package: etree._Element) -> Iterator[Element]:
    metadata = next(_named(package, "metadata"), None)
    if metadata is None:
        return
    values: dict[str, list[str]] = {}
    for node in metadata.iter():
        if isinstance(node.tag, str) and (text := "".join(node.itertext()).strip()):
            values.setdefault(etree.QName(node).localname, []).append(text)
    if titles := values.get("title"):
        yield Element(ElementKind.TITLE, titles[0], level=1)
    lines = [f"{label}: {', '.join(values[name])}" for name, label in _FIELDS.items() if name in values]
    if lines:
        yield Element(ElementKind.TEXT, "\n".join(lines))


def _chapter_names(package: etree._Element, folder: str) -> list[str]:
    """Names of the chapters in the archive. The table of contents repeats their headings."""
    items = {
        node.get("id"): node
        for node in _named(package, "item")
        if "nav" not in (node.get("properties") or "").split()
    }
    names = []
    for reference in _named(package, "itemref"):
        item = items.get(reference.get("idref"))
        if item is not None and "html" in (item.get("media-type") or ""):
            href = unquote((item.get("href") or "").partition("#")[0])
            names.append(posixpath.normpath(posixpath.join(folder, href)))
    return names


def _locked_names(archive: zipfile.ZipFile) -> set[str]:
    if _ENCRYPTION not in archive.namelist():
        return set()
    root = parse_xml(read_part(archive, _ENCRYPTION, _WHAT))
    return {unquote(node.get("URI") or "") for node in _named(root, "CipherReference")}


def _named(root: etree._Element, name: str) -> Iterator[etree._Element]:
    return root.iter(f"{{*}}{name}")
