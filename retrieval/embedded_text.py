"""What of a chunk is embedded and matched. Knows chunks only."""

from core.text import has_letters
from core.types import Chunk


def embedded_text(chunk: Chunk) -> str:
    """Title and heading path in front of the text: a chunk says little without its place."""
    return f"{chunk.context}\n{chunk.text}" if chunk.context else chunk.text


def words_of(chunk: Chunk) -> str:
    """What tells a chunk's language: its text, or its place when it is a table of figures."""
    return chunk.text if has_letters(chunk.text) else embedded_text(chunk)
