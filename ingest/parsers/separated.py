"""CSV and TSV to elements: the separator is found by what gives even rows.

Knows RFC 4180 quoting through the standard library's reader; knows nothing of Excel.
"""

import csv
import io
from collections import Counter
from pathlib import Path
from typing import ClassVar

from core.errors import FileError
from core.types import Element
from ingest.parsers.charset import decode_text
from ingest.parsers.grid import Grid, grid_elements
from ingest.parsers.media_types import CSV, TSV

_SEPARATORS = (",", ";", "\t", "|", "，")
_SAMPLE_CHARS = 65_536
_MAX_FIELD_CHARS = 1 << 20


class SeparatedParser:
    """The parser of text/csv and text/tab-separated-values."""

    media_types: ClassVar[frozenset[str]] = frozenset({CSV, TSV})

    def parse(self, path: Path) -> list[Element]:
        """The tables of the file; blank lines part them.

        Raises:
            FileError: `bad_encoding`, or `corrupt` when quotes do not end.
        """
        return parse_separated(decode_text(path.read_bytes()))


def parse_separated(text: str) -> list[Element]:
    """Elements of a CSV text."""
    rows = _read(text, find_separator(text))
    filled = sum(bool(cell.strip()) for row in rows for cell in row)
    return grid_elements(Grid(rows, splits_columns=False, filled=filled))


def find_separator(text: str) -> str:
    """The separator whose rows of two or more cells agree best in their number of cells; the
    one that gives more cells where two are as even; a comma when there is one column."""
    sample = text[:_SAMPLE_CHARS]
    if len(text) > len(sample):
        sample = sample[: sample.rfind("\n") + 1] or sample
    return max(_SEPARATORS, key=lambda separator: _evenness(sample, separator))


def _evenness(sample: str, separator: str) -> tuple[float, int]:
    try:
        widths = [len(row) for row in csv.reader(io.StringIO(sample), delimiter=separator) if any(row)]
    except csv.Error:
        return (0.0, 0)
    wide = Counter(width for width in widths if width > 1)
    if not wide:
        return (0.0, 0)
    width, count = max(wide.items(), key=lambda item: (item[1], item[0]))
    return (count / len(widths), width)


def _read(text: str, separator: str) -> list[list[str]]:
    csv.field_size_limit(_MAX_FIELD_CHARS)
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
    except csv.Error as exc:
        raise FileError(
            f"it is not a readable table: {exc}", code="corrupt", remedy="save it again as CSV"
        ) from exc
