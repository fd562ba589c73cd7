"""How entities belong together: links over all documents that a caller may read, and ways along them.

A link carries the sentences that tell of it, cut from the chunks as they are now: what the collection no
longer holds is told by nobody. Knows the reader and the chunks' store; knows nothing of ranking.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from core.entities import WITH
from core.seams import VectorStore
from core.types import Chunk, Scope, chunk_id
from retrieval.graph.reader import Entity, GraphReader
from retrieval.graph.records import RelationRecord

MOST_BETWEEN = 40
"""Entities that may stand between two others, the rarest first."""
SENTENCES_A_LINK = 3


@dataclass(frozen=True, slots=True)
class Evidence:
    """A sentence that tells of a link: `text` is `chunk.text[start:end]`."""

    chunk: Chunk
    start: int
    end: int

    @property
    def text(self) -> str:
        """The sentence, letter by letter."""
        return self.chunk.text[self.start : self.end]


@dataclass(frozen=True, slots=True)
class Link:
    """Two entities, by key, and how sentences bring them together. `documents` counts those that do."""

    source: str
    target: str
    names: tuple[str, str]
    kind: str
    words: str
    documents: int
    evidence: tuple[Evidence, ...]


class GraphWays:
    """Links and ways in the graph of a collection. Thread-safe."""

    def __init__(self, reader: GraphReader, chunks: VectorStore) -> None:
        self._reader = reader
        self._chunks = chunks

    def links_of(self, scope: Scope, entity: Entity, limit: int) -> list[Link]:
        """At most `limit` links of an entity; those that more documents and more sentences tell of
        first."""
        records = self._reader.relations_of(scope, keys_of(entity))
        pairs = _by_pair(records, {key: entity.key for key in keys_of(entity)})
        ordered = sorted(pairs.items(), key=lambda item: (_weight(item[1]), item[0]), reverse=True)
        return self._told(scope, [told for _, told in ordered], limit)

    def way(self, scope: Scope, one: Entity, other: Entity) -> list[Link]:
        """The links that lead from one entity to another, in their order: one, or two over an entity
        between them; none when there is no such way that the caller may see."""
        own, others = keys_of(one), keys_of(other)
        if own & others:
            return []
        names = {key: one.key for key in own} | {key: other.key for key in others}
        pairs = _by_pair(self._reader.relations_of(scope, own | others), names)
        if direct := pairs.get(_pair(one.key, other.key)):
            return self._told(scope, [direct], 1)
        near: dict[str, dict[str, list[RelationRecord]]] = {one.key: {}, other.key: {}}
        for (left, right), told in pairs.items():
            for end, between in ((left, right), (right, left)):
                if end in near:
                    near[end][between] = told
        shared = near[one.key].keys() & near[other.key].keys()
        for between in self._rarest(scope, shared, near, (one.key, other.key)):
            way = [near[one.key][between], near[other.key][between]]
            if len(links := self._told(scope, way, 2)) == 2:
                return links
        return []

    def _rarest(self, scope: Scope, shared: Iterable[str], near: dict, ends: tuple[str, str]) -> list[str]:
        """Entities between two others: first those to which rules could say how both are related, of
        these the ones that fewest passages name."""
        entities = self._reader.entities(scope, sorted(shared))
        plain = {
            entity.key: sum(all(r.kind == WITH for r in near[end].get(entity.key, ())) for end in ends)
            for entity in entities
        }
        ordered = sorted(entities, key=lambda entity: (plain[entity.key], entity.chunks, entity.key))
        return [entity.key for entity in ordered if entity.key in near[ends[0]]][:MOST_BETWEEN]

    def _told(self, scope: Scope, pairs: Sequence[Sequence[RelationRecord]], limit: int) -> list[Link]:
        """The links of which a sentence can be shown."""
        chosen = list(pairs)[:limit]
        places = {chunk_id(r.document_id, s.order) for told in chosen for r in told for s in r.sources}
        there = {chunk.id: chunk for chunk in self._chunks.get_chunks(scope, sorted(places))}
        links = [_link(told, there) for told in chosen]
        return [link for link in links if link.evidence]


def keys_of(entity: Entity) -> set[str]:
    """The keys that an entity has in any document."""
    return {entity.key, *(record.key for record in entity.records)}


def _pair(one: str, other: str) -> tuple[str, str]:
    return (min(one, other), max(one, other))


def _by_pair(
    records: Sequence[RelationRecord], names: dict[str, str]
) -> dict[tuple[str, str], list[RelationRecord]]:
    """Records by the pair that they are of; `names` says which keys are one entity."""
    pairs: dict[tuple[str, str], list[RelationRecord]] = defaultdict(list)
    for record in records:
        source, target = names.get(record.source, record.source), names.get(record.target, record.target)
        if source != target:
            pairs[_pair(source, target)].append(record)
    return pairs


def _weight(told: Sequence[RelationRecord]) -> tuple[int, int, int]:
    return len(told), sum(record.kind != WITH for record in told), sum(len(r.sources) for r in told)


def _link(told: Sequence[RelationRecord], there: dict[str, Chunk]) -> Link:
    lead = max(told, key=lambda record: (record.kind != WITH, len(record.sources)))
    evidence = {}
    for record in sorted(told, key=lambda record: record is not lead):
        for source in record.sources:
            chunk = there.get(chunk_id(record.document_id, source.order))
            if chunk is not None and source.end <= len(chunk.text):
                evidence.setdefault((chunk.id, source.start), Evidence(chunk, source.start, source.end))
    kept = tuple(evidence.values())[:SENTENCES_A_LINK]
    words = lead.sources[0].words if lead.sources else ""
    return Link(lead.source, lead.target, lead.names, lead.kind, words, len(told), kept)
