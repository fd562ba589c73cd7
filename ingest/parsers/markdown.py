"""Markdown to elements, by the CommonMark token stream of markdown-it.

Headings keep their level, tables and fences their structure; emphasis marks go, since
a quote is read by people. docs/decisions/003-parsers.md says why not unstructured.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from markdown_it import MarkdownIt
from markdown_it.token import Token

from core.types import Element, ElementKind
from ingest.parsers.charset import decode_text
from ingest.parsers.lines import unwrap
from ingest.parsers.tables import table_element

_FRONT_MATTER = re.compile(r"\A---\n(.*?\n)(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_TAG = re.compile(r"</?[A-Za-z][^>]*>")


class MarkdownParser:
    """The parser of text/markdown."""

    media_types: ClassVar[frozenset[str]] = frozenset({"text/markdown"})

    def parse(self, path: Path) -> list[Element]:
        """The elements of the file, in its order."""
        return parse_markdown(decode_text(path.read_bytes()))


def parse_markdown(text: str) -> list[Element]:
    """Elements of a Markdown text."""
    elements = []
    if match := _FRONT_MATTER.match(text):
        elements.append(Element(ElementKind.TEXT, match.group(1).strip()))
        # Blank lines in its place: the token stream counts lines from the top.
        text = "\n" * match.group().count("\n") + text[match.end() :]
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text)
    walker = _Walker(tokens, text.split("\n"))
    elements.extend(walker.elements())
    return [e for e in elements if e.text.strip()]


class _Walker:
    """Goes through the tokens of one document once."""

    def __init__(self, tokens: Sequence[Token], lines: Sequence[str]) -> None:
        self._tokens = tokens
        self._lines = lines

    def elements(self) -> list[Element]:
        found, at = [], 0
        while at < len(self._tokens):
            end = self._block_end(at)
            found.extend(self._block(self._tokens[at : end + 1]))
            at = end + 1
        return found

    def _block_end(self, at: int) -> int:
        """The index of the token that closes the block opened at `at`."""
        depth = 0
        for end in range(at, len(self._tokens)):
            depth += self._tokens[end].nesting
            if depth == 0:
                return end
        return len(self._tokens) - 1

    def _block(self, tokens: Sequence[Token]) -> list[Element]:
        first = tokens[0]
        if first.type == "heading_open":
            return [Element(ElementKind.TITLE, render_inline(tokens[1]), level=int(first.tag[1]))]
        if first.type in ("fence", "code_block"):
            return [Element(ElementKind.CODE, self._source(first))]
        if first.type == "table_open":
            return _table(tokens)
        if first.type in ("bullet_list_open", "ordered_list_open"):
            return self._list_items(tokens)
        if first.type == "blockquote_open":
            return _Walker(tokens[1:-1], self._lines).elements()
        if first.type == "html_block":
            return [Element(ElementKind.TEXT, _strip_tags(first.content))]
        inline = [render_inline(token) for token in tokens if token.type == "inline"]
        return [Element(ElementKind.TEXT, "\n".join(inline))]

    def _source(self, token: Token) -> str:
        start, end = token.map or (0, 0)
        return "\n".join(self._lines[start:end]).rstrip()

    def _list_items(self, tokens: Sequence[Token]) -> list[Element]:
        """One element for each item of the outer list, with its inner lists inside."""
        items: list[list[str]] = []
        numbers: list[int | None] = []
        marker, fresh = "", False
        for token in tokens:
            if token.type in ("bullet_list_open", "ordered_list_open"):
                numbers.append(_list_start(token))
            elif token.type in ("bullet_list_close", "ordered_list_close"):
                numbers.pop()
            elif token.type == "list_item_open":
                marker, fresh = f"{token.info}{token.markup} " if token.info else "- ", True
                if len(numbers) == 1:
                    items.append([])
            elif body := self._item_body(token):
                indent = "  " * (len(numbers) - 1)
                items[-1].append(_indented(body, indent, marker if fresh else "  "))
                fresh = False
        return [Element(ElementKind.LIST, "\n".join(lines)) for lines in items if lines]

    def _item_body(self, token: Token) -> str:
        if token.type == "inline":
            return render_inline(token)
        if token.type in ("fence", "code_block"):
            return self._source(token).strip()
        return _strip_tags(token.content) if token.type == "html_block" else ""


def render_inline(token: Token) -> str:
    """The readable text of an inline token: no emphasis marks, links with their address."""
    parts: list[str] = []
    targets: list[tuple[str, int]] = []
    for child in token.children or []:
        if child.type in ("softbreak", "hardbreak"):
            parts.append("\n")
        elif child.type == "link_open":
            targets.append((str(child.attrGet("href") or ""), len(parts)))
        elif child.type == "link_close":
            href, start = targets.pop()
            if href.startswith(("http://", "https://")) and href not in "".join(parts[start:]):
                parts.append(f" ({href})")
        elif child.type != "html_inline":
            parts.append(child.content)
    return unwrap("".join(parts).split("\n"))


def _list_start(token: Token) -> int | None:
    start = token.attrGet("start")
    return int(start) if start is not None else None


def _indented(body: str, indent: str, lead: str) -> str:
    first, *rest = body.split("\n")
    return "\n".join([f"{indent}{lead}{first}", *(f"{indent}  {line}" for line in rest)])


def _table(tokens: Sequence[Token]) -> list[Element]:
    rows: list[list[str]] = []
    for token in tokens:
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "inline":
            rows[-1].append(render_inline(token))
    element = table_element(rows)
    return [element] if element else []


def _strip_tags(html: str) -> str:
    text = _TAG.sub(" ", _COMMENT.sub("", html))
    return unwrap(text.split("\n"))
