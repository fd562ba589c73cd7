"""The evidence of a claim as guards read it in use: bound by the binder, sentence by sentence.

Knows the binder; knows nothing of verdicts.
"""

from collections import OrderedDict

from agents.binding import BoundSpan, EvidenceBinder, EvidencePool, passage_of
from agents.guards.learned import cut_claim
from core.seams import Passage, TokenEmbedder
from core.types import Chunk

KEPT_POOLS = 8
CHUNK_CHARS = 100_000


class EvidenceOfClaims:
    """Binds claims to their evidence; the pools of the last texts are kept."""

    def __init__(self, embedder: TokenEmbedder) -> None:
        self._binder = EvidenceBinder(embedder)
        self._pools: OrderedDict[str, EvidencePool] = OrderedDict()

    def passage(self, claim: str, evidence: str) -> Passage:
        """The passage of a claim of any length over evidence of any length."""
        pool = self._pool(evidence)
        bound: list[BoundSpan] = []
        for sentence in cut_claim(claim):
            bound += [span for span in pool.bind(sentence) if span not in bound]
        return passage_of(bound)

    def _pool(self, evidence: str) -> EvidencePool:
        if evidence not in self._pools:
            self._pools[evidence] = self._binder.pool(
                [Chunk("evidence-00000", "evidence", 0, evidence, "", "")]
            )
            if len(self._pools) > KEPT_POOLS:
                self._pools.popitem(last=False)
        self._pools.move_to_end(evidence)
        return self._pools[evidence]
