"""The pictures of a Word document, put behind the text that they stand behind.

unstructured gives texts alone, so each picture is placed by the last text in front of it.
What a file only points to (a linked picture) is never fetched. Knows python-docx.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from core.types import Element
from ingest.parsers.figures import Pictures

_WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_EMBEDDED = {"blip": f"{_RELATION}embed", "imagedata": f"{_RELATION}id"}
FILE_NAME = re.compile(r"[^\s]+\.\w{2,4}")
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class _Placed:
    """A picture's bytes, what its author says about it, and the text in front of it."""

    content: bytes
    words: str
    behind: str


def put_pictures_in(elements: Sequence[Element], word: Any, pictures: Pictures) -> list[Element]:
    """The elements with the document's pictures where they stand; those in headers and footers,
    which are on every page, are left out."""
    found = list(elements)
    at = 0
    for placed in _placed(word):
        figure = pictures.element(placed.content, placed.words)
        if figure is None:
            continue
        wanted = _plain(placed.behind)
        place = next((n for n in range(at, len(found)) if wanted and _holds(found[n], wanted)), None)
        at = at if place is None else place + 1
        found.insert(at, figure)
        at += 1
    return found


def _placed(word: Any) -> Iterator[_Placed]:
    behind = ""
    for block in word.element.body.iterchildren():
        lines = ["".join(t.text or "" for t in p.iter(f"{_WORD}t")) for p in block.iter(f"{_WORD}p")]
        behind = next((line.strip() for line in reversed(lines) if line.strip()), behind)
        for node in block.iter():
            tag = node.tag.rpartition("}")[2] if isinstance(node.tag, str) else ""
            if tag not in _EMBEDDED or any(a.tag.endswith("}Fallback") for a in node.iterancestors()):
                continue
            content = _part(word, node.get(_EMBEDDED[tag]))
            if content:
                yield _Placed(content, _alternative_text(node), behind)


def _part(word: Any, relation: str | None) -> bytes:
    part = word.part.related_parts.get(relation)
    return part.blob if part is not None else b""


def _alternative_text(node: Any) -> str:
    """What its author wrote for those who cannot see it; a file name says nothing."""
    for ancestor in node.iterancestors():
        for properties in ancestor.iterchildren("{*}docPr"):
            text = (properties.get("descr") or "").strip()
            return "" if FILE_NAME.fullmatch(text) else text
        if ancestor.tag == f"{_WORD}p":
            break
    return ""


def _holds(element: Element, wanted: str) -> bool:
    return wanted in _plain(element.text)


def _plain(text: str) -> str:
    return _SPACE.sub("", text)
