"""Lines to paragraphs, in Chinese and English. Pure functions, no file formats."""

import re
import unicodedata
from collections.abc import Sequence

from core.text import CJK

SENTENCE_END = "。！？!?.;；:：…"
_NO_BLANK = re.compile(f"[{CJK}\\u3000-\\u303f\\uff00-\\uffef“”‘’—…]")
LIST_ITEM = re.compile(r"^\s*(?:[-*+•·▪◦‣●○■□–—]\s+|\d{1,3}[.)、．]\s*(?!\d)|[（(]\d{1,3}[)）]|[①-⑳])\S")
_WRAP_COLUMNS = range(60, 140)


def join_pair(left: str, right: str) -> str:
    """Two halves of a broken line: no blank where Chinese meets Chinese, else one blank.

    A Chinese character beside a digit or a Latin word gets no blank either, since a line
    broken there was written without one.
    """
    if not left or not right:
        return left + right
    if left.endswith(("\x02", "\ufffe", "\u00ad")):
        return left[:-1] + right
    if _NO_BLANK.match(left[-1]) or _NO_BLANK.match(right[0]):
        return left + right
    return f"{left} {right}"


def join_all(lines: Sequence[str]) -> str:
    """All lines of one paragraph as one line."""
    text = ""
    for line in lines:
        text = join_pair(text, line.strip())
    return text


def unwrap(lines: Sequence[str]) -> str:
    """Joins lines that were broken to fit a column; leaves breaks that mean something.

    A line was broken to fit when it is about one column wide (60 to 139 cells, a Chinese
    character is two) and does not end a sentence.
    """
    text = ""
    width = 0
    for line in (raw.strip() for raw in lines):
        if not line:
            continue
        broken = width in _WRAP_COLUMNS and text[-1] not in SENTENCE_END and not LIST_ITEM.match(line)
        text = join_pair(text, line) if broken or not text else f"{text}\n{line}"
        width = display_width(line)
    return text


def display_width(line: str) -> int:
    """Cells on a terminal: wide characters are two."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)
