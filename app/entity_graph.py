"""The graph of entities, built of the settings. Holds no logic of its own."""

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.services import Services
    from core.seams import GraphExtractor
    from ingest.entities.graphs import DocumentGraphs
    from ingest.kept_lines import KeptLines
    from retrieval.graph.index import GraphIndex
    from retrieval.graph.kept_communities import KeptCommunities
    from retrieval.graph.leg import GraphLeg
    from retrieval.graph.reader import GraphReader
    from retrieval.graph.ways import GraphWays


@dataclass(frozen=True, slots=True)
class EntityGraph:
    """The parts that write and read the graph; `leg` is None when no search walks over it."""

    index: "GraphIndex"
    documents: "DocumentGraphs"
    reader: "GraphReader"
    ways: "GraphWays"
    leg: "GraphLeg | None"
    communities: "KeptCommunities"


def build_entity_graph(services: "Services") -> EntityGraph:
    """All parts, over two stores beside that of the chunks. None needs weights before it works."""
    from app.late_embedder import LateEmbedder
    from ingest.entities.graphs import DocumentGraphs
    from ingest.kept_lines import KeptLines
    from retrieval.graph.index import ENTITY_PREFIX, RELATION_PREFIX, GraphIndex
    from retrieval.graph.kept_communities import KeptCommunities
    from retrieval.graph.leg import GraphLeg
    from retrieval.graph.reader import GraphReader
    from retrieval.graph.ways import GraphWays
    from retrieval.store import open_beside

    chunks, embedder = services.store(), LateEmbedder(services.embedder)
    stores = open_beside(chunks, ENTITY_PREFIX), open_beside(chunks, RELATION_PREFIX)
    index, reader = GraphIndex(*stores, embedder), GraphReader(*stores, embedder)
    ways = GraphWays(reader, chunks)
    replies = KeptLines(services.engine(), of_entities=True)
    communities = KeptCommunities(services.engine())
    is_on = services.settings.ingest.entities != "off"
    serves = services.settings.retrieval.graph
    return EntityGraph(
        index,
        DocumentGraphs(index, _build_extractor(services, replies), replies, communities),
        reader,
        ways,
        GraphLeg(reader, ways, chunks, serves == "several-hops") if is_on and serves != "off" else None,
        communities,
    )


def _build_extractor(services: "Services", replies: "KeptLines") -> "GraphExtractor | None":
    """What reads entities from chunks; None when none are kept. The chat model is built when the first
    chunk asks for it."""
    from app.chat_models import connect_chat
    from ingest.entities.model import ModelExtractor
    from ingest.entities.rules import RuleExtractor

    settings = services.settings
    if settings.ingest.entities != "model":
        return RuleExtractor() if settings.ingest.entities == "rules" else None
    connect, at_once = partial(connect_chat, services.chat_model), settings.ingest.context_line_calls
    return ModelExtractor(connect, settings.chat.model, replies, at_once)
