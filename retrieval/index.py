"""The write path of retrieval: chunks of one document in, searchable and durable.

Knows which vectors a chunk needs; knows nothing of files, parsers or the ledger.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.seams import Embedder, IndexRow, Reembedding, VectorStore
from core.types import Chunk, Document
from retrieval.embedded_text import embedded_text
from retrieval.lexical import Lexicon, encode_document
from retrieval.token_vectors import TokenVectors

CHUNKS_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class EmbeddedDocument:
    """A document version with all that the store needs; its token vectors are kept already."""

    document: Document
    chunks: tuple[Chunk, ...]
    texts: tuple[str, ...]
    vectors: np.ndarray


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
        self.write_embedded(document.collection, self.embed([(document, chunks)]))

    def embed(self, documents: Sequence[tuple[Document, Sequence[Chunk]]]) -> list[EmbeddedDocument]:
        """Vectors for the chunks of several documents of one collection. The model gets the
        chunks of all of them at once, so that its batches are full and of like length.

        Token vectors go to disk here, in parts: those of a whole book would fill the memory.
        That is before the index is written: a chunk that can be found has its token vectors.
        """
        texts = [tuple(embedded_text(chunk) for chunk in chunks) for _, chunks in documents]
        everything = [pair for (_, chunks), own in zip(documents, texts, strict=True)
                      for pair in zip(chunks, own, strict=True)]  # fmt: skip
        for document, _ in documents:
            self._tokens.remove_document(document.collection, document.id)
        parts = [np.zeros((0, self._embedder.dimensions), np.float32)]
        for at in range(0, len(everything), CHUNKS_AT_ONCE):
            chunks, wanted = zip(*everything[at : at + CHUNKS_AT_ONCE], strict=True)
            vectors, tokens = self._embed(wanted)
            parts.append(vectors)
            self._tokens.write_chunks(documents[0][0].collection, chunks, wanted, tokens)
        vectors, end, embedded = np.concatenate(parts), 0, []
        for (document, chunks), own in zip(documents, texts, strict=True):
            begin, end = end, end + len(own)
            embedded.append(EmbeddedDocument(document, tuple(chunks), own, vectors[begin:end]))
        return embedded

    def write_embedded(
        self, collection: str, documents: Sequence[EmbeddedDocument], stale: Sequence[str] = ()
    ) -> None:
        """Stores documents; durable when it returns, with one flush for all of them. What
        stands under the ids `stale` goes first; their token vectors were replaced already.

        Raises:
            InputError: the store refuses a chunk; nothing of these documents was written.
        """
        lexical = {d.document.id: [encode_document(text) for text in d.texts] for d in documents}
        rows = [
            IndexRow(chunk, vector, terms.weights, d.document.readers)
            for d in documents
            for chunk, vector, terms in zip(d.chunks, d.vectors, lexical[d.document.id], strict=True)
        ]
        if stale:
            self._store.delete_documents(collection, stale)
        self._store.upsert(collection, rows)
        self._lexicon.add_documents(collection, lexical)

    def copy_document(self, document: Document, source_id: str) -> int:
        """Gives the chunks that stand under `source_id` the id, uri and readers of `document`,
        without the embedder; under another id the old ones stay. Durable; returns how many
        chunks there are, 0 when there was nothing to copy."""
        if document.id != source_id:
            self._tokens.copy_document(document.collection, source_id, document.id)
            self._lexicon.copy_document(document.collection, source_id, document.id)
        return self._store.copy_document(document, source_id)

    def remove_document(self, collection: str, document_id: str) -> int:
        """Removes every chunk of a document version; returns how many there were."""
        return self.remove_documents(collection, [document_id])

    def remove_documents(self, collection: str, document_ids: Sequence[str]) -> int:
        """Removes every chunk of some versions at once; returns how many chunks there were."""
        removed = self._store.delete_documents(collection, document_ids)
        for document_id in document_ids:
            self._lexicon.remove_document(collection, document_id)
            self._tokens.remove_document(collection, document_id)
        return removed

    def count_parts(self, collection: str) -> dict[str, Mapping[str, int]]:
        """Chunks of each document id by where they are counted: `chunks` in the store, `words`
        in the lexical statistics, `tokens` among the token vectors (no such key where none
        are kept). For comparing them."""
        counts: dict[str, Mapping[str, int]] = {
            "chunks": self._store.count_chunks(collection),
            "words": self._lexicon.count_chunks(collection),
        }
        if self._keeps_tokens:
            counts["tokens"] = self._tokens.count_chunks(collection)
        return counts

    def repeated_ids(self, collection: str) -> list[str]:
        """Ids of chunks that stand in the store more than once."""
        return self._store.repeated_ids(collection)

    def uris_of_chunks(self, collection: str) -> dict[str, set[str]]:
        """See `VectorStore.uris_of_chunks`."""
        return self._store.uris_of_chunks(collection)

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
