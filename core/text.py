"""Text in Chinese and English: language, normal form, sentences with their spans.

Pure functions; knows nothing of documents.
"""

import re
import unicodedata
from dataclasses import dataclass

CJK = r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_CJK_RUN = re.compile(f"[{CJK}]+")
_LATIN_RUN = re.compile(r"[A-Za-z\u00c0-\u024f]+")
_SPACE = re.compile(r"\s+")
# A full stop ends a sentence only before space or the end, and not after a single
# letter, a common abbreviation or a list number ("3. Install").
# An exclamation mark before a bracket opens a picture in Markdown.
_ENDER = re.compile(r"(?:[。！？?；]|!(?!\[))+[”’」』）)\"']*|\.+[”’\")]*(?=\s|$)|\n+")
_ABBREVIATION = re.compile(
    r"(?:^|[\s(])(?:[A-Za-z]|Mr|Mrs|Ms|Dr|Prof|St|Mt|Gen|Col|Capt|Lt|Rev|Gov|Sen"
    r"|No|Nos|Fig|Figs|Eq|Sec|vs|etc|approx|cf|al|e\.g|i\.e|Inc|Ltd|Co|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec|\d{1,3})$"
)


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a text: `text[start:end]`."""

    start: int
    end: int

    def of(self, text: str) -> str:
        """The stretch itself."""
        return text[self.start : self.end]


def normalise(text: str) -> str:
    """NFKC, case folded, every run of white space one blank, trimmed."""
    return _SPACE.sub(" ", unicodedata.normalize("NFKC", text)).strip().casefold()


def storable(text: str) -> str:
    """The text without the one character that PostgreSQL does not take: NUL."""
    return text.replace("\x00", "")


def detect_language(text: str) -> str:
    """`zh` when the words are mostly Chinese, else `en`.

    A Chinese character weighs as much as about four Latin letters (one word against
    another), so that a Chinese sentence full of product names stays Chinese.
    """
    chinese = 0 if text.isascii() else sum(map(len, _CJK_RUN.findall(text)))
    if not chinese:
        return "en"
    return "zh" if chinese * 4 >= sum(map(len, _LATIN_RUN.findall(text))) else "en"


def has_letters(text: str) -> bool:
    """Whether there is a word at all: a row of figures is written in no language."""
    return bool(_LATIN_RUN.search(text) or _CJK_RUN.search(text))


def split_sentences(text: str) -> list[Span]:
    """The sentences of a text as spans without surrounding white space.

    Nothing but white space is left out, spans do not overlap, and none is empty.
    A line break ends a sentence: list items and table rows are sentences of their own.
    """
    spans, start = [], 0
    for match in _ENDER.finditer(text):
        if match.group().startswith(".") and _is_abbreviation(text, start, match.start()):
            continue
        _append_span(spans, text, start, match.end())
        start = match.end()
    _append_span(spans, text, start, len(text))
    return spans


class SentenceCutter:
    """Cuts a growing draft into the sentences that can no longer change; `rest` is what is left,
    of which the first `looked_at` characters hold no end and are not looked at again.

    A full stop at the very end may still become `3.5`, so it waits for what follows.
    """

    def __init__(self) -> None:
        self.rest = ""
        self.looked_at = 0

    def feed(self, text: str) -> list[str]:
        """The sentences that are complete by this next piece, with their markers."""
        draft = self.rest + text
        done, start, looked_at = [], 0, len(draft)
        for match in _ENDER.finditer(draft, self.looked_at):
            is_last = match.end() == len(draft)
            if match.group().startswith(".") and _is_abbreviation(draft, start, match.start()):
                looked_at = match.start() if is_last else looked_at
                continue
            end = _extend_over_markers(draft, match.end())
            if end is None:
                looked_at = match.start()
                break
            if sentence := draft[start:end].strip():
                done.append(sentence)
            start = end
        self.rest, self.looked_at = draft[start:], max(0, looked_at - start)
        return done


_MARKERS = re.compile(r"(?:\s*\[\d{1,2}(?:\s*[,，]\s*\d{1,2})*\])+")
_OPEN_MARKER = re.compile(r"\s*\[[\d,，\s]{0,40}$")


def _extend_over_markers(draft: str, end: int) -> int | None:
    """Where a sentence ends when `[1]` follows its stop; None while that is undecided."""
    if match := _MARKERS.match(draft, end):
        end = match.end()
    if end == len(draft) or _OPEN_MARKER.match(draft, end):
        return None
    return end


def _is_abbreviation(text: str, start: int, dot: int) -> bool:
    before = text[max(start, dot - 12) : dot]
    return bool(_ABBREVIATION.search(before)) and not re.search(r"[A-Za-z]\d+$", before)


def _append_span(spans: list[Span], text: str, start: int, end: int) -> None:
    raw = text[start:end]
    body = raw.strip()
    if body:
        left = start + len(raw) - len(raw.lstrip())
        spans.append(Span(left, left + len(body)))
