"""Lines of a PDF page that nobody sees: set invisibly, in the colour of what is behind them, too
small, or outside the page.

Whether a light line is seen is looked up in a picture of the page: white words on a dark bar
are read by everybody. The text layer that lies behind a scan is invisible for a good reason.
What hides text is judged in ingest/cleaning/hidden_text.py.
"""

from collections.abc import Sequence
from functools import cache
from itertools import groupby

import numpy as np
import pypdfium2

from core.types import Box, Element, ElementKind
from ingest.cleaning.hidden_text import LEAST_POINTS, Look, why_invisible
from ingest.parsers.pdf_lines import Line
from ingest.parsers.pdf_marks import PageMarks

_PIXELS = 1600
_LEAST_CHARS = 3


def take_hidden(
    page: pypdfium2.PdfPage, lines: Sequence[Line], marks: PageMarks
) -> tuple[list[Line], list[Element]]:
    """The lines that are seen, and the others as elements that say why they are not."""
    width, height = page.get_size()
    suspects = [line for line in lines if _is_suspect(line, width, height)]
    if not suspects:
        return list(lines), []
    rendered = cache(lambda: _rendered(page))
    reasons = {id(line): _why(line, (width, height), marks, rendered) for line in suspects}
    hidden = [line for line in suspects if reasons[id(line)]]
    seen = [line for line in lines if not reasons.get(id(line))]
    return seen, [
        Element(ElementKind.TEXT, "\n".join(line.text for line in group), group[0].box.page, hidden=reason)
        for reason, found in groupby(hidden, key=lambda line: reasons[id(line)])
        if (group := list(found))
    ]


def _is_suspect(line: Line, width: float, height: float) -> bool:
    if sum(c.isalnum() for c in line.text) < _LEAST_CHARS:
        return False
    return line.unseen or line.faint or 0 < line.height < LEAST_POINTS or _is_outside(line.box, width, height)


def _is_outside(box: Box, width: float, height: float) -> bool:
    return box.right <= 0 or box.bottom <= 0 or box.left >= width or box.top >= height


def _why(line: Line, size: tuple[float, float], marks: PageMarks, rendered) -> str:
    if _is_outside(line.box, *size):
        return "outside the page"
    if line.unseen:
        return (
            ""
            if any(_overlaps(line.box, place) for place in marks.pictures)
            else why_invisible(Look(opacity=0))
        )
    if line.faint:
        image, scale = rendered()
        return why_invisible(_look(image, line.box, scale))
    return why_invisible(Look(points=line.height))


def _overlaps(box: Box, place: tuple[float, float, float, float]) -> bool:
    left, top, right, bottom = place
    return box.left < right and left < box.right and box.top < bottom and top < box.bottom


def _look(image: np.ndarray, box: Box, scale: float) -> Look:
    """The commonest colour in a box, and the one that differs most from it."""
    top, left = max(0, int(box.top * scale)), max(0, int(box.left * scale))
    part = image[top : int(np.ceil(box.bottom * scale)), left : int(np.ceil(box.right * scale))]
    if not part.size:
        return Look()
    pixels = part.reshape(-1, 3).astype(float) / 255
    behind = np.median(pixels, axis=0)
    ink = pixels[np.abs(pixels - behind).max(axis=1).argmax()]
    return Look(tuple(map(float, ink)), tuple(map(float, behind)))


def _rendered(page: pypdfium2.PdfPage) -> tuple[np.ndarray, float]:
    scale = min(2.0, _PIXELS / max(page.get_size()))
    image = page.render(scale=scale, rev_byteorder=True, prefer_bgrx=False).to_numpy()
    if image.ndim == 2 or image.shape[2] == 1:
        image = image.reshape(*image.shape[:2], 1).repeat(3, axis=2)
    return image[:, :, :3], scale
