"""The read path of the graph: entities by name or likeness, their relations, and ways between them.

Every read carries the `Scope` of who asks, at every step: a document that they may not read contributes
no name, no relation and no part of a way. What is told of a document stands in a chunk of it that they
may read, or it is not told. Knows stores and records; knows nothing of ranking.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from core.conditions import Condition, OfDocuments
from core.entities import EntityKind
from core.errors import ConflictError, NotFoundError
from core.seams import Embedder, VectorStore
from core.types import Chunk, Hit, Scope
from retrieval.graph.index import MANIFEST, RELATION_FINGERPRINT
from retrieval.graph.keys import Candidate, candidates, chunk_term, entity_key, key_term
from retrieval.graph.records import EntityRecord, RelationRecord, read_entity, read_relation

MOST_ROWS = 2000
"""Rows of one look-up: beyond them an entity is so common that it tells nothing."""
ROWS_IN_CHUNKS = 8000
ROWS_FOR_NAMES = 300
DOCUMENTS_AT_ONCE = 8
ROWS_OF_DOCUMENTS = 16_000
ROUNDS_FOR_NAMES = 3
SHARED_LETTERS = 0.6
ALIKE_AT = 0.93
"""Cosine from which another name may be meant: the embedder's cosines begin at about 0.7."""


@dataclass(frozen=True, slots=True)
class Entity:
    """One entity over all documents that a caller may read. `chunks` counts those that name it."""

    key: str
    name: str
    kind: EntityKind
    aliases: tuple[str, ...]
    values: tuple[str, ...]
    records: tuple[EntityRecord, ...]

    @property
    def chunks(self) -> int:
        """How many chunks name it."""
        return sum(len(record.chunks) for record in self.records)


class GraphReader:
    """Reads the graph of a collection. Thread-safe."""

    def __init__(self, entities: VectorStore, relations: VectorStore, embedder: Embedder) -> None:
        """The stores of `GraphIndex`."""
        self._entities = entities
        self._relations = relations
        self._embedder = embedder

    def is_there(self, collection: str) -> bool:
        """Whether the collection has a graph."""
        try:
            self._relations.check_embedder(collection, RELATION_FINGERPRINT)
        except (NotFoundError, ConflictError):
            return False
        return True

    def named_in(self, scope: Scope, question: str) -> list[Entity]:
        """The entities that a question names, in its order; of names within each other the longest."""
        found = {candidate.key: candidate for candidate in candidates(question)}
        records = self._look_up_names(scope, found)
        known = {key for record in records for key in record.keys if key in found}
        taken: list[Candidate] = []
        for candidate in sorted((found[key] for key in known), key=lambda c: (-c.tokens, c.first)):
            if all(_apart(candidate, other) for other in taken):
                taken.append(candidate)
        ordered = sorted(taken, key=lambda candidate: candidate.first)
        return self.entities(scope, [candidate.key for candidate in ordered])

    def entity(self, scope: Scope, name: str) -> Entity | None:
        """The entity that documents call just so, else the one that is `meant_by` the name."""
        return self.known_as(scope, [name]).get(name) or self.meant_by(scope, name)

    def known_as(self, scope: Scope, names: Sequence[str]) -> dict[str, Entity]:
        """The entities that documents call just so, by these names; without those that the caller may
        know nothing of."""
        keys = {name: entity_key(name) for name in names}
        found = self._by_key(scope, list(keys.values()))
        return {name: found[key] for name, key in keys.items() if key in found}

    def meant_by(self, scope: Scope, name: str) -> Entity | None:
        """The entity that an unknown name names within it, else one of a name that resembles it; None
        when the caller may know of none."""
        found = self.named_in(scope, name) or self.alike(scope, name, 1)
        return found[0] if found else None

    def alike(self, scope: Scope, name: str, limit: int) -> list[Entity]:
        """Entities whose names resemble one that is not known, best first; none where the names have
        vectors of another embedder."""
        try:
            self._entities.check_embedder(scope.collection, self._embedder.fingerprint)
        except (NotFoundError, ConflictError):
            return []
        [vector] = self._embedder.embed_documents([name])
        hits = self._entities.search_dense(scope, vector, 4 * limit)
        near = (read_entity(h.chunk).key for h in hits if h.score >= ALIKE_AT and _is_record(h))
        asked = entity_key(name)
        keys = dict.fromkeys(key for key in near if _shares_letters(asked, key))
        return self.entities(scope, list(keys)[:limit])

    def entities(self, scope: Scope, keys: Sequence[str]) -> list[Entity]:
        """The entities of these keys that the caller may know of, in the order of the keys. A short
        form stands for the full one, unless documents explain it in two ways."""
        found = self._by_key(scope, keys).values()
        return list({entity.key: entity for entity in found}.values())

    def _by_key(self, scope: Scope, keys: Sequence[str]) -> dict[str, Entity]:
        by_key: dict[str, list[EntityRecord]] = defaultdict(list)
        for record in self._look_up(scope, keys):
            for key in record.keys & set(keys):
                by_key[key].append(record)
        return {key: _merged(key, by_key[key]) for key in keys if by_key[key]}

    def in_chunks(self, scope: Scope, chunks: Sequence[Chunk]) -> dict[str, list[EntityRecord]]:
        """The entities that each chunk names, by the chunk's id."""
        found: dict[str, list[EntityRecord]] = {chunk.id: [] for chunk in chunks}
        orders: dict[str, dict[int, str]] = defaultdict(dict)
        for chunk in chunks:
            orders[chunk.document_id][chunk.order] = chunk.id
        if not orders:
            return found
        # All at once: a look-up of each document was most of what a search took.
        terms = {chunk_term(chunk.order): 1.0 for chunk in chunks}
        for hit in _found(self._entities, scope, terms, ROWS_IN_CHUNKS, [OfDocuments(tuple(orders))]):
            if _is_record(hit):
                record, wanted = read_entity(hit.chunk), orders[hit.chunk.document_id]
                for order in wanted.keys() & set(record.chunks):
                    found[wanted[order]].append(record)
        return found

    def relations_of(self, scope: Scope, keys: Iterable[str]) -> list[RelationRecord]:
        """The relations that have one of these keys at an end; those with both first."""
        wanted = set(keys)
        hits = _found(self._relations, scope, {key_term(key): 1.0 for key in wanted}, MOST_ROWS)
        records = [read_relation(hit.chunk) for hit in hits]
        return [record for record in records if record.source in wanted or record.target in wanted]

    def of_documents(
        self, scope: Scope, document_ids: Sequence[str]
    ) -> tuple[list[EntityRecord], list[RelationRecord]]:
        """All entities and relations of these versions, as far as the caller may read them."""
        entities, relations = [], []
        for at in range(0, len(document_ids), DOCUMENTS_AT_ONCE):
            where = [OfDocuments(tuple(document_ids[at : at + DOCUMENTS_AT_ONCE]))]
            rows = self._entities.find_chunks(scope, where, ROWS_OF_DOCUMENTS)
            entities += [read_entity(row) for row in rows if row.text != MANIFEST]
            relations += map(read_relation, self._relations.find_chunks(scope, where, ROWS_OF_DOCUMENTS))
        return entities, relations

    def _look_up(self, scope: Scope, keys: Iterable[str]) -> list[EntityRecord]:
        wanted = set(keys)
        hits = _found(self._entities, scope, {key_term(key): 1.0 for key in wanted}, MOST_ROWS)
        records = [read_entity(hit.chunk) for hit in hits if _is_record(hit)]
        return [record for record in records if record.keys & wanted]  # two keys may share a term

    def _look_up_names(self, scope: Scope, found: dict[str, Candidate]) -> list[EntityRecord]:
        """Records of what may be names. One that very many documents hold would leave no room for
        the others, so what is known is left out of the next round."""
        left, records = dict(found), []
        for _ in range(ROUNDS_FOR_NAMES):
            terms = {key_term(key): float(candidate.tokens) for key, candidate in left.items()}
            hits = _found(self._entities, scope, terms, ROWS_FOR_NAMES)
            new = [read_entity(hit.chunk) for hit in hits if _is_record(hit)]
            records += new
            for key in {key for record in new for key in record.keys}:
                left.pop(key, None)
            if len(hits) < ROWS_FOR_NAMES:
                break
        return records


def _found(
    store: VectorStore, scope: Scope, terms: dict[int, float], limit: int, where: Sequence[Condition] = ()
) -> list[Hit]:
    """What is looked up; nothing where no graph of the collection was ever written."""
    try:
        return store.search_lexical(scope, terms, limit, where)
    except NotFoundError:
        return []


def _merged(key: str, records: Sequence[EntityRecord]) -> Entity:
    """Records of a key as one entity. Those that only know the key as a short form of theirs join
    when all of them mean the same."""
    own = [record for record in records if record.key == key]
    meant = {record.key for record in records if record.key != key}
    joined = records if len(meant) == 1 else own or [r for r in records if r.key == min(meant)]
    lead = min(meant) if len(meant) == 1 or not own else key
    first = max(joined, key=lambda record: (record.key == lead, len(record.chunks), record.name))
    told = [record.kind for record in joined if record.kind is not EntityKind.NAME]
    names = dict.fromkeys(name for record in joined for name in (record.name, *record.aliases))
    values = dict.fromkeys(value for record in joined for value in record.values)
    return Entity(
        lead,
        first.name,
        max(set(told), key=lambda kind: (told.count(kind), kind)) if told else EntityKind.NAME,
        tuple(name for name in names if entity_key(name) != lead),
        tuple(values),
        tuple(joined),
    )


def _shares_letters(one: str, other: str) -> bool:
    """Whether most of the shorter name stands in the longer. Vectors of names alone are no proof:
    those of 卫星 and 航天 are nearer than those of Virgin Media and Virgin."""
    pieces = [{name[at : at + 2] for at in range(len(name) - 1)} for name in (one, other)]
    return len(pieces[0] & pieces[1]) >= SHARED_LETTERS * max(1, min(map(len, pieces)))


def _apart(one: Candidate, other: Candidate) -> bool:
    return one.first + one.tokens <= other.first or other.first + other.tokens <= one.first


def _is_record(hit: Hit) -> bool:
    return hit.chunk.text != MANIFEST
