"""The graphs of documents on their way into the index: read from chunks, written beside them.

Knows the extractor and the index; knows nothing of when documents come and go.
"""

from collections.abc import Sequence

from core.seams import GraphExtractor
from core.types import Chunk, Document
from ingest.kept_lines import KeptLines
from retrieval.graph.index import GraphIndex
from retrieval.graph.kept_communities import KeptCommunities


class DocumentGraphs:
    """Writes the graphs of documents. Idempotent, like the index beneath it."""

    def __init__(
        self,
        index: GraphIndex,
        extractor: GraphExtractor | None,
        replies: KeptLines | None = None,
        communities: KeptCommunities | None = None,
    ) -> None:
        """Without an extractor no graph is written; what is there is copied and removed with its
        documents all the same, or it would outlive them. So are the `replies` of a chat model, and
        `communities` go with the first document that they rest on."""
        self._communities = communities
        self._index = index
        self._extractor = extractor
        self._replies = replies

    @property
    def is_on(self) -> bool:
        """Whether documents get graphs."""
        return self._extractor is not None

    @property
    def fingerprint(self) -> str:
        """That of the extractor; empty without one."""
        return self._extractor.fingerprint if self._extractor is not None else ""

    def prepare(self, document: Document, chunks: Sequence[Chunk]) -> tuple[str, str] | None:
        """See `GraphExtractor.prepare`."""
        return self._extractor.prepare(document, chunks) if self._extractor is not None else None

    def write_documents(self, documents: Sequence[tuple[Document, Sequence[Chunk]]]) -> None:
        """The graphs of versions of one collection; those that they had go."""
        extractor = self._extractor
        if extractor is None or not documents:
            return
        found = [
            (document, [(chunk.order, extractor.extract(chunk)) for chunk in chunks])
            for document, chunks in documents
        ]
        collection = documents[0][0].collection
        # Their summaries may hold words that are no longer in the text.
        self.forget_communities(collection, [document.id for document, _ in documents])
        self._index.write_documents(collection, found)

    def copy_document(self, document: Document, source_id: str) -> int:
        """See `GraphIndex.copy_document`."""
        if self._replies is not None:
            self._replies.copy_document(document.collection, source_id, document.id)
        return self._index.copy_document(document, source_id)

    def remove_documents(self, collection: str, document_ids: Sequence[str]) -> int:
        """See `GraphIndex.remove_documents`."""
        self.forget_replies(collection, document_ids)
        self.forget_communities(collection, document_ids)
        return self._index.remove_documents(collection, document_ids)

    def drop_collection(self, collection: str) -> bool:
        """See `GraphIndex.drop_collection`."""
        if self._replies is not None:
            self._replies.drop_collection(collection)
        if self._communities is not None:
            self._communities.drop_collection(collection)
        return self._index.drop_collection(collection)

    def count_graphs(self, collection: str) -> dict[str, int]:
        """See `GraphIndex.count_graphs`."""
        return self._index.count_graphs(collection)

    def documents_with_replies(self, collection: str) -> set[str]:
        """Versions for which words of a chat model are kept."""
        return self._replies.documents(collection) if self._replies is not None else set()

    def forget_replies(self, collection: str, document_ids: Sequence[str]) -> None:
        """Drops what a chat model said of versions; their graphs stay."""
        for document_id in document_ids if self._replies is not None else ():
            self._replies.remove_document(collection, document_id)

    def documents_in_communities(self, collection: str) -> set[str]:
        """Versions that a summary of a community rests on."""
        return self._communities.documents(collection) if self._communities is not None else set()

    def forget_communities(self, collection: str, document_ids: Sequence[str]) -> None:
        """Drops the summaries that rest on any of these versions."""
        if self._communities is not None:
            self._communities.forget_documents(collection, document_ids)
