"""Communities: groups of entities that sentences bring together more often with each other than with others.

Found by the method of Louvain (Blondel et al. 2008, networkx) over a graph whose edges are weighed as in
networks of co-authors (Newman 2001): a sentence of k names adds 1/(k-1) to each of its pairs, so that a list
of names does not outweigh statements. Pure: the same records give the same communities in any order. Knows
records; knows nothing of stores, readers or models.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from core.entities import WITH
from core.errors import SettingsError
from core.types import chunk_id
from retrieval.graph.records import EntityRecord, RelationRecord

if TYPE_CHECKING:
    from networkx import Graph

LEAST_ENTITIES = 3
LEAST_SENTENCES = 2
WHOLE_TO = 6
"""What hangs together and is no larger stays whole: by modularity any chain of four falls in two."""
MOST_ENTITIES = 25
"""A larger community is parted again, as far as it can be."""
MOST_SENTENCES = 10
FINEST = 16.0
"""The resolution at which no further parting is tried."""
_SEED = 0


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A sentence that tells of a relation: `text[start:end]` of a chunk."""

    chunk_id: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Community:
    """A group: the names of its entities, those with most to do with the others first, and at most
    `MOST_SENTENCES` places of sentences that between them name most of these."""

    names: tuple[str, ...]
    places: tuple[Place, ...]


@dataclass(slots=True)
class _Told:
    """What one sentence tells: the keys it brings together, and whether a rule could say how."""

    keys: set[str]
    is_plain: bool = True


def find_communities(
    entities: Sequence[EntityRecord], relations: Sequence[RelationRecord]
) -> list[Community]:
    """The communities of documents, the largest first.

    Raises:
        SettingsError: networkx is not installed.
    """
    lead = _leads(entities)
    told = _sentences(relations, lead)
    graph = _weighed(told)
    names = _names(entities, relations, lead)
    found = []
    for keys in _parted(graph):
        inside = {place: one for place, one in told.items() if len(one.keys & keys) > 1}
        if len(keys) < LEAST_ENTITIES or len(inside) < LEAST_SENTENCES:
            continue
        degrees = dict(graph.subgraph(keys).degree(weight="weight"))
        ordered = sorted(keys, key=lambda key: (-degrees[key], key))
        found.append(Community(tuple(names[key] for key in ordered), _choose(inside, degrees)))
    return sorted(found, key=lambda community: (-len(community.names), community.names))


def _leads(entities: Iterable[EntityRecord]) -> dict[str, str]:
    """The key of the full form of each short one, where all documents explain it in one way."""
    meant: dict[str, set[str]] = defaultdict(set)
    for record in entities:
        for key in record.keys - {record.key}:
            meant[key].add(record.key)
    single = {short: min(keys) for short, keys in meant.items() if len(keys) == 1}
    return {short: key for short, key in single.items() if key not in single}


def _sentences(relations: Iterable[RelationRecord], lead: dict[str, str]) -> dict[Place, _Told]:
    told: dict[Place, _Told] = {}
    for record in relations:
        ends = {lead.get(key, key) for key in (record.source, record.target)}
        for source in record.sources if len(ends) == 2 else ():
            place = Place(chunk_id(record.document_id, source.order), source.start, source.end)
            one = told.setdefault(place, _Told(set()))
            one.keys |= ends
            one.is_plain = one.is_plain and record.kind == WITH
    return told


def _weighed(told: dict[Place, _Told]) -> "Graph":
    try:
        from networkx import Graph
    except ImportError as exc:
        raise SettingsError(
            "communities of entities need networkx, which is not installed",
            remedy="run: pip install 'attest[communities]'",
        ) from exc
    weights: dict[tuple[str, str], float] = defaultdict(float)
    for _, one in sorted(told.items(), key=lambda item: item[0]):
        for pair in combinations(sorted(one.keys), 2):
            weights[pair] += 1 / (len(one.keys) - 1)
    graph = Graph()
    # In one order: the method goes through nodes as they were added.
    graph.add_nodes_from(sorted({key for pair in weights for key in pair}))
    graph.add_weighted_edges_from((*pair, weight) for pair, weight in sorted(weights.items()))
    return graph


def _parted(graph: "Graph", resolution: float = 1.0) -> list[set[str]]:
    """The communities of a graph. Louvain may leave one that hangs together by what has moved elsewhere
    (Traag et al. 2019), so each is one connected part."""
    from networkx import connected_components
    from networkx.algorithms.community import louvain_communities

    parts = []
    for whole in connected_components(graph):
        if len(whole) <= WHOLE_TO:
            parts.append(set(whole))
            continue
        inner = _copy(graph, whole)
        groups = louvain_communities(inner, weight="weight", resolution=resolution, seed=_SEED)
        for keys in (keys for group in groups for keys in connected_components(inner.subgraph(group))):
            if len(keys) > MOST_ENTITIES and resolution < FINEST:
                parts += _parted(_copy(graph, keys), 2 * resolution)
            else:
                parts.append(set(keys))
    return parts


def _copy(graph: "Graph", keys: set[str]) -> "Graph":
    """The graph of these nodes alone, in their order: those of a view come as sets do."""
    inside = [(min(a, b), max(a, b), data) for a, b, data in graph.edges(keys, data=True) if {a, b} <= keys]
    copied = type(graph)()
    copied.add_nodes_from(sorted(keys))
    copied.add_edges_from(sorted(inside, key=lambda edge: edge[:2]))
    return copied


def _names(
    entities: Iterable[EntityRecord], relations: Iterable[RelationRecord], lead: dict[str, str]
) -> dict[str, str]:
    """How each entity is called: as the document that names it most often does."""
    names: dict[str, str] = {}
    for record in relations:
        for key, name in zip((record.source, record.target), record.names, strict=True):
            names.setdefault(lead.get(key, key), name)
    best = sorted(entities, key=lambda record: (len(record.chunks), record.name))
    return names | {record.key: record.name for record in best}


def _choose(inside: dict[Place, _Told], degrees: dict[str, float]) -> tuple[Place, ...]:
    """Sentences one after the other, each the one that names most of what none has named so far, by weight;
    of equal ones those of which a rule could say what they tell."""
    left, chosen, open_keys = dict(inside), [], set(degrees)
    while left and len(chosen) < MOST_SENTENCES:
        gains = {place: sum(degrees[key] for key in one.keys & open_keys) for place, one in left.items()}
        best = min(left, key=lambda place: (-gains[place], left[place].is_plain, place))
        if not gains[best]:
            open_keys = set(degrees)
            continue
        chosen.append(best)
        open_keys -= left.pop(best).keys
    return tuple(chosen)
