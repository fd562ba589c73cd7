"""Small stand-ins at the borders of the agent: a chat model with a script, a token embedder
whose words are letters. Test material only."""

from collections.abc import AsyncIterator

import numpy as np

from core.seams import ChatDelta
from core.text import Span
from core.types import Chunk, Hit, Stage, Usage
from retrieval.evidence import Excerpt


class ScriptedChat:
    """Plays one reply after another, in small pieces, and keeps what it was asked."""

    name = "scripted"

    def __init__(self, *replies: str | Exception) -> None:
        self.replies = list(replies)
        self.asked: list[list] = []
        self.cancelled = 0

    async def stream(self, messages, options) -> AsyncIterator[ChatDelta]:
        self.asked.append(list(messages))
        reply = self.replies.pop(0)
        if isinstance(reply, Exception):
            raise reply
        try:
            for at in range(0, len(reply), 3):
                yield ChatDelta(reply[at : at + 3])
        except GeneratorExit:
            self.cancelled += 1
            raise
        yield ChatDelta(usage=Usage(100, len(reply), 1), finish_reason="stop")

    async def structured(self, messages, schema, options):
        raise AssertionError("not asked for here")

    async def close(self) -> None:
        """Nothing to close."""


class CharacterVectors:
    """Each character is a token; equal characters have cosine 1, others 0."""

    def embed_tokens(self, texts):
        return [
            np.eye(997, dtype=np.float32)[[ord(c) % 997 for c in text if not c.isspace()]] for text in texts
        ]


def shown(whole: Chunk, *spans: Span) -> Excerpt:
    """An excerpt of a chunk; all of it when no spans are given."""
    return Excerpt(Hit(whole, 0.9, Stage.RERANKED), spans or (Span(0, len(whole.text)),))


def chunk(text: str, order: int = 0, title: str = "手册", **more) -> Chunk:
    """A chunk of a document of its own."""
    return Chunk(f"doc{order}-{order:05d}", f"doc{order}", order, text, title, f"file:///{order}.md", **more)
