"""Running headers, footers and page numbers: what repeats at the same height of many pages."""

import re
from collections import Counter
from collections.abc import Sequence

from ingest.parsers.pdf_lines import Line

_EDGE = 0.12
_MIN_PAGES = 3
_MIN_SHARE = 0.3
_PITCH = 8.0
_DIGITS = re.compile(r"\d+")
_ROMAN = re.compile(r"^[ivxlc]+$", re.I)
_PAGE_NUMBER = re.compile(
    r"^\W*(?:(?:page|p\.|seite|第)\s*)?\d{1,4}\s*(?:页)?(?:\s*(?:/|of|共|von)\s*\d{1,4}\s*页?)?\W*$", re.I
)


def drop_furniture(pages: Sequence[Sequence[Line]]) -> list[list[Line]]:
    """The pages without lines that stand, but for their numbers, at the edge of three pages and
    of three in ten, and without page numbers. A document of one page keeps all."""
    if len(pages) < 2:
        return [list(page) for page in pages]
    edges = [_edge_lines(page) for page in pages]
    counts = Counter(key for lines in edges for key in {_key(line) for line in lines})
    numbered = sum(any(_PAGE_NUMBER.match(line.text) for line in lines) for lines in edges)
    least = max(_MIN_PAGES, _MIN_SHARE * len(pages))
    kept = []
    for page, lines in zip(pages, edges, strict=True):
        drop = {id(line) for line in lines if counts[_key(line)] >= least}
        if numbered > len(pages) / 2:
            drop |= {id(line) for line in lines if _PAGE_NUMBER.match(line.text)}
        kept.append([line for line in page if id(line) not in drop])
    return kept


def _edge_lines(page: Sequence[Line]) -> list[Line]:
    """Lines in the upper and the lower part of what is printed, but not those of a table."""
    if not page:
        return []
    top, bottom = min(line.box.top for line in page), max(line.box.bottom for line in page)
    margin = _EDGE * max(bottom - top, 1.0)
    return [
        line
        for line in page
        if not line.table and (line.box.bottom <= top + margin or line.box.top >= bottom - margin)
    ]


def _key(line: Line) -> tuple[str, int]:
    """Numbers differ from page to page, the place does not."""
    text = "#" if _ROMAN.match(line.text) else _DIGITS.sub("#", "".join(line.text.split()).lower())
    return text, round((line.box.top + line.box.bottom) / 2 / _PITCH)
