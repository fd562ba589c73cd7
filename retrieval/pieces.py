"""Pieces: the sentences and table rows of a chunk's text, as they are shown and quoted.

Pure; knows nothing of questions or of vectors.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from core.text import Span, split_sentences

GAP = "…"
KEPT = 256
"""Texts of which the pieces are kept."""
_TABLE_RULE = re.compile(r"\|[\s:|-]*-[\s:|-]*\|")
_LIST_ITEM = re.compile(r"(?:[-*•·–]|[(（]?(?:\d{1,2}|[a-z]|[一二三四五六七八九十]{1,3})[.)）、])\s*\S")


@dataclass(frozen=True, slots=True)
class Piece:
    """A sentence or table row of a text. `header` is its table's header row; `lead` are the
    places of the pieces without which it says too little: a table's header, the line that
    opens a list."""

    span: Span
    header: str = ""
    lead: tuple[int, ...] = ()

    def readable(self, text: str) -> str:
        """The piece with its table's header."""
        return f"{self.header}\n{self.span.of(text)}".strip()


# What cuts, what screens and what binds read the same chunks.
@lru_cache(KEPT)
def split_pieces(text: str) -> tuple[Piece, ...]:
    """The sentences and rows of a text, in order; nothing but white space is left out."""
    spans = split_sentences(text)
    lines = [span.of(text) for span in spans]
    pieces: list[Piece] = []
    header, table, opener = "", (), ()
    for at, (span, line) in enumerate(zip(spans, lines, strict=True)):
        is_row = line.startswith("|") and line.endswith("|")
        if not is_row:
            header, table = "", ()
        elif _TABLE_RULE.fullmatch(line):
            # Only a line above a rule is a header: a table may go on without one.
            named = at > 0 and lines[at - 1].startswith("|")
            header, table = (lines[at - 1], (at - 1,)) if named else ("", ())
        is_item = not is_row and _LIST_ITEM.match(line) is not None
        pieces.append(Piece(span, header, table if is_row else opener if is_item else ()))
        if line.endswith((":", "：")):
            opener = (at,)
        elif not is_item and not _continues(text, spans, at):
            opener = ()
    return tuple(pieces)


def join_spans(text: str, spans: Sequence[Span]) -> str:
    """The spans of a text, in order, with a mark where words between two of them are missing.
    A table's rule is no words."""
    parts: list[str] = []
    end = None
    for span in spans:
        if end is not None:
            between = text[end : span.start]
            mark = f"\n{GAP}\n" if "\n" in between else f" {GAP} "
            if not between.strip():
                mark = between
            elif _TABLE_RULE.fullmatch(between.strip()):
                mark = "\n"
            parts.append(mark)
        parts.append(span.of(text))
        end = span.end
    return "".join(parts)


def _continues(text: str, spans: Sequence[Span], at: int) -> bool:
    """Whether a sentence stands on the same line as the one before it."""
    return at > 0 and "\n" not in text[spans[at - 1].end : spans[at].start]
