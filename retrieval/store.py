"""Milvus behind the `VectorStore` seam: Lite in the data directory, or any server.

Knows Milvus Lite's traps (see docs/decisions/004-milvus-lite.md): one process, one
writer at a time, a flush before anything counts as stored. Knows nothing of how
vectors are made.
"""

import json
import logging
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from core.errors import ConflictError, InputError, NotFoundError, StoreError, StoreLockedError
from core.paths import DataPaths
from core.seams import IndexRow, SparseVector
from core.settings import MilvusSettings
from core.types import Chunk, Hit, Scope, Stage
from retrieval import schema
from retrieval.filters import (
    Condition,
    InLanguage,
    OfDocument,
    WithIds,
    check_name,
    readable,
    to_expression,
)

ROWS_PER_REQUEST = 200
logger = logging.getLogger(__name__)

MEMO = "attest.memo"
SERVER_REMEDY = "start it, or mend ATTEST_MILVUS__URI"


def open_store(settings: MilvusSettings, paths: DataPaths) -> "MilvusStore":
    """The store that the settings name.

    Raises:
        StoreLockedError: another process owns the local store.
        StoreError: the server does not answer.
    """
    if settings.uri:
        return MilvusStore(_connect_server(settings))
    return _open_lite(paths.lite_store)


class MilvusStore:
    """A `VectorStore`. Thread-safe: writes go through one lock."""

    def __init__(
        self, client, lite_path: Path | None = None, close: Callable[[], None] | None = None
    ) -> None:
        """`client` is a connected pymilvus.MilvusClient; `lite_path` is Lite's folder, if it
        is Lite; `close` is called last."""
        self._client = client
        self._lite_path = lite_path
        self._is_lite = lite_path is not None
        self._release = close
        self._write_lock = threading.RLock()
        self._loaded: set[str] = set()

    def open_collection(self, collection: str, dimensions: int, fingerprint: str) -> None:
        """See `VectorStore.open_collection`."""
        check_name("collection", collection)
        name = schema.physical_name(collection)
        with self._write_lock, _translated():
            if not self._client.has_collection(name):
                memo = json.dumps({"name": collection, "fingerprint": fingerprint})
                # Lite drops descriptions but keeps properties; a server may refuse a
                # property that it does not know.
                kept = {"properties": {MEMO: memo}} if self._is_lite else {}
                self._client.create_collection(
                    name,
                    schema=schema.build_schema(self._client, dimensions, memo),
                    index_params=schema.build_indexes(self._client, self._is_lite),
                    consistency_level="Strong",
                    **kept,
                )
        made_by = self._describe(name).get("fingerprint")
        if made_by != fingerprint:
            raise ConflictError(
                f"collection {collection!r} was made by the embedder {made_by}, not {fingerprint}",
                remedy="set the former embedder again, or ingest into a new --collection",
            )

    def drop_collection(self, collection: str) -> bool:
        """See `VectorStore.drop_collection`."""
        name = schema.physical_name(collection)
        with self._write_lock, _translated():
            if not self._client.has_collection(name):
                return False
            self._client.drop_collection(name)
            self._loaded.discard(name)
            return True

    def collections(self) -> list[str]:
        """See `VectorStore.collections`."""
        with _translated():
            names = [n for n in self._client.list_collections() if n.startswith(schema.PREFIX)]
        return sorted(self._describe(name)["name"] for name in names)

    def upsert(self, collection: str, rows: Sequence[IndexRow]) -> None:
        """See `VectorStore.upsert`."""
        for row in rows:
            _check_row(row)
        name = self._ready(collection)
        with self._write_lock, _translated():
            for at in range(0, len(rows), ROWS_PER_REQUEST):
                part = [schema.to_row(row) for row in rows[at : at + ROWS_PER_REQUEST]]
                self._client.upsert(name, part)
            self._client.flush(name)

    def delete_document(self, collection: str, document_id: str) -> int:
        """See `VectorStore.delete_document`."""
        name = self._ready(collection)
        with self._write_lock, _translated():
            expression = to_expression([OfDocument(document_id)])
            found = self._query_all(name, expression, ["id"])
            if found:
                self._client.delete(name, filter=expression)
                self._client.flush(name)
            return len(found)

    def search_dense(
        self, scope: Scope, vector: np.ndarray, limit: int, language: str | None = None
    ) -> list[Hit]:
        """See `VectorStore.search_dense`; scores are cosines."""
        more = [InLanguage(language)] if language else []
        return self._search(scope, "dense", vector.tolist(), limit, more)

    def search_lexical(self, scope: Scope, vector: SparseVector, limit: int) -> list[Hit]:
        """See `VectorStore.search_lexical`; scores are BM25."""
        weights = {term: float(weight) for term, weight in vector.items()}
        return self._search(scope, "lexical", weights, limit) if weights else []

    def get_chunks(self, scope: Scope, ids: Sequence[str]) -> list[Chunk]:
        """See `VectorStore.get_chunks`."""
        if not ids:
            return []
        expression = to_expression([readable(scope), WithIds(tuple(ids))])
        name = self._ready(scope.collection)
        with _translated():
            rows = self._query_all(name, expression, schema.OUTPUT_FIELDS)
        found = {row["id"]: schema.to_chunk(row) for row in rows}
        return [found[wanted] for wanted in ids if wanted in found]

    def count_chunks(self, collection: str) -> dict[str, int]:
        """See `VectorStore.count_chunks`."""
        name = self._ready(collection)
        counts: dict[str, int] = {}
        with _translated():
            for row in self._query_all(name, 'id != ""', ["document_id"]):
                counts[row["document_id"]] = counts.get(row["document_id"], 0) + 1
        return counts

    def close(self) -> None:
        """Flushes nothing (each write did) and gives the local store free."""
        with self._write_lock:
            self._client.close()
            if self._release is not None:
                self._release()

    def _search(
        self, scope: Scope, field: str, vector, limit: int, more: Sequence[Condition] = ()
    ) -> list[Hit]:
        conditions: list[Condition] = [readable(scope), *more]
        name = self._ready(scope.collection)
        with _translated():
            found = self._client.search(
                name,
                data=[vector],
                anns_field=field,
                filter=to_expression(conditions),
                limit=limit,
                search_params={"metric_type": "IP"},
                output_fields=schema.OUTPUT_FIELDS,
            )[0]
        hits = [(schema.to_chunk(hit["entity"]), float(hit["distance"])) for hit in found]
        hits.sort(key=lambda pair: (-pair[1], pair[0].id))
        stage = Stage(field)
        return [
            Hit(chunk, score, stage, {stage.value: rank})
            for rank, (chunk, score) in enumerate(hits, start=1)
        ]

    def _query_all(self, name: str, expression: str, fields: list[str]) -> list[dict]:
        iterator = self._client.query_iterator(
            name, filter=expression, output_fields=fields, batch_size=1000
        )
        rows: list[dict] = []
        try:
            while batch := iterator.next():
                rows.extend(batch)
        finally:
            iterator.close()
        return rows

    def _ready(self, collection: str) -> str:
        """The physical name of a collection that is there and loaded."""
        name = schema.physical_name(collection)
        if name in self._loaded:
            return name
        with self._write_lock, _translated():
            if not self._client.has_collection(name):
                raise NotFoundError(
                    f"there is no collection {collection!r}",
                    remedy=f"run: attest ingest PATH --collection {collection}",
                )
            self._load(name)
            self._loaded.add(name)
        return name

    def _load(self, name: str) -> None:
        """After a kill right behind a flush, Lite can find an index file that is half
        written and refuses the collection. The rows are whole: without the file the index
        is built again."""
        from pymilvus.exceptions import MilvusException

        try:
            self._client.load_collection(name)
        except MilvusException:
            if self._lite_path is None:
                raise
            for file in self._lite_path.glob(f"**/{name}/**/*.*idx"):
                logger.warning("removing the damaged index file %s", file)
                file.unlink(missing_ok=True)
            self._client.load_collection(name)

    def _describe(self, name: str) -> dict:
        with _translated():
            about = self._client.describe_collection(name)
        return json.loads(about["properties"][MEMO] if self._is_lite else about["description"])


def _check_row(row: IndexRow) -> None:
    if not np.isfinite(row.dense).all():
        raise InputError(f"the vector of chunk {row.chunk.id} is not finite")
    if len(row.chunk.text.encode()) > schema.MAX_TEXT_BYTES:
        raise InputError(f"the text of chunk {row.chunk.id} is over {schema.MAX_TEXT_BYTES} bytes")
    for reader in row.readers:
        check_name("reader", reader)


@contextmanager
def _translated() -> Iterator[None]:
    """Milvus errors as ours: an outage must never look like an empty result."""
    from pymilvus.exceptions import MilvusException

    try:
        yield
    except MilvusException as exc:
        raise StoreError(f"Milvus failed: {exc.message or exc}", remedy="run: attest doctor") from exc


def _connect_server(settings: MilvusSettings):
    from pymilvus import MilvusClient
    from pymilvus.exceptions import MilvusException

    try:
        return MilvusClient(
            uri=settings.uri, token=settings.token.get_secret_value(), timeout=settings.timeout_s
        )
    except MilvusException as exc:
        raise StoreError(
            f"the Milvus server at {settings.uri} does not answer", remedy=SERVER_REMEDY
        ) from exc


def _open_lite(path: Path) -> MilvusStore:
    """Milvus Lite in this process, on a socket that only this user can reach: by itself it
    would listen on a TCP port without any password."""
    from milvus_lite.adapter.grpc.server import start_server_in_thread
    from milvus_lite.exceptions import DataDirLockedError, MilvusLiteError
    from pymilvus import MilvusClient

    folder = tempfile.mkdtemp(prefix="attest-")
    try:
        server, database, _ = start_server_in_thread(str(path), host=f"unix:{folder}/milvus")
    except DataDirLockedError as exc:
        shutil.rmtree(folder, ignore_errors=True)
        raise StoreLockedError(
            f"another attest process is using {path.parent}",
            remedy="stop it, or talk to it: attest finds a running `attest serve` by itself",
        ) from exc
    except (MilvusLiteError, OSError) as exc:
        shutil.rmtree(folder, ignore_errors=True)
        raise StoreError(
            f"the local index {path} cannot be opened ({exc})",
            remedy=f"remove {path} and run: attest ingest PATH --force",
        ) from exc

    def release() -> None:
        server.stop(grace=2).wait()
        database.close()
        shutil.rmtree(folder, ignore_errors=True)

    # Lite has no time stamps, which each iteration reports as a warning.
    logging.getLogger("pymilvus").setLevel(logging.ERROR)
    # pymilvus pings every ten seconds, which the server next door takes for an attack.
    quiet = {"grpc.keepalive_time_ms": 2**31 - 1, "grpc.keepalive_permit_without_calls": False}
    client = MilvusClient(uri=f"unix:{folder}/milvus:0", grpc_options=quiet)
    return MilvusStore(client, path, release)
