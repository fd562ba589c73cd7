"""Token vectors of chunks, kept beside the index so that reranking need not encode.

Knows SQLite and one multi-vector embedder; knows nothing of Milvus, scopes or fusion.
Rows are found by a digest of the text they were made from, so they can never be stale
and never tell more than the text that the caller already holds. What is not there is
encoded anew: this is a cache that ingestion fills, not a source.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from threading import Lock

import numpy as np
from sqlalchemy import Engine, Integer, LargeBinary, String, delete, func, insert, literal, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from core.seams import MultiVectorEmbedder
from core.types import Chunk

_SQLITE_VARIABLES = 500
ENCODED_KEPT = 512


class _Table(DeclarativeBase):
    pass


class _ChunkTokens(_Table):
    __tablename__ = "chunk_tokens"
    collection: Mapped[str] = mapped_column(String, primary_key=True)
    document_id: Mapped[str] = mapped_column(String, primary_key=True)
    ordinal: Mapped[int] = mapped_column(Integer, primary_key=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary, index=True)
    size: Mapped[int] = mapped_column(Integer)
    rows: Mapped[bytes] = mapped_column(LargeBinary)


class TokenVectors:
    """Reads and writes int8 token rows (tokens, size). Thread-safe."""

    def __init__(self, engine: Engine, load: Callable[[], MultiVectorEmbedder]) -> None:
        """Creates its table in `engine` when it is not there. `load` gives what makes the
        rows; removing rows needs no model."""
        self._engine = engine
        self._load = load
        self._encoded: OrderedDict[bytes, np.ndarray] = OrderedDict()
        self._lock = Lock()
        _Table.metadata.create_all(engine)

    @property
    def embedder(self) -> MultiVectorEmbedder:
        """What makes the rows. Raises ModelFileError when its weights are not there."""
        return self._load()

    def write_chunks(
        self, collection: str, chunks: Sequence[Chunk], texts: Sequence[str], rows: Sequence[np.ndarray]
    ) -> None:
        """Keeps the rows of some chunks, whatever else their documents hold; `texts` and
        `rows` stand beside the chunks, or no `rows` at all, which keeps nothing."""
        values = [
            {
                "collection": collection,
                "document_id": chunk.document_id,
                "ordinal": chunk.order,
                "digest": self._digest(text),
                "size": table.shape[1],
                "rows": table.tobytes(),
            }
            for chunk, text, table in zip(chunks, texts, rows, strict=bool(rows))
        ]
        if values:
            with Session(self._engine) as session, session.begin():
                session.execute(insert(_ChunkTokens).prefix_with("OR REPLACE"), values)

    def remove_document(self, collection: str, document_id: str) -> None:
        """Forgets a document's rows; nothing when there are none."""
        with Session(self._engine) as session, session.begin():
            session.execute(
                delete(_ChunkTokens).where(
                    _ChunkTokens.collection == collection, _ChunkTokens.document_id == document_id
                )
            )

    def copy_document(self, collection: str, source_id: str, document_id: str) -> None:
        """Keeps the rows of one document under another id too; in place of what was there."""
        table = _ChunkTokens.__table__
        columns = [c for c in table.columns if c.name != "document_id"]
        chosen = select(*columns, literal(document_id)).where(
            _ChunkTokens.collection == collection, _ChunkTokens.document_id == source_id
        )
        names = [c.name for c in columns] + ["document_id"]
        with Session(self._engine) as session, session.begin():
            session.execute(insert(table).prefix_with("OR REPLACE").from_select(names, chosen))

    def count_chunks(self, collection: str) -> dict[str, int]:
        """Chunks of each document that have rows."""
        counted = select(_ChunkTokens.document_id, func.count()).group_by(_ChunkTokens.document_id)
        with self._engine.connect() as connection:
            return dict(connection.execute(counted.where(_ChunkTokens.collection == collection)).all())

    def drop_collection(self, collection: str) -> None:
        """Forgets a collection's rows."""
        with Session(self._engine) as session, session.begin():
            session.execute(delete(_ChunkTokens).where(_ChunkTokens.collection == collection))

    def kept(self, texts: Sequence[str]) -> dict[str, np.ndarray]:
        """Those texts whose rows are at hand, on disk or in memory."""
        digests = {self._digest(text): text for text in texts}
        with self._lock:
            found = {d: self._encoded[d] for d in digests if d in self._encoded}
        missing = [digest for digest in digests if digest not in found]
        found.update(self._read(missing))
        return {digests[digest]: rows for digest, rows in found.items()}

    def encode(self, texts: Sequence[str]) -> dict[str, np.ndarray]:
        """Rows of texts that are not kept, made now; the last ones stay in memory."""
        if not texts:
            return {}
        _, tables = self.embedder.embed_documents_and_tokens(texts)
        with self._lock:
            for text, table in zip(texts, tables, strict=True):
                self._encoded[self._digest(text)] = table
            while len(self._encoded) > ENCODED_KEPT:
                self._encoded.popitem(last=False)
        return dict(zip(texts, tables, strict=True))

    def _read(self, digests: Sequence[bytes]) -> Mapping[bytes, np.ndarray]:
        found: dict[bytes, np.ndarray] = {}
        with self._engine.connect() as connection:
            for at in range(0, len(digests), _SQLITE_VARIABLES):
                part = digests[at : at + _SQLITE_VARIABLES]
                columns = (_ChunkTokens.digest, _ChunkTokens.size, _ChunkTokens.rows)
                for digest, size, rows in connection.execute(
                    select(*columns).where(_ChunkTokens.digest.in_(part))
                ):
                    found[digest] = np.frombuffer(rows, np.int8).reshape(-1, size)
        return found

    def _digest(self, text: str) -> bytes:
        # Another model or another projection finds nothing of what this one wrote.
        key = hashlib.sha256(self.embedder.token_fingerprint.encode()).digest()
        return hashlib.blake2b(text.encode(), digest_size=16, key=key).digest()
