"""Reads claims and questions beside evidence with the adapted encoder: a `PairReader`.

A cross-encoder of 21 million parameters at 8 bit on OpenVINO, made on first use from the embedder's
own weights and a small adapter, so nothing more is fetched. Knows pairs and batches; knows nothing of
verdicts.
"""

import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from core.seams import Pair
from retrieval.embedders.e5 import PAD_TO, WEIGHTS_FILE, open_tokenizer, token_batches
from retrieval.embedders.e5_tokenizer import E5Tokenizer
from retrieval.embedders.e5_weights import E5Weights, SpecialTokens
from retrieval.pairs.adapter import FIRST, SECOND, AdaptedWeights, PairAdapter, shipped_adapter
from retrieval.pairs.window import cut_window

GRAPH_VERSION = 1
FIRST_TOKENS, CLAIM_EVIDENCE_TOKENS, QUESTION_EVIDENCE_TOKENS = 56, 110, 150
LONGEST_SECOND = 180
"""Tokens: of the first text, of evidence for a claim and for a question, of any evidence."""


class AdaptedReader:
    """See `PairReader`. Safe to call from several threads: the graph is built and loaded once, when
    something is first read, and calls take turns.

    Raises:
        ModelFileError: the embedder's weights are not in `folder`.
    """

    def __init__(self, folder: Path, threads: int = 0, adapter: PairAdapter | None = None) -> None:
        """`threads=0` uses all cores; `adapter` is the shipped one unless given."""
        self._folder, self._threads = folder, threads
        self._adapter = adapter or shipped_adapter()
        self._tokenizer = open_tokenizer(folder)
        self._weights = E5Weights(folder / WEIGHTS_FILE)
        self._graph = None
        self._lock = threading.Lock()
        self.fingerprint = f"e5-small-pairs/{GRAPH_VERSION}-{self._adapter.fingerprint}"

    def read_claims(self, pairs: Sequence[Pair]) -> list[float]:
        """See `PairReader.read_claims`."""
        return [-logit for logit in self._read("wrong", pairs, CLAIM_EVIDENCE_TOKENS)]

    def read_questions(self, pairs: Sequence[Pair]) -> list[float]:
        """See `PairReader.read_questions`."""
        return self._read("answer", pairs, QUESTION_EVIDENCE_TOKENS)

    def _read(self, head: str, pairs: Sequence[Pair], budget: int) -> list[float]:
        framed = []
        for first, second in pairs:
            window = cut_window(first, second, budget, self._tokenizer.count)
            framed.append(frame_pair(self._tokenizer, self._weights.special, first, window))
        found = [0.0] * len(pairs)
        for rows in token_batches([len(ids) for ids, _ in framed]):
            ids, parts, mask = self._padded([framed[row] for row in rows])
            with self._lock:
                self._graph = self._graph or self._compile()
                states = self._graph([self._weights.word_rows(ids), mask])[0].copy()
            logits, _ = self._adapter.logits(head, states, parts)
            for row, logit in zip(rows, logits, strict=True):
                found[row] = float(logit)
        return found

    def _padded(self, rows: Sequence[tuple[list[int], list[int]]]) -> tuple[np.ndarray, ...]:
        longest = max(len(ids) for ids, _ in rows)
        width = -(-longest // PAD_TO) * PAD_TO
        ids = np.full((len(rows), width), self._weights.special.pad, np.int64)
        parts, mask = np.zeros(ids.shape, np.int8), np.zeros(ids.shape, np.float32)
        for at, (tokens, belongs) in enumerate(rows):
            ids[at, : len(tokens)], parts[at, : len(tokens)] = tokens, belongs
            mask[at, : len(tokens)] = 1
        return ids, parts, mask

    def _compile(self):
        from retrieval.embedders.e5_graph import E5GraphBuilder, open_graph  # OpenVINO takes a second

        path = self._folder / f"e5-small-pairs-int8-{GRAPH_VERSION}-{self._adapter.fingerprint}.xml"
        weights = AdaptedWeights(self._weights, self._adapter)
        return open_graph(path, lambda: E5GraphBuilder(weights, self._adapter.ranges).build(), self._threads)


def frame_pair(
    tokenizer: E5Tokenizer, special: SpecialTokens, first: str, second: str
) -> tuple[list[int], list[int]]:
    """Token ids of a pair, `<s> first </s></s> second </s>`, and the part that each belongs to."""
    one = tokenizer.encode(first, FIRST_TOKENS + 2)[1:-1]
    other = tokenizer.encode(second, LONGEST_SECOND + 2)[1:-1]
    ids = [special.bos, *one, special.eos, special.eos, *other, special.eos]
    return ids, [0, *[FIRST] * len(one), 0, 0, *[SECOND] * len(other), 0]
