"""Lines to paragraphs, in Chinese and English. Pure functions, no file formats."""

import re
import unicodedata
from collections.abc import Sequence
from itertools import pairwise

from core.text import CJK

SENTENCE_END = "。！？!?.;；:：…"
_NO_BLANK = re.compile(f"[{CJK}\\u3000-\\u303f\\uff00-\\uffef“”‘’—…]")
LIST_ITEM = re.compile(r"^\s*(?:[-*+•·▪◦‣●○■□–—]\s+|\d{1,3}[.)、．]\s*(?!\d)|[（(]\d{1,3}[)）]|[①-⑳])\S")
_WRAP_COLUMNS = range(60, 101)
_RAGGED_CELLS = 4
_FIRST_WORD = re.compile(f"[{CJK}]|[^\\s{CJK}]+")


def join_pair(left: str, right: str) -> str:
    """Two halves of a broken line: no blank where Chinese meets Chinese, else one blank.

    A Chinese character beside a digit or a Latin word gets no blank either, since a line
    broken there was written without one.
    """
    if not left or not right:
        return left + right
    if left.endswith(("\x02", "\ufffe", "\u00ad")):
        # A name or a number after the hyphen had it before the line was broken.
        return left[:-1] + (right if right[0].islower() else f"-{right}")
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

    A line was broken to fit when it does not end a sentence, the longest line is about a
    column wide (60 to 100 cells, a Chinese character is two), and the next word would not
    have fitted into it.
    """
    stripped = [line.strip() for line in lines if line.strip()]
    column = max((display_width(line) for line in stripped), default=0)
    if column not in _WRAP_COLUMNS:
        return "\n".join(stripped)
    text = stripped[0]
    for above, below in pairwise(stripped):
        word = _FIRST_WORD.match(below).group()
        full = display_width(above) + display_width(word) + 1 >= column - _RAGGED_CELLS
        broken = full and above[-1] not in SENTENCE_END and not LIST_ITEM.match(below)
        text = join_pair(text, below) if broken else f"{text}\n{below}"
    return text


def display_width(line: str) -> int:
    """Cells on a terminal: wide characters are two."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)
