"""The read path: a question in, hits out, best first.

understand → legs (dense, lexical, image) → fuse → rerank → fuse again with the lexical scores →
what was quoted or named first. Every read carries a `Scope`, which the store turns into a
condition of the query itself. Knows nothing of who asks or of what is done with the hits.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from core.conditions import Condition, InLanguage
from core.errors import InputError
from core.seams import Embedder, Reranker, VectorStore
from core.settings import RetrievalSettings
from core.text import detect_language, has_letters
from core.types import Hit, Scope, Stage
from retrieval import lexical
from retrieval.candidates import HYDE, Candidates, gather_candidates
from retrieval.embedded_text import is_foreign
from retrieval.graph.leg import GraphLeg
from retrieval.graph.ways import Link
from retrieval.image_index import ImageIndex
from retrieval.query import Question, adjust, clean_query, understand
from retrieval.rerankers.ranking import on_scale_of


@dataclass(frozen=True, slots=True)
class SearchResult:
    """`signals` are for people who ask why: `similarity` (best score), `coverage` (of the
    question's words), `lead` (first over the median hit). `notes` say what was left out, such
    as a reranking that took too long. `question` is how the query was read."""

    hits: tuple[Hit, ...]
    queries: tuple[str, ...] = ()
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    signals: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    question: Question | None = None


@dataclass(frozen=True, slots=True)
class MoreLegs:
    """Legs beside words and meaning. Without `images` pictures are found by their words alone;
    `graph` is asked where it serves the question."""

    images: ImageIndex | None = None
    graph: GraphLeg | None = None


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
        more: MoreLegs = MoreLegs(),  # noqa: B008
    ) -> None:
        self._images = more.images
        self._graph = more.graph
        self._store = store
        self._embedder = embedder
        self._lexicon = lexicon
        self._reranker = reranker
        self._settings = settings
        self._gap = embedder.language_gap

    @property
    def store(self) -> VectorStore:
        """Where it searches, for who looks at what was found once more."""
        return self._store

    def search(
        self, query: str, scope: Scope, limit: int, where: Sequence[Condition] = (), passage: str = ""
    ) -> SearchResult:
        """At most `limit` hits, each with its ranks at every stage, of the chunks for which
        all of `where` holds. A hypothetical `passage`, which might answer the query, is searched
        for beside it (HyDE, Gao et al. 2022); one without a letter is not. Hits are chunks of the
        collection all the same.

        Raises:
            InputError: the query holds no letter and no digit, or `limit` is below 1.
            NotFoundError: there is no such collection.
            ConflictError: another embedder made it; says how to mend that.
            StoreError: the store failed; never an empty result instead.
        """
        if limit < 1:
            raise InputError(f"a search gives at least 1 hit, not {limit}", remedy="ask for 1 or more")
        watch = Stopwatch()
        question = understand(query)
        self._store.check_embedder(scope.collection, self._embedder.fingerprint)
        vector = self._embedder.embed_query(question.text)
        words = self._lexicon.encode_query(scope.collection, question.text)
        watch.lap("encode")
        dense = self._search_dense(question.language, scope, vector, where)
        watch.lap("dense")
        likely = self._search_like(passage, scope, where) if has_letters(passage) else ()
        if likely:
            watch.lap(HYDE)
        sparse = self._store.search_lexical(scope, words, self._settings.leg_limit, where)
        watch.lap("lexical")
        pictures, unseen = self._search_pictures(question, scope, where)
        if self._images is not None:
            watch.lap("image")
        candidates = gather_candidates(question.language, dense, sparse, words, likely, pictures)
        fused = candidates.fused()
        watch.lap("fuse")
        if self._graph is not None and self._graph.serves(question.text):
            linked = self._graph.search(scope, question.text, fused, self._settings.leg_limit, where)
            candidates = candidates.linked_with(linked)
            fused = candidates.fused()
            watch.lap("graph")
        hits, notes = self._rerank(question, fused, candidates)
        hits = _with_offsets(hits, adjust(question, hits))[:limit]
        watch.lap("rerank")
        notes = (*notes, *unseen)
        if question.cut:
            notes = (*notes, "query: too long, its middle was left out")
        if likely:
            notes = (*notes, "hyde: searched with a hypothetical passage too")
        signals = _signals(hits, candidates.sight.coverage)
        return SearchResult(tuple(hits), (question.text,), watch.laps_ms, signals, notes, question)

    def find_way(self, question: str, scope: Scope) -> list[Link]:
        """How the two things that a question relates belong together: the links from one to the other
        with the sentences that tell of them, of documents that name both as the question does. None
        without a graph, or where nothing leads there that the caller may read."""
        return [] if self._graph is None else self._graph.find_way(scope, question, by_name=True)

    def _search_like(self, passage: str, scope: Scope, where: Sequence[Condition]) -> list[Hit]:
        """What resembles a passage, which is encoded as those of documents are. Ranks are of
        the stage HYDE."""
        text, _ = clean_query(passage)
        [vector] = self._embedder.embed_documents([text])
        hits = self._search_dense(detect_language(text), scope, vector, where)
        return [replace(hit, ranks={HYDE: rank}) for rank, hit in enumerate(hits, start=1)]

    def _search_dense(
        self, language: str, scope: Scope, vector: np.ndarray, where: Sequence[Condition]
    ) -> list[Hit]:
        """The dense leg of a text in `language`, once a language where the collection holds
        several: else the passages of the text's own language would leave no room for the others,
        whose cosines are lower by the gap."""
        limit = self._settings.leg_limit
        languages = self._lexicon.languages(scope.collection) if self._gap else ()
        if len(languages) < 2:
            return self._store.search_dense(scope, vector, limit, where)
        groups = [[*where, InLanguage(held)] for held in languages]
        found = []
        for hits in self._store.search_dense_each(scope, vector, limit, groups):
            for hit in hits:
                gap = self._gap if is_foreign(hit.chunk, language) else 0.0
                found.append((hit.score + gap, hit.chunk))
        found.sort(key=lambda pair: (-pair[0], pair[1].id))
        stage = Stage.DENSE
        name = stage.value
        return [Hit(chunk, score, stage, {name: rank}) for rank, (score, chunk) in enumerate(found, start=1)]

    def _search_pictures(
        self, question: Question, scope: Scope, where: Sequence[Condition]
    ) -> tuple[list[Hit], tuple[str, ...]]:
        """The image leg, and what there is to say about it. Its vectors may be older than the
        chunks, as when it was off while a document was removed: what is told of a picture is
        what the collection holds now, or it is no hit."""
        if self._images is None:
            return [], ()
        hits, note = self._images.search(scope, question.text, self._settings.leg_limit, where)
        chunks = {c.id: c for c in self._store.get_chunks(scope, [hit.chunk.id for hit in hits])}
        there = [replace(hit, chunk=chunks[hit.chunk.id]) for hit in hits if hit.chunk.id in chunks]
        return there, (note,) if note else ()

    def _rerank(
        self, question: Question, fused: Sequence[Hit], candidates: Candidates
    ) -> tuple[list[Hit], tuple[str, ...]]:
        """The head of the fused order reranked, as far as the reranker came in its time; the
        tail behind it as it was. And what there is to say about it."""
        limit = self._settings.rerank_limit
        asked = fused[:limit]
        answered = self._reranker.rerank(question.text, asked) if asked else []
        head = [hit for hit in answered if hit.stage is Stage.RERANKED]
        late = [hit for hit in answered if hit.stage is not Stage.RERANKED]
        notes = (self._why_late(len(head), len(asked)),) if late else ()
        if not head:
            return list(fused), notes
        if self._settings.reranker == "late-interaction":
            scores = candidates.fused_with({hit.chunk.id: hit.score for hit in head})
        else:
            # A model that reads both texts at once has seen the words; only its unit is its own.
            scores = candidates.with_others(on_scale_of(head, asked))
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

    def _why_late(self, reached: int, asked: int) -> str:
        if self._settings.rerank_budget_ms:
            return f"rerank: over budget, {reached} of {asked} hits"
        return f"rerank: token vectors missing, {reached} of {asked} hits; run: attest rebuild --embed-only"


def _with_offsets(hits: Sequence[Hit], offsets: Mapping[str, float]) -> list[Hit]:
    """The hits with their offsets added, best first; the last stage's ranks follow."""
    if not any(offsets.values()):
        return list(hits)
    moved = sorted(
        (replace(hit, score=hit.score + offsets[hit.chunk.id]) for hit in hits),
        key=lambda hit: -hit.score,
    )
    counted: dict[Stage, int] = {}
    renumbered = []
    for hit in moved:
        counted[hit.stage] = counted.get(hit.stage, 0) + 1
        renumbered.append(replace(hit, ranks={**hit.ranks, hit.stage.value: counted[hit.stage]}))
    return renumbered


def _signals(hits: Sequence[Hit], seen: float) -> dict[str, float]:
    if not hits:
        return {"similarity": 0.0, "coverage": 0.0, "lead": 0.0}
    middle = sorted(hit.score for hit in hits)[len(hits) // 2]
    return {"similarity": hits[0].score, "coverage": seen, "lead": hits[0].score - middle}
