"""Milvus behind the `VectorStore` seam: Lite in the data directory, or any server.

Knows Milvus Lite's traps (see docs/decisions/004-milvus-lite.md): one process, one
writer at a time, a flush before anything counts as stored there. Knows nothing of how
vectors are made. No method gives text without a `Scope`.
"""

import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace

import numpy as np

from core.conditions import Condition, OfDocuments, WithIds
from core.errors import ConflictError, InputError, NotFoundError
from core.paths import DataPaths
from core.seams import IndexRow, Reembedding, SparseVector
from core.settings import MilvusSettings
from core.types import Chunk, Document, Hit, Scope, Stage
from retrieval import schema
from retrieval.catalogue import PREFIX, Catalogue, Edition
from retrieval.connections import Connection, connect_server, open_lite, translated
from retrieval.filters import ALL_ROWS, check_name, render
from retrieval.mirror.mirror import Mirror
from retrieval.mirror.mirrors import Mirrors, put_rows
from retrieval.reads import MilvusReads

ROWS_PER_REQUEST = 200
DOCUMENTS_PER_REQUEST = 100
ROWS_PER_PAGE = 1000
MAX_LIMIT = 16_384
"""What Milvus gives at most in one answer."""
logger = logging.getLogger(__name__)


def open_store(settings: MilvusSettings, paths: DataPaths) -> "MilvusStore":
    """The store that the settings name.

    Raises:
        StoreLockedError: another process owns the local store.
        StoreError: the server does not answer.
    """
    connection = connect_server(settings) if settings.uri else open_lite(paths.lite_store)
    return MilvusStore(connection, settings.mirror_chunks)


def open_beside(store: "MilvusStore", prefix: str) -> "MilvusStore":
    """A store of other collections behind the same connection, which `store` closes. Both
    together let one writer in at a time."""
    other = MilvusStore(store._connection, 0, prefix)
    other._write_lock = store._write_lock
    return other


class MilvusStore:
    """A `VectorStore`. Thread-safe: writes go through one lock."""

    def __init__(
        self, connection: Connection, mirror_chunks: int = 0, prefix: str = PREFIX
    ) -> None:
        """On Lite, collections of at most `mirror_chunks` chunks are read from memory. `prefix`:
        see `Catalogue`."""
        self._connection = connection
        self._reads = MilvusReads(connection)
        self._mirrors = Mirrors(connection, mirror_chunks)
        self._client = connection.client
        self._catalogue = Catalogue(connection, prefix)
        self._write_lock = threading.RLock()
        self._loaded: set[str] = set()

    def open_collection(self, collection: str, dimensions: int, fingerprint: str) -> None:
        """See `VectorStore.open_collection`."""
        check_name("collection", collection)
        self._connection.require_sparse()
        with self._write_lock:
            if self._catalogue.find(collection) is None:
                self._begin(self._catalogue.create(collection, dimensions, fingerprint))
        self.check_embedder(collection, fingerprint)

    def check_embedder(self, collection: str, fingerprint: str) -> None:
        """See `VectorStore.check_embedder`."""
        made_by = self._find(collection).fingerprint
        if made_by != fingerprint:
            raise ConflictError(
                f"collection {collection!r} was made by the embedder {made_by}, not {fingerprint}",
                remedy=f"run: attest rebuild --embed-only --collection {collection}; or set the former "
                "embedder again",
            )

    def drop_collection(self, collection: str) -> bool:
        """See `VectorStore.drop_collection`."""
        with self._write_lock:
            edition = self._catalogue.find(collection)
            try:
                return self._catalogue.drop(collection)
            finally:  # also when Milvus failed half-way: nobody knows what is left
                if edition:
                    self._mirrors.forget(edition.physical)

    def collections(self) -> list[str]:
        """See `VectorStore.collections`."""
        return self._catalogue.names()

    def upsert(self, collection: str, rows: Sequence[IndexRow]) -> None:
        """See `VectorStore.upsert`."""
        edition = self._ready(collection)
        with self._write_lock:
            self._write(edition, rows)

    def delete_document(self, collection: str, document_id: str) -> int:
        """See `VectorStore.delete_document`."""
        return self.delete_documents(collection, [document_id])

    def delete_documents(self, collection: str, document_ids: Sequence[str]) -> int:
        """See `VectorStore.delete_documents`."""
        edition = self._ready(collection)
        return sum(
            self._delete(edition, document_ids[at : at + DOCUMENTS_PER_REQUEST])
            for at in range(0, len(document_ids), DOCUMENTS_PER_REQUEST)
        )

    def _delete(self, edition: Edition, document_ids: Sequence[str]) -> int:
        expression = render(OfDocuments(tuple(document_ids)))
        with self._write_lock, translated(), self._mirrors.changing(edition.physical) as mirror:
            found = sum(len(page) for page in self._pages(edition.physical, expression, ["id"]))
            if found:
                self._client.delete(edition.address, filter=expression)
                self._make_durable(edition.physical)
            for document_id in document_ids if mirror is not None else ():
                mirror.remove_document(document_id)
            return found

    def copy_document(self, document: Document, source_id: str) -> int:
        """See `VectorStore.copy_document`."""
        edition = self._ready(document.collection)
        expression = render(OfDocuments((source_id,)))
        with self._write_lock, translated(), self._mirrors.changing(edition.physical):
            rows = [
                schema.restamp(row, document, edition.fields)
                for page in self._pages(edition.physical, expression, sorted(edition.fields))
                for row in page
            ]
            for at in range(0, len(rows), ROWS_PER_REQUEST):
                self._client.upsert(edition.address, rows[at : at + ROWS_PER_REQUEST])
            if rows:
                self._make_durable(edition.physical)
            self._mirrors.forget(edition.physical)  # read anew by the next search
            return len(rows)

    def repeated_ids(self, collection: str) -> list[str]:
        """See `VectorStore.repeated_ids`."""
        counts: Counter[str] = Counter()
        with translated():
            for page in self._pages(self._ready(collection).physical, ALL_ROWS, ["id"]):
                counts.update(row["id"] for row in page)
        return sorted(found for found, times in counts.items() if times > 1)

    def search_dense(
        self, scope: Scope, vector: np.ndarray, limit: int, where: Sequence[Condition] = ()
    ) -> list[Hit]:
        """See `VectorStore.search_dense`; scores are cosines."""
        return self.search_dense_each(scope, vector, limit, [where])[0]

    def search_dense_each(
        self, scope: Scope, vector: np.ndarray, limit: int, groups: Sequence[Sequence[Condition]]
    ) -> list[list[Hit]]:
        """See `VectorStore.search_dense_each`."""
        edition, mirror = self._readable(scope, limit)
        if mirror and mirror.fits(vector):
            return mirror.search_dense_each(scope, vector, limit, groups)
        query = Stage.DENSE, vector.tolist()
        return [self._reads.search(edition, scope, query, limit, where) for where in groups]

    def search_lexical(
        self, scope: Scope, vector: SparseVector, limit: int, where: Sequence[Condition] = ()
    ) -> list[Hit]:
        """See `VectorStore.search_lexical`; scores are BM25."""
        weights = {term: float(weight) for term, weight in vector.items()}
        if not weights:
            return []
        edition, mirror = self._readable(scope, limit)
        if mirror:
            return mirror.search_lexical(scope, weights, limit, where)
        return self._reads.search(edition, scope, (Stage.LEXICAL, weights), limit, where)

    def get_chunks(self, scope: Scope, ids: Sequence[str]) -> list[Chunk]:
        """See `VectorStore.get_chunks`."""
        if not ids:
            return []
        found = {chunk.id: chunk for chunk in self.find_chunks(scope, [WithIds(tuple(ids))], len(ids))}
        return [found[wanted] for wanted in ids if wanted in found]

    def find_chunks(self, scope: Scope, where: Sequence[Condition], limit: int) -> list[Chunk]:
        """See `VectorStore.find_chunks`."""
        edition, mirror = self._readable(scope, limit)
        if mirror:
            return mirror.find_chunks(scope, where, limit)
        return self._reads.find_chunks(edition, scope, where, limit)

    def count_chunks(self, collection: str) -> dict[str, int]:
        """See `VectorStore.count_chunks`."""
        return self._count(self._ready(collection).physical)

    def uris_of_chunks(self, collection: str) -> dict[str, set[str]]:
        """See `VectorStore.uris_of_chunks`."""
        uris: dict[str, set[str]] = {}
        with translated():
            for page in self._pages(self._ready(collection).physical, ALL_ROWS, ["document_id", "uri"]):
                for row in page:
                    uris.setdefault(row["document_id"], set()).add(row["uri"])
        return uris

    def reembed(
        self,
        collection: str,
        dimensions: int,
        fingerprint: str,
        embed: Callable[[Sequence[Chunk]], np.ndarray],
        on_progress: Callable[[int, int], None],
    ) -> Reembedding:
        """See `VectorStore.reembed`."""
        with self._write_lock:
            old = self._ready(collection)
            total, done = sum(self._count(old.physical).values()), 0
            self._catalogue.sweep(collection)
            try:
                new = self._begin(self._catalogue.begin_edition(collection, dimensions, fingerprint))
                self._loaded.add(new.physical)
                for rows in self._stored_rows(old):
                    vectors = embed([row.chunk for row in rows])
                    pairs = zip(rows, vectors, strict=True)
                    self._write(new, [replace(row, dense=vector) for row, vector in pairs])
                    done += len(rows)
                    on_progress(done, total)
                if self._count(new.physical) != self._count(old.physical):
                    raise ConflictError(
                        f"the new index of {collection!r} does not hold the same chunks as the old one",
                        remedy="let nobody write to it meanwhile, and run it again; the old one is in use",
                    )
                self._catalogue.switch(collection, new)
                self._mirrors.forget(old.physical)
            finally:  # the old edition after the switch, the new one if it did not come to that
                self._catalogue.sweep(collection)
            return Reembedding(total, old.fingerprint)

    def close(self) -> None:
        """Flushes nothing (each write did) and gives the local store free."""
        with self._write_lock:
            self._connection.close()

    def _begin(self, edition: Edition) -> Edition:
        """A new edition, which may have the name of an earlier one whose rows somebody has read
        into a mirror since it went."""
        self._mirrors.forget(edition.physical)
        return edition

    def _readable(self, scope: Scope, limit: int) -> tuple[Edition, Mirror | None]:
        """What to read from: the live edition, and its mirror when there is one with rows."""
        if not 1 <= limit <= MAX_LIMIT:
            raise InputError(f"a search gives 1 to {MAX_LIMIT} hits, not {limit}", remedy="ask for fewer")
        edition = self._ready(scope.collection)
        return edition, self._mirrors.of(edition.physical, schema.LATER_FIELDS - edition.fields)

    def _write(self, edition: Edition, rows: Sequence[IndexRow]) -> None:
        """Durable when it returns. The caller holds the write lock. It is written by the name
        that is read by: that is how the client knows which writes a session has made."""
        values = [schema.to_row(row, edition.fields) for row in rows]
        for row, value in zip(rows, values, strict=True):
            schema.check_row(row, value)
        with translated(), self._mirrors.changing(edition.physical) as mirror:
            for at in range(0, len(values), ROWS_PER_REQUEST):
                self._client.upsert(edition.address, values[at : at + ROWS_PER_REQUEST])
            self._make_durable(edition.physical)
            if mirror is not None:
                put_rows(mirror, rows, values)

    def _make_durable(self, physical: str) -> None:
        """A server keeps its log before it answers, and lets a collection be flushed once in
        ten seconds only; Lite syncs nothing before a flush."""
        if self._connection.is_lite:
            self._client.flush(physical)

    def _count(self, physical: str) -> dict[str, int]:
        counts: dict[str, int] = {}
        with translated():
            for page in self._pages(physical, ALL_ROWS, ["document_id"]):
                for row in page:
                    counts[row["document_id"]] = counts.get(row["document_id"], 0) + 1
        return counts

    def _stored_rows(self, edition: Edition) -> Iterator[list[IndexRow]]:
        """All rows, a page at a time, without their dense vectors."""
        fields = [*schema.output_fields(edition.fields), "readers", *({schema.LEXICAL} & edition.fields)]
        with translated():
            for page in self._pages(edition.physical, ALL_ROWS, fields):
                yield [schema.to_index_row(row, np.zeros(0, np.float32)) for row in page]

    def _pages(self, physical: str, expression: str, fields: list[str]) -> Iterator[list[dict]]:
        rows = self._client.query_iterator(
            physical, filter=expression, output_fields=fields, batch_size=ROWS_PER_PAGE
        )
        with closing(rows):
            while page := rows.next():
                yield page

    def _find(self, collection: str) -> Edition:
        edition = self._catalogue.find(collection)
        if edition is None:
            raise NotFoundError(
                f"there is no collection {collection!r}",
                remedy=f"run: attest ingest PATH --collection {collection}",
            )
        return edition

    def _ready(self, collection: str) -> Edition:
        """The live edition of a collection that is there, loaded."""
        edition = self._find(collection)
        if edition.physical not in self._loaded:
            with self._write_lock, translated():
                self._load(edition.physical)
                self._loaded.add(edition.physical)
        return edition

    def _load(self, physical: str) -> None:
        """After a kill right behind a flush, Lite can find an index file that is half
        written and refuses the collection. The rows are whole: without the file the index
        is built again."""
        from pymilvus.exceptions import MilvusException

        try:
            self._client.load_collection(physical)
        except MilvusException:
            if self._connection.lite_path is None:
                raise
            for file in self._connection.lite_path.glob(f"**/{physical}/**/*.*idx"):
                logger.warning("removing the damaged index file %s", file)
                file.unlink(missing_ok=True)
            self._client.load_collection(physical)

