"""What may not leave in an answer's words: links, pictures and tags that its evidence does not hold.

A model can be talked into a link that carries a reader, or what was read, elsewhere. A picture is
fetched by whoever shows the answer, without a click, and so tells its server who reads what: of
one that the evidence holds the words and the address leave, as text. Pure.
"""

import re
import unicodedata
from collections.abc import Sequence

_IMAGE = re.compile(r"!\[([^\]]*)\]\s*(?:\(([^)]*)\)?|\[[^\]]*\])")
_LINK = re.compile(r"(?<!!)\[([^\]]+)\]\(\s*([^)\s]*)[^)]*\)?")
_REFERENCE = re.compile(r"^\s{0,3}\[[^\]]{1,80}\]:\s*\S+.*$", re.MULTILINE)
_TAG = re.compile(
    r"</?(?:img|script|style|iframe|svg|link|meta|form|input|object|embed|video|audio|base)\b[^>]*(?:>|$)"
    # Short names are words too: a<b and c>d is none.
    r"|</?(?:a|p|b|i|u|br|div|span|button|table)(?:\s+[\w:-]+\s*=[^>]*|\s*/?)(?:>|$)|<!--.*?(?:-->|$)",
    re.IGNORECASE | re.DOTALL,
)
_ATTRIBUTE = re.compile(r"([\w:-]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))")
_OF_LINKS = frozenset({"href", "title", "target", "rel"})
_WORDS_OF_TAGS = ("alt", "src", "href", "data")
_TLD = (
    r"com|net|org|edu|gov|io|co|cn|xyz|info|biz|top|ru|de|uk|eu|fr|jp|online|site|app|dev|shop|club|me|cc|tv|ai|link|click|live"
)
_ADDRESS = re.compile(
    r"(?:\b(?:https?|ftp|file|javascript|data|mailto|vbscript|tel)\s?:\s?/{0,3}[^\s<>\"'“”‘’）)，。；、]+"
    r"|\bwww\.[^\s<>\"'“”‘’）)，。；、]+"
    rf"|(?<![A-Za-z0-9@._/-])(?:[A-Za-z0-9][A-Za-z0-9-]{{0,62}}\.)+(?:{_TLD})\b(?:/[^\s<>\"'“”‘’）)，。；、]*)?)",
    re.IGNORECASE,
)
_TRAILING = ".,;:!?*_`"
_OPENED = re.compile(r"!+\[")
_EMPTY_PAIR = re.compile(r"[(（\[【]\s*[)）\]】]")


def strip_links(text: str, held: str) -> tuple[str, int]:
    """The text without pictures, tags, and addresses that do not stand in `held`, and how many
    that were. A Markdown link keeps its words; a tag that the evidence holds stays as it is, unless
    it fetches something: see `plain_pictures`."""
    count = 0
    known = _fold(held)

    def drop(match: re.Match[str]) -> str:
        nonlocal count
        if _fold(match.group()) in known:
            return match.group()
        count += 1
        return ""

    def keep_words(match: re.Match[str]) -> str:
        nonlocal count
        if _fold(match.group(2)) in known and match.group(2):
            return " ".join(dict.fromkeys(match.groups()))
        count += 1
        return match.group(1)

    def drop_address(match: re.Match[str]) -> str:
        nonlocal count
        address = match.group().rstrip(_TRAILING)
        if _fold(address) in known:
            return match.group()
        count += 1
        return match.group()[len(address) :]

    clean = plain_pictures(_IMAGE.sub(drop, text))
    clean = _REFERENCE.sub(drop, clean)
    clean = _LINK.sub(keep_words, clean)
    clean = _TAG.sub(drop, clean)
    clean = _ADDRESS.sub(drop_address, clean)
    if not count:
        return clean, 0
    return " ".join(_EMPTY_PAIR.sub("", clean).split()), count


def plain_pictures(text: str) -> str:
    """The text with the words and the address of each picture in its place, and of each tag that
    may fetch, send or run something: of all with attributes but simple links."""
    if "![" not in text and "<" not in text:
        return text
    clean = _IMAGE.sub(_words_of_picture, _TAG.sub(_words_of_tag, text))
    # Whatever was too nested to be read so: a link is followed by a click alone.
    return _OPENED.sub("[", clean)


def _words_of_picture(match: re.Match[str]) -> str:
    target = match.group(2) or ""
    return _set_apart(match, [match.group(1).strip(), *target.split()[:1]])


def _words_of_tag(match: re.Match[str]) -> str:
    tag = match.group()
    found = {name.casefold(): a or b or c for name, a, b, c in _ATTRIBUTE.findall(tag)}
    is_link = tag[1:2].casefold() == "a" and found.keys() <= _OF_LINKS
    if is_link or (not found and "=" not in tag):
        return tag
    return _set_apart(match, [found.get(name, "") for name in _WORDS_OF_TAGS])


def _set_apart(match: re.Match[str], parts: Sequence[str]) -> str:
    """The parts with blanks where they would touch the words around: an address would take them in."""
    words = " ".join(part for part in parts if part)
    if not words:
        return ""
    start, end = match.span()
    before, behind = match.string[max(0, start - 1) : start], match.string[end : end + 1]
    return f"{' ' * (before.strip() != '')}{words}{' ' * (behind.strip() != '')}"


def _fold(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())
