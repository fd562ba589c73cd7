"""Late interaction: each token of the question looks for its best match in the chunk.

Knows MaxSim (Khattab and Zaharia 2020, ColBERT) over kept token vectors; knows nothing
of Milvus or of fusion.
"""

from collections.abc import Sequence

import numpy as np

from core.text import detect_language
from core.types import Hit
from retrieval.embedded_text import embedded_text, is_foreign
from retrieval.rerankers.ranking import rank_hits
from retrieval.token_vectors import TokenVectors

SEGMENT_TOKENS = 16
WINDOW_SEGMENTS = 4
"""A window of 64 tokens, some two or three sentences: of 32, 48, 64 and 96 the best across
languages, and no worse within one (public development sets)."""
MATCH_POWER = 1.5
"""One good match tells more than two fair ones; chosen like the window; of 1, 1.5 and 2 the best."""
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
        """See `Reranker.rerank`. The score is that of `max_sim`, 0…1, and in another language
        than the question's the gap on top."""
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
            score + embedder.token_gap if is_foreign(hit.chunk, language) else score
            for score, hit in zip(found, hits, strict=True)
        ]
        return [*rank_hits(hits, scores), *late]


def max_sim(words: np.ndarray, tables: Sequence[np.ndarray]) -> list[float]:
    """How well each table of int8 rows (tokens, size) matches the rows of `words` (tokens,
    size), whose lengths are their weights; 0 when either has none. The mean of both parts of
    `match_tables`."""
    whole, near = match_tables(words, tables)
    return ((whole + near) / 2).tolist()


def match_tables(words: np.ndarray, tables: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """For each table MaxSim over the whole of it, the weighted mean of each word's best match;
    and the same within the best window of some sentences, since an answer has the words of its
    question close together. A match is a cosine to the power of MATCH_POWER, from 0. Two
    float32 arrays (tables,)."""
    whole, near = np.zeros((2, len(tables)), np.float32)
    filled = [at for at, table in enumerate(tables) if len(table)]
    if not filled or not len(words):
        return whole, near
    weights = np.maximum(np.linalg.norm(words, axis=1), 1e-9)
    # One product for all chunks: a call for each costs more than the arithmetic.
    rows = np.concatenate([tables[at] for at in filled]).astype(np.float32)
    owners, starts = _segments([len(tables[at]) for at in filled])
    best = np.maximum.reduceat(rows @ (words / weights[:, None]).T, starts, axis=0) / 127
    best = np.maximum(best, 0) ** MATCH_POWER * (weights / weights.mean())
    first = np.flatnonzero(np.diff(owners, prepend=-1))
    whole[filled] = np.maximum.reduceat(best, first, axis=0).mean(axis=1)
    near[filled] = np.maximum.reduceat(_windows(best, owners).mean(axis=1), first)
    return whole, near


def _segments(lengths: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """For each segment of tables of these lengths, laid end to end: which table it is of, and
    where it begins."""
    counts = [-(-length // SEGMENT_TOKENS) for length in lengths]
    ends = np.cumsum([0, *lengths[:-1]])
    starts = [end + np.arange(count) * SEGMENT_TOKENS for end, count in zip(ends, counts, strict=True)]
    return np.repeat(np.arange(len(lengths)), counts), np.concatenate(starts)


def _windows(best: np.ndarray, owners: np.ndarray) -> np.ndarray:
    """For each segment (segments, words) the greatest products within the window that it
    begins, which ends with its table."""
    widest = best.copy()
    for step in range(1, WINDOW_SEGMENTS):
        same = owners[step:] == owners[:-step]
        widest[:-step][same] = np.maximum(widest[:-step][same], best[step:][same])
    return widest
