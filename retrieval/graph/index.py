"""The write path of the graph: entities and relations of document versions, in two stores.

Beside the chunks' collection stand two of the same name and fields (records.py): so readers hold here
exactly as they do there, by the same code. They are made when the first graph is written. Knows records
and stores; knows nothing of how names are found.
"""

import logging
from collections.abc import Sequence

import numpy as np

from core.entities import ChunkGraph
from core.errors import ConflictError, NotFoundError
from core.seams import Embedder, IndexRow, VectorStore
from core.types import Chunk, Document, chunk_id
from retrieval.graph.records import assemble, entity_chunk, read_entity, relation_chunk

ENTITY_PREFIX = "attestentities_"
RELATION_PREFIX = "attestrelations_"
"""What the Milvus collections of each begin with: not with what those of chunks do."""
RELATION_FINGERPRINT = "relations-1"
MANIFEST = "manifest"
"""The text of the first row of a version: it says that its graph was written, though it may be empty."""
# Relations are looked up by their ends alone; Milvus wants a vector in every row all the same.
_NO_VECTOR = np.array([1.0, 0.0], np.float32)
_log = logging.getLogger(__name__)


class GraphIndex:
    """Writes, copies and removes the graphs of versions. Every write is idempotent and durable when
    it returns."""

    def __init__(self, entities: VectorStore, relations: VectorStore, embedder: Embedder) -> None:
        """The stores are not that of the chunks."""
        self.entities = entities
        self.relations = relations
        self._embedder = embedder

    def write_documents(
        self, collection: str, documents: Sequence[tuple[Document, Sequence[tuple[int, ChunkGraph]]]]
    ) -> None:
        """The graphs of versions from those of their chunks, each with its order; those that they
        had go. One flush for all of them. The entities come last: with them a graph is whole."""
        self.remove_documents(collection, [document.id for document, _ in documents])
        written = [(document, assemble(document, found)) for document, found in documents if found]
        if not written:
            return
        self._open(collection)
        related = [
            IndexRow(*_with_vector(relation_chunk(record, at), _NO_VECTOR), document.readers)
            for document, graph in written
            for at, record in enumerate(graph.relations)
        ]
        if related:
            self.relations.upsert(collection, related)
        names = [record.name for _, graph in written for record in graph.entities]
        vectors = iter(self._embed(names))
        nothing = np.zeros(self._embedder.dimensions, np.float32)
        named = []
        for document, graph in written:
            named.append(IndexRow(_manifest(document), nothing, {}, document.readers))
            named += [
                IndexRow(*_with_vector(entity_chunk(record, at), next(vectors)), document.readers)
                for at, record in enumerate(graph.entities, start=1)
            ]
        self.entities.upsert(collection, named)

    def copy_document(self, document: Document, source_id: str) -> int:
        """See `VectorStore.copy_document`; 0 as well when there are no graphs at all."""
        if not self.is_there(document.collection):
            return 0
        self.relations.copy_document(document, source_id)
        return self.entities.copy_document(document, source_id)

    def remove_documents(self, collection: str, document_ids: Sequence[str]) -> int:
        """Removes the graphs of some versions; returns how many rows there were."""
        if not self.is_there(collection):
            return 0
        # The other way round: what is no longer whole says so.
        removed = self.entities.delete_documents(collection, document_ids)
        return removed + self.relations.delete_documents(collection, document_ids)

    def drop_collection(self, collection: str) -> bool:
        """Forgets the graphs of a collection; False when there were none."""
        dropped = self.entities.drop_collection(collection)
        return self.relations.drop_collection(collection) or dropped

    def count_graphs(self, collection: str) -> dict[str, int]:
        """1 for each version whose graph is there, 0 where only relations are left of one."""
        if not self.is_there(collection):
            return {}
        counts = dict.fromkeys(self.relations.count_chunks(collection), 0)
        return counts | dict.fromkeys(self.entities.count_chunks(collection), 1)

    def is_there(self, collection: str) -> bool:
        """Whether any graph of the collection was ever written."""
        try:
            self.entities.check_embedder(collection, "")  # without loading the model
        except NotFoundError:
            return False
        except ConflictError:
            return True
        return True

    def reembed(self, collection: str) -> None:
        """Gives the names of a collection vectors of the present embedder; nothing when it has no
        graphs. See `VectorStore.reembed`."""
        if self.is_there(collection):
            self.entities.reembed(
                collection,
                self._embedder.dimensions,
                self._embedder.fingerprint,
                self._embed_rows,
                lambda done, total: None,
            )

    def _embed_rows(self, chunks: Sequence[Chunk]) -> np.ndarray:
        vectors = np.zeros((len(chunks), self._embedder.dimensions), np.float32)
        named = [at for at, chunk in enumerate(chunks) if chunk.text != MANIFEST]
        if named:
            vectors[named] = self._embed([read_entity(chunks[at]).name for at in named])
        return vectors

    def _embed(self, names: Sequence[str]) -> np.ndarray:
        if not names:
            return np.zeros((0, self._embedder.dimensions), np.float32)
        return self._embedder.embed_documents(names)

    def _open(self, collection: str) -> None:
        """Ready for names by the present embedder. Vectors of another say nothing beside them, and
        the names are those of documents that are being made anew, so they go."""
        self.relations.open_collection(collection, len(_NO_VECTOR), RELATION_FINGERPRINT)
        dimensions, fingerprint = self._embedder.dimensions, self._embedder.fingerprint
        try:
            self.entities.open_collection(collection, dimensions, fingerprint)
        except ConflictError as error:
            _log.warning("the entities of %s are made anew: %s", collection, error.message)
            self.entities.drop_collection(collection)
            self.entities.open_collection(collection, dimensions, fingerprint)


def _with_vector(
    row: tuple[Chunk, dict[int, float]], vector: np.ndarray
) -> tuple[Chunk, np.ndarray, dict[int, float]]:
    chunk, terms = row
    return chunk, vector, terms


def _manifest(document: Document) -> Chunk:
    return Chunk(chunk_id(document.id, 0), document.id, 0, MANIFEST, document.title, document.uri)
