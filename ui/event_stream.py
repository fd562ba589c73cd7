"""Server-sent events out of the bytes of a reply (WHATWG HTML, section 9.2.6).

Knows the grammar only: comments, fields, data over several lines, the three line endings.
`id` and `retry` are read over: a question is asked once and never silently again.
"""

import codecs
import re
from collections.abc import Iterable, Iterator

_LINE_END = re.compile(r"\r\n|\n|\r")


def read_events(chunks: Iterable[bytes]) -> Iterator[tuple[str, str]]:
    """`(name, data)` of each event, as soon as its closing blank line has come.

    The chunks may be cut anywhere, within a character or a line ending too. An event that
    is not closed at the end is dropped, and one without data is none, as the standard says.
    """
    block = _Block()
    for line in _lines(chunks):
        if line:
            block.add(line)
            continue
        if block.data:
            yield block.name or "message", "\n".join(block.data)
        block = _Block()


class _Block:
    """The fields between two blank lines."""

    def __init__(self) -> None:
        self.name = ""
        self.data: list[str] = []

    def add(self, line: str) -> None:
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            self.name = value
        elif field == "data":
            self.data.append(value)


def _lines(chunks: Iterable[bytes]) -> Iterator[str]:
    """The complete lines. A carriage return ends a line at once: to wait for a possible line
    feed would hold an event back until the next one comes."""
    decoder = codecs.getincrementaldecoder("utf-8-sig")(errors="replace")
    rest, after_return = "", False
    for chunk in chunks:
        text = decoder.decode(chunk)
        if not text:
            continue
        if after_return:
            text = text.removeprefix("\n")
        after_return = text.endswith("\r")
        *lines, rest = _LINE_END.split(rest + text)
        yield from lines
