"""The reranker that leaves the order as it is: for `reranker = "none"`."""

from collections.abc import Sequence

from core.types import Hit
from retrieval.rerankers.ranking import rank_hits


class FusedOrder:
    """`Reranker` that reranks nothing."""

    def rerank(self, question: str, hits: Sequence[Hit]) -> list[Hit]:
        """See `Reranker.rerank`."""
        return rank_hits(hits, [hit.score for hit in hits])
