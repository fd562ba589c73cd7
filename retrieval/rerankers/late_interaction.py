"""Late interaction: each token of the question looks for its best match in the chunk.

Knows MaxSim (Khattab and Zaharia 2020, ColBERT) over kept token vectors; knows nothing
of Milvus or of fusion.
"""

from collections.abc import Sequence

import numpy as np

from core.text import detect_language, is_foreign
from core.types import Hit
from retrieval.embedded_text import embedded_text, words_of
from retrieval.rerankers.ranking import rank_hits
from retrieval.token_vectors import TokenVectors

ENCODED_AT_ONCE = 16
"""Chunks without kept vectors that one question may encode: about 6 ms each."""


class LateInteractionReranker:
    """`Reranker` over the token vectors that ingestion kept.

    Where more of them are missing than may be encoded (another reranker was set at
    ingestion), only the first hits are reranked; the others keep their place behind them
    and the stage they came with.
    """

    def __init__(self, tokens: TokenVectors) -> None:
        self._tokens = tokens

    def rerank(self, question: str, hits: Sequence[Hit]) -> list[Hit]:
        """See `Reranker.rerank`. The score is the weighted mean of the best cosines of the
        question's tokens, -1…1, and in another language than the question's the gap on top."""
        if not hits:
            return []
        texts = [embedded_text(hit.chunk) for hit in hits]
        rows = self._tokens.kept(texts)
        missing = [text for text in dict.fromkeys(texts) if text not in rows]
        if len(missing) > ENCODED_AT_ONCE:
            hits, late, texts = hits[:ENCODED_AT_ONCE], hits[ENCODED_AT_ONCE:], texts[:ENCODED_AT_ONCE]
            missing = [text for text in dict.fromkeys(texts) if text not in rows]
        else:
            late = []
        rows.update(self._tokens.encode(missing))
        embedder, language = self._tokens.embedder, detect_language(question)
        found = max_sim(embedder.embed_query_tokens(question), [rows[text] for text in texts])
        scores = [
            score + embedder.token_gap if is_foreign(words_of(hit.chunk), language) else score
            for score, hit in zip(found, hits, strict=True)
        ]
        return [*rank_hits(hits, scores), *late]


def max_sim(words: np.ndarray, tables: Sequence[np.ndarray]) -> list[float]:
    """For each table of int8 rows (tokens, size) the mean over the rows of `words` (tokens,
    size) of the greatest product with one of its rows, which is a cosine times the weight
    that is the word's length; 0 when either has none."""
    scores = [0.0] * len(tables)
    filled = [at for at, table in enumerate(tables) if len(table)]
    if not filled or not len(words):
        return scores
    # One product for all chunks: a call for each costs more than the arithmetic.
    rows = np.concatenate([tables[at] for at in filled]).astype(np.float32)
    starts = np.cumsum([0, *(len(tables[at]) for at in filled[:-1])])
    best = np.maximum.reduceat(rows @ words.T, starts, axis=0).mean(axis=1) / 127
    for at, score in zip(filled, best, strict=True):
        scores[at] = float(score)
    return scores
