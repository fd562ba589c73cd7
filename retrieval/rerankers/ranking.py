"""Scores to ranked hits, the same way for every reranker that scores pairs.

Pure; knows nothing of models or servers.
"""

from collections.abc import Sequence

from core.types import Hit, Stage


def rank_hits(hits: Sequence[Hit], scores: Sequence[float]) -> list[Hit]:
    """The hits, best score first and ties in the order given, with stage RERANKED.

    `scores` are finite and stand beside their hits.
    """
    pairs = sorted(zip(scores, hits, strict=True), key=lambda pair: -pair[0])
    return [
        Hit(hit.chunk, float(score), Stage.RERANKED, {**hit.ranks, Stage.RERANKED.value: rank})
        for rank, (score, hit) in enumerate(pairs, start=1)
    ]
