"""Lines of PDF pages to elements: titles by size, tables by gaps, paragraphs by what ends a line."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from core.types import Box, Element, ElementKind
from ingest.parsers.lines import LIST_ITEM, SENTENCE_END, join_all
from ingest.parsers.pdf_lines import Line
from ingest.parsers.tables import markdown_table

_TITLE_RATIO = 1.08
_TITLE_CHARS = 120
_PARAGRAPH_PITCH = 1.25
_SHORT_LINE = 0.85
_SAME_SIZE = 0.92


def compose_pages(pages: Sequence[Sequence[Line]]) -> list[Element]:
    """The elements of all pages in order. A paragraph ends with its page."""
    body = _body_height(pages)
    sizes = _title_sizes({_size(line) for page in pages for line in page if _is_title(line, body)})
    elements = []
    for page in pages:
        for block in _blocks(page, body):
            elements.append(_element(block, body, sizes))
    return [e for e in elements if e.text.strip()]


def _title_sizes(sizes: set[float]) -> list[float]:
    """The largest size of each title level: what differs by less than 8 % is one level."""
    levels: list[float] = []
    for size in sorted(sizes, reverse=True):
        if not levels or size < levels[-1] * _SAME_SIZE:
            levels.append(size)
    return levels


def _level(size: float, sizes: Sequence[float]) -> int:
    return min(6, max(1, sum(size < top * _SAME_SIZE for top in sizes) + 1))


def _body_height(pages: Sequence[Sequence[Line]]) -> float:
    """The height in which most characters are set."""
    weights: Counter[float] = Counter()
    for page in pages:
        for line in page:
            weights[_size(line)] += len(line.text)
    return weights.most_common(1)[0][0] if weights else 0.0


def _size(line: Line) -> float:
    """Heights that differ by less than half a point are one size."""
    return round(line.height * 2) / 2


def _is_title(line: Line, body: float) -> bool:
    large = _size(line) > body * _TITLE_RATIO
    return large and len(line.text) <= _TITLE_CHARS and line.text[-1] not in "。.;；,，"


def _blocks(lines: Sequence[Line], body: float) -> Iterator[list[Line]]:
    """Runs of lines that belong together: a table, a title, or a paragraph."""
    right = max((line.box.right for line in lines), default=0.0)
    frame = _Frame(body, right, _line_pitch(lines))
    at = 0
    while at < len(lines):
        if lines[at].table:
            yield [lines[at]]
            at += 1
            continue
        end = _table_end(lines, at)
        if end - at < 2:
            end = at + 1
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


@dataclass(frozen=True, slots=True)
class _Frame:
    """What a page is measured by: height of body text, right edge, distance of its lines."""

    body: float
    right: float
    pitch: float


def _line_pitch(lines: Sequence[Line]) -> float:
    """The distance of lines within paragraphs: the lower quartile, for the upper ones part
    paragraphs. Measured, since fonts say little about it."""
    pitches = sorted(b.box.bottom - a.box.bottom for a, b in pairwise(lines) if b.box.bottom > a.box.bottom)
    return pitches[len(pitches) // 4] if pitches else 0.0


def _continues(above: Line, below: Line, frame: _Frame) -> bool:
    """Whether the lower line goes on with the sentence of the upper one."""
    if above.table or below.table:
        return False
    titles = _is_title(above, frame.body), _is_title(below, frame.body)
    if any(titles) and not (all(titles) and _level(_size(above), [_size(below)]) == 1):
        return False
    pitch = below.box.bottom - above.box.bottom
    limit = _PARAGRAPH_PITCH * max(frame.pitch, above.height if all(titles) else 0.0)
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


def _element(block: Sequence[Line], body: float, sizes: Sequence[float]) -> Element:
    first = block[0]
    box = _union([line.box for line in block])
    if len(block) > 1 and len(first.cells) >= 2 and _table_end(block, 0) == len(block):
        return Element(ElementKind.TABLE, markdown_table([line.cells for line in block]), first.box.page, box)
    if first.table:
        return Element(ElementKind.TABLE, markdown_table(first.table), first.box.page, first.box)
    text = _without_hyphens(join_all([line.text for line in block]))
    if _is_title(first, body):
        level = _level(_size(first), sizes)
        return Element(ElementKind.TITLE, text, first.box.page, box, level)
    kind = ElementKind.LIST if LIST_ITEM.match(text) else ElementKind.TEXT
    return Element(kind, text, first.box.page, box)


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
