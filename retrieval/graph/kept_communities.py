"""Summaries of communities, kept so that a chat model is asked anew only where what they rest on has changed.

A row is found by a digest of all that its summary was made of, so it is never stale; it goes with the first
document that it rests on. Who may read it is not decided here. Knows a table; knows nothing of models.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from sqlalchemy import JSON, Engine, String, delete, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from core.database import create_tables, replace_rows


@dataclass(frozen=True, slots=True)
class KeptCommunity:
    """A summary. `chunks` are the ids of all that the model was shown, `texts` the digest of their texts,
    `documents` those that they are of; `outcome` is what was made: sentences and citations as plain values,
    none when no sentence was borne out."""

    digest: str
    names: tuple[str, ...]
    chunks: tuple[str, ...]
    texts: str
    documents: tuple[str, ...]
    outcome: dict = field(default_factory=dict)


class _Tables(DeclarativeBase):
    pass


class _Row(_Tables):
    __tablename__ = "community_summaries"

    collection: Mapped[str] = mapped_column(String, primary_key=True)
    digest: Mapped[str] = mapped_column(String, primary_key=True)
    names: Mapped[list] = mapped_column(JSON)
    chunks: Mapped[list] = mapped_column(JSON)
    texts: Mapped[str] = mapped_column(String)
    outcome: Mapped[dict] = mapped_column(JSON)


class _Source(_Tables):
    """A document that a summary rests on."""

    __tablename__ = "community_documents"

    collection: Mapped[str] = mapped_column(String, primary_key=True)
    document_id: Mapped[str] = mapped_column(String, primary_key=True)
    digest: Mapped[str] = mapped_column(String, primary_key=True)


class KeptCommunities:
    """The table of summaries. Thread-safe; several processes may use it at once."""

    def __init__(self, engine: Engine) -> None:
        """Creates its tables when they are not there."""
        self._engine = engine
        create_tables(engine, _Tables.metadata)

    def keep(self, collection: str, kept: KeptCommunity) -> None:
        """Keeps it, in the place of one with its digest."""
        about = {"collection": collection, "digest": kept.digest}
        lists = {"names": list(kept.names), "chunks": list(kept.chunks)}
        row = {**about, **lists, "texts": kept.texts, "outcome": kept.outcome}
        with self._engine.begin() as connection:
            replace_rows(connection, _Row.__table__, [row])
            sources = [{**about, "document_id": document} for document in kept.documents]
            replace_rows(connection, _Source.__table__, sources)

    def all(self, collection: str) -> list[KeptCommunity]:
        """Those of a collection, whoever may read them."""
        with Session(self._engine) as session:
            documents: dict[str, list[str]] = {}
            for source in session.scalars(select(_Source).where(_Source.collection == collection)):
                documents.setdefault(source.digest, []).append(source.document_id)
            rows = session.scalars(select(_Row).where(_Row.collection == collection).order_by(_Row.digest))
            return [
                KeptCommunity(
                    row.digest, tuple(row.names), tuple(row.chunks), row.texts,
                    tuple(sorted(documents.get(row.digest, ()))), row.outcome,
                )
                for row in rows
            ]  # fmt: skip

    def documents(self, collection: str) -> set[str]:
        """Versions that a summary rests on."""
        wanted = select(_Source.document_id).where(_Source.collection == collection).distinct()
        with self._engine.connect() as connection:
            return {document_id for (document_id,) in connection.execute(wanted)}

    def forget(self, collection: str, digests: Collection[str]) -> None:
        """Forgets these summaries."""
        with self._engine.begin() as connection:
            for digest in digests:
                for table in (_Row, _Source):
                    of_it = (table.collection == collection, table.digest == digest)
                    connection.execute(delete(table).where(*of_it))

    def forget_documents(self, collection: str, document_ids: Sequence[str]) -> None:
        """Forgets what rests on any of these versions, whatever else it rests on."""
        for document_id in document_ids:
            of_it = (_Source.collection == collection, _Source.document_id == document_id)
            with self._engine.connect() as connection:
                digests = [digest for (digest,) in connection.execute(select(_Source.digest).where(*of_it))]
            self.forget(collection, digests)

    def drop_collection(self, collection: str) -> None:
        """Forgets those of a collection."""
        with self._engine.begin() as connection:
            for table in (_Row, _Source):
                connection.execute(delete(table).where(table.collection == collection))
