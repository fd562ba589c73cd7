"""What a command prints: results on stdout, progress and errors on stderr.

Knows streams and widths; knows nothing of what is shown. With `--json`, stdout gets one
JSON document and nothing else, an error too.
"""

import json
import re
import sys
import textwrap
from collections.abc import Callable, Iterator

import typer

from core.errors import AttestError

WIDTH = 80


class Output:
    """One command's output."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json

    def result(self, document: dict) -> None:
        """The JSON document of `--json`."""
        typer.echo(json.dumps(document, ensure_ascii=False, indent=2))

    def give(self, found: dict, show: Callable[["Output", dict], None]) -> None:
        """What a command found: as JSON, or for people by `show`."""
        if self.as_json:
            self.result(found)
        else:
            show(self, found)

    def line(self, text: str = "", *, indent: str = "", hang: str = "") -> None:
        """A line for people on stdout, wrapped; lines after the first begin with `hang` too."""
        typer.echo(wrap(text, indent, hang))

    def piece(self, text: str) -> None:
        """Part of a line for people, shown at once."""
        sys.stdout.write(text)
        sys.stdout.flush()

    def note(self, text: str) -> None:
        """Progress, on stderr."""
        typer.echo(text, err=True)

    def status(self, text: str) -> None:
        """Progress that the next one overwrites; nothing when stderr is not a terminal."""
        if sys.stderr.isatty():
            sys.stderr.write(f"\r\033[K{text[: WIDTH - 1]}")
            sys.stderr.flush()

    def clear_status(self) -> None:
        """Wipes the last status."""
        self.status("")


def show_error(error: AttestError, as_json: bool) -> None:
    """One message that names the thing and what mends it; as JSON on stdout too if wanted."""
    if as_json:
        document = {"code": error.code, "message": error.message, "remedy": error.remedy}
        typer.echo(json.dumps({"error": document}, ensure_ascii=False))
    typer.echo(wrap(f"attest: {error.message}"), err=True)
    if error.remedy:
        typer.echo(wrap(error.remedy, "  "), err=True)


def wrap(text: str, indent: str = "", hang: str = "") -> str:
    """Lines of at most 80 columns; a Chinese character is two columns wide."""
    lines = []
    for paragraph in text.split("\n"):
        if _columns(indent + paragraph) <= WIDTH:
            lines.append(indent + paragraph)
        else:
            lines.extend(_broken(paragraph, indent, indent + hang))
    return "\n".join(lines)


def _broken(paragraph: str, indent: str, later: str) -> list[str]:
    if _columns(paragraph) == len(paragraph):
        return textwrap.wrap(paragraph, WIDTH, initial_indent=indent, subsequent_indent=later)
    lines, line = [], indent
    for part in _unbroken(paragraph):
        if _columns(line + part) > WIDTH:
            lines.append(line.rstrip())
            line = later + part.lstrip(" ")
        else:
            line += part
    return [*lines, line]


def _unbroken(paragraph: str) -> Iterator[str]:
    """Where a line may end: behind each Chinese character and between Latin words; a word too long for
    a line, as a path, anywhere."""
    for part in re.findall(r"[\u0020-\u02ff]+?(?=\s|[^\u0020-\u02ff]|$)|.", paragraph):
        yield from part if len(part) > WIDTH // 2 else (part,)


def _columns(text: str) -> int:
    import unicodedata

    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)
