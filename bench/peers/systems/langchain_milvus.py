"""LangChain over Milvus Lite: a dense field, Milvus's own BM25, its hybrid search.

`python -m bench.peers.systems.langchain_milvus MODEL_FOLDER DATA_FOLDER`. After its page on
full-text search. On Milvus Lite its defaults fail in three places: the automatic index of
the BM25 field, a build parameter that Lite refuses in a sparse index, and the weighted
ranker; so the index is named and the ranker is reciprocal rank. A client that rests for some
seconds is cut off by Lite because of its keep-alive pings, so these are turned off.
"""

import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from langchain_milvus import BM25BuiltInFunction, Milvus

from bench.peers.protocol import Passage, serve
from bench.peers.systems.langchain import KeptQueries

DEPTHS = {"hybrid, as documented": 4, "hybrid, 40 a leg": 40}
WORDS_INDEX = {"metric_type": "BM25", "index_type": "SPARSE_INVERTED_INDEX", "params": {}}
WORDS_SEARCH = {"metric_type": "BM25", "params": {}}
QUIET = {"grpc.keepalive_time_ms": 2**31 - 1, "grpc.keepalive_permit_without_calls": False}
DENSE_INDEX = {"metric_type": "L2", "index_type": "AUTOINDEX", "params": {}}
DENSE_SEARCH = {"metric_type": "L2", "params": {}}


class LangChainMilvus:
    """A `System`. It fetches four hits a leg by default; the other ways ask for ten."""

    ways = ("hybrid", "dense", "bm25", "hybrid, 40 a leg", "hybrid, as documented")

    def __init__(self, model: str, data: str) -> None:
        Path(data).mkdir(parents=True, exist_ok=True)
        self._uri = str(Path(data) / "milvus.db")
        self._embeddings = KeptQueries(model)
        self._stores: dict[tuple[str, str], Milvus] = {}

    def about(self) -> dict:
        """See `System.about`."""
        names = ("langchain-milvus", "pymilvus", "milvus-lite", "langchain-huggingface", "torch")
        return {
            "packages": {name: version(name) for name in names},
            "default": "OpenAI embeddings, which need a key: not to be had offline",
            "default_way": "hybrid, as documented",
            "corrections": "index of the BM25 field, its build parameter, rank fusion as ranker, pings off",
        }

    def add(self, library: str, passages: Sequence[Passage]) -> None:
        """See `System.add`."""
        ids = [passage.id for passage in passages]
        self._store(library, "hybrid").add_texts([passage.text for passage in passages], ids=ids)

    def finish(self, library: str) -> None:
        """See `System.finish`: what is not flushed is searched slowly."""
        store = self._store(library, "hybrid")
        store.client.flush(store.collection_name)

    def encode(self, question: str) -> Sequence[float]:
        """See `System.encode`."""
        return self._embeddings.encode(question)

    def search(self, way: str, library: str, question: str, limit: int) -> list[str]:
        """See `System.search`."""
        if way in ("dense", "bm25"):
            found = self._store(library, way).similarity_search(question, k=10)
        else:
            depth = DEPTHS.get(way, 10)
            found = self._store(library, "hybrid").similarity_search(
                question, k=min(depth, 10), fetch_k=depth, ranker_type="rrf", ranker_params={"k": 60}
            )
        return [document.metadata["pk"] for document in found[:limit]]

    def save(self, library: str, folder: str) -> None:
        """See `System.save`: everything lies in the data folder already."""

    def open(self, library: str, folder: str) -> None:
        """See `System.open`: from the data folder that this process was started with."""
        self._store(library, "hybrid")

    def close(self) -> None:
        """See `System.close`."""
        for store in self._stores.values():
            store.client.close()

    def _store(self, library: str, way: str) -> Milvus:
        """One view of a collection a way: langchain searches every field that a view names."""
        if (library, way) not in self._stores:
            words = BM25BuiltInFunction()
            views = {
                "dense": (self._embeddings, None, "dense", DENSE_INDEX, DENSE_SEARCH),
                "bm25": (None, words, "sparse", WORDS_INDEX, WORDS_SEARCH),
                "hybrid": (
                    self._embeddings, words, ["dense", "sparse"],
                    [DENSE_INDEX, WORDS_INDEX], [DENSE_SEARCH, WORDS_SEARCH],
                ),
            }  # fmt: skip
            embedding, builtin, field, index, search = views[way]
            self._stores[library, way] = Milvus(
                embedding_function=embedding,
                builtin_function=builtin,
                vector_field=field,
                index_params=index,
                search_params=search,
                collection_name=library,
                connection_args={"uri": self._uri, "grpc_options": QUIET},
                auto_id=False,
            )
        return self._stores[library, way]


if __name__ == "__main__":
    serve(lambda: LangChainMilvus(sys.argv[1], sys.argv[2]))
