"""The write path of retrieval: chunks of one document in, searchable and durable.

Knows which vectors a chunk needs; knows nothing of files, parsers or the ledger.
"""

from collections.abc import Callable, Sequence

import numpy as np

from core.seams import Embedder, IndexRow, Reembedding, VectorStore
from core.types import Chunk, Document
from retrieval.embedded_text import embedded_text
from retrieval.lexical import Lexicon, encode_document
from retrieval.token_vectors import TokenVectors

CHUNKS_AT_ONCE = 256


class ChunkIndex:
    """Writes and removes documents in the vector store, in the lexical statistics and among
    the token vectors.

    Every method is idempotent: the same call again after a kill at any moment leaves
    the document there exactly once.
    """

    def __init__(
        self,
        store: VectorStore,
        embedder: Embedder,
        lexicon: Lexicon,
        tokens: TokenVectors,
        keeps_tokens: bool = True,
    ) -> None:
        """With `keeps_tokens` false no token vectors are written; those that are there are
        removed with their documents all the same."""
        self._store = store
        self._embedder = embedder
        self._lexicon = lexicon
        self._tokens = tokens
        self._keeps_tokens = keeps_tokens

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
        texts = [embedded_text(chunk) for chunk in chunks]
        # Before the index: a chunk that can be found has its token vectors.
        vectors = self._embed_all(document.collection, document.id, chunks, texts)
        lexical = [encode_document(text) for text in texts]
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
        self._tokens.remove_document(collection, document_id)
        return removed

    def drop_collection(self, collection: str) -> bool:
        """Removes a collection whole; False when there was none."""
        self._lexicon.drop_collection(collection)
        self._tokens.drop_collection(collection)
        return self._store.drop_collection(collection)

    def reembed(self, collection: str, on_progress: Callable[[int, int], None]) -> Reembedding:
        """Gives every chunk of a collection a vector of the present embedder, and its token
        vectors; the lexical statistics stay, since they do not depend on it. See
        `VectorStore.reembed`."""

        def embed(chunks: Sequence[Chunk]) -> np.ndarray:
            texts = [embedded_text(chunk) for chunk in chunks]
            vectors, tokens = self._embed(texts)
            self._tokens.write_chunks(collection, chunks, texts, tokens)
            return vectors

        return self._store.reembed(
            collection,
            self._embedder.dimensions,
            self.fingerprint,
            embed,
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

    def _embed_all(
        self, collection: str, document_id: str, chunks: Sequence[Chunk], texts: Sequence[str]
    ) -> np.ndarray:
        """Vectors of a document's chunks. Their token vectors go to disk in parts: those of a
        whole book would fill the memory."""
        self._tokens.remove_document(collection, document_id)
        parts = []
        for at in range(0, len(texts), CHUNKS_AT_ONCE):
            part = slice(at, at + CHUNKS_AT_ONCE)
            vectors, tokens = self._embed(texts[part])
            parts.append(vectors)
            self._tokens.write_chunks(collection, chunks[part], texts[part], tokens)
        return np.concatenate(parts) if parts else np.zeros((0, self._embedder.dimensions), np.float32)

    def _embed(self, texts: Sequence[str]) -> tuple[np.ndarray, list[np.ndarray]]:
        """Vectors and, where they are kept, token vectors; in one pass when one model gives
        both; none of the latter where they are not kept."""
        if not self._keeps_tokens:
            return self._embedder.embed_documents(texts), []
        encoder = self._tokens.embedder
        vectors, tokens = encoder.embed_documents_and_tokens(texts)
        if self._embedder.fingerprint != encoder.fingerprint:
            vectors = self._embedder.embed_documents(texts)
        return vectors, tokens
