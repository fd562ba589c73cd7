"""Judged sets as token vectors: what the token projection is fitted to and tried on.

Knows the encoder and the sets of evals/datasets; knows nothing of fitting.
"""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.text import detect_language
from evals.beir import JudgedQuery, RetrievalSet
from retrieval import lexical
from retrieval.embedders.e5 import E5Embedder
from retrieval.embedders.e5_projection import LANGUAGES, TokenProjection

CANDIDATES = 50
HIDDEN = 384


@dataclass(frozen=True)
class EncodedSet:
    """A judged set through the encoder.

    `documents[i]` and `queries[i]` are unit token states (tokens, 384) as int8, times 127;
    `weights[q]` are those of a query's tokens, 1 on average;
    `languages` and `asked_in` are indices into LANGUAGES; `gains[q]` maps a document's index
    to its gain; `candidates` (queries, ≤ 50) are the documents that a search would rerank;
    `groups[q]` tells queries apart that must not be split between fit and trial.
    """

    name: str
    documents: Sequence[np.ndarray]
    queries: Sequence[np.ndarray]
    weights: Sequence[np.ndarray]
    languages: np.ndarray
    asked_in: np.ndarray
    gains: Sequence[dict[int, float]]
    candidates: Sequence[np.ndarray]
    groups: Sequence[str]


def raw_encoder(weights: Path) -> E5Embedder:
    """The encoder with token states as they are."""
    same = TokenProjection(np.eye(HIDDEN, dtype=np.float32), np.zeros((len(LANGUAGES), HIDDEN), np.float32))
    return E5Embedder(weights, projection=same)


class SetEncoder:
    """Encodes sets; a text that several of them share is encoded once."""

    def __init__(self, weights: Path) -> None:
        self._embedder = raw_encoder(weights)
        self._documents: dict[str, tuple[np.ndarray, np.ndarray]] = {}

    def encode(self, judged: RetrievalSet, most_queries: int) -> EncodedSet:
        """At most `most_queries` queries, evenly over the set."""
        texts = [f"{d.title}\n{d.text}" if d.title else d.text for d in judged.documents]
        vectors, tokens = self._encode_documents(texts)
        step = max(1, len(judged.queries) // most_queries)
        asked = judged.queries[::step]
        place = {document.id: at for at, document in enumerate(judged.documents)}
        questions = [self._embedder.embed_query_tokens(query.text) for query in asked]
        weights = [np.linalg.norm(rows, axis=1) for rows in questions]
        dense = np.stack([self._embedder.embed_query(query.text) for query in asked]) @ vectors.T
        return EncodedSet(
            name=judged.name,
            documents=tokens,
            queries=[
                np.rint(rows / length[:, None] * 127).astype(np.int8)
                for rows, length in zip(questions, weights, strict=True)
            ],
            weights=weights,
            languages=np.array([LANGUAGES.index(detect_language(text)) for text in texts]),
            asked_in=np.array([LANGUAGES.index(detect_language(query.text)) for query in asked]),
            gains=[{place[i]: gain for i, gain in query.gains.items()} for query in asked],
            candidates=_candidates(dense, _lexical_scores(texts, [query.text for query in asked])),
            groups=[_group(judged.name, query) for query in asked],
        )

    def _encode_documents(self, texts: Sequence[str]) -> tuple[np.ndarray, list[np.ndarray]]:
        missing = [text for text in dict.fromkeys(texts) if text not in self._documents]
        if missing:
            for text, vector, rows in zip(
                missing, *self._embedder.embed_documents_and_tokens(missing), strict=True
            ):
                self._documents[text] = (vector, rows)
        found = [self._documents[text] for text in texts]
        return np.stack([vector for vector, _ in found]), [rows for _, rows in found]


def _group(name: str, query: JudgedQuery) -> str:
    """XQuAD's paragraphs stand in both languages under one id, `article-paragraph`."""
    relevant = sorted(query.gains)
    if name.startswith("xquad"):
        return f"xquad {relevant[0].split('-')[-2]}"
    return f"{name} {relevant[0] if len(relevant) == 1 else query.id}"


def fold_of(group: str, folds: int) -> int:
    """The same fold for the same group, whatever else is there."""
    return int(hashlib.sha256(group.encode()).hexdigest(), 16) % folds


def _lexical_scores(texts: Sequence[str], questions: Sequence[str]) -> np.ndarray:
    """BM25, (questions, texts)."""
    postings: dict[int, list[tuple[int, float]]] = defaultdict(list)
    for at, text in enumerate(texts):
        for term, weight in lexical.encode_document(text).weights.items():
            postings[term].append((at, weight))
    frequencies = {term: len(held) for term, held in postings.items()}
    scores = np.zeros((len(questions), len(texts)), np.float32)
    for row, question in enumerate(questions):
        words = lexical.weigh_query(lexical.query_shares(question), len(texts), frequencies)
        for term, idf in words.items():
            for at, weight in postings.get(term, ()):
                scores[row, at] += weight * idf
    return scores


def _candidates(dense: np.ndarray, scores: np.ndarray) -> list[np.ndarray]:
    """The first of both legs in turn, as many as a search would rerank."""
    best = [np.argsort(-table, axis=1)[:, :CANDIDATES] for table in (dense, scores)]
    turns = np.stack(best, axis=2).reshape(len(dense), -1)
    return [np.array(list(dict.fromkeys(row.tolist()))[:CANDIDATES]) for row in turns]
