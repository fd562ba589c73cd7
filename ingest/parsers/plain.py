"""Plain text to elements: what people type without a format, in Chinese or English.

Recognised: Markdown headings, numbered questions and Chinese section numbers as titles,
fences, pipe tables, list items. Everything else is paragraphs.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from core.types import Element, ElementKind
from ingest.parsers.charset import decode_text
from ingest.parsers.lines import LIST_ITEM, SENTENCE_END, display_width, unwrap
from ingest.parsers.tables import pipe_cells, table_element

_FENCE = re.compile(r"^\s*(`{3,}|~{3,})")
_HASHES = re.compile(r"^(#{1,6})\s+(\S.*?)\s*#*\s*$")
_QUESTION = re.compile(
    r"^\s*(?:\d{1,3}|[一二三四五六七八九十]{1,3}|Q\d{0,3})\s*[.、．):：]\s*\S.{1,150}[?？]\s*$"
)
_SECTION = re.compile(
    r"^\s*(?:\d{1,2}(?:\.\d{1,2}){0,3}[.、．]?\s*|[一二三四五六七八九十]{1,3}、\s*"
    r"|第[一二三四五六七八九十\d]{1,3}[章节条部]\s*|[IVX]{1,4}\.\s+)\S.{0,60}$"
)
_TABLE_RULE = re.compile(r"^\s*\|?\s*:?-{2,}:?\s*(?:\|\s*:?-{2,}:?\s*)+\|?\s*$")
_NUMBERED = re.compile(r"^\d{1,3}\s*[.、．]\s*\D")
_TITLE_CELLS = 80
_SHORT_CELLS = 48


class PlainParser:
    """The parser of text/plain."""

    media_types: ClassVar[frozenset[str]] = frozenset({"text/plain"})

    def parse(self, path: Path) -> list[Element]:
        """The elements of the file, in its order."""
        return parse_plain(decode_text(path.read_bytes()))


def parse_plain(text: str) -> list[Element]:
    """Elements of a plain text."""
    return _Reader(text.split("\n")).elements()


class _Reader:
    """Reads the lines of one text once, from the top."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = [line.rstrip() for line in lines]
        self._at = 0
        self._found: list[Element] = []
        self._paragraph: list[str] = []
        self._heading_level = 0

    def elements(self) -> list[Element]:
        while self._at < len(self._lines):
            self._take()
        self._close()
        return self._found

    def _take(self) -> None:
        line = self._lines[self._at]
        if not line.strip():
            self._close()
            self._at += 1
        elif _FENCE.match(line):
            self._take_fence(line)
        elif self._is_table():
            self._take_table()
        elif level := self._title_level(line):
            self._close()
            self._found.append(Element(ElementKind.TITLE, _title_text(line), level=level))
            self._at += 1
        elif LIST_ITEM.match(line):
            self._take_item(line)
        else:
            self._paragraph.append(line)
            self._at += 1

    def _close(self) -> None:
        if self._paragraph:
            self._found.append(Element(ElementKind.TEXT, unwrap(self._paragraph)))
            self._paragraph = []

    def _take_fence(self, first: str) -> None:
        """A fence that is never closed runs to the next blank line only: better a short
        code block than a lost chapter."""
        mark = _FENCE.match(first).group(1)[:3]
        end = self._find(lambda line: line.strip().startswith(mark))
        stop = end + 1 if end is not None else self._find(lambda line: not line.strip()) or len(self._lines)
        self._close()
        self._found.append(Element(ElementKind.CODE, "\n".join(self._lines[self._at : stop])))
        self._at = stop

    def _find(self, wanted) -> int | None:
        after = range(self._at + 1, len(self._lines))
        return next((i for i in after if wanted(self._lines[i])), None)

    def _take_table(self) -> None:
        self._close()
        end = self._find(lambda line: "|" not in line)
        stop = len(self._lines) if end is None else end
        lines = [line for at, line in enumerate(self._lines[self._at : stop]) if at != 1]
        if element := table_element(pipe_cells(line) for line in lines):
            self._found.append(element)
        self._at = stop

    def _take_item(self, first: str) -> None:
        """An item with its indented continuation and inner items."""
        self._close()
        indent = _indent(first)
        end = self._find(lambda line: not line.strip() or _indent(line) <= indent or _FENCE.match(line))
        stop = len(self._lines) if end is None else end
        self._found.append(Element(ElementKind.LIST, "\n".join(self._lines[self._at : stop])))
        self._at = stop

    def _is_table(self) -> bool:
        following = self._lines[self._at + 1 : self._at + 2]
        return "|" in self._lines[self._at] and bool(following) and bool(_TABLE_RULE.match(following[0]))

    def _title_level(self, line: str) -> int:
        """1…6 when the line is a title, else 0."""
        if match := _HASHES.match(line):
            self._heading_level = len(match.group(1))
            return self._heading_level
        if self._heads_its_text(line):
            return min(6, max(2, self._heading_level + 1) + (not self._blank(self._at - 1)))
        if not self._blank(self._at - 1) or display_width(line) > 2 * _TITLE_CELLS:
            return 0
        below = min(6, max(2, self._heading_level + 1))
        if _QUESTION.match(line) and not self._next_is_question():
            return below
        if not self._blank(self._at + 1) or _is_open_or_long(line, _TITLE_CELLS):
            return 0
        if _SECTION.match(line):
            return below
        return 1 if not self._found and self._at + 1 < len(self._lines) else 0

    def _heads_its_text(self, line: str) -> bool:
        """A short numbered line with a paragraph right under it, not a list: `8. vllm`."""
        if not _NUMBERED.match(line) or _is_open_or_long(line, _SHORT_CELLS) or self._blank(self._at + 1):
            return False
        below = self._lines[self._at + 1]
        return not (LIST_ITEM.match(below) or _indent(below) or _HASHES.match(below) or _FENCE.match(below))

    def _blank(self, at: int) -> bool:
        return at < 0 or at >= len(self._lines) or not self._lines[at].strip()

    def _next_is_question(self) -> bool:
        following = self._lines[self._at + 1 : self._at + 2]
        return bool(following) and bool(_QUESTION.match(following[0]))


def _is_open_or_long(line: str, max_cells: int) -> bool:
    """Whether a line ends like a sentence or is too long for a title."""
    return line[-1] in SENTENCE_END + ",，、" or display_width(line) > max_cells


def _title_text(line: str) -> str:
    match = _HASHES.match(line)
    return match.group(2) if match else line.strip()


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
