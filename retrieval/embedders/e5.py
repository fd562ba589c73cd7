"""The built-in embedder: multilingual-e5-small at 8 bit on OpenVINO, without torch.

Knows e5's prefixes, mean pooling and batching (Wang et al. 2024); knows nothing of
chunks or stores. Weights, vocabulary and graph lie in one folder; the latter two are
made there from the weights on first use.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.errors import ModelFileError
from core.text import detect_language
from retrieval.embedders.e5_projection import TokenProjection, load_projection
from retrieval.embedders.e5_tokenizer import E5Tokenizer, write_vocabulary
from retrieval.embedders.e5_weights import E5Weights

WEIGHTS_FILE = "e5-small-q4.bin"
VOCABULARY_FILE = "e5-small.vocabulary-1.model"
QUERY_PREFIX = "query: "
DOCUMENT_PREFIX = "passage: "
# More tokens a batch gain no speed and cost memory: activations grow with them.
TOKENS_PER_BATCH = 2048
PAD_TO = 16
# Measured on XQuAD's development half with every second paragraph in Chinese, the others in
# English: 0 gives nDCG@10 .994 within a language and .22 across; .06 gives .992 and .675.
LANGUAGE_GAP = 0.06
INFORMATION_POWER = 2
"""By which a question's token weighs in late interaction; chosen on XQuAD's development half."""
KEPT_QUERY_TOKENS = 8192
"""Of recent questions: 1.5 kB a token, some 400 ordinary questions or 16 of the longest."""


@dataclass(frozen=True, slots=True)
class _Encoded:
    """One text through the encoder: its vector, and states and token ids of its words."""

    vector: np.ndarray
    states: np.ndarray
    tokens: np.ndarray


class E5Embedder:
    """`Embedder`, `TokenEmbedder` and `MultiVectorEmbedder`. Safe to call from several
    threads. A question that comes again, for its vector or its tokens, is encoded once.

    Raises:
        ModelFileError: the weights are not in `folder`.
    """

    def __init__(
        self, folder: Path, threads: int = 0, projection: TokenProjection | None = None
    ) -> None:
        """`threads=0` uses all cores; `projection` is the shipped one unless given."""
        self._weights = open_weights(folder)
        self._tokenizer = tokenizer_of(self._weights, folder)
        self._graph, version = _compile_graph(self._weights, folder, threads)
        self._lock = threading.Lock()
        self._max_tokens = self._weights.config.positions
        self.dimensions = self._weights.config.hidden
        self.language_gap = LANGUAGE_GAP
        self.fingerprint = f"e5-small-q4/openvino-int8-{version}"
        self._projection = projection or load_projection()
        self.token_gap = self._projection.gap
        self.token_fingerprint = f"{self.fingerprint}/{self._projection.fingerprint}"
        self._queries: OrderedDict[str, _Encoded] = OrderedDict()
        self._query_tokens = 0
        self._queries_lock = threading.Lock()

    def embed_query(self, text: str) -> np.ndarray:
        """See `Embedder.embed_query`."""
        return self._encode_query(text).vector.copy()

    def forget_queries(self) -> None:
        """The next question is encoded even when it came before: for measuring."""
        with self._queries_lock:
            self._queries.clear()
            self._query_tokens = 0

    def embed_documents(self, texts: Sequence[str]) -> np.ndarray:
        """See `Embedder.embed_documents`. What is over 512 tokens is cut."""
        vectors = np.zeros((len(texts), self.dimensions), np.float32)
        for index, encoded in self._encode(DOCUMENT_PREFIX, texts):
            vectors[index] = encoded.vector
        return vectors

    def embed_query_tokens(self, text: str) -> np.ndarray:
        """See `MultiVectorEmbedder.embed_query_tokens`."""
        encoded = self._encode_query(text)
        rows = self._projection.project(encoded.states, detect_language(text))
        weights = self._tokenizer.information(encoded.tokens) ** INFORMATION_POWER
        return rows * (weights / weights.mean())[:, None] if len(rows) else rows

    def embed_documents_and_tokens(
        self, texts: Sequence[str]
    ) -> tuple[np.ndarray, list[np.ndarray]]:
        """See `MultiVectorEmbedder.embed_documents_and_tokens`: one pass for both."""
        vectors = np.zeros((len(texts), self.dimensions), np.float32)
        tokens = [np.zeros((0, self._projection.size), np.int8)] * len(texts)
        for index, encoded in self._encode(DOCUMENT_PREFIX, texts):
            vectors[index] = encoded.vector
            language = detect_language(texts[index])
            tokens[index] = self._projection.narrow(encoded.states, language)
        return vectors, tokens

    def embed_tokens(self, texts: Sequence[str]) -> list[np.ndarray]:
        """Token vectors without prefix and frame: they match word to word across languages
        better than with them."""
        rows: list[np.ndarray] = [np.zeros((0, self.dimensions), np.float32)] * len(texts)
        for indices, states, mask, _ in self._encode_batches(texts):
            for at, index in enumerate(indices):
                length = int(mask[at].sum())
                rows[index] = _unit(states[at, 1 : length - 1])
        return rows

    def count_tokens(self, text: str) -> int:
        """See `Embedder.count_tokens`."""
        return self._tokenizer.count(text)

    def _encode_query(self, text: str) -> _Encoded:
        with self._queries_lock:
            if text in self._queries:
                self._queries.move_to_end(text)
                return self._queries[text]
        ((_, encoded),) = self._encode(QUERY_PREFIX, [text])
        with self._queries_lock:
            if text not in self._queries:  # another thread may have been quicker
                self._queries[text] = encoded
                self._query_tokens += max(1, len(encoded.states))
            while self._query_tokens > KEPT_QUERY_TOKENS:
                _, dropped = self._queries.popitem(last=False)
                self._query_tokens -= max(1, len(dropped.states))
        return encoded

    def _encode(self, prefix: str, texts: Sequence[str]) -> Iterator[tuple[int, _Encoded]]:
        """Each text with its position: mean-pooled vector, and states of the tokens behind
        the prefix, both of unit length."""
        behind = 1 + self._tokenizer.count(prefix.strip())
        for indices, states, mask, ids in self._encode_batches([prefix + text for text in texts]):
            pooled = np.einsum("btd,bt->bd", states, mask) / mask.sum(axis=1, keepdims=True)
            vectors = _unit(pooled)
            for at, index in enumerate(indices):
                words = slice(behind, int(mask[at].sum()) - 1)
                yield index, _Encoded(vectors[at], _unit(states[at, words]), ids[at, words])

    def _encode_batches(
        self, texts: Sequence[str]
    ) -> Iterator[tuple[list[int], np.ndarray, np.ndarray, np.ndarray]]:
        """Batches of like length: (positions in `texts`, states, mask, token ids)."""
        tokens = [self._tokenizer.encode(text, self._max_tokens) for text in texts]
        for indices in token_batches([len(ids) for ids in tokens]):
            longest = max(len(tokens[index]) for index in indices)
            width = min(-(-longest // PAD_TO) * PAD_TO, self._max_tokens)
            ids = np.full((len(indices), width), self._weights.special.pad, np.int64)
            mask = np.zeros(ids.shape, np.float32)
            for at, index in enumerate(indices):
                ids[at, : len(tokens[index])] = tokens[index]
                mask[at, : len(tokens[index])] = 1
            words = self._weights.word_rows(ids)
            with self._lock:
                states = self._graph([words, mask])[0].copy()
            yield indices, states, mask, ids


def token_batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Indices sorted by length, longest first, so many that a batch stays in its budget."""
    batch: list[int] = []
    width = 0
    for index in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        width = width or lengths[index]
        if batch and (len(batch) + 1) * width > TOKENS_PER_BATCH:
            yield batch
            batch, width = [], lengths[index]
        batch.append(index)
    if batch:
        yield batch


def _unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), 1e-9)


def open_tokenizer(folder: Path) -> E5Tokenizer:
    """The tokenizer alone: a fraction of the memory and time of the embedder.

    Raises:
        ModelFileError: the weights are not in `folder`.
    """
    return tokenizer_of(open_weights(folder), folder)


def open_weights(folder: Path) -> E5Weights:
    """The weights of the encoder.

    Raises:
        ModelFileError: they are not in `folder`.
    """
    weights_file = folder / WEIGHTS_FILE
    if not weights_file.exists():
        raise ModelFileError(
            f"the embedder's weights are not in {folder}", remedy="run: attest models fetch"
        )
    return E5Weights(weights_file)


def tokenizer_of(weights: E5Weights, folder: Path) -> E5Tokenizer:
    """The tokenizer of these weights; its vocabulary is written into `folder` once."""
    vocabulary_file = folder / VOCABULARY_FILE
    if not vocabulary_file.exists():
        write_vocabulary(weights, vocabulary_file)
    return E5Tokenizer(weights, vocabulary_file)


def _compile_graph(weights: E5Weights, folder: Path, threads: int):
    """The compiled graph and the fingerprint of what it was built from."""
    from retrieval.embedders import e5_graph

    version = e5_graph.graph_version()

    def build():
        return e5_graph.E5GraphBuilder(weights, e5_graph.load_ranges()).build()

    return e5_graph.open_graph(folder / f"e5-small-int8-{version}.xml", build, threads), version
