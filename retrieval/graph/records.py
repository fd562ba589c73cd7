"""What is kept of entities and relations, and how it stands in a row of a store.

One row an entity of a document version and one a pair of them: with the readers of the version, so
that nobody learns from another's document that there is such a thing. A row has the fields of a
chunk (docs/decisions/038-entity-graph.md): its text is the record as JSON, its sparse vector holds the
keys that it is looked up by. Chunks are named by their order, which holds for every copy of a version.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from core.entities import WITH, ChunkGraph, EntityKind
from core.types import Chunk, Document, chunk_id
from retrieval.graph.keys import chunk_term, entity_key, key_term

MAX_CHUNKS = 500
"""Chunks that an entity of one document is known to stand in, and sources of a relation."""
MAX_ALIASES = 8
MAX_VALUES = 12
MAX_SOURCES = 20


@dataclass(frozen=True, slots=True)
class EntityRecord:
    """An entity in one document version. `chunks` are the orders of the chunks that name it,
    `aliases` names under other keys."""

    document_id: str
    name: str
    key: str
    kind: EntityKind
    aliases: tuple[str, ...]
    values: tuple[str, ...]
    chunks: tuple[int, ...]
    title: str = ""
    uri: str = ""

    @property
    def keys(self) -> frozenset[str]:
        """All keys that it is known by."""
        return frozenset({self.key, *map(entity_key, self.aliases)})


@dataclass(frozen=True, slots=True)
class Source:
    """The sentence that tells of a relation: `text[start:end]` of the chunk at `order`."""

    order: int
    start: int
    end: int
    words: str


@dataclass(frozen=True, slots=True)
class RelationRecord:
    """Two entities, by key, that sentences of one document version bring together."""

    document_id: str
    source: str
    target: str
    names: tuple[str, str]
    kind: str
    sources: tuple[Source, ...]
    title: str = ""
    uri: str = ""

    def other(self, key: str) -> str:
        """The key at the other end."""
        return self.target if key == self.source else self.source


@dataclass(frozen=True, slots=True)
class DocumentGraph:
    """All that is kept of one version."""

    entities: tuple[EntityRecord, ...]
    relations: tuple[RelationRecord, ...]


def assemble(document: Document, found: Sequence[tuple[int, ChunkGraph]]) -> DocumentGraph:
    """The graph of a version from those of its chunks, each with its order. A short form that the
    document explains is the entity that it stands for."""
    full = _full_forms(found)
    entities = _entities(document, found, full)
    kept = {entity.key for entity in entities}
    return DocumentGraph(entities, _relations(document, found, full, kept))


def _full_forms(found: Sequence[tuple[int, ChunkGraph]]) -> dict[str, str]:
    """The key of the full form of each short one; none where the document explains it in two ways."""
    forms: dict[str, set[str]] = defaultdict(set)
    for _, graph in found:
        for mention in graph.mentions:
            if mention.alias and entity_key(mention.alias) and entity_key(mention.name):
                forms[entity_key(mention.alias)].add(entity_key(mention.name))
    return {short: min(keys) for short, keys in forms.items() if len(keys) == 1 and short not in keys}


def _entities(
    document: Document, found: Sequence[tuple[int, ChunkGraph]], full: dict[str, str]
) -> tuple[EntityRecord, ...]:
    names: dict[str, Counter[str]] = defaultdict(Counter)
    kinds: dict[str, Counter[EntityKind]] = defaultdict(Counter)
    chunks: dict[str, dict[int, None]] = defaultdict(dict)
    values: dict[str, dict[str, None]] = defaultdict(dict)
    for order, graph in found:
        for mention in graph.mentions:
            own = entity_key(mention.name)
            key = full.get(own, own)
            if not key:
                continue
            names[key][mention.name] += 1
            if mention.alias:
                names[key][mention.alias] += 1
            if mention.kind is not EntityKind.NAME:
                kinds[key][mention.kind] += 1
            chunks[key][order] = None
            for value in graph.values.get(mention.name, ()):
                values[key][value] = None
    return tuple(
        EntityRecord(
            document.id,
            _shown(key, names[key]),
            key,
            max(kinds[key], key=lambda kind: (kinds[key][kind], kind), default=EntityKind.NAME),
            _aliases(key, names[key]),
            tuple(values[key])[:MAX_VALUES],
            tuple(chunks[key])[:MAX_CHUNKS],
            document.title,
            document.uri,
        )
        for key in names
    )


def _shown(key: str, names: Counter[str]) -> str:
    """The commonest way of writing the name itself."""
    own = {name: count for name, count in names.items() if entity_key(name) == key} or names
    return max(own, key=lambda name: (own[name], name))


def _aliases(key: str, names: Counter[str]) -> tuple[str, ...]:
    others = {entity_key(name): name for name, _ in names.most_common() if entity_key(name) != key}
    return tuple(others.values())[:MAX_ALIASES]


def _relations(
    document: Document, found: Sequence[tuple[int, ChunkGraph]], full: dict[str, str], kept: set[str]
) -> tuple[RelationRecord, ...]:
    """Each pair once, by the kind that most of its sentences tell, if any tells one."""
    sources: dict[tuple[str, str], list[tuple[str, bool, Source]]] = defaultdict(list)
    names: dict[str, str] = {}
    for order, graph in found:
        for relation in graph.relations:
            own = [entity_key(relation.source), entity_key(relation.target)]
            source, target = (full.get(key, key) for key in own)
            if source == target or not {source, target} <= kept:
                continue
            names.setdefault(source, relation.source)
            names.setdefault(target, relation.target)
            pair, is_turned = (min(source, target), max(source, target)), source > target
            told = Source(order, relation.start, relation.end, relation.words)
            sources[pair].append((relation.kind, is_turned, told))
    records = []
    for pair, told in sources.items():
        telling = Counter((kind, is_turned) for kind, is_turned, _ in told if kind != WITH)
        (kind, is_turned) = telling.most_common(1)[0][0] if telling else (WITH, False)
        source, target = reversed(pair) if is_turned else pair
        # The sentences that tell the kind come first.
        ordered = sorted(told, key=lambda entry: entry[0] != kind)
        spans = tuple(dict.fromkeys(entry[2] for entry in ordered))[:MAX_SOURCES]
        shown = (names[source], names[target])
        records.append(
            RelationRecord(document.id, source, target, shown, kind, spans, document.title, document.uri)
        )
    return tuple(records)


def entity_chunk(record: EntityRecord, at: int) -> tuple[Chunk, dict[int, float]]:
    """The row of an entity, as a chunk with its sparse vector; `at` counts the rows of its version."""
    values = {name: value for name, value in asdict(record).items() if name not in _OF_ROW}
    terms = [*map(key_term, record.keys), *map(chunk_term, record.chunks)]
    return _chunk(record, at, values), dict.fromkeys(terms, 1.0)


def relation_chunk(record: RelationRecord, at: int) -> tuple[Chunk, dict[int, float]]:
    """The row of a relation, likewise: it is looked up by both its ends."""
    values = {name: value for name, value in asdict(record).items() if name not in _OF_ROW}
    return _chunk(record, at, values), {key_term(record.source): 1.0, key_term(record.target): 1.0}


def read_entity(chunk: Chunk) -> EntityRecord:
    """The record of a row."""
    values = json.loads(chunk.text)
    return EntityRecord(
        chunk.document_id,
        values["name"],
        values["key"],
        EntityKind(values["kind"]),
        tuple(values["aliases"]),
        tuple(values["values"]),
        tuple(values["chunks"]),
        chunk.title,
        chunk.uri,
    )


def read_relation(chunk: Chunk) -> RelationRecord:
    """The record of a row."""
    values = json.loads(chunk.text)
    sources = tuple(Source(**source) for source in values["sources"])
    ends = (values["source"], values["target"], tuple(values["names"]), values["kind"])
    return RelationRecord(chunk.document_id, *ends, sources, chunk.title, chunk.uri)


_OF_ROW = ("document_id", "title", "uri")


def _chunk(record: EntityRecord | RelationRecord, at: int, values: dict) -> Chunk:
    text = json.dumps(values, ensure_ascii=False)
    return Chunk(chunk_id(record.document_id, at), record.document_id, at, text, record.title, record.uri)
