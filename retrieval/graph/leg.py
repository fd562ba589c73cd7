"""The graph leg: passages that belong with the best ones by an entity that both name.

A question of several hops names where it begins; what lies behind the first hop it does not name. The
best passages of the other legs do: from the entities in them the leg walks to the other passages that name
these, the rarer the entity the more (the node specificity of HippoRAG, Gutiérrez et al. 2024). Knows the
graph's reader and the chunks' store; knows nothing of how scores are joined.
"""

import math
from collections import defaultdict
from collections.abc import Sequence

from core.conditions import Condition, WithIds
from core.entities import EntityKind
from core.seams import VectorStore
from core.types import Chunk, Hit, Scope, Stage, chunk_id
from retrieval.graph.asking import asks_over_links, asks_relation, may_mean_a_cable, related_pair
from retrieval.graph.keys import entity_key
from retrieval.graph.reader import Entity, GraphReader
from retrieval.graph.ways import GraphWays, Link

SEEDS = 3
"""Passages that the walk begins at."""
MOST_KEYS = 60
MOST_ENDS = 4
MOST_HOLDING = 8
ON_THE_WAY = 3.0
"""What tells how two things are related is all that is asked for."""
COMMON = 40
"""An entity that more chunks name joins nothing."""
CHUNKS_AT_ONCE = 200
HAVE_TIES = frozenset({EntityKind.PERSON, EntityKind.ORGANISATION})
"""What is connected only by what it has to do with others, and by no cable."""


def _holds(chunk: Chunk, name: str) -> bool:
    return entity_key(name) in entity_key(f"{chunk.context} {chunk.text}")


class GraphLeg:
    """Finds passages over entities. Thread-safe."""

    def __init__(
        self, reader: GraphReader, ways: GraphWays, chunks: VectorStore, walks: bool = False
    ) -> None:
        """With `walks` it serves questions of several hops too, and not only those for what two things
        have to do with each other."""
        self._walks = walks
        self._reader = reader
        self._ways = ways
        self._chunks = chunks

    def serves(self, question: str) -> bool:
        """Whether a question is of a kind that the leg is searched for."""
        return asks_relation(question) or (self._walks and asks_over_links(question))

    def search(
        self, scope: Scope, question: str, seeds: Sequence[Hit], limit: int, where: Sequence[Condition] = ()
    ) -> list[Hit]:
        """At most `limit` passages that share entities with the `seeds`, the best hits of other legs
        in their order; best first, with stage GRAPH and a score of at most 1. The seeds are not
        among them unless another seed leads there. A question that asks how two things are related
        gets those of the way between them, with the score ON_THE_WAY."""
        if not self._reader.is_there(scope.collection):
            return []
        if asks_relation(question):
            told = [evidence for link in self.find_way(scope, question) for evidence in link.evidence]
            scores = {evidence.chunk.id: ON_THE_WAY for evidence in told}
            return self._hits(scope, scores or self._bridge(scope, question, seeds), limit, where)
        return self._hits(scope, self._walk(scope, seeds), limit, where)

    def find_way(self, scope: Scope, question: str, by_name: bool = False) -> list[Link]:
        """The links between the two things that a question relates, in their order; none when it
        names no two that the caller may know of, or nothing leads from one to the other. `by_name`:
        of things that documents call as the question does, and of no others that it may mean; where it may
        mean a cable between them ("how is A connected to B?"), of people and organisations alone."""
        if not self._reader.is_there(scope.collection):
            return []
        ends = self._ends(scope, question, by_name)
        if by_name and may_mean_a_cable(question) and any(end.kind not in HAVE_TIES for end in ends):
            return []
        for at, one in enumerate(ends):
            for other in ends[at + 1 :]:
                if way := self._ways.way(scope, one, other):
                    return way
        return []

    def _ends(self, scope: Scope, question: str, by_name: bool) -> list[Entity]:
        """The two things by name; a name that is not known may be another way of writing one."""
        pair = related_pair(question)
        if pair is None:
            return [] if by_name else self._reader.named_in(scope, question)[:MOST_ENDS]
        known = self._reader.known_as(scope, pair)
        if not by_name:
            known |= {name: self._reader.meant_by(scope, name) for name in pair if name not in known}
        return [entity for name in pair if (entity := known.get(name)) is not None]

    def _bridge(self, scope: Scope, question: str, seeds: Sequence[Hit]) -> dict[str, float]:
        """Where no sentences lead from one thing to the other: passages that name one, and passages
        that name the other, with an entity in common; the rarer it is the more they are worth."""
        pair = related_pair(question)
        if pair is None:
            return {}
        holding = [[hit.chunk for hit in seeds if _holds(hit.chunk, name)][:MOST_HOLDING] for name in pair]
        both = {chunk.id for chunk in holding[0]} & {chunk.id for chunk in holding[1]}
        if both or not all(holding):
            return dict.fromkeys(both, ON_THE_WAY)
        named = self._reader.in_chunks(scope, [chunk for chunks in holding for chunk in chunks])
        keys = [{r.key for chunk in chunks for r in named[chunk.id]} for chunks in holding]
        shared = keys[0] & keys[1] - {entity_key(name) for name in pair}
        counts = {entity.key: entity.chunks for entity in self._reader.entities(scope, sorted(shared))}
        scores: dict[str, float] = defaultdict(float)
        for chunk in (chunk for chunks in holding for chunk in chunks):
            common = [counts[r.key] for r in named[chunk.id] if r.key in shared and r.key in counts]
            if common and min(common) <= COMMON:
                scores[chunk.id] = ON_THE_WAY * math.sqrt(min(counts.values()) / min(common))
        return dict(scores)

    def _walk(self, scope: Scope, seeds: Sequence[Hit]) -> dict[str, float]:
        """The passages behind the seeds by id, 1 the best."""
        weights = self._weigh(scope, [hit.chunk for hit in seeds[:SEEDS]])
        scores: dict[str, float] = defaultdict(float)
        for entity in self._reader.entities(scope, list(weights)):
            if entity.chunks > COMMON:
                continue
            specific = 1 / math.sqrt(entity.chunks)
            for record in entity.records:
                for order in record.chunks:
                    place = chunk_id(record.document_id, order)
                    own = weights.get(entity.key, {})
                    from_others = max((w for seed, w in own.items() if seed != place), default=0.0)
                    scores[place] += from_others * specific
        top = max(scores.values(), default=0.0)
        return {i: score / top for i, score in scores.items() if score > 0}

    def _weigh(self, scope: Scope, seeds: Sequence[Chunk]) -> dict[str, dict[str, float]]:
        """What each entity of the seeds weighs, by the seed that names it."""
        weights: dict[str, dict[str, float]] = defaultdict(dict)
        ranked = {chunk.id: 1 / rank for rank, chunk in enumerate(seeds, start=1)}
        for place, records in self._reader.in_chunks(scope, seeds).items():
            for record in records:
                weights[record.key][place] = ranked[place]
        return dict(sorted(weights.items(), key=lambda item: -sum(item[1].values()))[:MOST_KEYS])

    def _hits(
        self, scope: Scope, scores: dict[str, float], limit: int, where: Sequence[Condition]
    ) -> list[Hit]:
        """The best that are there and for which all of `where` holds, however many before them do not."""
        best, kept = sorted(scores, key=lambda i: (-scores[i], i)), []
        for at in range(0, len(best), CHUNKS_AT_ONCE):
            wanted = tuple(best[at : at + CHUNKS_AT_ONCE])
            kept += self._chunks.find_chunks(scope, [WithIds(wanted), *where], len(wanted))
            if len(kept) >= limit:
                break
        stage = Stage.GRAPH
        ordered = sorted(kept, key=lambda chunk: (-scores[chunk.id], chunk.id))[:limit]
        return [
            Hit(chunk, scores[chunk.id], stage, {stage.value: rank})
            for rank, chunk in enumerate(ordered, start=1)
        ]
