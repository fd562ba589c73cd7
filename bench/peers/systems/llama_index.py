"""LlamaIndex: its vector index in memory, its BM25 retriever, its fusion of both.

`python -m bench.peers.systems.llama_index MODEL_FOLDER`. After its pages on BM25 and on
reciprocal rank fusion, with one query a question: to write more needs a chat model.
"""

import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from llama_index.core import Settings, StorageContext, VectorStoreIndex, load_index_from_storage
from llama_index.core.llms import MockLLM
from llama_index.core.retrievers import QueryFusionRetriever
from llama_index.core.schema import QueryBundle, TextNode
from llama_index.embeddings.huggingface import HuggingFaceEmbedding
from llama_index.retrievers.bm25 import BM25Retriever

from bench.peers.protocol import Passage, serve

DEPTHS = {"hybrid, as documented": 2, "hybrid, 40 a leg": 40}


class LlamaIndex:
    """A `System`. Its documented number of hits is two, with its simple fusion; the other
    ways ask for ten."""

    ways = ("hybrid", "dense", "bm25", "hybrid, 40 a leg", "hybrid, as documented")

    def __init__(self, model: str) -> None:
        # A blank stands between instruction and text.
        self._embedder = HuggingFaceEmbedding(
            model_name=model, query_instruction="query:", text_instruction="passage:"
        )
        Settings.embed_model, Settings.llm = self._embedder, MockLLM()
        self._indexes: dict[str, VectorStoreIndex] = {}
        self._retrievers: dict[tuple[str, str], object] = {}
        self._vector: list[float] = []

    def about(self) -> dict:
        """See `System.about`."""
        names = ("llama-index", "llama-index-core", "llama-index-retrievers-bm25", "torch")
        return {
            "packages": {name: version(name) for name in names},
            "default": "OpenAI embeddings, which need a key: not to be had offline",
            "default_way": "hybrid, as documented",
        }

    def add(self, library: str, passages: Sequence[Passage]) -> None:
        """See `System.add`."""
        nodes = [TextNode(id_=passage.id, text=passage.text) for passage in passages]
        if library in self._indexes:
            self._indexes[library].insert_nodes(nodes)
        else:
            self._indexes[library] = VectorStoreIndex(nodes)

    def finish(self, library: str) -> None:
        """See `System.finish`."""
        nodes = list(self._indexes[library].docstore.docs.values())
        self._arrange(library, lambda top_k: BM25Retriever.from_defaults(nodes=nodes, similarity_top_k=top_k))

    def encode(self, question: str) -> Sequence[float]:
        """See `System.encode`."""
        self._vector = self._embedder.get_query_embedding(question)
        return self._vector

    def search(self, way: str, library: str, question: str, limit: int) -> list[str]:
        """See `System.search`."""
        retriever = self._retrievers[library, way]
        found = retriever.retrieve(QueryBundle(question, embedding=list(self._vector)))
        return [hit.node.node_id for hit in found[:limit]]

    def save(self, library: str, folder: str) -> None:
        """See `System.save`."""
        self._indexes[library].storage_context.persist(folder)
        words = Path(folder) / "bm25"
        words.mkdir(exist_ok=True)
        self._retrievers[library, "bm25"].persist(str(words))

    def open(self, library: str, folder: str) -> None:
        """See `System.open`."""
        storage = StorageContext.from_defaults(persist_dir=folder)
        self._indexes[library] = load_index_from_storage(storage)
        words = str(Path(folder) / "bm25")
        self._arrange(library, lambda top_k: BM25Retriever.from_persist_dir(words))

    def close(self) -> None:
        """See `System.close`."""

    def _arrange(self, library: str, build_bm25) -> None:
        """Every way's retriever; one BM25 index serves those that ask for ten."""
        index, ten = self._indexes[library], build_bm25(10)
        for way in self.ways:
            depth = DEPTHS.get(way, 10)
            words = ten if depth == 10 else self._deeper(ten, depth)
            dense = index.as_retriever(similarity_top_k=depth)
            fusion = {} if way.endswith("documented") else {"mode": "reciprocal_rerank"}
            hybrid = QueryFusionRetriever(
                [dense, words], num_queries=1, similarity_top_k=min(depth, 10), use_async=True, **fusion
            )
            self._retrievers[library, way] = {"dense": dense, "bm25": words}.get(way, hybrid)

    @staticmethod
    def _deeper(words: BM25Retriever, depth: int) -> BM25Retriever:
        """The same BM25 index with another number of hits."""
        other = BM25Retriever(existing_bm25=words.bm25, similarity_top_k=depth)
        other.corpus = words.corpus
        return other


if __name__ == "__main__":
    serve(lambda: LlamaIndex(sys.argv[1]))
