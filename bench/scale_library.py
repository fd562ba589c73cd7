"""A library of any size made from the paragraphs of public sets, for measuring speed only.

To embed 50,000 chunks takes half an hour, so some thousand real chunks are embedded and the
others are made of them: the first half of one and the second half of another in the same
language, whose vector is the mean of both with a little noise. Texts are real sentences, so
the lexical leg does its real work; vectors are spread as real ones are. No figure of
quality can be taken from such a library. Knows texts and vectors; knows nothing of timing.
"""

import hashlib
import json
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.peers.libraries import Plan, Size, read_plan
from core.text import split_sentences
from core.types import Chunk, Document, chunk_id
from retrieval.index import ChunkIndex

MAX_CHARS = {"zh": 320, "en": 900}
CHUNKS_PER_DOCUMENT = 50
NOISE = 0.02
SEED = 11


class PreparedEmbedder:
    """The real embedder, except that documents whose vectors are prepared are looked up."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self._prepared: dict[str, np.ndarray] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def prepare(self, text: str, vector: np.ndarray) -> None:
        """`vector` is what `embed_documents` gives for `text`."""
        self._prepared[text] = vector

    def embed_documents(self, texts: Sequence[str]) -> np.ndarray:
        """See `Embedder.embed_documents`."""
        if all(text in self._prepared for text in texts):
            return np.stack([self._prepared[text] for text in texts])
        return self._inner.embed_documents(texts)


def read_sources(data: Path, questions: int) -> tuple[dict[str, list[str]], list[str]]:
    """Chunks of real text by language, and questions, half of them in each language."""
    plan = read_plan(data, Size(questions, 0, 0, SEED))
    chunks = {
        language: [piece for p in passages for piece in cut(p.text, MAX_CHARS[language])]
        for language, passages in plan.libraries.items()
    }
    return chunks, varied_questions(plan, questions)


def varied_questions(plan: Plan, count: int) -> list[str]:
    """As many of each set in turn until there are `count`, none twice."""
    by_set: dict[str, list[str]] = {}
    for question in plan.questions:
        by_set.setdefault(question.set, []).append(question.text)
    english = [text for name in ("xquad-en-en", "xquad-en-zh") for text in by_set[name]]
    turns = zip(*(by_set[name] for name in ("cmrc2018", "drcd", "xquad-zh-zh")), strict=False)
    chinese = [text for turn in turns for text in turn]
    pairs = zip(dict.fromkeys(chinese), dict.fromkeys(english), strict=False)
    return [text for pair in pairs for text in pair][:count]


def cut(text: str, max_chars: int) -> list[str]:
    """Pieces of whole sentences, at most `max_chars` long as far as sentences allow."""
    pieces: list[tuple[int, int]] = []
    for span in split_sentences(text):
        if pieces and span.end - pieces[-1][0] <= max_chars:
            pieces[-1] = (pieces[-1][0], span.end)
        else:
            pieces.append((span.start, span.end))
    return [text[start:end] for start, end in pieces]


def embed_base(embedder: Any, texts: Sequence[str], folder: Path) -> np.ndarray:
    """Vectors of the real chunks, kept in `folder` for the next run. Shape (n, dimensions)."""
    digest = hashlib.sha256(json.dumps([embedder.fingerprint, *texts]).encode()).hexdigest()[:16]
    path = folder / f"vectors-{digest}.npy"
    if not path.exists():
        np.save(path, embedder.embed_documents(texts))
    return np.load(path)


def recombine(
    texts: Sequence[str], vectors: np.ndarray, count: int, rng: np.random.Generator
) -> Iterator[tuple[str, np.ndarray]]:
    """`count` chunks with their vectors: the real ones first, then made ones."""
    for at in range(min(count, len(texts))):
        yield texts[at], vectors[at]
    for _ in range(count - len(texts)):
        first, second = rng.integers(0, len(texts), 2)
        head, tail = texts[first], texts[second]
        mean = vectors[first] + vectors[second]
        mean = mean / np.linalg.norm(mean) + rng.normal(0, NOISE, len(mean))
        unit = (mean / np.linalg.norm(mean)).astype(np.float32)
        yield head[: len(head) // 2] + tail[len(tail) // 2 :], unit


def build_library(index: ChunkIndex, embedder: PreparedEmbedder, name: str, size: int, base: "Base") -> None:
    """A collection of `size` chunks, half in each language as far as there are. Left as it is
    when a run before has built it whole."""
    index.open_collection(name)
    if sum(index.count_chunks(name).values()) == size // len(base) * len(base):
        return
    index.drop_collection(name)
    index.open_collection(name)
    rng = np.random.default_rng(SEED)
    made = [pair for language in base for pair in recombine(*base[language], size // len(base), rng)]
    random.Random(SEED).shuffle(made)
    for start in range(0, len(made), CHUNKS_PER_DOCUMENT):
        write_document(index, embedder, name, made[start : start + CHUNKS_PER_DOCUMENT])


def write_document(
    index: ChunkIndex, embedder: PreparedEmbedder, name: str, pairs: Sequence[tuple[str, np.ndarray]]
) -> None:
    """One document of these chunks, by the product's write path."""
    identity = hashlib.sha256(json.dumps([text for text, _ in pairs]).encode()).hexdigest()
    chunks = [
        Chunk(chunk_id(identity, at), identity, at, text, "", identity) for at, (text, _) in enumerate(pairs)
    ]
    for text, vector in pairs:
        embedder.prepare(text, vector)
    size = sum(len(text) for text, _ in pairs)
    index.write_document(Document(identity, identity, "", "text/plain", size, name), chunks)


Base = dict[str, tuple[list[str], np.ndarray]]
"""Real chunks and their vectors, by language."""
