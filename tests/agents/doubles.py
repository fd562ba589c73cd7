"""Small stand-ins at the borders of the agent: a chat model with a script, a token embedder
whose words are letters. Test material only."""

from collections.abc import AsyncIterator
from dataclasses import replace

import numpy as np

from agents.guards.alignment import SCALARS
from agents.guards.grounding import GroundingGuard
from agents.guards.grounding_model import FINDINGS, GroundingModel
from agents.guards.signals import SIGNALS
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


def letter_model() -> GroundingModel:
    """A model for `CharacterVectors`: it reads nothing but the share of the words and tokens held."""
    inputs = len(SIGNALS) + FINDINGS
    inner = np.zeros((1, inputs, 1), np.float32)
    inner[0, SIGNALS.index("cover_quoted")] = 1.0
    head = {
        "projection": np.zeros((997, 1)), "mean": np.zeros(SCALARS), "spread": np.ones(SCALARS),
        "inner": np.zeros((4 + SCALARS, 1)), "inner_bias": np.zeros(1), "outer": np.zeros(1), "outer_bias": np.zeros(1),
    }  # fmt: skip
    claims = {
        "mean": np.zeros(inputs), "spread": np.ones(inputs), "inner": inner, "inner_bias": np.zeros((1, 1)),
        "outer": np.full((1, 1), 10.0), "outer_bias": np.full((1, 1), -5.0),
    }  # fmt: skip
    parts = {f"head.{name}": value for name, value in head.items()}
    parts |= {f"claims.{name}": value for name, value in claims.items()}
    ends = np.linspace(-5, 5, 11)
    return GroundingModel({"centre": np.zeros(997), "map_from": ends, "map_to": 1 / (1 + np.exp(-ends)), **parts})


def letter_guard() -> GroundingGuard:
    """The cascade over `CharacterVectors`."""
    return GroundingGuard(CharacterVectors(), 0.5, model=letter_model())


def with_letters(asker):
    """The asker with a guard that reads `CharacterVectors`: the shipped one was fitted for others."""
    asker._context = replace(asker._context, guard=letter_guard())
    return asker


def shown(whole: Chunk, *spans: Span) -> Excerpt:
    """An excerpt of a chunk; all of it when no spans are given."""
    return Excerpt(Hit(whole, 0.9, Stage.RERANKED), spans or (Span(0, len(whole.text)),))


def chunk(text: str, order: int = 0, title: str = "手册", **more) -> Chunk:
    """A chunk of a document of its own."""
    more = {"uri": f"file:///{order}.md", **more}
    return Chunk(f"doc{order}-{order:05d}", f"doc{order}", order, text, title, **more)
