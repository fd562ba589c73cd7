"""One element to the pieces that a chunker may not cut: sentences, rows, lines of code."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from core.text import split_sentences
from core.types import Element, ElementKind
from ingest.parsers.tables import table_text

_CLAUSE_END = re.compile(r"[，,；;：:、）)\]】]\s*|\s+")
_TABLE_RULE = re.compile(r"^\s*\|?\s*:?-{2,}")
_SEPARATOR_TOKENS = 1
_WHOLE = frozenset({ElementKind.TABLE, ElementKind.CODE, ElementKind.FORMULA})


@dataclass(frozen=True, slots=True)
class Piece:
    """`tokens` counts text and separator; `separator` stands before the text unless it begins
    a chunk. `first` says that it may begin a chunk without tearing its element, `is_part`
    that it holds some rows of a table."""

    text: str
    separator: str
    tokens: int
    element: Element
    first: bool
    is_sentence: bool = False
    is_part: bool = False


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
    """Rows that each may begin a chunk with caption and header in front of them, then the
    footnotes. A table too wide for that is cut into bands of columns, each with the first one.

    Empty when not even that fits: then the table is cut like a text.
    """
    parts = _parts_of(element.text)
    if parts is None:
        return []
    sizes = [count_tokens(line) + _SEPARATOR_TOKENS for line in parts.rows]
    for caption in dict.fromkeys((parts.caption, "")):
        header = f"{caption}{parts.header}"
        header_tokens = count_tokens(header) + _SEPARATOR_TOKENS
        if header_tokens + max(sizes) <= longest and (not caption or 2 * header_tokens <= longest):
            break
    else:
        return _cut_wide(element, longest, count_tokens)
    before = [] if caption else _note_pieces(element, parts.caption, longest, count_tokens)
    room = longest - lead if header_tokens + sizes[0] + lead <= longest else longest
    notes = _note_pieces(element, parts.notes, longest, count_tokens)
    below = sum(piece.tokens for piece in notes)
    pieces = _table_pieces(element, parts.rows, sizes, (header, header_tokens, longest, room, below))
    return [*before, *pieces, *notes]


@dataclass(frozen=True, slots=True)
class _Parts:
    """Lines of a table's text; `caption` and `header` (with its rule) end with a line break."""

    caption: str
    header: str
    rows: Sequence[str]
    notes: str


def _parts_of(text: str) -> _Parts | None:
    """None when there is no Markdown table in it."""
    lines = [line for line in text.split("\n") if line.strip()]
    rule = next((at for at, line in enumerate(lines) if at and _TABLE_RULE.match(line)), 0)
    end = rule + 1
    while end < len(lines) and "|" in lines[end]:
        end += 1
    if not rule or end == rule + 1:
        return None
    caption = "".join(f"{line}\n" for line in lines[: rule - 1])
    return _Parts(
        caption, f"{lines[rule - 1]}\n{lines[rule]}\n", lines[rule + 1 : end], "\n".join(lines[end:])
    )


def _note_pieces(
    element: Element, text: str, longest: int, count_tokens: Callable[[str], int]
) -> list[Piece]:
    """Caption or footnotes that stand for themselves. They stay with their table where both
    fit, hence `first` is false."""
    pieces = []
    for separator, line in _lines(text):
        for at, (gap, part) in enumerate(cut_to_fit(line, longest - _SEPARATOR_TOKENS, count_tokens)):
            tokens = count_tokens(part) + _SEPARATOR_TOKENS
            pieces.append(Piece(part, gap if at else separator, tokens, element, False))
    return pieces


def _cut_wide(element: Element, longest: int, count_tokens: Callable[[str], int]) -> list[Piece]:
    """A table as several, each with the first column and as many others as fit in a row."""
    table = element.table
    if table is None or len(table.header) < 2:
        return []
    rows = [table.header, *table.body]
    widths = [max(count_tokens(f" {row[at]} | ---") + 2 for row in rows) for at in range(len(table.header))]
    room = longest // 2 - widths[0]
    if max(widths[1:]) > room:
        return []
    bands: list[list[int]] = []
    used = longest
    for at in range(1, len(widths)):
        if used + widths[at] > room:
            bands.append([0])
            used = 0
        bands[-1].append(at)
        used += widths[at]
    pieces: list[Piece] = []
    for band in bands:
        cells = tuple(tuple(row[at] for at in band) for row in table.rows)
        last = table.footnotes if band is bands[-1] else ()
        part = replace(table, rows=cells, footnotes=last)
        cut = replace(element, text=table_text(part), table=part)
        pieces.extend(replace(piece, element=element) for piece in _cut_table(cut, longest, count_tokens, 0))
    return pieces if len(bands) > 1 else []


def _table_pieces(
    element: Element, rows: Sequence[str], sizes: Sequence[int], frame: tuple[str, int, int, int, int]
) -> list[Piece]:
    """Groups rows here, since only the first row of a group carries the header. The last row
    goes into a group of its own when only so the footnotes `below` stay with a row."""
    header, header_tokens, longest, room, below = frame
    groups: list[tuple[list[str], int]] = []
    for line, size in zip(rows, sizes, strict=True):
        if not groups or groups[-1][1] + size > (room if len(groups) == 1 else longest):
            groups.append(([], header_tokens))
        taken, total = groups[-1]
        taken.append(line)
        groups[-1] = (taken, total + size)
    taken, total = groups[-1]
    alone = header_tokens + sizes[-1]
    if len(taken) > 1 and total + below > longest >= alone + below:
        groups[-1:] = [(taken[:-1], total - sizes[-1]), (taken[-1:], alone)]
    return [
        Piece(header + "\n".join(taken), "\n", total, element, first=True, is_part=True)
        for taken, total in groups
    ]
