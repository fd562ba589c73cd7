"""Jupyter notebooks to elements: text cells as Markdown, code cells whole, text outputs."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from core.errors import FileError
from core.types import Element, ElementKind
from ingest.parsers.json_text import load_json
from ingest.parsers.markdown import parse_markdown
from ingest.parsers.media_types import NOTEBOOK

_MAX_OUTPUT_CHARS = 4000


class NotebookParser:
    """The parser of .ipynb files, of formats 3 and 4."""

    media_types: ClassVar[frozenset[str]] = frozenset({NOTEBOOK})

    def parse(self, path: Path) -> list[Element]:
        """The cells in their order; pictures among the outputs are left out.

        Raises:
            FileError: `corrupt`.
        """
        book = load_json(path)
        if not isinstance(book, dict):
            raise _corrupt()
        sheets = [book, *(sheet for sheet in _list(book.get("worksheets")) if isinstance(sheet, dict))]
        cells = [cell for sheet in sheets for cell in _list(sheet.get("cells"))]
        if not cells and "nbformat" not in book:
            raise _corrupt()
        return [e for cell in cells if isinstance(cell, dict) for e in _read_cell(cell)]


def _read_cell(cell: dict) -> Iterator[Element]:
    source = _text(cell.get("source", cell.get("input")))
    if cell.get("cell_type") == "code":
        if source.strip():
            yield Element(ElementKind.CODE, source.strip("\n"))
        for output in _list(cell.get("outputs")):
            if isinstance(output, dict) and (text := _output_text(output).strip()):
                yield Element(ElementKind.CODE, text[:_MAX_OUTPUT_CHARS])
    elif cell.get("cell_type") == "heading":
        level = cell.get("level")
        yield Element(ElementKind.TITLE, source, level=level if level in range(1, 7) else 1)
    else:
        yield from parse_markdown(source)


def _output_text(output: dict) -> str:
    """What was printed or returned as text; of an error its name and message."""
    if "ename" in output:
        return f"{_text(output['ename'])}: {_text(output.get('evalue'))}"
    data = output.get("data")
    plain = data.get("text/plain") if isinstance(data, dict) else None
    return _text(output.get("text", plain))


def _list(value: Any) -> list:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str:
    if isinstance(value, list):
        return "".join(part for part in value if isinstance(part, str))
    return value if isinstance(value, str) else "" if value is None else json.dumps(value)


def _corrupt() -> FileError:
    return FileError("it is not a notebook", code="corrupt", remedy="save it again from Jupyter")
