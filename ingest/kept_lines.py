"""What a chat model has said of chunks, kept so that it is asked for none of them twice.

A line is found by a digest of what the model was asked, so it can never be stale; it goes
with the document that it was written for. Knows the database; knows nothing of models.
"""

from collections.abc import Mapping, Sequence

from sqlalchemy import Engine, String, delete, insert, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from core.database import create_tables

_PER_QUERY = 500


class _Table(DeclarativeBase):
    pass


class _Columns:
    collection: Mapped[str] = mapped_column(String, primary_key=True)
    document_id: Mapped[str] = mapped_column(String, primary_key=True)
    digest: Mapped[str] = mapped_column(String, primary_key=True, index=True)
    line: Mapped[str] = mapped_column(String)


class _Line(_Columns, _Table):
    __tablename__ = "context_lines"


class _Reply(_Columns, _Table):
    __tablename__ = "entity_replies"


class KeptLines:
    """Lines by digest. Thread-safe."""

    def __init__(self, engine: Engine, of_entities: bool = False) -> None:
        """Creates its table when it is not there: that of context lines, or that of what the model said of
        entities."""
        self._row = _Reply if of_entities else _Line
        self._engine = engine
        create_tables(engine, _Table.metadata)

    def find(self, digests: Sequence[str]) -> dict[str, str]:
        """Those that are kept, of whichever document."""
        found: dict[str, str] = {}
        row = self._row
        with self._engine.connect() as connection:
            for at in range(0, len(digests), _PER_QUERY):
                part = select(row.digest, row.line).where(row.digest.in_(digests[at : at + _PER_QUERY]))
                found.update((digest, line) for digest, line in connection.execute(part))
        return found

    def keep(self, collection: str, document_id: str, lines: Mapping[str, str]) -> None:
        """Puts these in the place of what was kept for the document."""
        about = {"collection": collection, "document_id": document_id}
        rows = [{**about, "digest": digest, "line": line} for digest, line in lines.items()]
        with self._engine.begin() as connection:
            connection.execute(self._of(collection, document_id))
            if rows:
                connection.execute(insert(self._row), rows)

    def documents(self, collection: str) -> set[str]:
        """Versions for which lines are kept."""
        chosen = select(self._row.document_id).where(self._row.collection == collection).distinct()
        with self._engine.connect() as connection:
            return {document_id for (document_id,) in connection.execute(chosen)}

    def copy_document(self, collection: str, source_id: str, document_id: str) -> None:
        """Keeps the lines of one document for another too."""
        wanted = select(self._row.digest, self._row.line).where(
            self._row.collection == collection, self._row.document_id == source_id
        )
        with self._engine.connect() as connection:
            lines = {digest: line for digest, line in connection.execute(wanted)}
        if lines and source_id != document_id:
            self.keep(collection, document_id, lines)

    def remove_document(self, collection: str, document_id: str) -> None:
        """Forgets a document's lines; nothing when there are none."""
        with self._engine.begin() as connection:
            connection.execute(self._of(collection, document_id))

    def drop_collection(self, collection: str) -> None:
        """Forgets a collection's lines."""
        with self._engine.begin() as connection:
            connection.execute(delete(self._row).where(self._row.collection == collection))

    def _of(self, collection: str, document_id: str):
        row = self._row
        return delete(row).where(row.collection == collection, row.document_id == document_id)
