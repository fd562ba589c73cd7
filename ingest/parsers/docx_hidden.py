"""Runs of a Word document that nobody sees: hidden by their format, without size, or in the
colour of the page. What hides text is judged in ingest/cleaning/hidden_text.py.
"""

import re
from typing import Any

from core.types import Element, ElementKind
from ingest.cleaning.hidden_text import Look, colour_of, why_invisible

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_WHITE = (1.0, 1.0, 1.0)
_WORD = re.compile(r"[^\W_]")
_OFF = ("0", "false", "off")
_SHADED = ("tc", "p", "r", "tbl")


def take_hidden(word: Any) -> list[Element]:
    """Empties hidden runs of a python-docx document, and returns their text as elements, one a
    paragraph, that say why. Shapes and tables with a style are left alone: what colour is
    behind their text is not written beside it."""
    vanished = _vanished_styles(word)
    page = word.element.find(f"{_W}background")
    background = _WHITE if page is None else colour_of(page.get(f"{_W}color") or "")
    found = []
    for paragraph in word.element.body.iter(f"{_W}p"):
        parts: dict[str, list[str]] = {}
        for run in paragraph.iter(f"{_W}r"):
            text = "".join(node.text or "" for node in run.iter(f"{_W}t"))
            if _WORD.search(text) and (reason := _why(run, vanished, background)):
                parts.setdefault(reason, []).append(text)
                for node in run.findall(f"{_W}t"):
                    node.text = ""
        found += [Element(ElementKind.TEXT, "".join(p).strip(), hidden=why) for why, p in parts.items()]
    return found


def _why(run: Any, vanished: set[str], background: tuple[float, float, float] | None) -> str:
    style = run.find(f"{_W}rPr")
    paragraph = run.getparent()
    named = [_value(style, "rStyle"), _value(paragraph.find(f"{_W}pPr"), "pStyle")]
    vanish = style.find(f"{_W}vanish") if style is not None else None
    if vanish is not None:
        return "" if vanish.get(f"{_W}val") in _OFF else "marked as hidden"
    if any(name in vanished for name in named if name):
        return "marked as hidden"
    if style is None:
        return ""
    half_points = _value(style, "sz")
    points = int(half_points) / 2 if half_points.isdecimal() else 0.0
    colour = colour_of(_value(style, "color"))
    behind = None if colour is None else _behind(run, background)
    return why_invisible(Look(colour, behind, points=points))


def _behind(run: Any, background: tuple[float, float, float] | None) -> tuple[float, float, float] | None:
    """The colour behind a run; None where it is not known."""
    for node in (run, *run.iterancestors()):
        name = node.tag.removeprefix(_W)
        if name in ("txbxContent", "drawing", "pict"):
            return None
        properties = node.find(f"{_W}{name}Pr") if name in _SHADED else None
        if properties is None:
            continue
        if properties.find(f"{_W}highlight") is not None:
            return None
        shade = properties.find(f"{_W}shd")
        fill = shade.get(f"{_W}fill") if shade is not None else None
        if fill and fill != "auto":
            return colour_of(fill)
        if name in ("tbl", "p") and any(_value(properties, style) for style in ("tblStyle", "pStyle")):
            return None
    return background


def _value(properties: Any, name: str) -> str:
    node = properties.find(f"{_W}{name}") if properties is not None else None
    return (node.get(f"{_W}val") or "") if node is not None else ""


def _vanished_styles(word: Any) -> set[str]:
    return {
        style.get(f"{_W}styleId")
        for style in word.styles.element.findall(f"{_W}style")
        if style.find(f"{_W}rPr/{_W}vanish") is not None
    }
