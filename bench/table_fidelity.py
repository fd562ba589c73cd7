"""How many cells of made-up tables come through each parser, and into Markdown and Parquet.

`python -m bench.table_fidelity` writes bench/results/table_fidelity.json. A cell is found
when its text (white space as one blank) stands in a table of the parsed file; a table is
exact when all its cells stand in their places. A PDF does not say whether a blank stood where
a line of Chinese is broken: there, blanks beside Chinese do not count. A table over several pages
is one element a page; rows count once, and each element must have the header.
"""

import argparse
import json
import re
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.table_cases import WRITERS, TableCase, make_case
from core.text import CJK
from core.types import Document, Element
from evals.record import write_result
from ingest.media_types import detect_media_type
from ingest.parsing import parse_file
from ingest.table_check import check_tables, placed_tables
from ingest.table_store import TableStore

CASES = 200
_BLANK_BY_CHINESE = re.compile(f"(?<=[{CJK}「」])\\s+|\\s+(?=[{CJK}「」])")


@dataclass(frozen=True)
class CaseResult:
    """One table in one format. `flagged`: a loss was reported by the product itself."""

    cells: int
    found: int
    exact: bool
    header_rows_right: bool
    flagged: bool
    seconds: float


def measure(case: TableCase, kind: str, folder: Path) -> CaseResult:
    """Writes the file, parses it, stores its tables and compares."""
    path = folder / f"{case.seed}.{kind.partition('_')[0]}"
    WRITERS[kind](case, path)
    begun = time.perf_counter()
    parsed = parse_file(path, detect_media_type(path, path.name))
    seconds = time.perf_counter() - begun
    plain = _unbroken if kind.startswith("pdf") else _plain
    wanted = [[plain(text) for text in row] for row in case.shown]
    tables = [element.table for element in parsed.elements if element.table]
    kept = [[[plain(text) for text in row] for row in table.rows] for table in tables]
    if parsed.pages and parsed.pages > 1:
        kept = [_as_one(kept, case.header_rows)]
    cells = Counter(text for row in wanted for text in row if text)
    there = Counter(text for table in kept for row in table for text in row if text)
    # Markdown has one header row.
    header_rows = 1 if kind in ("md", "csv") else case.header_rows
    return CaseResult(
        cells.total(),
        (cells & there).total(),
        wanted in kept,
        {table.header_rows for table in tables} == {header_rows},
        bool(_losses(parsed.elements, folder / "tables")),
        seconds,
    )


def _losses(elements: Sequence[Element], folder: Path) -> list[tuple[str, str]]:
    document = Document("0" * 64, "/t", "T", "text/plain", 1, "bench")
    return check_tables(elements, TableStore(folder).write_document(document, placed_tables(elements)))


def summarise(results: Sequence[CaseResult]) -> dict:
    """The figures of one format."""
    cells, found = sum(r.cells for r in results), sum(r.found for r in results)
    return {
        "tables": len(results),
        "cells": cells,
        "found": found,
        "found_share": round(found / cells, 6),
        "exact_tables": sum(r.exact for r in results),
        "header_rows_right": sum(r.header_rows_right for r in results),
        "flagged": sum(r.flagged for r in results),
        "tables_per_second": round(len(results) / sum(r.seconds for r in results), 1),
    }


def run(count: int, kinds: Sequence[str]) -> dict[str, dict]:
    """All cases in all formats."""
    figures = {}
    for kind in kinds:
        with tempfile.TemporaryDirectory() as folder:
            figures[kind] = summarise([measure(make_case(s), kind, Path(folder)) for s in range(count)])
    return figures


def _plain(text: str) -> str:
    return " ".join(text.split())


def _unbroken(text: str) -> str:
    return _BLANK_BY_CHINESE.sub("", _plain(text))


def _as_one(pages: Sequence[list[list[str]]], header_rows: int) -> list[list[str]]:
    """The table of the first page with the rows of the others, less the header they repeat."""
    rows = list(pages[0]) if pages else []
    for page in pages[1:]:
        header = page[:header_rows] == rows[:header_rows]
        rows.extend(page[header_rows:] if header else page)
    return rows


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=CASES)
    parser.add_argument("--kinds", nargs="*", choices=list(WRITERS), help="show these, write nothing")
    given = parser.parse_args()
    if given.kinds:
        print(json.dumps(run(given.cases, given.kinds), indent=1))
        return
    command = f"python -m bench.table_fidelity --cases {given.cases}"
    write_result("table_fidelity", command, {"formats": run(given.cases, list(WRITERS))})


if __name__ == "__main__":
    main()
