"""A library of any size made from the paragraphs of public sets, for measuring speed only.

To embed 50,000 chunks takes long, so some thousand real chunks are embedded and the others
are made of them: the first half of one and the second half of another in the same language,
whose vector is the mean of both with a little noise and whose token vectors are half of
each. Texts are real sentences, so the lexical leg does its real work; vectors are spread as
real ones are. No figure of quality can be taken from such a library. Knows texts and
vectors; knows nothing of timing.
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
        self._prepared: dict[str, Encoded] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def prepare(self, texts: Sequence[str], encoded: Sequence["Encoded"]) -> None:
        """What `embed_documents_and_tokens` gives for the next texts, and for no others."""
        self._prepared = dict(zip(texts, encoded, strict=True))

    def embed_documents_and_tokens(self, texts: Sequence[str]) -> tuple[np.ndarray, list[np.ndarray]]:
        """See `MultiVectorEmbedder.embed_documents_and_tokens`."""
        if not all(text in self._prepared for text in texts):
            return self._inner.embed_documents_and_tokens(texts)
        found = [self._prepared[text] for text in texts]
        return np.stack([vector for vector, _ in found]), [rows for _, rows in found]


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


def embed_base(embedder: Any, texts: Sequence[str], folder: Path) -> list["Encoded"]:
    """Vector and token vectors of the real chunks, kept in `folder` for the next run."""
    digest = hashlib.sha256(json.dumps([embedder.token_fingerprint, *texts]).encode()).hexdigest()[:16]
    path = folder / f"vectors-{digest}.npz"
    if not path.exists():
        vectors, tokens = embedder.embed_documents_and_tokens(texts)
        np.savez(path, vectors=vectors, rows=np.concatenate(tokens), sizes=[len(rows) for rows in tokens])
    with np.load(path, allow_pickle=False) as kept:
        tokens = np.split(kept["rows"], np.cumsum(kept["sizes"])[:-1])
        return list(zip(kept["vectors"], tokens, strict=True))


def recombine(
    texts: Sequence[str], encoded: Sequence["Encoded"], count: int, rng: np.random.Generator
) -> Iterator[tuple[str, "Encoded"]]:
    """`count` chunks with their vectors: the real ones first, then made ones."""
    for at in range(min(count, len(texts))):
        yield texts[at], encoded[at]
    for _ in range(count - len(texts)):
        first, second = rng.integers(0, len(texts), 2)
        head, tail = texts[first], texts[second]
        mean = encoded[first][0] + encoded[second][0]
        mean = mean / np.linalg.norm(mean) + rng.normal(0, NOISE, len(mean))
        unit = (mean / np.linalg.norm(mean)).astype(np.float32)
        before, behind = encoded[first][1], encoded[second][1]
        rows = np.concatenate([before[: len(before) // 2], behind[len(behind) // 2 :]])
        yield head[: len(head) // 2] + tail[len(tail) // 2 :], (unit, rows)


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
    index: ChunkIndex, embedder: PreparedEmbedder, name: str, pairs: Sequence[tuple[str, "Encoded"]]
) -> None:
    """One document of these chunks, by the product's write path."""
    identity = hashlib.sha256(json.dumps([text for text, _ in pairs]).encode()).hexdigest()
    chunks = [
        Chunk(chunk_id(identity, at), identity, at, text, "", identity) for at, (text, _) in enumerate(pairs)
    ]
    embedder.prepare([text for text, _ in pairs], [encoded for _, encoded in pairs])
    size = sum(len(text) for text, _ in pairs)
    index.write_document(Document(identity, identity, "", "text/plain", size, name), chunks)


Encoded = tuple[np.ndarray, np.ndarray]
"""A chunk's vector, and its token vectors as int8 rows."""
Base = dict[str, tuple[list[str], list[Encoded]]]
"""Real chunks and their vectors, by language."""
