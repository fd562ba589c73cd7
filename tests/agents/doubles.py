"""Small stand-ins at the borders of the agent: a chat model with a script, a token embedder
whose words are letters. Test material only."""

import math
from collections.abc import AsyncIterator
from dataclasses import replace

import numpy as np

from agents.guards.building import GuardModels
from agents.guards.grounding import GroundingGuard
from core.readers import AnswerReading
from core.seams import ChatDelta
from core.text import Span
from core.types import Chunk, Hit, Stage, Usage
from retrieval.evidence import Excerpt
from retrieval.terms import split_terms


class ScriptedChat:
    """Plays one reply after another, in small pieces, and keeps what it was asked."""

    name = "scripted"

    def __init__(self, *replies: str | BaseException) -> None:
        self.replies = list(replies)
        self.asked: list[list] = []
        self.cancelled = 0

    async def stream(self, messages, options) -> AsyncIterator[ChatDelta]:
        self.asked.append(list(messages))
        reply = self.replies.pop(0)
        if isinstance(reply, BaseException):
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


class LetterReader:
    """Reads pairs by their words alone: the more of the first stand in the second, the surer."""

    fingerprint = "letters"

    def read_claims(self, pairs):
        return [4.9 * (_share(first, second) - 0.5) for first, second in pairs]

    def read_questions(self, pairs):
        return [5.0] * len(pairs)

    def find_answers(self, question, texts):
        return [
            AnswerReading(5.0, text, tuple((Span(at, at + 1), 1 / len(text)) for at in range(len(text))))
            for text in texts
        ]


def _share(first: str, second: str) -> float:
    words = set(split_terms(first))
    return len(words & set(split_terms(second))) / max(1, len(words))


class ReadingAlone:
    """A probability that is the reader's own."""

    def probability(self, features):
        return 1 / (1 + math.exp(-features["reading"]))


def letter_models() -> GuardModels:
    """What guards read with, where words are letters."""
    return GuardModels(CharacterVectors(), LetterReader())


def letter_guard() -> GroundingGuard:
    """The cascade over `LetterReader`."""
    return GroundingGuard(LetterReader(), 0.5, model=ReadingAlone())


def with_letters(asker):
    """The asker with a guard that reads letters: the shipped one was fitted for another reader."""
    asker._context = replace(asker._context, guard=letter_guard())
    return asker


def shown(whole: Chunk, *spans: Span) -> Excerpt:
    """An excerpt of a chunk; all of it when no spans are given."""
    return Excerpt(Hit(whole, 0.9, Stage.RERANKED), spans or (Span(0, len(whole.text)),))


def chunk(text: str, order: int = 0, title: str = "手册", **more) -> Chunk:
    """A chunk of a document of its own."""
    more = {"uri": f"file:///{order}.md", **more}
    return Chunk(f"doc{order}-{order:05d}", f"doc{order}", order, text, title, **more)
