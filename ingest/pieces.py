"""One element to the pieces that a chunker may not cut: sentences, rows, lines of code."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from core.text import split_sentences
from core.types import Element, ElementKind

_CLAUSE_END = re.compile(r"[，,；;：:、）)\]】]\s*|\s+")
_TABLE_RULE = re.compile(r"^\s*\|?\s*:?-{2,}")
_SEPARATOR_TOKENS = 1
_WHOLE = frozenset({ElementKind.TABLE, ElementKind.CODE, ElementKind.FORMULA})


@dataclass(frozen=True, slots=True)
class Piece:
    """`tokens` counts text and separator; `separator` stands before the text unless it begins
    a chunk. `first` says that it may begin a chunk without tearing its element."""

    text: str
    separator: str
    tokens: int
    element: Element
    first: bool
    is_sentence: bool = False


def cut_element(
    element: Element, longest: int, count_tokens: Callable[[str], int], lead: int = 0
) -> list[Piece]:
    """The pieces of an element, none longer than `longest` tokens. `lead`: tokens of the
    short text in front of it; the first rows of a table leave room for it."""
    text = element.text.strip("\n")
    whole = count_tokens(text) + _SEPARATOR_TOKENS
    if element.kind in _WHOLE and whole <= longest:
        return [Piece(text, "\n", whole, element, True)]
    if element.kind is ElementKind.TABLE and (pieces := _cut_table(element, longest, count_tokens, lead)):
        return pieces
    parts = _lines(text) if element.kind is ElementKind.CODE else _sentences(text)
    pieces: list[Piece] = []
    for separator, part in parts:
        tokens = count_tokens(part) + _SEPARATOR_TOKENS
        if tokens <= longest:
            is_sentence = element.kind not in _WHOLE
            pieces.append(Piece(part, separator, tokens, element, not pieces, is_sentence))
            continue
        for at, (gap, cut) in enumerate(cut_to_fit(part, longest - _SEPARATOR_TOKENS, count_tokens)):
            size = count_tokens(cut) + _SEPARATOR_TOKENS
            pieces.append(Piece(cut, gap if at else separator, size, element, not pieces))
    return pieces


def cut_to_fit(text: str, longest: int, count_tokens: Callable[[str], int]) -> list[tuple[str, str]]:
    """Halves a text at the clause mark nearest its middle, or in the middle when there is
    none, until every part fits. Pairs of the white space before a part and the part."""
    if len(text) < 2 or count_tokens(text) <= longest:
        return [("", text)]
    middle = len(text) // 2
    at = min((m.end() for m in _CLAUSE_END.finditer(text)), key=lambda end: abs(end - middle), default=middle)
    if not len(text) // 4 <= at <= 3 * len(text) // 4:
        at = middle
    left, right = text[:at].rstrip(), text[at:].lstrip()
    if not left or not right:
        return cut_to_fit(left or right, longest, count_tokens)
    gap = " " if len(left) + len(right) < len(text) else ""
    first, *rest = cut_to_fit(right, longest, count_tokens)
    return [*cut_to_fit(left, longest, count_tokens), (gap, first[1]), *rest]


def _sentences(text: str) -> Iterator[tuple[str, str]]:
    end = 0
    for span in split_sentences(text):
        gap = text[end : span.start]
        indent = gap.rpartition("\n")[2] if "\n" in gap else ""
        separator = "\n" if "\n" in gap or end == 0 else " " if gap else ""
        yield separator, indent + span.of(text)
        end = span.end


def _lines(text: str) -> Iterator[tuple[str, str]]:
    for line in text.split("\n"):
        if line.strip():
            yield "\n", line


def _cut_table(element: Element, longest: int, count_tokens: Callable[[str], int], lead: int) -> list[Piece]:
    """Rows that each may begin a chunk with the header in front of them.

    Empty when header and row do not fit together: then the table is cut like a text.
    """
    lines = [line for line in element.text.split("\n") if line.strip()]
    if len(lines) < 3 or not _TABLE_RULE.match(lines[1]):
        return []
    header = "\n".join(lines[:2]) + "\n"
    header_tokens = count_tokens(header) + _SEPARATOR_TOKENS
    sizes = [count_tokens(line) + _SEPARATOR_TOKENS for line in lines[2:]]
    if header_tokens + max(sizes) > longest:
        return []
    room = longest - lead if header_tokens + sizes[0] + lead <= longest else longest
    return _table_pieces(element, lines, sizes, (header, header_tokens, longest, room))


def _table_pieces(
    element: Element, lines: Sequence[str], sizes: Sequence[int], frame: tuple[str, int, int, int]
) -> list[Piece]:
    """Groups rows here, since only the first row of a group carries the header."""
    header, header_tokens, longest, room = frame
    groups: list[tuple[list[str], int]] = []
    for line, size in zip(lines[2:], sizes, strict=True):
        if not groups or groups[-1][1] + size > (room if len(groups) == 1 else longest):
            groups.append(([], header_tokens))
        rows, total = groups[-1]
        groups[-1] = ([*rows, line], total + size)
    return [Piece(header + "\n".join(rows), "\n", total, element, first=True) for rows, total in groups]
