"""The hits of all legs as one set of candidates, and what the words say about each.

Pure; knows nothing of stores or models. Languages are told apart because a passage in
another language than the question's cannot match its words.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from core.types import Chunk, Hit, Stage
from retrieval import lexical
from retrieval.embedded_text import embedded_text, is_foreign
from retrieval.fusion import DENSE_SHARE, Sight, fill_missing, fuse, raise_linked, raise_pictures

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

    language: str
    """That of the question."""
    chunks: Mapping[str, Chunk]
    ranks: Mapping[str, dict[str, int]]
    semantic: Mapping[str, float]
    terms: Mapping[str, float] = field(default_factory=dict)
    sight: Sight = Sight()
    foreign: frozenset[str] = frozenset()
    """Those in another language than the question's."""
    pictures: Mapping[str, float] = field(default_factory=dict)
    """How much nearer each picture is to the question than to any text, in margins."""
    links: Mapping[str, float] = field(default_factory=dict)
    """How strongly each is linked with the best by an entity that both name, 0…1."""

    def fused(self) -> list[Hit]:
        """All of them in the order of both legs' scores together, with stage FUSED."""
        contested = self._are_contested(self.semantic)
        weight = self.sight.contested_weight if contested else self.sight.fused_weight
        scores = self.with_others(fuse(self.semantic, [(self.terms, weight)]))
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
            return self.with_others(fuse(matches, [(self.terms, self.sight.contested_weight)]))
        legs = [(self.terms, self.sight.reranked_weight), (self.semantic, DENSE_SHARE)]
        return self.with_others(fuse(matches, legs))

    def with_others(self, scores: Mapping[str, float]) -> dict[str, float]:
        """Scores of any stage with what the image leg saw and where the graph leads."""
        return raise_linked(raise_pictures(scores, self.pictures), self.links)

    def linked_with(self, linked: Sequence[Hit]) -> "Candidates":
        """With the hits of the graph leg, which may be new: by meaning they are then as good as
        the last of the others, and the words have not seen them."""
        new = [hit for hit in linked if hit.chunk.id not in self.chunks]
        ranks = {i: dict(own) for i, own in self.ranks.items()}
        for hit in linked:
            ranks.setdefault(hit.chunk.id, {}).update(hit.ranks)
        chunks = {**self.chunks, **{hit.chunk.id: hit.chunk for hit in new}}
        judged = [*self.terms, *(hit.chunk.id for hit in new if not is_foreign(hit.chunk, self.language))]
        return replace(
            self,
            chunks=chunks,
            ranks=ranks,
            semantic=fill_missing(self.semantic, list(chunks)),
            terms=fill_missing(self.terms, judged),
            foreign=frozenset(i for i, c in chunks.items() if is_foreign(c, self.language)),
            links={hit.chunk.id: hit.score for hit in linked},
        )

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
        language,
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
