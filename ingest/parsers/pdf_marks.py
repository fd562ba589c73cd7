"""What is drawn on a PDF page besides its text: how much is picture, whether there are rules.

Counts and measures; reads no text.
"""

from dataclasses import dataclass
from itertools import islice

import pypdfium2
import pypdfium2.raw as pdfium

from ingest.parsers.pdf_lines import DisplayedPlace

_MOST_OBJECTS = 4000
_THIN = 2.5
_LONG = 18.0
_MIN_RULES = 3


@dataclass(frozen=True, slots=True)
class PageMarks:
    """`picture_share`: of the page's area, 0 to 1. `ruled`: there are lines both ways.
    `pictures`: left, top, right and bottom of each picture, as the page is shown."""

    picture_share: float
    paths: int
    ruled: bool
    pictures: tuple[tuple[float, float, float, float], ...] = ()


def read_marks(page: pypdfium2.PdfPage) -> PageMarks:
    """Looks at the first thousands of objects of a page; those within forms count."""
    width, height = page.get_size()
    shown, pictures = DisplayedPlace(page), []
    area, paths, across, down = 0.0, 0, 0, 0
    wanted = [pdfium.FPDF_PAGEOBJ_IMAGE, pdfium.FPDF_PAGEOBJ_PATH]
    for item in islice(page.get_objects(filter=wanted, max_depth=4), _MOST_OBJECTS):
        try:
            place = shown.box(*item.get_bounds())
        except pypdfium2.PdfiumError:
            continue  # an object without a place
        wide = min(place[2], width) - max(place[0], 0)
        high = min(place[3], height) - max(place[1], 0)
        if item.type == pdfium.FPDF_PAGEOBJ_IMAGE:
            area += max(0.0, wide) * max(0.0, high)
            # Objects in a form are placed within it: those that seem to lie outside are not shown.
            if wide > 0 and high > 0:
                pictures.append(
                    (max(0.0, place[0]), max(0.0, place[1]), min(width, place[2]), min(height, place[3]))
                )
            continue
        paths += 1
        if wide >= _LONG and high >= _LONG:  # a frame has rules on all four sides
            across, down = across + 2, down + 2
        elif wide >= _LONG and high <= _THIN:
            across += 1
        elif high >= _THIN * 2 and wide <= _THIN:
            down += 1
    ruled = across >= _MIN_RULES and down >= _MIN_RULES
    return PageMarks(min(1.0, area / max(1.0, width * height)), paths, ruled, tuple(pictures))
