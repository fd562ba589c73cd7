"""Pictures of pages to lines, by OCR: the same lines as a text layer gives.

Knows how words are put into rows; the models are behind `ingest.ocr.engine`.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from core.errors import FileError
from core.types import Box
from ingest.memory_faults import ran_out_of_memory
from ingest.parsers.lines import join_pair
from ingest.parsers.pdf_lines import Line
from ingest.parsers.reading_order import Place, reading_rows

if TYPE_CHECKING:
    from ingest.ocr.engine import OcrLine

_BAND_PIXELS = 2400
_CUT_SEARCH = 160
_CELL_GAP = 1.2
# A box of the detector is higher than the characters in it.
_CHARACTER_SHARE = 0.8


def read_picture(image: np.ndarray, page: int, points: float) -> list[Line]:
    """The lines of a picture in reading order, their boxes in points (`points` a pixel) of the
    picture as given. A picture much longer than a page is read in bands.

    Raises:
        FileError: `needs_ocr`, when the OCR library is not installed.
    """
    engine = _engine()
    lines: list[Line] = []
    for top, bottom in _bands(image):
        found = engine.read(np.ascontiguousarray(image[top:bottom]))
        places = [Place(n, p.left, p.top, p.right, p.bottom) for n, p in enumerate(found.upright)]
        for row in reading_rows(places):
            given = [found.lines[n] for n in row]
            lines.append(_make_line([found.upright[n] for n in row], given, page, (points, top)))
    return lines


def _engine():
    try:
        from ingest.ocr.engine import ocr_engine
    except ImportError as exc:
        if ran_out_of_memory(exc):
            raise MemoryError(str(exc)) from exc
        raise FileError(
            f"it is a picture, and the library that reads pictures is not there ({exc.name})",
            code="needs_ocr",
            remedy="install the locked requirements: make install",
        ) from exc
    return ocr_engine()


def _make_line(
    upright: Sequence["OcrLine"], given: Sequence["OcrLine"], page: int, frame: tuple[float, int]
) -> Line:
    """One row. `frame`: points a pixel, and where the band begins."""
    points, top = frame
    height = _CHARACTER_SHARE * sorted(word.bottom - word.top for word in upright)[len(upright) // 2]
    cells, right = [""], upright[0].left
    for word in upright:
        if word.left - right > _CELL_GAP * height:
            cells.append("")
        cells[-1] = join_pair(cells[-1], word.text)
        right = word.right
    box = Box(
        page,
        round(max(0.0, min(w.left for w in given)) * points, 1),
        round(max(0.0, min(w.top for w in given) + top) * points, 1),
        round(max(w.right for w in given) * points, 1),
        round((max(w.bottom for w in given) + top) * points, 1),
    )
    return Line(" ".join(cells), box, height * points, cells)


def _bands(image: np.ndarray) -> list[tuple[int, int]]:
    """From and to which row each part reaches; cut where a row is emptiest."""
    height, width = image.shape[:2]
    step = max(_BAND_PIXELS, 2 * width)
    if height <= 1.25 * step:
        return [(0, height)]
    bands, top = [], 0
    while height - top > step:
        near = image[top + step - _CUT_SEARCH : top + step]
        emptiest = int(np.argmin(near.reshape(len(near), -1).std(axis=1)))
        cut = top + step - _CUT_SEARCH + emptiest
        bands.append((top, cut))
        top = cut
    return [*bands, (top, height)]
