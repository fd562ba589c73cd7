"""Rerankers: question and chunk read together.

Knows late interaction (Khattab and Zaharia 2020): each word of the question looks for
its best match in the chunk. Knows nothing of Milvus or of fusion.
"""

import threading
from collections import OrderedDict
from collections.abc import Sequence

import numpy as np

from core.seams import Reranker, TokenEmbedder
from core.types import Hit, Stage
from retrieval.index import embedded_text

CACHED_CHUNKS = 512


class LateInteractionReranker:
    """MaxSim over the embedder's own token vectors: no further model is needed.

    Token vectors of recent chunks are kept at 8 bit, which loses nothing in the order.
    """

    def __init__(self, embedder: TokenEmbedder) -> None:
        self._embedder = embedder
        self._cache: OrderedDict[str, np.ndarray] = OrderedDict()
        self._lock = threading.Lock()

    def rerank(self, question: str, hits: Sequence[Hit]) -> list[Hit]:
        """See `Reranker.rerank`. The score is the mean over the question's tokens of their
        best cosine in the chunk, -1…1."""
        if not hits:
            return []
        words = self._embedder.embed_tokens([question])[0]
        tables = self._token_vectors(hits)
        scored = [(max_sim(words, table), hit) for table, hit in zip(tables, hits, strict=True)]
        scored.sort(key=lambda pair: -pair[0])
        return [
            Hit(hit.chunk, score, Stage.RERANKED, {**hit.ranks, Stage.RERANKED.value: rank})
            for rank, (score, hit) in enumerate(scored, start=1)
        ]

    def _token_vectors(self, hits: Sequence[Hit]) -> list[np.ndarray]:
        texts = [embedded_text(hit.chunk) for hit in hits]
        with self._lock:
            known = {text: self._cache[text] for text in texts if text in self._cache}
        missing = list(dict.fromkeys(text for text in texts if text not in known))
        for text, vectors in zip(missing, self._embedder.embed_tokens(missing), strict=True):
            known[text] = np.rint(vectors * 127).astype(np.int8)
        with self._lock:
            for text in texts:
                self._cache[text] = known[text]
                self._cache.move_to_end(text)
            while len(self._cache) > CACHED_CHUNKS:
                self._cache.popitem(last=False)
        return [known[text].astype(np.float32) / 127 for text in texts]


class FusedOrder:
    """The reranker that leaves the order as it is: for `rerank_limit = 0`."""

    def rerank(self, question: str, hits: Sequence[Hit]) -> list[Hit]:
        """See `Reranker.rerank`."""
        return [
            Hit(hit.chunk, hit.score, Stage.RERANKED, {**hit.ranks, Stage.RERANKED.value: rank})
            for rank, hit in enumerate(hits, start=1)
        ]


def max_sim(words: np.ndarray, table: np.ndarray) -> float:
    """Mean over the rows of `words` of the greatest cosine with a row of `table`; 0 when
    either is empty."""
    if not len(words) or not len(table):
        return 0.0
    return float((words @ table.T).max(axis=1).mean())


def build_reranker(rerank_limit: int, embedder: TokenEmbedder) -> Reranker:
    """The reranker of the settings."""
    if rerank_limit:
        return LateInteractionReranker(embedder)
    return FusedOrder()
