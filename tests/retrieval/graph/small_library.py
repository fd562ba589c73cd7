"""A small library with a graph, over the real Milvus Lite: what the graph's tests share."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import create_engine

from core.paths import DataPaths
from core.settings import MilvusSettings, RetrievalSettings
from core.types import Chunk, Document, Scope, chunk_id
from ingest.entities.graphs import DocumentGraphs
from ingest.entities.rules import RuleExtractor
from retrieval.graph.index import ENTITY_PREFIX, RELATION_PREFIX, GraphIndex
from retrieval.graph.leg import GraphLeg
from retrieval.graph.reader import GraphReader
from retrieval.graph.ways import GraphWays
from retrieval.index import ChunkIndex
from retrieval.lexical import Lexicon
from retrieval.rerankers.fused_order import FusedOrder
from retrieval.retriever import MoreLegs, Retriever
from retrieval.store import MilvusStore, open_beside, open_store
from retrieval.token_vectors import TokenVectors
from tests.retrieval.test_context_line_kept import PlainHash

COLLECTION = "c"
ANYBODY = Scope(COLLECTION)


def scope(*readers: str) -> Scope:
    return Scope(COLLECTION, frozenset(readers))


def document(letter: str, readers: Sequence[str] = ("everyone",)) -> Document:
    return Document(letter * 64, f"/docs/{letter}.md", f"Paper {letter}", "text/plain", 1, COLLECTION, tuple(readers))


def chunks_of(of: Document, *texts: str) -> list[Chunk]:
    return [Chunk(chunk_id(of.id, n), of.id, n, text, of.title, of.uri) for n, text in enumerate(texts)]


@dataclass
class SmallLibrary:
    """Documents of one collection with their chunks and their graph."""

    store: MilvusStore
    index: ChunkIndex
    graphs: DocumentGraphs
    graph: GraphIndex
    reader: GraphReader
    ways: GraphWays
    leg: GraphLeg
    lexicon: Lexicon
    kept: dict[str, Document] = field(default_factory=dict)

    def write(self, letter: str, *texts: str, readers: Sequence[str] = ("everyone",)) -> Document:
        of = document(letter, readers)
        self.graphs.write_documents([(of, chunks_of(of, *texts))])
        self.index.write_document(of, chunks_of(of, *texts))
        return of

    def remove(self, of: Document) -> None:
        self.index.remove_document(COLLECTION, of.id)
        self.graphs.remove_documents(COLLECTION, [of.id])

    def names(self, question: str, *readers: str) -> list[str]:
        return [entity.name for entity in self.reader.named_in(scope(*readers), question)]

    def way(self, question: str, *readers: str) -> list[tuple[tuple[str, str], list[str]]]:
        links = self.leg.find_way(scope(*readers), question)
        return [(link.names, [evidence.text for evidence in link.evidence]) for link in links]

    def retriever(self, with_graph: bool = True) -> Retriever:
        settings = RetrievalSettings(reranker="none", rerank_limit=0)
        more = MoreLegs(None, self.leg if with_graph else None)
        return Retriever(self.store, PlainHash(), self.lexicon, FusedOrder(), settings, more)


def open_library(folder) -> SmallLibrary:
    paths = DataPaths(folder)
    paths.create()
    store = open_store(MilvusSettings(), paths)
    engine = create_engine(f"sqlite:///{paths.ledger}")
    lexicon = Lexicon(engine)
    index = ChunkIndex(store, PlainHash(), lexicon, TokenVectors(engine, PlainHash), False)
    index.open_collection(COLLECTION)
    stores = open_beside(store, ENTITY_PREFIX), open_beside(store, RELATION_PREFIX)
    graph, reader = GraphIndex(*stores, PlainHash()), GraphReader(*stores, PlainHash())
    ways = GraphWays(reader, store)
    graphs = DocumentGraphs(graph, RuleExtractor())
    return SmallLibrary(store, index, graphs, graph, reader, ways, GraphLeg(reader, ways, store), lexicon)
