"""The made-up tables as PDF, drawn in the ways in which tables are drawn.

Knows reportlab; knows nothing of our parsers. What is random follows from the seed of the case.
"""

import random
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.table_cases import TableCase

_FONT = "STSong-Light"
_MARGIN = 72
_HIGH = 3000
_LOW = 330
_Style = list[tuple]


def write_pdf(case: "TableCase", path: Path, draw: Callable[["TableCase", random.Random], _Style]) -> None:
    """One table under its caption, with a note below; `draw` gives rules, colours and places.
    Every third is on pages too low for it; half of those repeat the header on each page."""
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont
    from reportlab.platypus import Paragraph, SimpleDocTemplate
    from reportlab.platypus.tables import Table

    pdfmetrics.registerFont(UnicodeCIDFont(_FONT))
    rng = random.Random(case.seed)
    style = [("FONT", (0, 0), (-1, -1), _FONT, rng.choice((7, 8, 9, 10))), *draw(case, rng)]
    table = Table(case.shown, style=style, repeatRows=0 if case.seed % 2 else case.header_rows)
    width = max(table.wrap(10_000, 10_000)[0], 400) + 2 * _MARGIN + 20
    height = _LOW if case.seed % 3 == 0 else _HIGH
    words = ParagraphStyle("words", fontName=_FONT, fontSize=9, leading=12, spaceBefore=8, spaceAfter=8)
    story = [
        Paragraph("Table, made up for a test.", words),
        table,
        Paragraph("Note: nothing is true.", words),
    ]
    SimpleDocTemplate(str(path), pagesize=(width, height)).build(story)


def _ruled(case: "TableCase", rng: random.Random) -> _Style:
    """All rules; merged cells are repeated."""
    return [("GRID", (0, 0), (-1, -1), 0.5, "black"), *_places(case, rng)]


def _merged(case: "TableCase", rng: random.Random) -> _Style:
    """All rules; merged cells are one cell."""
    spans = [("SPAN", (left, top), (right, bottom)) for top, left, bottom, right in case.merges]
    return [*_ruled(case, rng), *spans]


def _across(case: "TableCase", rng: random.Random) -> _Style:
    """Rules above and below the header and at the end, as in printed books."""
    head = case.header_rows - 1
    return [
        ("LINEABOVE", (0, 0), (-1, 0), 1, "black"),
        ("LINEBELOW", (0, head), (-1, head), 0.5, "black"),
        ("LINEBELOW", (0, -1), (-1, -1), 1, "black"),
        *_places(case, rng),
    ]


def _down(case: "TableCase", rng: random.Random) -> _Style:
    """A frame and rules between columns; between rows only in the header."""
    return [
        ("BOX", (0, 0), (-1, -1), 0.5, "black"),
        ("LINEAFTER", (0, 0), (-2, -1), 0.5, "black"),
        ("GRID", (0, 0), (-1, case.header_rows - 1), 0.5, "black"),
        *_places(case, rng),
    ]


def _shaded(case: "TableCase", rng: random.Random) -> _Style:
    """No rules; every other row has a ground."""
    return [("ROWBACKGROUNDS", (0, 0), (-1, -1), ("#dddddd", "#ffffff")), *_places(case, rng)]


def _open(case: "TableCase", rng: random.Random) -> _Style:
    """Words alone."""
    return _places(case, rng)


def _places(case: "TableCase", rng: random.Random) -> _Style:
    """Numbers to the right or not; lines of a cell at its top, middle or bottom."""
    upright = [("VALIGN", (0, 0), (-1, -1), rng.choice(("TOP", "MIDDLE", "BOTTOM")))]
    columns = range(1, len(case.rows[0]))
    return upright + [("ALIGN", (at, 0), (at, -1), rng.choice(("LEFT", "RIGHT", "CENTER"))) for at in columns]


PDF_WRITERS: Mapping[str, Callable[["TableCase", Path], None]] = {
    "pdf": partial(write_pdf, draw=_ruled),
    "pdf_merged": partial(write_pdf, draw=_merged),
    "pdf_across": partial(write_pdf, draw=_across),
    "pdf_down": partial(write_pdf, draw=_down),
    "pdf_shaded": partial(write_pdf, draw=_shaded),
    "pdf_open": partial(write_pdf, draw=_open),
}
