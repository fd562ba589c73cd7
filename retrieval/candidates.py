"""The hits of all legs as one set of candidates, and what the words say about each.

Pure; knows nothing of stores or models. Languages are told apart because a passage in
another language than the question's cannot match its words.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from core.types import Chunk, Hit, Stage
from retrieval import lexical
from retrieval.embedded_text import embedded_text, is_foreign
from retrieval.fusion import DENSE_SHARE, Sight, fill_missing, fuse, raise_pictures

COVERAGE_FROM = 3
"""The document that covers most of a question is among the first three by BM25."""
LEAD_OVER = 10
HYDE = "hyde"
"""The stage of hits that resemble a hypothetical passage."""
HYDE_WEIGHT = 1.0
"""Of its cosines beside the question's: as much, since Gao et al. (2022) take the mean of both."""
CONTESTED_AMONG = 3
UNSEEN_SHARE = 0.5
"""What a passage beyond the lexical leg's last hit counts, as a share of that hit's score: it
has less than that, and on average about half (nDCG within .001 of exact scores)."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """Chunks by id with their `ranks` so far; the `semantic` score (cosine) of each, the
    `terms` (BM25) of those that the words can judge, and what the words see at all."""

    chunks: Mapping[str, Chunk]
    ranks: Mapping[str, dict[str, int]]
    semantic: Mapping[str, float]
    terms: Mapping[str, float] = field(default_factory=dict)
    sight: Sight = Sight()
    foreign: frozenset[str] = frozenset()
    """Those in another language than the question's."""
    pictures: Mapping[str, float] = field(default_factory=dict)
    """How much nearer each picture is to the question than to any text, in margins."""

    def fused(self) -> list[Hit]:
        """All of them in the order of both legs' scores together, with stage FUSED."""
        contested = self._are_contested(self.semantic)
        weight = self.sight.contested_weight if contested else self.sight.fused_weight
        scores = self.with_pictures(fuse(self.semantic, [(self.terms, weight)]))
        order = sorted(scores, key=lambda i: (-scores[i], i))
        stage = Stage.FUSED
        name = stage.value
        return [
            Hit(self.chunks[i], scores[i], stage, {**self.ranks[i], name: rank})
            for rank, i in enumerate(order, start=1)
        ]

    def fused_with(self, matches: Mapping[str, float]) -> dict[str, float]:
        """A score for each id of `matches` (MaxSim), the words, cosines and pictures added."""
        if self._are_contested(matches):
            return self.with_pictures(fuse(matches, [(self.terms, self.sight.contested_weight)]))
        legs = [(self.terms, self.sight.reranked_weight), (self.semantic, DENSE_SHARE)]
        return self.with_pictures(fuse(matches, legs))

    def with_pictures(self, scores: Mapping[str, float]) -> dict[str, float]:
        """Scores of any stage with what the image leg saw."""
        return raise_pictures(scores, self.pictures)

    def _are_contested(self, scores: Mapping[str, float]) -> bool:
        """Whether a passage in another language is among the first."""
        return not self.foreign.isdisjoint(sorted(scores, key=scores.__getitem__)[-CONTESTED_AMONG:])


def gather_candidates(
    language: str,
    dense: Sequence[Hit],
    sparse: Sequence[Hit],
    words: Mapping[int, float],
    likely: Sequence[Hit] = (),
    pictures: Sequence[Hit] = (),
) -> Candidates:
    """The union of all legs for a question in `language` with the query vector `words`, and
    of what is `likely`: hits that resemble a hypothetical passage."""
    ranks: dict[str, dict[str, int]] = {}
    chunks: dict[str, Chunk] = {}
    for hit in [*dense, *sparse, *likely, *pictures]:
        ranks.setdefault(hit.chunk.id, {}).update(hit.ranks)
        chunks[hit.chunk.id] = hit.chunk
    found = {hit.chunk.id: hit.score for hit in sparse}
    foreign = frozenset(i for i, c in chunks.items() if is_foreign(c, language))
    judged = [i for i in chunks if i in found or i not in foreign]
    return Candidates(
        chunks,
        ranks,
        _semantic(dense, likely, list(chunks)),
        fill_missing(found, judged, UNSEEN_SHARE),
        _sight(sparse, words),
        foreign,
        {hit.chunk.id: hit.score for hit in pictures},
    )


def _semantic(dense: Sequence[Hit], likely: Sequence[Hit], ids: Sequence[str]) -> dict[str, float]:
    """The question's cosines, and those of a hypothetical passage beside them."""
    asked = fill_missing({hit.chunk.id: hit.score for hit in dense}, ids)
    if not likely:
        return asked
    return fuse(asked, [(fill_missing({hit.chunk.id: hit.score for hit in likely}, ids), HYDE_WEIGHT)])


def _sight(sparse: Sequence[Hit], words: Mapping[int, float]) -> Sight:
    if not sparse:
        return Sight()
    best = [lexical.terms_of(embedded_text(hit.chunk)) for hit in sparse[:COVERAGE_FROM]]
    first, behind = sparse[0].score, sparse[LEAD_OVER].score if len(sparse) > LEAD_OVER else 0.0
    return Sight(
        coverage=lexical.coverage(words, best),
        lead=(first - behind) / first if first > 0 else 0.0,
    )
