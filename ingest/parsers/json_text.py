"""JSON and JSON lines to readable text: every value with the path of keys that leads to it.

Objects near the top give headings. An array of flat records is a table, in groups of rows; of
other records each is one block of `path: value` lines.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

from core.errors import FileError
from core.types import Element, ElementKind
from ingest.parsers.charset import decode_text
from ingest.parsers.media_types import JSON, JSONL
from ingest.parsers.tables import table_element

_ROWS = 50
_LINES = 40
_MAX_COLUMNS = 12
_MAX_CELL_CHARS = 200
_TOP = 2
"""The level of the first headings: no key of a file is its title."""
_MAX_LEVEL = 4
_SHORT_LIST_CHARS = 300
_MAX_DEPTH = 400
_MAX_WARNINGS = 20


class JsonParser:
    """The parser of .json files."""

    media_types: ClassVar[frozenset[str]] = frozenset({JSON})

    def parse(self, path: Path) -> list[Element]:
        """The values in the order of the file.

        Raises:
            FileError: `corrupt`.
        """
        return list(_render(load_json(path), "", _TOP))


class JsonLinesParser:
    """The parser of .jsonl files. After a parse `warnings` names lines that are no JSON."""

    media_types: ClassVar[frozenset[str]] = frozenset({JSONL})

    def __init__(self) -> None:
        self.warnings: list[tuple[str, str]] = []

    def parse(self, path: Path) -> list[Element]:
        """The records in the order of the file.

        Raises:
            FileError: `corrupt` when no line is JSON.
        """
        records, broken = [], []
        for number, line in enumerate(decode_text(path.read_bytes()).split("\n"), start=1):
            if line.strip():
                try:
                    records.append(_loads(line))
                except (ValueError, RecursionError):
                    broken.append(number)
        if broken and not records:
            raise FileError("none of its lines is JSON", code="corrupt", remedy="write it again")
        self.warnings = [("corrupt", f"line {number} is no JSON") for number in broken[:_MAX_WARNINGS]]
        if len(broken) > _MAX_WARNINGS:
            self.warnings.append(("more", f"and {len(broken) - _MAX_WARNINGS} more lines"))
        return list(_render(records, "", _TOP))


def load_json(path: Path) -> Any:
    """The value in a file; numbers are strings, as they are written.

    Raises:
        FileError: `corrupt`.
    """
    try:
        return _loads(decode_text(path.read_bytes()))
    except ValueError as exc:
        raise FileError(f"it is not JSON: {exc}", code="corrupt", remedy="write it again") from exc
    except RecursionError as exc:
        raise FileError("it is nested too deeply", code="corrupt", remedy="write it flatter") from exc


def _loads(text: str) -> Any:
    return json.loads(text, parse_int=str, parse_float=str)


def _render(value: Any, path: str, level: int) -> Iterator[Element]:
    if isinstance(value, list):
        yield from _render_list(value, path)
    elif isinstance(value, dict):
        plain = {key: inner for key, inner in value.items() if not _is_nest(inner)}
        yield from _blocks([line for key, inner in plain.items() for line in _lines(inner, _join(path, key))])
        for key, inner in value.items():
            if not _is_nest(inner):
                continue
            if level <= _MAX_LEVEL:
                yield Element(ElementKind.TITLE, str(key).strip() or "(empty key)", level=level)
                yield from _render(inner, _join(path, key), level + 1)
            else:
                yield from _blocks(list(_lines(inner, _join(path, key))))
    else:
        yield from _blocks(list(_lines(value, path)))


def _render_list(rows: Sequence[Any], path: str) -> Iterator[Element]:
    columns = _columns(rows)
    if columns:
        for start in range(0, len(rows), _ROWS):
            part = rows[start : start + _ROWS]
            cells = [[_scalar(row.get(name)) for name in columns] for row in part]
            if element := table_element([columns, *cells]):
                yield element
        return
    if not any(_is_nest(row) for row in rows):
        short = sum(len(_scalar(row)) for row in rows) <= _SHORT_LIST_CHARS
        yield from _blocks(
            list(_lines(rows, path)) if short else [t for row in rows for t in _lines(row, path)]
        )
        return
    for index, row in enumerate(rows):
        # A record on its own needs no number; inside others the path says which it is.
        yield from _blocks(list(_lines(row, f"{path}[{index}]" if path else "")))


def _columns(rows: Sequence[Any]) -> list[str]:
    """The keys when all are short flat records of much the same keys, else nothing."""
    if len(rows) < 2 or not all(isinstance(row, dict) and row for row in rows):
        return []
    names = list(dict.fromkeys(str(key) for row in rows for key in row))
    cells = [value for row in rows for value in row.values()]
    alike = len(names) <= _MAX_COLUMNS and 2 * len(cells) >= len(names) * len(rows)
    short = all(not _is_nest(value) and len(_scalar(value)) <= _MAX_CELL_CHARS for value in cells)
    return names if alike and short else []


def _lines(value: Any, path: str, depth: int = 0) -> Iterator[str]:
    if depth > _MAX_DEPTH:
        raise FileError("it is nested too deeply", code="corrupt", remedy="write it flatter")
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _lines(inner, _join(path, key), depth + 1)
    elif isinstance(value, list):
        if value and not any(_is_nest(inner) for inner in value):
            yield _pair(path, ", ".join(_scalar(inner) for inner in value))
            return
        for index, inner in enumerate(value):
            yield from _lines(inner, f"{path}[{index}]", depth + 1)
    elif (text := _scalar(value)).strip():
        yield _pair(path, text)


def _blocks(lines: list[str]) -> Iterator[Element]:
    for start in range(0, len(lines), _LINES):
        yield Element(ElementKind.TEXT, "\n".join(lines[start : start + _LINES]))


def _is_nest(value: Any) -> bool:
    return isinstance(value, dict | list) and bool(value)


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None or isinstance(value, dict | list) else str(value)


def _join(path: str, key: Any) -> str:
    return f"{path}.{key}" if path else str(key)


def _pair(path: str, text: str) -> str:
    return f"{path}: {text}" if path else text
