"""Lines of PDF pages to elements: titles by size, weight and number, tables by rules or gaps,
code by its font, paragraphs by what ends a line."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from core.types import Box, Element, ElementKind, Table
from ingest.parsers.headings import numbered_depth, stands_for_itself
from ingest.parsers.lines import LIST_ITEM, SENTENCE_END, join_all
from ingest.parsers.page_tables import carry_headers
from ingest.parsers.pdf_lines import Line
from ingest.parsers.reading_order import Place, reading_rows
from ingest.parsers.tables import table_element

_TITLE_RATIO = 1.08
_TITLE_CHARS = 120
_BOLD_TITLE_CHARS = 80
_MOST_BOLD = 0.3
_MOST_MONO = 0.6
_PARAGRAPH_PITCH = 1.25
_TITLE_PITCH = 1.7
_UPRIGHT = 3.0
_SHORT_LINE = 0.85
_SAME_SIZE = 0.92
_NO_TITLE_END = "。.;；,，"
_OPENING = re.compile(r"[\W\d_]*[^\W\d_]")
_BROKEN_WORD = re.compile(r"[a-z]-$")


@dataclass(frozen=True, slots=True)
class _Style:
    """What the document is measured by: height of its body text, the largest size of each title
    level, whether weight says anything in it, and whether equally wide characters do."""

    body: float
    sizes: tuple[float, ...] = ()
    weight_tells: bool = False
    width_tells: bool = False


@dataclass(frozen=True, slots=True)
class _Frame:
    """What a page is measured by besides: right edge, distance of its lines."""

    style: _Style
    right: float
    pitch: float


def compose_pages(pages: Sequence[Sequence[Line]]) -> list[Element]:
    """The elements of all pages in order. A paragraph ends with its page."""
    pages = carry_headers([_ordered(page) for page in pages])
    style = _style(pages)
    elements = [_element(block, style) for page in pages for block in _blocks(page, style)]
    return [element for element in elements if element.text.strip()]


def _ordered(page: Sequence[Line]) -> list[Line]:
    """The order of the file, unless it goes back up within a column: then that of the eye."""
    jumps = sum(
        b.box.bottom < a.box.top - 2 * a.height and b.box.left < a.box.right and b.box.right > a.box.left
        for a, b in pairwise(page)
    )
    if not jumps:
        return list(page)
    places = [Place(n, x.box.left, x.box.top, x.box.right, x.box.bottom) for n, x in enumerate(page)]
    return [page[n] for row in reading_rows(places) for n in row]


def _style(pages: Sequence[Sequence[Line]]) -> _Style:
    weights: Counter[float] = Counter()
    bold = mono = total = 0
    for line in (line for page in pages for line in page if not line.is_block):
        weights[_size(line)] += len(line.text)
        total += len(line.text)
        bold += len(line.text) * line.bold
        mono += len(line.text) * line.mono
    body = weights.most_common(1)[0][0] if weights else 0.0
    style = _Style(body, (), 0 < bold < _MOST_BOLD * total, 0 < mono < _MOST_MONO * total)
    large = {_size(line) for page in pages for line in page if _is_large(line, style)}
    return _Style(body, tuple(_title_sizes(large)), style.weight_tells, style.width_tells)


def _title_sizes(sizes: set[float]) -> list[float]:
    """The largest size of each title level: what differs by less than 8 % is one level."""
    levels: list[float] = []
    for size in sorted(sizes, reverse=True):
        if not levels or size < levels[-1] * _SAME_SIZE:
            levels.append(size)
    return levels


def _size(line: Line) -> float:
    """Heights that differ by less than half a point are one size."""
    return round(line.height * 2) / 2


def _is_large(line: Line, style: _Style) -> bool:
    if line.is_block or len(line.text) > _TITLE_CHARS or line.text[-1] in _NO_TITLE_END:
        return False
    return _size(line) > style.body * _TITLE_RATIO


def _title_level(line: Line, style: _Style) -> int:
    """1 to 6 for a heading, 0 for everything else. Levels by weight and number come below
    those by size."""
    sideways = line.box.bottom - line.box.top > _UPRIGHT * max(line.height, 1.0)
    if line.is_block or sideways or not line.text or line.text[-1] in _NO_TITLE_END:
        return 0
    if _is_large(line, style):
        return min(6, 1 + sum(_size(line) < top * _SAME_SIZE for top in style.sizes))
    heavy = style.weight_tells and line.text[0] not in ",.;)]" and line.bold and len(line.cells) < 2
    depth = numbered_depth(line.text)
    if depth and (heavy or stands_for_itself(line.text)):
        return min(6, len(style.sizes) + depth)
    short = len(line.text) <= _BOLD_TITLE_CHARS and line.text[-1] not in ":：" and _OPENING.match(line.text)
    return min(6, len(style.sizes) + 1) if heavy and short and _size(line) >= style.body else 0


def _blocks(lines: Sequence[Line], style: _Style) -> Iterator[list[Line]]:
    """Runs of lines that belong together: a table, a title, code, or a paragraph."""
    frame = _Frame(style, max((line.box.right for line in lines), default=0.0), _line_pitch(lines))
    at = 0
    while at < len(lines):
        end = at + 1
        if lines[at].is_block:
            pass
        elif style.width_tells and at + 1 < len(lines) and _same_code(lines[at], lines[at + 1]):
            while end < len(lines) and _same_code(lines[end - 1], lines[end]):
                end += 1
        elif (table_end := _table_end(lines, at)) - at >= 2:
            end = table_end
        else:
            while end < len(lines) and _continues(lines[end - 1], lines[end], frame):
                if _table_end(lines, end) - end >= 2:
                    break
                end += 1
        yield list(lines[at:end])
        at = end


def _table_end(lines: Sequence[Line], at: int) -> int:
    """Where the run of lines with equally many cells, two or more, ends."""
    count = len(lines[at].cells)
    end = at
    while count >= 2 and end < len(lines) and len(lines[end].cells) == count:
        end += 1
    return end


def _same_code(above: Line, below: Line) -> bool:
    return above.mono and below.mono and 0 < below.box.top - above.box.top < 4 * max(above.height, 1.0)


def _line_pitch(lines: Sequence[Line]) -> float:
    """The distance of lines within paragraphs: the lower quartile, for the upper ones part
    paragraphs. Measured, since fonts say little about it."""
    pitches = sorted(b.box.bottom - a.box.bottom for a, b in pairwise(lines) if b.box.bottom > a.box.bottom)
    return pitches[len(pitches) // 4] if pitches else 0.0


def _continues(above: Line, below: Line, frame: _Frame) -> bool:
    """Whether the lower line goes on with the sentence of the upper one."""
    if above.is_block or below.is_block or (frame.style.width_tells and above.mono != below.mono):
        return False
    titles = _title_level(above, frame.style), _title_level(below, frame.style)
    if any(titles) and not (titles[0] == titles[1] and not numbered_depth(below.text)):
        return False
    pitch = below.box.bottom - above.box.bottom
    limit = max(_PARAGRAPH_PITCH * frame.pitch, _TITLE_PITCH * above.height if all(titles) else 0.0)
    if not 0 < pitch <= limit or (LIST_ITEM.match(below.text) and above.text[-1] in SENTENCE_END):
        return False
    if all(titles):
        return True
    ends = above.text[-1] in SENTENCE_END
    if ends and frame.right - above.box.right > 1.5 * above.height:
        return False
    full = above.box.right - above.box.left > _SHORT_LINE * (frame.right - above.box.left)
    return full or (not ends and _wraps(above, below))


def _wraps(above: Line, below: Line) -> bool:
    """A line of a narrow column: the lower line is about as wide, so the upper one was full."""
    return above.box.right - above.box.left >= 0.9 * (below.box.right - below.box.left)


def _element(block: Sequence[Line], style: _Style) -> Element:
    first = block[0]
    page, box = first.box.page, _union([line.box for line in block])
    if first.figure:
        return Element(ElementKind.FIGURE, first.text, page, box)
    if first.table:
        frame = Table((), first.header_rows)
        return table_element(first.table, frame, page, box) or Element(ElementKind.TEXT, "", page, box)
    if style.width_tells and len(block) > 1 and all(line.mono for line in block):
        return Element(ElementKind.CODE, _code(block), page, box)
    if len(block) > 1 and len(first.cells) >= 2 and _table_end(block, 0) == len(block):
        table = table_element([line.cells for line in block], page=page, box=box)
        return table or Element(ElementKind.TEXT, "", page, box)
    text = _without_hyphens(join_all(_unbroken([line.text for line in block])))
    if level := _title_level(first, style):
        return Element(ElementKind.TITLE, text, page, box, level)
    return Element(ElementKind.LIST if LIST_ITEM.match(text) else ElementKind.TEXT, text, page, box)


def _code(block: Sequence[Line]) -> str:
    """Lines as they stand, indented by their place."""
    left = min(line.box.left for line in block)
    width = max(1.0, _character_width(block))
    lines = (" " * round((line.box.left - left) / width) + line.text for line in block)
    return _without_hyphens("\n".join(lines))


def _character_width(block: Sequence[Line]) -> float:
    longest = max(block, key=lambda line: len(line.text))
    return (longest.box.right - longest.box.left) / max(1, len(longest.text))


def _unbroken(lines: Sequence[str]) -> list[str]:
    """A hyphen between small letters at a line end marks a broken word, also where the file
    does not say so."""
    marked = [
        f"{line[:-1]}\x02" if _BROKEN_WORD.search(line) and below[:1].islower() else line
        for line, below in pairwise(lines)
    ]
    return [*marked, lines[-1]]


def _without_hyphens(text: str) -> str:
    """A soft hyphen that ended a line for good was a real one."""
    return text.replace("\x02", "-").replace("\ufffe", "-")


def _union(boxes: Sequence[Box]) -> Box:
    return Box(
        boxes[0].page,
        min(b.left for b in boxes),
        min(b.top for b in boxes),
        max(b.right for b in boxes),
        max(b.bottom for b in boxes),
    )
