"""Scores to ranked hits, the same way for every reranker that scores pairs.

Pure; knows nothing of models or servers.
"""

from collections.abc import Sequence

import numpy as np

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


def on_scale_of(ranked: Sequence[Hit], before: Sequence[Hit]) -> dict[str, float]:
    """A score for each id of `ranked`, with its order and its relative distances, and the mean
    and spread that the same hits had in `before`.

    Rerankers give probabilities, logits or anything else; what comes after compares scores
    with each other and with those of the search.
    """
    places = {hit.chunk.id: hit.score for hit in before}
    scores = np.array([hit.score for hit in ranked])
    reference = np.array([places[hit.chunk.id] for hit in ranked])
    if not len(scores):
        return {}
    spread = scores.std()
    z = (scores - scores.mean()) / spread if spread > 0 else np.zeros(len(scores))
    values = reference.mean() + reference.std() * z
    return {hit.chunk.id: float(value) for hit, value in zip(ranked, values, strict=True)}
