"""The product itself, by its public path: `Services`, then `ChunkIndex` and `Retriever`.

`python -m bench.peers.systems.attest DATA_FOLDER`. Each passage is a document of one chunk.
Every write is durable when it returns, as in the product.
"""

import hashlib
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from app.services import Services
from bench.peers.protocol import Passage, serve
from core.settings import Settings, load_settings
from core.types import Chunk, Document, Scope, chunk_id


class KeptQueries:
    """The real embedder; the last question's vector is not made twice, so that a search can
    be measured without it. Whatever else an embedder can do goes straight to the real one."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self._kept: tuple[str, Any] = ("", None)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def embed_query(self, text: str):
        """See `Embedder.embed_query`."""
        if self._kept[0] != text:
            self._kept = (text, self._inner.embed_query(text))
        return self._kept[1]

    def encode(self, text: str):
        """Makes the vector even when it is kept already."""
        self._kept = ("", None)
        self._inner.forget_queries()
        return self.embed_query(text)


class Attest:
    """A `System`: the product's default search, and the same without reranking."""

    ways = ("default", "without reranking")

    def __init__(self, settings: Settings) -> None:
        services = Services(settings)
        self._embedder = KeptQueries(services.embedder())
        self._services = Services(settings, {"embedder": self._embedder})
        self._retrievers = {"default": self._services.retriever()}

    def about(self) -> dict:
        """See `System.about`."""
        return {
            "packages": {name: version(name) for name in ("openvino", "pymilvus", "milvus-lite")},
            "settings": self._services.settings.retrieval.model_dump(mode="json"),
            "embedder": self._embedder.fingerprint,
            "default_way": "default",
        }

    def add(self, library: str, passages: Sequence[Passage]) -> None:
        """See `System.add`."""
        index = self._services.index()
        index.open_collection(library)
        for passage in passages:
            identity = hashlib.sha256(passage.text.encode()).hexdigest()
            document = Document(identity, passage.id, "", "text/plain", len(passage.text), library)
            chunk = Chunk(chunk_id(identity, 0), identity, 0, passage.text, "", passage.id)
            index.write_document(document, [chunk])

    def finish(self, library: str) -> None:
        """See `System.finish`."""

    def encode(self, question: str) -> Sequence[float]:
        """See `System.encode`."""
        return self._embedder.encode(question).tolist()

    def search(self, way: str, library: str, question: str, limit: int) -> list[str]:
        """See `System.search`."""
        hits = self._retriever(way).search(question, Scope(library), limit).hits
        return [hit.chunk.uri for hit in hits]

    def save(self, library: str, folder: str) -> None:
        """See `System.save`: everything lies in the data folder already."""

    def open(self, library: str, folder: str) -> None:
        """See `System.open`: from the data folder that this process was started with."""

    def close(self) -> None:
        """See `System.close`."""
        self._services.close()

    def _retriever(self, way: str):
        if way not in self._retrievers:
            settings = self._services.settings
            plain = settings.retrieval.model_copy(update={"rerank_limit": 0})
            settings = settings.model_copy(update={"retrieval": plain})
            parts = {name: getattr(self._services, name)() for name in ("store", "engine", "lexicon")}
            self._retrievers[way] = Services(settings, {**parts, "embedder": self._embedder}).retriever()
        return self._retrievers[way]


if __name__ == "__main__":
    serve(lambda: Attest(load_settings(data=Path(sys.argv[1]))))
