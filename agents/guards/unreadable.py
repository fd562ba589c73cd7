"""Text that nobody reads and a model may still follow: rows of brackets that close what stands
before them, one sign over and over, words whose letters were shifted or turned round.

Such rows crowd out what a model was told, and ciphers hide an order from whoever looks for
orders. Pure; ciphers are told for English.
"""

import re
import string
from collections import defaultdict

_BRACKETS = re.compile(r"(?:[\[\](){}]\s*){12,}")
LEAST_SHARE = 0.5
"""Part of a text that a row must be: data may end in brackets too."""
# One letter or picture, spaced out; rules (- - -), figures and boxes to tick are left alone.
_SPACED = re.compile(r"(?<!\S)([^\W\d_]|[^\w\s!-/:-@\[-`{-~·•…—–─━═□☐])(?:\s{1,3}\1){29,}(?!\S)")
_REPEATED = re.compile(r"([^\s|]{4,16}?)(?:\s{0,3}\1){11,}")
_WORD = re.compile(r"[a-z]{3,}")
LEAST_HIDDEN = 3
"""So many different common words under one shift are no chance: a word of three letters is one by
chance in five hundred."""
# fmt: off
_COMMON = frozenset([
    "the", "and", "you", "that", "this", "with", "for", "are", "all", "from", "have", "not", "must", "will",
    "your", "only", "now", "say", "says", "print", "write", "output", "answer", "reply", "respond",
    "response", "repeat", "ignore", "disregard", "forget", "instruction", "instructions", "previous",
    "above", "below", "following", "prompt", "system", "secret", "password", "access", "granted", "user",
    "never", "always", "please", "instead", "word", "words", "sentence", "question", "tell", "reveal",
    "rules", "what", "when", "then", "after", "before", "should", "there", "which", "their",
])
# fmt: on


def _hidden_forms() -> dict[str, set[int]]:
    """Common words as a cipher writes them, with the shifts that do; 0 is turned round."""
    letters, forms = string.ascii_lowercase, defaultdict(set)
    for shift in range(1, len(letters)):
        table = str.maketrans(letters, letters[shift:] + letters[:shift])
        for word in _COMMON:
            forms[word.translate(table)].add(shift)
    for word in _COMMON:
        forms[word[::-1]].add(0)
    return {form: shifts for form, shifts in forms.items() if form not in _COMMON}


_FORMS = _hidden_forms()


def is_unreadable(text: str) -> bool:
    """Whether a sentence (or another short stretch) is a row of signs for the most part, or hides
    its words."""
    rows = [match.group() for pattern in (_BRACKETS, _SPACED) for match in pattern.finditer(text)]
    rows += [match.group() for match in _REPEATED.finditer(text) if _is_word(match.group(1))]
    return any(len(row) >= LEAST_SHARE * len(text.strip()) for row in rows) or _is_ciphered(text)


def _is_word(unit: str) -> bool:
    """Not a rule across the page, nor a blank to fill in."""
    return len(set(unit)) > 1 and any(char.isalpha() for char in unit)


def _is_ciphered(text: str) -> bool:
    """Whether letters shifted, or words turned round, give more common words than stand there."""
    words = set(_WORD.findall(text.casefold()))
    plain = sum(word in _COMMON for word in words)
    found: dict[int, int] = defaultdict(int)
    for word in words:
        for shift in _FORMS.get(word, ()):
            found[shift] += 1
    return max(found.values(), default=0) >= max(LEAST_HIDDEN, plain + 1)
