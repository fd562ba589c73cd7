"""Haystack: in-memory store, BM25 and embedding retrievers, a joiner by reciprocal rank.

`python -m bench.peers.systems.haystack MODEL_FOLDER`. After its hybrid retrieval tutorial,
whose cross-encoder (a model of a hub) is left out and whose joiner is set to rank fusion:
by its default, concatenation, the joiner relies on that ranker for the order. Components
are called without a Pipeline, which would add its own milliseconds.
"""

import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from haystack import Document
from haystack.components.joiners import DocumentJoiner
from haystack.components.retrievers.in_memory import InMemoryBM25Retriever, InMemoryEmbeddingRetriever
from haystack.document_stores.in_memory import InMemoryDocumentStore
from haystack_integrations.components.embedders.sentence_transformers import (
    SentenceTransformersDocumentEmbedder,
    SentenceTransformersTextEmbedder,
)

from bench.peers.protocol import Passage, serve

DEEP = 40


class Haystack:
    """A `System`. Each retriever returns ten hits by default; `hybrid, 40 a leg` asks more."""

    ways = ("hybrid", "dense", "bm25", "hybrid, 40 a leg")

    def __init__(self, model: str) -> None:
        self._documents = SentenceTransformersDocumentEmbedder(
            model=model, prefix="passage: ", progress_bar=False
        )
        self._queries = SentenceTransformersTextEmbedder(model=model, prefix="query: ", progress_bar=False)
        self._documents.warm_up()
        self._queries.warm_up()
        self._joiner = DocumentJoiner(join_mode="reciprocal_rank_fusion")
        self._stores: dict[str, InMemoryDocumentStore] = {}
        self._vector: list[float] = []

    def about(self) -> dict:
        """See `System.about`."""
        return {
            "packages": {
                name: version(name) for name in ("haystack-ai", "sentence-transformers-haystack", "torch")
            },
            "default": "all-mpnet-base-v2 from a model hub, then a cross-encoder: not to be had offline",
            "default_way": "hybrid",
        }

    def add(self, library: str, passages: Sequence[Passage]) -> None:
        """See `System.add`."""
        store = self._stores.setdefault(
            library, InMemoryDocumentStore(embedding_similarity_function="cosine")
        )
        documents = [Document(id=passage.id, content=passage.text) for passage in passages]
        store.write_documents(self._documents.run(documents=documents)["documents"])

    def finish(self, library: str) -> None:
        """See `System.finish`: statistics are kept on each write."""

    def encode(self, question: str) -> Sequence[float]:
        """See `System.encode`."""
        self._vector = self._queries.run(text=question)["embedding"]
        return self._vector

    def search(self, way: str, library: str, question: str, limit: int) -> list[str]:
        """See `System.search`."""
        store = self._stores[library]
        depth = DEEP if way.endswith("a leg") else 10
        lists = []
        if way != "bm25":
            retriever = InMemoryEmbeddingRetriever(store, top_k=depth)
            lists.append(retriever.run(query_embedding=self._vector)["documents"])
        if way != "dense":
            lists.append(InMemoryBM25Retriever(store, top_k=depth).run(query=question)["documents"])
        found = lists[0] if len(lists) == 1 else self._joiner.run(documents=lists)["documents"]
        return [document.id for document in found[:limit]]

    def save(self, library: str, folder: str) -> None:
        """See `System.save`."""
        self._stores[library].save_to_disk(str(Path(folder) / "store.json"))

    def open(self, library: str, folder: str) -> None:
        """See `System.open`."""
        self._stores[library] = InMemoryDocumentStore.load_from_disk(str(Path(folder) / "store.json"))

    def close(self) -> None:
        """See `System.close`."""


if __name__ == "__main__":
    serve(lambda: Haystack(sys.argv[1]))
