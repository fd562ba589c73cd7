"""Which line is the caption of a figure. Knows words; knows nothing of pictures."""

import re
from collections.abc import Sequence
from dataclasses import replace

from core.types import Element, ElementKind

CAPTION = re.compile(
    r"^(?:fig(?:ure|\.)?|abb(?:ildung|\.)?|chart|photo|图表?|圖表?)\s*[\dA-ZIVX一二三四五六七八九十]+", re.I
)
_MAX_CHARS = 500
_TEXTS = (ElementKind.TEXT, ElementKind.TITLE)


def is_caption(element: Element) -> bool:
    """Whether it is a short text that names a figure by number."""
    short = element.kind in _TEXTS and len(element.text) <= _MAX_CHARS
    return short and element.figure is None and CAPTION.match(element.text.strip()) is not None


def with_captions(elements: Sequence[Element]) -> list[Element]:
    """Each figure with a picture takes the caption that follows it, else the one in front of it."""
    kept: list[Element] = []
    at = 0
    while at < len(elements):
        element = elements[at]
        at += 1
        if element.figure is not None and not CAPTION.match(element.text):
            if at < len(elements) and is_caption(elements[at]):
                element = _captioned(element, elements[at])
                at += 1
            elif kept and is_caption(kept[-1]):
                element = _captioned(element, kept.pop())
        kept.append(element)
    return kept


def _captioned(figure: Element, caption: Element) -> Element:
    said = caption.text.strip()
    return replace(figure, text=f"{said}\n{figure.text}".strip() if said not in figure.text else figure.text)
