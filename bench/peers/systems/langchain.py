"""LangChain: its vector store in memory, its BM25 retriever, its ensemble of both.

`python -m bench.peers.systems.langchain MODEL_FOLDER`. After its pages on the in-memory
store, on BM25 and on the ensemble retriever.
"""

import json
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from langchain_classic.retrievers import EnsembleRetriever
from langchain_community.retrievers import BM25Retriever
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_core.vectorstores import InMemoryVectorStore
from langchain_huggingface import HuggingFaceEmbeddings

from bench.peers.protocol import Passage, serve

DEPTHS = {"hybrid, as documented": 4, "hybrid, 40 a leg": 40}


class KeptQueries(Embeddings):
    """The real embeddings; the last question's vector is not made twice."""

    def __init__(self, model: str) -> None:
        self._inner = HuggingFaceEmbeddings(
            model_name=model,
            encode_kwargs={"prompt": "passage: "},
            query_encode_kwargs={"prompt": "query: "},
        )
        self._kept: tuple[str, list[float]] = ("", [])

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """As langchain has it."""
        return self._inner.embed_documents(texts)

    def embed_query(self, text: str) -> list[float]:
        """As langchain has it."""
        if self._kept[0] != text:
            self._kept = (text, self._inner.embed_query(text))
        return self._kept[1]

    def encode(self, text: str) -> list[float]:
        """Makes the vector even when it is kept already."""
        self._kept = ("", [])
        return self.embed_query(text)


class LangChain:
    """A `System`. Each retriever returns four hits by default; the other ways ask for ten."""

    ways = ("hybrid", "dense", "bm25", "hybrid, 40 a leg", "hybrid, as documented")

    def __init__(self, model: str) -> None:
        self._embeddings = KeptQueries(model)
        self._stores: dict[str, InMemoryVectorStore] = {}
        self._documents: dict[str, list[Document]] = {}
        self._retrievers: dict[tuple[str, str], object] = {}

    def about(self) -> dict:
        """See `System.about`."""
        names = ("langchain", "langchain-classic", "langchain-community", "langchain-huggingface", "torch")
        return {
            "packages": {name: version(name) for name in names},
            "default": "OpenAI embeddings, which need a key: not to be had offline",
            "default_way": "hybrid, as documented",
        }

    def add(self, library: str, passages: Sequence[Passage]) -> None:
        """See `System.add`."""
        store = self._stores.setdefault(library, InMemoryVectorStore(self._embeddings))
        documents = [Document(id=p.id, page_content=p.text, metadata={"name": p.id}) for p in passages]
        store.add_documents(documents)
        self._documents.setdefault(library, []).extend(documents)

    def finish(self, library: str) -> None:
        """See `System.finish`."""
        store, words = self._stores[library], BM25Retriever.from_documents(self._documents[library], k=10)
        for way in self.ways:
            depth = DEPTHS.get(way, 10)
            leg = words if depth == 10 else words.model_copy(update={"k": depth})
            dense = store.as_retriever(search_kwargs={"k": depth})
            ensemble = EnsembleRetriever(retrievers=[leg, dense], weights=[0.5, 0.5])
            self._retrievers[library, way] = {"dense": dense, "bm25": leg}.get(way, ensemble)

    def encode(self, question: str) -> Sequence[float]:
        """See `System.encode`."""
        return self._embeddings.encode(question)

    def search(self, way: str, library: str, question: str, limit: int) -> list[str]:
        """See `System.search`."""
        found = self._retrievers[library, way].invoke(question)
        return [document.metadata["name"] for document in found[:limit]]

    def save(self, library: str, folder: str) -> None:
        """See `System.save`: BM25 has no format of its own, so its texts are kept."""
        self._stores[library].dump(str(Path(folder) / "store.json"))
        texts = [[d.metadata["name"], d.page_content] for d in self._documents[library]]
        (Path(folder) / "texts.json").write_text(json.dumps(texts), encoding="utf-8")

    def open(self, library: str, folder: str) -> None:
        """See `System.open`."""
        self._stores[library] = InMemoryVectorStore.load(str(Path(folder) / "store.json"), self._embeddings)
        texts = json.loads((Path(folder) / "texts.json").read_text(encoding="utf-8"))
        self._documents[library] = [Document(page_content=t, metadata={"name": n}) for n, t in texts]
        self.finish(library)

    def close(self) -> None:
        """See `System.close`."""


if __name__ == "__main__":
    serve(lambda: LangChain(sys.argv[1]))
