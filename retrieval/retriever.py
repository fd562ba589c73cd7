"""The read path: a question in, hits out, best first.

legs (dense, lexical) → fuse → rerank → fuse again with the lexical scores. Every read
carries a `Scope`, which the store turns into a condition of the query itself. Knows
nothing of who asks or of what is done with the hits.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from core.conditions import Condition, InLanguage
from core.seams import Embedder, Reranker, VectorStore
from core.settings import RetrievalSettings
from core.text import detect_language
from core.types import Chunk, Hit, Scope, Stage
from retrieval import lexical
from retrieval.fusion import fill_missing, fuse
from retrieval.index import embedded_text
from retrieval.rerankers.ranking import on_scale_of

LANGUAGES = ("zh", "en")


@dataclass(frozen=True, slots=True)
class SearchResult:
    """`signals` are what the evidence gate reads: `similarity` (best reranked score),
    `coverage` (of the question's words), `lead` (first over the median hit). `notes` say
    what was left out, such as a reranking that took too long."""

    hits: tuple[Hit, ...]
    queries: tuple[str, ...] = ()
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    signals: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


class Stopwatch:
    """Milliseconds of each named stage."""

    def __init__(self) -> None:
        self.laps_ms: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        """Everything since the last lap belongs to `name`."""
        now = time.perf_counter()
        self.laps_ms[name] = round((now - self._last) * 1000, 2)
        self._last = now


class Retriever:
    """Finds the chunks of a collection that bear on a question. Thread-safe."""

    def __init__(
        self,
        store: VectorStore,
        embedder: Embedder,
        lexicon: lexical.Lexicon,
        reranker: Reranker,
        settings: RetrievalSettings,
    ) -> None:
        self._store = store
        self._embedder = embedder
        self._lexicon = lexicon
        self._reranker = reranker
        self._settings = settings
        self._gap = embedder.language_gap

    def search(
        self, query: str, scope: Scope, limit: int, where: Sequence[Condition] = ()
    ) -> SearchResult:
        """At most `limit` hits, each with its ranks at every stage, of the chunks for which
        all of `where` holds.

        Raises:
            NotFoundError: there is no such collection.
            ConflictError: another embedder made it; says how to mend that.
            StoreError: the store failed; never an empty result instead.
        """
        watch = Stopwatch()
        self._store.check_embedder(scope.collection, self._embedder.fingerprint)
        vector = self._embedder.embed_query(query)
        words = self._lexicon.encode_query(scope.collection, query)
        watch.lap("encode")
        dense = self._search_both_languages(query, scope, vector, where)
        watch.lap("dense")
        sparse = self._store.search_lexical(scope, words, self._settings.leg_limit, where)
        watch.lap("lexical")
        fused, terms, seen = self._fuse_legs(dense, sparse, words)
        watch.lap("fuse")
        hits, notes = self._rerank(query, fused, terms, seen)
        hits = hits[:limit]
        watch.lap("rerank")
        return SearchResult(tuple(hits), (query,), watch.laps_ms, _signals(hits, seen), notes)

    def _search_both_languages(
        self, query: str, scope: Scope, vector: np.ndarray, where: Sequence[Condition]
    ) -> list[Hit]:
        """The dense leg, once a language: in a mixed library the passages of the question's
        own language would leave no room for the others, whose cosines are lower by the gap."""
        limit = self._settings.leg_limit
        if not self._gap:
            return self._store.search_dense(scope, vector, limit, where)
        found = [
            self._lift(query, hit)
            for language in LANGUAGES
            for hit in self._store.search_dense(scope, vector, limit, [*where, InLanguage(language)])
        ]
        found.sort(key=lambda hit: (-hit.score, hit.chunk.id))
        return [
            replace(hit, ranks={Stage.DENSE.value: rank}) for rank, hit in enumerate(found, start=1)
        ]

    def _lift(self, query: str, hit: Hit) -> Hit:
        """A hit in another language than the question's, with the gap made up."""
        if detect_language(query) == detect_language(hit.chunk.text):
            return hit
        return replace(hit, score=hit.score + self._gap)

    def _fuse_legs(
        self, dense: Sequence[Hit], sparse: Sequence[Hit], words: Mapping[int, float]
    ) -> tuple[list[Hit], dict[str, float], float]:
        """Fused hits, the lexical score of each, and the lexical leg's coverage."""
        ranks: dict[str, dict[str, int]] = {}
        chunks: dict[str, Chunk] = {}
        for hit in [*dense, *sparse]:
            ranks.setdefault(hit.chunk.id, {}).update(hit.ranks)
            chunks[hit.chunk.id] = hit.chunk
        vectors = {i: lexical.encode_document(embedded_text(c)).weights for i, c in chunks.items()}
        terms = {i: lexical.inner_product(words, vector) for i, vector in vectors.items()}
        seen = lexical.coverage(words, vectors.values())
        semantic = fill_missing({hit.chunk.id: hit.score for hit in dense}, list(chunks))
        scores = fuse(semantic, terms, seen)
        order = sorted(scores, key=lambda i: (-scores[i], i))
        hits = [
            Hit(chunks[i], scores[i], Stage.FUSED, {**ranks[i], Stage.FUSED.value: rank})
            for rank, i in enumerate(order, start=1)
        ]
        return hits, terms, seen

    def _rerank(
        self, query: str, fused: Sequence[Hit], terms: Mapping[str, float], seen: float
    ) -> tuple[list[Hit], tuple[str, ...]]:
        """The head of the fused order reranked, as far as the reranker came in its time; the
        tail behind it as it was. And what there is to say about it."""
        limit = self._settings.rerank_limit
        asked = fused[:limit]
        answered = self._reranker.rerank(query, asked) if asked else []
        head = [hit for hit in answered if hit.stage is Stage.RERANKED]
        late = [hit for hit in answered if hit.stage is not Stage.RERANKED]
        notes = (f"rerank: over budget, {len(head)} of {len(asked)} hits",) if late else ()
        if not head:
            return list(fused), notes
        if self._settings.reranker == "late-interaction":
            head = [self._lift(query, hit) for hit in head]
            scores = fuse({hit.chunk.id: hit.score for hit in head}, terms, seen)
        else:
            # A model that reads both texts at once has seen the words and knows no gap
            # between languages; only its unit is its own.
            scores = on_scale_of(head, asked)
        head = sorted(head, key=lambda hit: (-scores[hit.chunk.id], hit.chunk.id))
        head = [
            Hit(h.chunk, scores[h.chunk.id], Stage.RERANKED, {**h.ranks, "reranked": rank})
            for rank, h in enumerate(head, start=1)
        ]
        tail = [
            Hit(hit.chunk, head[-1].score - (at + 1) * 1e-3, Stage.FUSED, hit.ranks)
            for at, hit in enumerate([*late, *fused[limit:]])
        ]
        return [*head, *tail], notes


def _signals(hits: Sequence[Hit], seen: float) -> dict[str, float]:
    if not hits:
        return {"similarity": 0.0, "coverage": 0.0, "lead": 0.0}
    middle = sorted(hit.score for hit in hits)[len(hits) // 2]
    return {"similarity": hits[0].score, "coverage": seen, "lead": hits[0].score - middle}
