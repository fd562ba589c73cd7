"""Chunks and tables of documents under one roof: what is written or removed of a document
is so in the index and in the table store. Knows the order of both; nothing of files."""

from collections.abc import Sequence

from core.types import Chunk, Document
from ingest.table_store import PlacedTable, TableStore
from retrieval.index import ChunkIndex


class DocumentIndex:
    """The write path of a document. Every method is idempotent, like those beneath it."""

    def __init__(self, chunks: ChunkIndex, tables: TableStore) -> None:
        self._chunks = chunks
        self._tables = tables

    @property
    def fingerprint(self) -> str:
        """See `ChunkIndex.fingerprint`."""
        return self._chunks.fingerprint

    def open_collection(self, collection: str) -> None:
        """See `ChunkIndex.open_collection`."""
        self._chunks.open_collection(collection)

    def write_document(
        self, document: Document, chunks: Sequence[Chunk], tables: Sequence[PlacedTable]
    ) -> list[int]:
        """Writes tables, then chunks: what can be found has its structure. Returns the filled
        cells in the file of each table."""
        counts = self._tables.write_document(document, tables)
        self._chunks.write_document(document, chunks)
        return counts

    def remove_document(self, collection: str, document_id: str) -> int:
        """Removes chunks, then tables; returns how many chunks there were."""
        removed = self._chunks.remove_document(collection, document_id)
        self._tables.remove_document(collection, document_id)
        return removed

    def drop_collection(self, collection: str) -> bool:
        """Removes a collection whole; False when there was none."""
        dropped = self._chunks.drop_collection(collection)
        self._tables.drop_collection(collection)
        return dropped

    def collections(self) -> list[str]:
        """See `ChunkIndex.collections`."""
        return self._chunks.collections()

    def count_tables(self, collection: str) -> dict[str, int]:
        """See `TableStore.count_tables`."""
        return self._tables.count_tables(collection)

    def count_tokens(self, text: str) -> int:
        """See `ChunkIndex.count_tokens`."""
        return self._chunks.count_tokens(text)
