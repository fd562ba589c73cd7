"""Loops in a growing text: when a model says the same over and over.

Read while it streams, so that a generation can be stopped long before its limit. Three signs:
a stretch that repeats itself letter for letter right behind itself (of one character or of
hundreds), sentences that were said before, and a stretch of which nearly every n-gram was said
just before, which is how a loop with small variations looks. Knows text only.
"""

import re
from dataclasses import dataclass

import numpy as np

from core.text import CJK, normalise

LONGEST_PERIOD = 400
"""Characters: a stretch that is longer is caught by its sentences or its n-grams."""
TWICE_FROM = 60
"""From so many characters on, once more letter for letter is a loop; shorter ones need three."""
LEAST = 24
LEAST_OF_ONE = 20
LEAST_OF_FIGURES = 48
LEAST_OF_CELLS = 160
"""Cells of a table and lines drawn with dashes repeat for good reasons."""
LEAST_BLANK = 200
"""White space alone, in characters."""
WINDOW = 96
"""Tokens (a Chinese character, or a word) whose n-grams are compared with those before them."""
BEFORE = 240
GRAM = 4
STALE_SHARE = 0.9
SAID_BEFORE_IN_A_ROW = 2
SAID_IN_ALL = 3
LEAST_WORDS = 4
"""Of a sentence that counts: Latin words or Chinese characters."""

_TOKEN = re.compile(f"[{CJK}]|[^\\W_]+")
_WIDE = re.compile(f"[{CJK}]")
_FIGURES = re.compile(r"\d+")
_COUNTER = re.compile(r"^\W*(?:第?\s*\d{1,6}\s*[次遍句条步个.、)）:：]*)\s*")
_NEEDED = np.array(
    [0, LEAST_OF_ONE]
    + [max(LEAST, 3 * p) if p < TWICE_FROM else 2 * p for p in range(2, LONGEST_PERIOD + 1)]
)


@dataclass(frozen=True, slots=True)
class Loop:
    """What repeats: `kind` is period, sentences, ngrams or blank; `unit` an excerpt of it."""

    kind: str
    unit: str


class RepetitionWatch:
    """Reads one text piece by piece. `feed` tells of the first loop; the cost of a character
    is a comparison with the last `LONGEST_PERIOD` ones."""

    def __init__(self) -> None:
        # Newest first: character i-p stands at place p-1.
        self._last = np.zeros(LONGEST_PERIOD, dtype=np.uint32)
        self._runs = np.zeros(LONGEST_PERIOD + 1, dtype=np.int64)
        self._blank = 0
        self._tail = ""
        self._grams = _GramWindow()
        self._said: dict[str, int] = {}
        self._repeated = 0

    def feed(self, piece: str) -> Loop | None:
        """The loop that this piece closes, or None."""
        for char in piece:
            if loop := self._read(char):
                return loop
        return self._grams.feed(piece)

    def feed_sentence(self, sentence: str) -> Loop | None:
        """The same for whole sentences, without their markers; short ones say nothing. A
        count in front of a sentence does not make it another."""
        said = _COUNTER.sub("", normalise(sentence))
        # Rows of a table may be equal; as a loop they are a period.
        if len(_TOKEN.findall(said)) < LEAST_WORDS or said.startswith("|"):
            return None
        self._said[said] = self._said.get(said, 0) + 1
        self._repeated = self._repeated + 1 if self._said[said] > 1 else 0
        if self._repeated >= SAID_BEFORE_IN_A_ROW or self._said[said] >= SAID_IN_ALL:
            return Loop("sentences", said[:40])
        return None

    def _read(self, char: str) -> Loop | None:
        if char.isspace():
            self._blank += 1
            if self._blank >= LEAST_BLANK:
                return Loop("blank", "")
            if self._blank > 1:
                return None
            char = " "
        else:
            self._blank = 0
        code = ord(char.casefold()[0])
        runs = self._runs
        runs[1:] = (runs[1:] + 1) * (self._last == code)
        self._last[1:] = self._last[:-1]
        self._last[0] = code
        self._tail = (self._tail + char)[-LONGEST_PERIOD:]
        # A run that counts is longer than 0, so what was never written (0) is no match.
        long_enough = np.flatnonzero((runs > 0) & (runs + _PERIODS >= _NEEDED))
        for period in long_enough[long_enough > 0]:
            unit = self._tail[-period:]
            if runs[period] + period >= least_length(unit):
                return Loop("period", unit.strip()[:40])
        return None


def least_length(unit: str) -> int:
    """From how many characters on the repetition of `unit` is a loop."""
    letters = {char for char in unit if char.isalnum()}
    if not letters or "|" in unit or "\t" in unit:
        return LEAST_OF_CELLS
    if all(char.isdigit() for char in letters):
        return LEAST_OF_ONE if len(unit) == 1 else LEAST_OF_FIGURES
    if len(letters) == 1 and len(unit) > 1:
        return LEAST_OF_FIGURES
    return int(_NEEDED[len(unit)])


_PERIODS = np.arange(LONGEST_PERIOD + 1)


class _GramWindow:
    """Whether the last `WINDOW` tokens say anything that the `BEFORE` ones in front of each
    did not. Figures count as one and the same, so that counting on is no progress."""

    def __init__(self) -> None:
        self._rest = ""
        self._tokens: list[str] = []
        self._seen: dict[tuple[str, ...], int] = {}
        self._stale: list[bool] = []

    def feed(self, piece: str) -> Loop | None:
        text = self._rest + piece
        # The last word may go on with the next piece.
        matches = list(_TOKEN.finditer(text))
        whole = [m for m in matches if m.end() < len(text) or _WIDE.match(m.group())]
        self._rest = text[matches[-1].start() :] if len(whole) < len(matches) else ""
        for match in whole:
            if self._add(_FIGURES.sub("0", match.group().casefold())):
                return Loop("ngrams", " ".join(self._tokens[-8:]))
        return None

    def _add(self, token: str) -> bool:
        self._tokens.append(token)
        at = len(self._tokens)
        if at < GRAM:
            return False
        gram = tuple(self._tokens[-GRAM:])
        former = self._seen.get(gram)
        self._seen[gram] = at
        # Figures alone are a table of numbers.
        self._stale.append(former is not None and at - former <= BEFORE and set(gram) != {"0"})
        recent = self._stale[-WINDOW:]
        return len(recent) == WINDOW and sum(recent) >= STALE_SHARE * WINDOW
