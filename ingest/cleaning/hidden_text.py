"""What makes text invisible to people: one place for the judgement, whatever the format.

Parsers say how a text is set; here it is said whether a person sees it. What is hidden for a
good reason stays unmentioned: the text layer behind a scan, closed panels of a web page.
Pure; knows no parser.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

LEAST_POINTS = 1.5
"""Characters less high than this cannot be read; footnotes have 6, notes in charts 3."""
_NEAR_COLOURS = 0.06
_NAMED = {"white": "ffffff", "snow": "fffafa", "ivory": "fffff0", "black": "000000", "red": "ff0000"}
_RGB = re.compile(r"rgba?\(\s*(\d{1,3})[\s,]+(\d{1,3})[\s,]+(\d{1,3})(?:[\s,/]+([\d.]+%?))?\s*\)")
_ZERO = re.compile(r"0*\.?0*(?:px|pt|em|rem|%)?")
_SMALL = re.compile(r"(?:0?\.\d+|1(?:\.0*)?)(?:px|pt)")
# U+E0000 block: a copy of ASCII that nothing draws; after a black flag it spells a region.
_TAGS = re.compile("[\U000e0020-\U000e007e]+\U000e007f?")
_FLAG = re.compile("\U0001f3f4[\U000e0061-\U000e007a\U000e0030-\U000e0039]{2,6}\U000e007f")
# One selects a form of the character before it; several carry bytes.
_SELECTORS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]{4,}")
_ZERO_WIDTH = re.compile("[\u200b-\u200d\u2060-\u2064\ufeff]{8,}")
_OVERRIDES = re.compile("[\u202d\u202e]")
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")


@dataclass(frozen=True, slots=True)
class Look:
    """How text is set. Colours are red, green and blue from 0 to 1, None where nobody knows;
    `points` is the height of its characters, 0 where nobody knows."""

    colour: tuple[float, float, float] | None = None
    background: tuple[float, float, float] | None = None
    opacity: float = 1.0
    points: float = 0.0


def why_invisible(look: Look) -> str:
    """Why nobody sees text that is set so; empty when it can be seen."""
    if look.opacity < 0.02:
        return "transparent"
    if 0 < look.points < LEAST_POINTS:
        return "too small to be read"
    if look.colour is not None and look.background is not None:
        pairs = zip(look.colour, look.background, strict=True)
        if max(abs(one - other) for one, other in pairs) <= _NEAR_COLOURS:
            return "in the colour of its background"
    return ""


def why_style_hides(style: Mapping[str, str], look: Look) -> tuple[str, bool]:
    """Why an element of a web page with these declarations is not seen, and whether that is a
    trick: panels and menus that are closed now are hidden too, and are none. Empty when it is
    seen. `look` is that of the element around it."""
    if "none" in style.get("display", "") or style.get("visibility", "") in ("hidden", "collapse"):
        return "not displayed", False
    size = style.get("font-size", "")
    if size and (_ZERO.fullmatch(size) or _SMALL.fullmatch(size)):
        return "too small to be read", True
    if _ZERO.fullmatch(style.get("opacity", "1")):
        return "transparent", False
    colour = colour_of(style.get("color", ""))
    background = colour_of(style.get("background-color", style.get("background", "").split(" ")[0]))
    own = colour if colour is not None else look.colour
    return why_invisible(Look(own, background or look.background)), True


def colour_of(css: str) -> tuple[float, float, float] | None:
    """A colour as CSS, HTML and Word write it; None when it is none or not known."""
    text = css.strip().lower().removesuffix("!important").strip()
    text = _NAMED.get(text, text).removeprefix("#")
    if match := _RGB.fullmatch(text):
        red, green, blue = (min(255, int(match.group(at))) / 255 for at in (1, 2, 3))
        return red, green, blue
    if len(text) == 3:
        text = "".join(2 * c for c in text)
    if not re.fullmatch(r"[0-9a-f]{6}", text):
        return None
    return tuple(int(text[at : at + 2], 16) / 255 for at in (0, 2, 4))  # type: ignore[return-value]


def declarations(style: str) -> dict[str, str]:
    """The declarations of a style attribute, lower case, without `!important`."""
    pairs = (part.partition(":") for part in style.lower().split(";"))
    return {
        name.strip(): value.replace("!important", "").strip() for name, _, value in pairs if value.strip()
    }


def take_unseen_characters(text: str) -> tuple[str, list[tuple[str, str]]]:
    """The text without characters that nothing draws and that carry a message, and what these
    were: pairs of a reason and the message, or a description where it is no text. A few joiners,
    variants of characters and the marks of right-to-left scripts stay."""
    found: list[tuple[str, str]] = []
    if text.isascii():
        return text, found

    def keep_flags(match: re.Match[str]) -> str:
        before = text[max(0, match.start() - 1) : match.start()]
        if before == "\U0001f3f4" and _FLAG.match(text, match.start() - 1):
            return match.group()
        message = "".join(chr(ord(c) - 0xE0000) for c in match.group() if c != "\U000e007f")
        found.append(("in characters that are not drawn", message))
        return ""

    def describe(reason: str):
        def drop(match: re.Match[str]) -> str:
            found.append((reason, f"{len(match.group())} characters"))
            return ""

        return drop

    seen = _TAGS.sub(keep_flags, text)
    seen = _SELECTORS.sub(describe("in a row of variation selectors"), seen)
    seen = _ZERO_WIDTH.sub(describe("in a row of characters without width"), seen)
    if _OVERRIDES.search(seen) and not _RIGHT_TO_LEFT.search(seen):
        seen = _OVERRIDES.sub("", seen)
        found.append(("shown in another order than it is written", seen))
    return seen, found
