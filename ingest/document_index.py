"""Chunks, tables, pictures and entities of documents under one roof: what is written or removed of
a document is so in the index and in all stores, and its context lines go with it. Knows their order;
nothing of files."""

import logging
from collections.abc import Mapping, Sequence

from core.errors import StoreError
from core.types import Chunk, Document, Figure
from ingest.entities.graphs import DocumentGraphs
from ingest.figure_store import FigureStore
from ingest.kept_lines import KeptLines
from ingest.table_store import PlacedTable, TableStore
from retrieval.image_index import ImageIndex
from retrieval.index import ChunkIndex, EmbeddedDocument

_log = logging.getLogger(__name__)


class DocumentIndex:
    """The write path of a document. Every method is idempotent, like those beneath it."""

    def __init__(
        self,
        chunks: ChunkIndex,
        tables: TableStore,
        lines: KeptLines,
        figures: FigureStore,
        images: ImageIndex | None = None,
        graphs: DocumentGraphs | None = None,
    ) -> None:
        """Without `images` pictures get no vectors; without `graphs` there are none."""
        self._graphs = graphs
        self._chunks = chunks
        self._tables = tables
        self._lines = lines
        self._figures = figures
        self._images = images

    @property
    def fingerprint(self) -> str:
        """See `ChunkIndex.fingerprint`."""
        return self._chunks.fingerprint

    @property
    def graph_fingerprint(self) -> str:
        """Changes whenever the same chunks would get another graph; empty when they get none."""
        return self._graphs.fingerprint if self._graphs is not None else ""

    def prepare_graph(self, document: Document, chunks: Sequence[Chunk]) -> tuple[str, str] | None:
        """See `GraphExtractor.prepare`. Before the chunks are embedded: asking a model takes long, and
        what it says is kept."""
        return self._graphs.prepare(document, chunks) if self._graphs is not None else None

    def open_collection(self, collection: str) -> None:
        """See `ChunkIndex.open_collection`."""
        self._chunks.open_collection(collection)

    def write_tables(self, document: Document, tables: Sequence[PlacedTable]) -> list[int]:
        """See `TableStore.write_document`. Before the chunks: what can be found has its structure."""
        return self._tables.write_document(document, tables)

    def write_figures(self, document: Document, figures: Sequence[Figure]) -> int:
        """See `FigureStore.write_document`. Before the chunks: what can be found can be shown."""
        return self._figures.write_document(document, figures)

    def embed(self, documents: Sequence[tuple[Document, Sequence[Chunk]]]) -> list[EmbeddedDocument]:
        """See `ChunkIndex.embed`. Vectors of pictures and entities are written here, before the
        chunks: those that were written for nothing go when the version is written again or removed."""
        embedded = self._chunks.embed(documents)
        if self._images is not None:
            for document, chunks in documents:
                self._images.write_document(document, self._pictures(document, chunks))
        if self._graphs is not None:
            self._graphs.write_documents(documents)
        return embedded

    def _pictures(self, document: Document, chunks: Sequence[Chunk]) -> list[tuple[Chunk, Figure]]:
        """Each picture once, with the first chunk that speaks of it."""
        first: dict[str, Chunk] = {}
        for chunk in chunks:
            if chunk.figure:
                first.setdefault(chunk.figure, chunk)
        place = (document.collection, document.id)
        return [(chunk, self._figures.read(*place, name)) for name, chunk in first.items()]

    def write_embedded(
        self, collection: str, documents: Sequence[EmbeddedDocument], stale: Sequence[str] = ()
    ) -> None:
        """See `ChunkIndex.write_embedded`."""
        self._chunks.write_embedded(collection, documents, stale)

    def copy_document(self, document: Document, source_id: str) -> int:
        """See `ChunkIndex.copy_document`; tables and pictures go along. 0 when one of
        them cannot be read."""
        try:
            self._tables.copy_document(document, source_id)
            self._figures.copy_document(document, source_id)
        except StoreError as error:
            _log.warning("tables and pictures of %s are made anew: %s", document.uri, error)
            return 0
        if self._images is not None:
            self._images.copy_document(document, source_id)
        if self._graphs is not None:
            self._graphs.copy_document(document, source_id)
        self._lines.copy_document(document.collection, source_id, document.id)
        return self._chunks.copy_document(document, source_id)

    def documents_with_lines(self, collection: str) -> set[str]:
        """Versions for which context lines are kept."""
        return self._lines.documents(collection)

    def forget_lines(self, collection: str, document_ids: Sequence[str]) -> None:
        """Drops the kept context lines of versions, which are in the index still."""
        for document_id in document_ids:
            self._lines.remove_document(collection, document_id)

    def documents_with_replies(self, collection: str) -> set[str]:
        """Versions for which it is kept what a chat model said of their entities."""
        return self._graphs.documents_with_replies(collection) if self._graphs is not None else set()

    def forget_replies(self, collection: str, document_ids: Sequence[str]) -> None:
        """Drops these words; the graphs made of them stay."""
        if self._graphs is not None:
            self._graphs.forget_replies(collection, document_ids)

    def documents_in_communities(self, collection: str) -> set[str]:
        """Versions that a summary of a community of entities rests on."""
        return self._graphs.documents_in_communities(collection) if self._graphs is not None else set()

    def forget_communities(self, collection: str, document_ids: Sequence[str]) -> None:
        """Drops the summaries that rest on these versions."""
        if self._graphs is not None:
            self._graphs.forget_communities(collection, document_ids)

    def remove_chunks(self, collection: str, document_id: str) -> int:
        """Removes the chunks of a version that is about to be written, not its tables and
        pictures, which are there already."""
        return self._chunks.remove_document(collection, document_id)

    def remove_document(self, collection: str, document_id: str) -> int:
        """Removes chunks, then tables and pictures; returns how many chunks there were."""
        return self.remove_documents(collection, [document_id])

    def remove_documents(self, collection: str, document_ids: Sequence[str]) -> int:
        """The same for several versions at once."""
        removed = self._chunks.remove_documents(collection, document_ids)
        if self._images is not None:
            self._images.remove_documents(collection, document_ids)
        if self._graphs is not None:
            self._graphs.remove_documents(collection, document_ids)
        for document_id in document_ids:
            self._tables.remove_document(collection, document_id)
            self._figures.remove_document(collection, document_id)
            self._lines.remove_document(collection, document_id)
        return removed

    def count_parts(self, collection: str) -> dict[str, Mapping[str, int]]:
        """See `ChunkIndex.count_parts`; `tables` counts Parquet files, `figures` pictures that are
        whole, `images` their vectors, `graphs` is 1 where the graph of a version is whole (no such
        keys where none are made)."""
        graphs, images = self._graphs, self._images
        return {
            **self._chunks.count_parts(collection),
            "tables": self._tables.count_tables(collection),
            "figures": self._figures.count_figures(collection),
            **({"images": images.count_images(collection)} if images is not None else {}),
            **({"graphs": graphs.count_graphs(collection)} if graphs is not None and graphs.is_on else {}),
        }

    def repeated_ids(self, collection: str) -> list[str]:
        """See `ChunkIndex.repeated_ids`."""
        return self._chunks.repeated_ids(collection)

    def uris_of_chunks(self, collection: str) -> dict[str, set[str]]:
        """See `VectorStore.uris_of_chunks`."""
        return self._chunks.uris_of_chunks(collection)

    def drop_collection(self, collection: str) -> bool:
        """Removes a collection whole; False when there was none."""
        dropped = self._chunks.drop_collection(collection)
        if self._images is not None:
            self._images.drop_collection(collection)
        if self._graphs is not None:
            self._graphs.drop_collection(collection)
        self._tables.drop_collection(collection)
        self._figures.drop_collection(collection)
        self._lines.drop_collection(collection)
        return dropped

    def collections(self) -> list[str]:
        """See `ChunkIndex.collections`."""
        return self._chunks.collections()

    def count_tokens(self, text: str) -> int:
        """See `ChunkIndex.count_tokens`."""
        return self._chunks.count_tokens(text)
