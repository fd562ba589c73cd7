"""Pictures on a PDF page that has a text layer: their words by OCR, and their captions.

Knows places and lines. A picture is found by what is written in it and below it; one with
neither has no line.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from core.types import Box, Element, ElementKind, Figure
from ingest.parsers.captions import CAPTION
from ingest.parsers.lines import join_all
from ingest.parsers.pdf_lines import Line

_NEAR_HEIGHTS = 4.0
_PITCH_HEIGHTS = 1.9
_CAPTION_LINES = 6
_MIN_SIDE = 48.0
_MOST = 12

ReadPlace = Callable[[Box], Sequence[Line]]


def figure_boxes(places: Sequence[tuple[float, float, float, float]], page: int) -> list[Box]:
    """The pictures large enough to hold something, the largest first, at most a dozen."""
    boxes = [Box(page, *(round(side, 1) for side in place)) for place in places]
    large = [b for b in boxes if min(b.right - b.left, b.bottom - b.top) >= _MIN_SIDE]
    large.sort(key=lambda b: -(b.right - b.left) * (b.bottom - b.top))
    kept: list[Box] = []
    for box in large:
        if not any(_inside(box, other) for other in kept):
            kept.append(box)
    return kept[:_MOST]


def put_figures_in(lines: list[Line], boxes: Sequence[Box], read: ReadPlace) -> list[Line]:
    """The lines with each picture as one line in the place of its caption, or where it stands:
    caption first, then the words in the picture. Pictures without words are left out."""
    for box in boxes:
        caption = _caption_of(lines, box)
        # Words that the text layer itself has within the picture are kept as they are.
        covered = any(_inside(line.box, box) for line in lines)
        words = [] if covered else [line.text for line in read(box)]
        if not caption and not words:
            continue
        said = join_all([line.text for line in caption])
        figure = Line("\n".join(filter(None, [said, *words])), box, 0.0, figure=True)
        at = _place_of(lines, caption, box)
        dropped = {id(line) for line in caption}
        lines = [line for line in (*lines[:at], figure, *lines[at:]) if id(line) not in dropped]
    return lines


def with_pictures(elements: Sequence[Element], figures: Mapping[Box, Figure]) -> list[Element]:
    """Each figure element with the picture of its place; a picture without words, for which
    there is no element, behind the last one of its page."""
    kept, left = [], dict(figures)
    for element in elements:
        figure = left.pop(element.box, None) if element.kind is ElementKind.FIGURE else None
        kept.append(replace(element, figure=figure) if figure else element)
    for box, figure in left.items():
        at = next((n for n in reversed(range(len(kept))) if (kept[n].page or 0) <= box.page), -1) + 1
        kept.insert(at, Element(ElementKind.FIGURE, "", box.page, box, figure=figure))
    return kept


def crop(image: np.ndarray, box: Box, scale: float) -> np.ndarray:
    """The part of a rendered page that shows the box; `scale` is pixels a point."""
    top, bottom = max(0, int(box.top * scale)), int(box.bottom * scale)
    return image[top:bottom, max(0, int(box.left * scale)) : int(box.right * scale)]


def moved(line: Line, box: Box) -> Line:
    """A line read within the box, in the coordinates of its page."""
    inner = line.box
    place = Box(
        box.page,
        round(inner.left + box.left, 1),
        round(inner.top + box.top, 1),
        round(inner.right + box.left, 1),
        round(inner.bottom + box.top, 1),
    )
    return replace(line, box=place)


def _caption_of(lines: Sequence[Line], box: Box) -> list[Line]:
    """The lines of the nearest caption below, else above; it goes on while lines follow closely."""
    starts = [n for n, line in enumerate(lines) if CAPTION.match(line.text) and _is_near(line, box)]
    if not starts:
        return []
    first = min(starts, key=lambda n: (lines[n].box.top < box.top, abs(lines[n].box.top - box.bottom)))
    caption = [lines[first]]
    for above, below in pairwise(lines[first : first + _CAPTION_LINES]):
        pitch = below.box.top - above.box.top
        if not 0 < pitch <= _PITCH_HEIGHTS * above.height or below.bold != above.bold or below.table:
            break
        caption.append(below)
    return caption


def _is_near(line: Line, box: Box) -> bool:
    aside = line.box.right < box.left or line.box.left > box.right
    gap = max(line.box.top - box.bottom, box.top - line.box.bottom)
    return not aside and gap <= _NEAR_HEIGHTS * max(line.height, 8.0)


def _place_of(lines: Sequence[Line], caption: Sequence[Line], box: Box) -> int:
    if caption:
        return next(n for n, line in enumerate(lines) if line is caption[0])
    overlapping = (n for n, x in enumerate(lines) if x.box.top >= box.bottom and x.box.left < box.right)
    return next(overlapping, len(lines))


def _inside(box: Box, frame: Box) -> bool:
    x, y = (box.left + box.right) / 2, (box.top + box.bottom) / 2
    return frame.left <= x <= frame.right and frame.top <= y <= frame.bottom
