"""The words of an HTML node as a browser shows them. Knows tags; knows no elements."""

import re

from lxml.html import HtmlElement

_SKIP = frozenset(
    {
        "script",
        "style",
        "noscript",
        "template",
        "head",
        "svg",
        "canvas",
        "iframe",
        "object",
        "select",
        "datalist",
    }
)
INLINE = frozenset(
    {
        "a",
        "abbr",
        "acronym",
        "b",
        "bdi",
        "bdo",
        "big",
        "cite",
        "code",
        "data",
        "del",
        "dfn",
        "em",
        "font",
        "i",
        "img",
        "ins",
        "kbd",
        "label",
        "mark",
        "math",
        "q",
        "rp",
        "rt",
        "ruby",
        "s",
        "samp",
        "small",
        "span",
        "strike",
        "strong",
        "sub",
        "sup",
        "time",
        "tt",
        "u",
        "var",
        "wbr",
        "input",
        "button",
        "nobr",
        "meter",
        "output",
        "progress",
    }
)
_SPACE = re.compile(r"\s+")


def visible_text(node: HtmlElement) -> str:
    """The running text of a node, blocks parted by a blank."""
    return tidy(text_of(node))


def text_of(node: HtmlElement) -> str:
    """Text and tails in order, without hidden parts; iterative, since pages nest deeply."""
    parts: list[str] = []
    stack: list[tuple[HtmlElement, bool]] = [(node, True)]
    while stack:
        at, opening = stack.pop()
        if not opening:
            parts.append(at.tail or "")
            continue
        if at is not node:
            stack.append((at, False))
        if not isinstance(at.tag, str) or (at is not node and is_hidden(at)):
            continue
        parts.append("\v" if at.tag == "br" else "" if at.tag in INLINE else " ")
        parts.append(at.text or "")
        stack.extend((child, True) for child in reversed(at))
    return "".join(parts)


def is_hidden(node: HtmlElement) -> bool:
    style = (node.get("style") or "").replace(" ", "").lower()
    return node.tag in _SKIP or node.get("hidden") is not None or "display:none" in style


def holds_block(node: HtmlElement) -> bool:
    tags = (inner.tag for inner in node.iterdescendants())
    return any(isinstance(tag, str) and tag not in INLINE and tag != "br" for tag in tags)


def tidy(text: str) -> str:
    """White space as a browser shows it; a `br` (\\v until here) is a line break."""
    lines = (_SPACE.sub(" ", line).strip() for line in text.split("\v"))
    return "\n".join(line for line in lines if line)


