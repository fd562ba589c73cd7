"""Whether a drafted sentence is in the language that was asked for. Knows text only."""

import re
import unicodedata

from core.text import CJK, detect_language

LEAST_WORDS = 8
"""Fewer Latin words in a Chinese answer may be a name or a title."""
LEAST_CHARACTERS = 12
LEAST_LETTERS = 12
FOREIGN_SHARE = 0.4
_LATIN_WORD = re.compile(r"[A-Za-z\u00c0-\u024f]+(?:['’-][A-Za-z]+)*")
_HAN = re.compile(f"[{CJK}]")
_QUOTED = re.compile(r"“[^”]*”|\"[^\"]*\"|「[^」]*」|《[^》]*》")


def is_off_language(sentence: str, wanted: str, question: str = "") -> bool:
    """Whether a sentence is plainly in another language than `wanted` (zh or en): in the other
    one of these, or in a script that neither uses and the question does not. Names, titles and
    quotations do not count, nor do sentences too short to tell."""
    text = _QUOTED.sub(" ", sentence)
    letters = [char for char in text if char.isalpha()]
    foreign = [char for char in letters if not _is_known(char)]
    if len(foreign) >= LEAST_LETTERS and len(foreign) >= FOREIGN_SHARE * len(letters):
        return not any(char.isalpha() and not _is_known(char) for char in question)
    if detect_language(text) == wanted:
        return False
    if wanted == "en":
        return len(_HAN.findall(text)) >= LEAST_CHARACTERS
    words = _LATIN_WORD.findall(text)
    small = sum(word[0].islower() for word in words)
    return len(words) >= LEAST_WORDS and small * 2 >= len(words)


def _is_known(char: str) -> bool:
    """Han, Latin, and Greek, which is used in formulas."""
    name = unicodedata.name(char, "")
    return bool(_HAN.match(char)) or name.startswith(("LATIN", "GREEK", "FULLWIDTH LATIN"))
