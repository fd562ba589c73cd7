"""What may not leave in an answer's words: links, pictures and tags that its evidence does not hold.

A model can be talked into a link that carries a reader, or what was read, elsewhere. Pure.
"""

import re
import unicodedata

_IMAGE = re.compile(r"!\[([^\]]*)\]\s*(?:\([^)]*\)?|\[[^\]]*\])")
_LINK = re.compile(r"(?<!!)\[([^\]]+)\]\(\s*([^)\s]*)[^)]*\)?")
_REFERENCE = re.compile(r"^\s{0,3}\[[^\]]{1,80}\]:\s*\S+.*$", re.MULTILINE)
_TAG = re.compile(
    r"</?(?:img|script|style|iframe|svg|link|meta|form|input|object|embed|video|audio|base)\b[^>]*(?:>|$)"
    # Short names are words too: a<b and c>d is none.
    r"|</?(?:a|p|b|i|u|br|div|span|button|table)(?:\s+[\w:-]+\s*=[^>]*|\s*/?)(?:>|$)|<!--.*?(?:-->|$)",
    re.IGNORECASE | re.DOTALL,
)
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
_EMPTY_PAIR = re.compile(r"[(（\[【]\s*[)）\]】]")


def strip_links(text: str, held: str) -> tuple[str, int]:
    """The text without pictures, tags, and addresses that do not stand in `held`, and how many
    that were. A Markdown link keeps its words; a tag that the evidence holds stays as it is."""
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

    clean = _IMAGE.sub(drop, text)
    clean = _REFERENCE.sub(drop, clean)
    clean = _LINK.sub(keep_words, clean)
    clean = _TAG.sub(drop, clean)
    clean = _ADDRESS.sub(drop_address, clean)
    if not count:
        return clean, 0
    return " ".join(_EMPTY_PAIR.sub("", clean).split()), count


def _fold(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())
