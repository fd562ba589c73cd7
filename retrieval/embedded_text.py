"""What of a chunk is embedded and matched, and its language. Knows chunks only."""

from functools import lru_cache

from core.text import detect_language, has_letters
from core.types import Chunk, ElementKind
from retrieval.row_sentences import row_sentences

LANGUAGES_KEPT = 8192
"""Texts whose language is remembered: a search asks it of each of its hits, several times."""


def embedded_text(chunk: Chunk) -> str:
    """Title, heading path and context line in front of the text: a chunk says little without
    its place. Rows of a long table are told as sentences, for what is sought there is one row; a whole
    table is better found as it stands (docs/decisions/014-tables.md has the figures)."""
    text = row_sentences(chunk.text) if chunk.kind is ElementKind.ROWS else chunk.text
    return "\n".join(part for part in (chunk.context, chunk.context_line, text) if part)


def _own_text(chunk: Chunk) -> str:
    """The same without what a model wrote of the chunk."""
    return f"{chunk.context}\n{chunk.text}"


def words_of(chunk: Chunk) -> str:
    """What tells a chunk's language: its text, or its place when it is a table of figures."""
    return chunk.text if has_letters(chunk.text) else _own_text(chunk)


def is_foreign(chunk: Chunk, language: str) -> bool:
    """Whether a chunk is written in another language than `language`; one without a word in it
    or in its place is written in none."""
    return (_language(chunk.text) or _language(_own_text(chunk))) not in ("", language)


@lru_cache(LANGUAGES_KEPT)
def _language(text: str) -> str:
    return detect_language(text) if has_letters(text) else ""
