"""Text of a web page that its own style hides: taken out of the tree, and told.

Reads style attributes and the old colour attributes; style sheets are not applied, so where
there are any, a colour that is not given beside the text is not known. What hides text is
judged in ingest/cleaning/hidden_text.py.
"""

import re
from collections.abc import Iterator

from lxml.html import HtmlElement

from core.instructions import find_instructions
from core.types import Element, ElementKind
from ingest.cleaning.hidden_text import Look, colour_of, declarations, why_style_hides
from ingest.parsers.html_text import tidy

_STYLED = "//*[@style or @hidden or self::font[@color]]"
_NOT_SHOWN = "self::script or self::style or self::template or self::noscript or self::head"
_WHITE = (1.0, 1.0, 1.0)
_WORD = re.compile(r"[^\W_]")


def take_hidden(root: HtmlElement) -> list[Element]:
    """Removes text that nobody sees, and returns it as elements that say why.

    Panels that are closed now are no trick: they are left to the walk over the page, unless
    they speak to a model.
    """
    plain = not root.xpath("//style | //link[contains(@rel, 'stylesheet')]")
    found: list[Element] = []
    gone: set[HtmlElement] = set()
    for node in root.xpath(_STYLED):
        if node in gone or node.getparent() is None or node.xpath(f"ancestor-or-self::*[{_NOT_SHOWN}]"):
            continue
        reason, is_trick = _why(node, plain)
        text = tidy(" ".join(node.itertext())) if reason else ""
        is_told = is_trick and not _is_set_anew(node) or any(True for _ in find_instructions(text))
        if _WORD.search(text) and is_told:
            found.append(Element(ElementKind.TEXT, text, hidden=reason))
            gone.update(node.iter())
            node.drop_tree()
    return found


def _why(node: HtmlElement, plain: bool) -> tuple[str, bool]:
    style = declarations(node.get("style") or "")
    if node.get("hidden") is not None:
        return "not displayed", False
    if node.tag == "font" and node.get("color"):
        style.setdefault("color", node.get("color"))
    return why_style_hides(style, Look(None, _background(node, plain)))


def _background(node: HtmlElement, plain: bool) -> tuple[float, float, float] | None:
    """The colour behind a node, as far as it is written in the page."""
    for ancestor in _line(node):
        style = declarations(ancestor.get("style") or "")
        written = style.get("background-color") or style.get("background") or ancestor.get("bgcolor")
        if written or ancestor.get("background"):
            return colour_of((written or "").split(" ")[0])
    return _WHITE if plain else None


def _line(node: HtmlElement) -> Iterator[HtmlElement]:
    yield node
    yield from node.iterancestors()


def _is_set_anew(node: HtmlElement) -> bool:
    """Whether something within may look otherwise: a container without size is a layout."""
    return any(
        inner.get("style") or inner.get("class") or inner.tag == "font"
        for inner in node.iterdescendants()
        if isinstance(inner.tag, str)
    )
