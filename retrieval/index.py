"""The write path of retrieval: chunks of one document in, searchable and durable.

Knows which vectors a chunk needs; knows nothing of files, parsers or the ledger.
"""

from collections.abc import Callable, Sequence

from core.seams import Embedder, IndexRow, Reembedding, VectorStore
from core.types import Chunk, Document
from retrieval.lexical import Lexicon, encode_document


class ChunkIndex:
    """Writes and removes documents in the vector store and in the lexical statistics.

    Every method is idempotent: the same call again after a kill at any moment leaves
    the document there exactly once.
    """

    def __init__(self, store: VectorStore, embedder: Embedder, lexicon: Lexicon) -> None:
        self._store = store
        self._embedder = embedder
        self._lexicon = lexicon

    @property
    def fingerprint(self) -> str:
        """Changes whenever the same chunk would be indexed otherwise."""
        return self._embedder.fingerprint

    def open_collection(self, collection: str) -> None:
        """Creates the collection when it is not there.

        Raises:
            ConflictError: another embedder made it.
        """
        self._store.open_collection(collection, self._embedder.dimensions, self.fingerprint)

    def write_document(self, document: Document, chunks: Sequence[Chunk]) -> None:
        """Embeds and stores all chunks of one document version; durable when it returns."""
        vectors = self._embedder.embed_documents([embedded_text(chunk) for chunk in chunks])
        lexical = [encode_document(embedded_text(chunk)) for chunk in chunks]
        rows = [
            IndexRow(chunk, vector, terms.weights, document.readers)
            for chunk, vector, terms in zip(chunks, vectors, lexical, strict=True)
        ]
        self._store.upsert(document.collection, rows)
        self._lexicon.add_document(document.collection, document.id, lexical)

    def remove_document(self, collection: str, document_id: str) -> int:
        """Removes every chunk of a document version; returns how many there were."""
        removed = self._store.delete_document(collection, document_id)
        self._lexicon.remove_document(collection, document_id)
        return removed

    def drop_collection(self, collection: str) -> bool:
        """Removes a collection whole; False when there was none."""
        self._lexicon.drop_collection(collection)
        return self._store.drop_collection(collection)

    def reembed(self, collection: str, on_progress: Callable[[int, int], None]) -> Reembedding:
        """Gives every chunk of a collection a vector of the present embedder; the lexical
        statistics stay, since they do not depend on it. See `VectorStore.reembed`."""
        return self._store.reembed(
            collection,
            self._embedder.dimensions,
            self.fingerprint,
            lambda chunks: self._embedder.embed_documents([embedded_text(chunk) for chunk in chunks]),
            on_progress,
        )

    def collections(self) -> list[str]:
        """Names of the collections that hold or held chunks."""
        return self._store.collections()

    def count_chunks(self, collection: str) -> dict[str, int]:
        """Chunks of each document id."""
        return self._store.count_chunks(collection)

    def count_tokens(self, text: str) -> int:
        """Length of a text in the embedder's own tokens."""
        return self._embedder.count_tokens(text)

    def close(self) -> None:
        """Closes the store."""
        self._store.close()


def embedded_text(chunk: Chunk) -> str:
    """What is embedded: title and heading path in front of the text."""
    return f"{chunk.context}\n{chunk.text}" if chunk.context else chunk.text
