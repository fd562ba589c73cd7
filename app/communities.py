"""Communities of a collection's entities: found, summarised by the chat model, and shown as plain JSON.

Rights decide what is put together. Documents of the same readers make one graph, and communities are looked
for within it alone: so no grouping, no name and no sentence depends on a document that a reader of the
summary may not read. When one is shown, all passages that it was made of are looked up as its caller, and
must be word for word what they were. Knows parts and their order; knows nothing of HTTP or terminals.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from app.library import Library, Visible
from app.rendering import render_citation, render_sentence
from app.services import Services
from core.errors import ChatModelError, ConflictError, InputError, NotFoundError
from core.types import EVERYONE, Answer, Chunk, Scope, Status

if TYPE_CHECKING:
    from agents.asker import Asker
    from agents.communities import CommunityEvidence
    from retrieval.graph.kept_communities import KeptCommunity

MOST_SHOWN = 100
CHUNKS_AT_ONCE = 1000
FAILURES_IN_A_ROW = 3
"""After so many the model is not asked any more."""
Progress = Callable[[int, int], None]
_log = logging.getLogger(__name__)


class Communities:
    """The communities of one data directory. Those of one process are made one collection after the other."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._library = Library(services)
        self._turn = asyncio.Lock()
        self._waiting: set[str] = set()

    def show(self, scope: Scope, limit: int, viewers: Visible = None) -> dict:
        """`{"communities": [{"id", "names", "text", "sentences", "citations"}], "more"}`: the largest first,
        those alone of which the caller may read all passages as they were read; `more` are left out.

        Raises:
            InputError: the limit is out of range.
            ConflictError: communities are not summarised.
            NotFoundError: there is no such collection.
        """
        if not 1 <= limit <= MOST_SHOWN:
            raise InputError(f"there are 1 to {MOST_SHOWN} communities to be shown, not {limit}")
        self._require_on()
        self._library.require_collection(scope.collection, viewers)
        found = [kept for kept in self._kept(scope.collection) if kept.outcome.get("sentences")]
        there = self._chunks(scope, {name for kept in found for name in kept.chunks})
        told = [kept for kept in found if _stands(kept, there)]
        told.sort(key=lambda kept: (-len(kept.names), kept.names))
        return {
            "communities": [self._rendered(kept) for kept in told[:limit]],
            "more": max(0, len(told) - limit),
        }

    async def make(self, collection: str, on_progress: Progress = lambda done, total: None) -> dict:
        """`{"made", "kept", "removed", "empty", "failed", "exit_code"}`: each community whose sources have
        changed is summarised anew; `empty` are those of the made ones of which no sentence held.

        Raises:
            ConflictError: communities are not summarised.
            NotFoundError: there is no such collection.
            SettingsError: networkx is not installed.
        """
        self._require_on()
        await asyncio.to_thread(self._library.require_collection, collection)
        async with self._turn:
            self._waiting.discard(collection)
            return await self._make(collection, on_progress)

    async def follow_ingest(self, collection: str) -> None:
        """The same after an ingest, where the settings say so; once for all that end meanwhile."""
        settings = self._services.settings.ingest
        if (
            settings.entities == "off"
            or settings.communities != "after-ingest"
            or collection in self._waiting
        ):
            return
        self._waiting.add(collection)
        try:
            report = await self.make(collection)
            _log.info("communities of %s: %s", collection, report)
        finally:
            self._waiting.discard(collection)

    async def _make(self, collection: str, on_progress: Progress) -> dict:
        asker = await self._services.asker()
        wanted = await asyncio.to_thread(self._plan, collection, asker)
        kept = {one.digest for one in await asyncio.to_thread(self._kept, collection)}
        table = self._services.entity_graph().communities
        await asyncio.to_thread(table.forget, collection, kept - wanted.keys())
        report = {"made": 0, "kept": len(kept & wanted.keys()), "removed": len(kept - wanted.keys())}
        report |= {"empty": 0, "failed": 0}
        missing, in_a_row = [digest for digest in wanted if digest not in kept], 0
        for at, digest in enumerate(missing):
            on_progress(at, len(missing))
            if in_a_row >= FAILURES_IN_A_ROW:
                report["failed"] += 1
                continue
            try:
                is_told = await self._summarise(asker, digest, *wanted[digest])
            except ChatModelError as exc:
                _log.warning("a community of %s was not summarised: %s", collection, exc)
                report["failed"], in_a_row = report["failed"] + 1, in_a_row + 1
                continue
            report["made"], in_a_row = report["made"] + 1, 0
            report["empty"] += not is_told
        on_progress(len(missing), len(missing))
        failed, made = report["failed"], report["made"]
        return {**report, "exit_code": 0 if not failed else 1 if made or report["kept"] else 2}

    def _plan(self, collection: str, asker: "Asker") -> "dict[str, tuple[Scope, CommunityEvidence]]":
        """What there is to tell, by the digest of what it would be made of."""
        from agents.communities import digest_of, gather_evidence, prompts_of
        from retrieval.graph.communities import find_communities

        graph, settings = self._services.entity_graph(), self._services.settings
        model, prompts, planned = settings.chat.model, prompts_of(asker), {}
        for scope, documents in self._audiences(collection):
            if not graph.reader.is_there(collection):
                break
            for community in find_communities(*graph.reader.of_documents(scope, documents)):
                chunks = self._chunks(scope, {place.chunk_id for place in community.places})
                if evidence := gather_evidence(community, list(chunks.values())):
                    digest = digest_of(evidence, scope, model, prompts)
                    planned[digest] = (scope, evidence)
        return planned

    def _audiences(self, collection: str) -> Iterable[tuple[Scope, list[str]]]:
        """The searchable documents by who may read them; what everyone may, everyone may."""
        by_readers: dict[frozenset[str], dict[str, None]] = defaultdict(dict)
        for row in self._services.ingestor().list(collection):
            readers = frozenset([EVERYONE]) if EVERYONE in row.readers else frozenset(row.readers)
            by_readers[readers][row.document_id] = None
        for readers in sorted(by_readers, key=sorted):
            yield Scope(collection, readers), list(by_readers[readers])

    async def _summarise(
        self, asker: "Asker", digest: str, scope: Scope, evidence: "CommunityEvidence"
    ) -> bool:
        """Whether a sentence held. What was made while a source of it went is not kept."""
        from agents.communities import digest_of_texts, summarise
        from retrieval.graph.kept_communities import KeptCommunity

        outcome = await summarise(asker, evidence, scope)
        chunks = evidence.chunks
        kept = KeptCommunity(
            digest,
            evidence.community.names,
            tuple(chunk.id for chunk in chunks),
            digest_of_texts(chunks),
            tuple(dict.fromkeys(chunk.document_id for chunk in chunks)),
            {name: outcome[name] for name in ("sentences", "citations")},
        )
        await asyncio.to_thread(self._keep, scope, kept)
        return bool(outcome["sentences"])

    def _keep(self, scope: Scope, kept: "KeptCommunity") -> None:
        """Kept first and looked up then: chunks go before what is kept of them, so either that removal finds
        the summary, or the summary finds its chunks gone."""
        table = self._services.entity_graph().communities
        table.keep(scope.collection, kept)
        if not _stands(kept, self._chunks(scope, set(kept.chunks))):
            table.forget(scope.collection, [kept.digest])

    def _kept(self, collection: str) -> "list[KeptCommunity]":
        return self._services.entity_graph().communities.all(collection)

    def _chunks(self, scope: Scope, ids: set[str]) -> dict[str, Chunk]:
        """Those that are there and may be read."""
        ordered, store = sorted(ids), self._services.store()
        parts = [ordered[at : at + CHUNKS_AT_ONCE] for at in range(0, len(ordered), CHUNKS_AT_ONCE)]
        try:
            return {chunk.id: chunk for part in parts for chunk in store.get_chunks(scope, part)}
        except NotFoundError:  # the collection is gone
            return {}

    def _rendered(self, kept: "KeptCommunity") -> dict:
        from agents.drafting import join_sentences
        from agents.masking import build_mask
        from agents.records import read_citation, read_sentence

        sentences = tuple(map(read_sentence, kept.outcome["sentences"]))
        citations = tuple(map(read_citation, kept.outcome["citations"]))
        answer = Answer(kept.digest, Status.ANSWERED, join_sentences(sentences), sentences, citations)
        mask, names = build_mask(self._services.settings), list(kept.names)
        if mask is not None:
            answer, names = mask.answer(answer), [mask.text(name) for name in names]
        return {
            "id": kept.digest[:16],
            "names": names,
            "text": answer.text,
            "sentences": [render_sentence(sentence) for sentence in answer.sentences],
            "citations": [render_citation(citation) for citation in answer.citations],
        }

    def _require_on(self) -> None:
        settings = self._services.settings.ingest
        if settings.entities == "off" or settings.communities == "off":
            raise ConflictError(
                "communities of entities are not summarised",
                remedy="set ingest.entities and ingest.communities (docs/entities.md), then run: "
                "attest communities --make",
            )


def _stands(kept: "KeptCommunity", there: dict[str, Chunk]) -> bool:
    """Whether all that it was made of is there, word for word."""
    from agents.communities import digest_of_texts

    chunks: Sequence[Chunk] = [there[name] for name in kept.chunks if name in there]
    return len(chunks) == len(kept.chunks) and digest_of_texts(chunks) == kept.texts
