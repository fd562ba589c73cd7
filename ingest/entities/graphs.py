"""The graphs of documents on their way into the index: read from chunks, written beside them.

Knows the extractor and the index; knows nothing of when documents come and go.
"""

from collections.abc import Sequence

from core.seams import GraphExtractor
from core.types import Chunk, Document
from retrieval.graph.index import GraphIndex


class DocumentGraphs:
    """Writes the graphs of documents. Idempotent, like the index beneath it."""

    def __init__(self, index: GraphIndex, extractor: GraphExtractor | None) -> None:
        """Without an extractor no graph is written; what is there is copied and removed with its
        documents all the same, or it would outlive them."""
        self._index = index
        self._extractor = extractor

    @property
    def is_on(self) -> bool:
        """Whether documents get graphs."""
        return self._extractor is not None

    def write_documents(self, documents: Sequence[tuple[Document, Sequence[Chunk]]]) -> None:
        """The graphs of versions of one collection; those that they had go."""
        extractor = self._extractor
        if extractor is None or not documents:
            return
        found = [
            (document, [(chunk.order, extractor.extract(chunk)) for chunk in chunks])
            for document, chunks in documents
        ]
        self._index.write_documents(documents[0][0].collection, found)

    def copy_document(self, document: Document, source_id: str) -> int:
        """See `GraphIndex.copy_document`."""
        return self._index.copy_document(document, source_id)

    def remove_documents(self, collection: str, document_ids: Sequence[str]) -> int:
        """See `GraphIndex.remove_documents`."""
        return self._index.remove_documents(collection, document_ids)

    def drop_collection(self, collection: str) -> bool:
        """See `GraphIndex.drop_collection`."""
        return self._index.drop_collection(collection)

    def count_graphs(self, collection: str) -> dict[str, int]:
        """See `GraphIndex.count_graphs`."""
        return self._index.count_graphs(collection)
