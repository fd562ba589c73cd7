"""What of a chunk is embedded and matched. Knows chunks only."""

from core.types import Chunk


def embedded_text(chunk: Chunk) -> str:
    """Title and heading path in front of the text: a chunk says little without its place."""
    return f"{chunk.context}\n{chunk.text}" if chunk.context else chunk.text
