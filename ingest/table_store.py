"""The tables of documents as Parquet files, one a table, for SQL and for exact reading.

`<folder>/<collection>/<document id>/<order>.parquet`. Knows who may read a table, as the
document says; knows nothing of chunks or of the ledger.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import NotFoundError, StoreError
from core.types import EVERYONE, Document, Scope, StoredTable, Table
from ingest.typed_columns import Column, typed_columns
from ingest.version_folders import VersionFolders, write_durably

if TYPE_CHECKING:
    import pyarrow.parquet as parquet

ROW = "row"
TEXT_SUFFIX = " [text]"
_KEY = b"attest"


@dataclass(frozen=True, slots=True)
class PlacedTable:
    """A table with where in its document it stands."""

    table: Table
    headings: tuple[str, ...] = ()
    page: int | None = None


class TableStore:
    """Writes, finds and removes the tables of document versions. Every write is on disk when
    it returns, and the same write again ends in the same state.

    Raises:
        StoreError: from every method, when the disk does not do it.
    """

    def __init__(self, folder: Path) -> None:
        self._folders = VersionFolders(folder, "tables")

    def write_document(self, document: Document, tables: Sequence[PlacedTable]) -> list[int]:
        """Writes all tables of a document version, replacing those it had; returns the filled
        cells that stand in each file, read back from it."""
        place = self._folders.of_version(document.collection, document.id)
        if not tables:
            self.remove_document(document.collection, document.id)
            return []
        counts = []
        with self._folders.changing(place):
            for order, placed in enumerate(tables):
                path = place / f"{order:05d}.parquet"
                _write_durably(path, placed, _about(document, order, placed))
                counts.append(_read(path)[0].filled)
            for path in place.iterdir():
                if path.name.startswith(".") or int(path.stem) >= len(tables):
                    path.unlink()
        return counts

    def copy_document(self, document: Document, source_id: str) -> None:
        """Gives the tables that stand under `source_id` the id, uri and readers of `document`."""
        place = self._folders.of_version(document.collection, source_id)
        read = [_read(path) for path in sorted(place.glob("[0-9]*.parquet"))]
        placed = [PlacedTable(table, tuple(about["headings"]), about["page"]) for table, about in read]
        self.write_document(document, placed)

    def remove_document(self, collection: str, document_id: str) -> int:
        """Forgets the tables of a document version; returns how many there were."""
        place = self._folders.of_version(collection, document_id)
        count = len(list(place.glob("*.parquet")))
        return count if self._folders.remove(place) else 0

    def drop_collection(self, collection: str) -> bool:
        """Forgets all tables of a collection; False when there was none."""
        return self._folders.remove(self._folders.of_collection(collection))

    def count_tables(self, collection: str) -> dict[str, int]:
        """Tables of each document id that has any."""
        return self._folders.count(collection, lambda place: len(list(place.glob("*.parquet"))))

    def find(self, scope: Scope, document_id: str, order: int) -> StoredTable:
        """A table that the caller may read. Its order counts the tables of its document.

        Raises:
            NotFoundError: there is none, or it is for other readers.
        """
        path = self._folders.of_version(scope.collection, document_id) / f"{order:05d}.parquet"
        if path.is_file():
            table, about = _read(path)
            if set(about["readers"]) & set(scope.principals):
                return _stored(path, table, about)
        raise NotFoundError(f"there is no table {order} in document {document_id[:12]}")

    def list_document(self, scope: Scope, document_id: str) -> list[StoredTable]:
        """The tables of a document in order; none when there are none or the caller may not
        read them."""
        place = self._folders.of_version(scope.collection, document_id)
        read = [(path, *_read(path)) for path in sorted(place.glob("[0-9]*.parquet"))]
        allowed = set(scope.principals)
        return [_stored(path, table, about) for path, table, about in read if set(about["readers"]) & allowed]

    def find_beside(self, scope: Scope, document_id: str, text: str, limit: int) -> list[StoredTable]:
        """See `TableSource.find_beside`. Reads the rows of no more than `limit` files."""
        place = self._folders.of_version(scope.collection, document_id)
        allowed, said = set(scope.principals), " ".join(text.replace("\\|", "|").split())
        ranked = []
        for path in sorted(place.glob("[0-9]*.parquet")):
            about = _read_about(path)
            labels = {" ".join(label.split()) for row in about["header"] for label in row if label.strip()}
            held = sum(label in said for label in labels)
            if set(about["readers"]) & allowed and (held or not labels):
                ranked.append((-held / max(1, len(labels)), path))
        return [_stored(path, *_read(path)) for _, path in sorted(ranked)[:limit]]


def _about(document: Document, order: int, placed: PlacedTable) -> dict[str, Any]:
    table = placed.table
    return {
        "version": 1,
        "collection": document.collection,
        "document_id": document.id,
        "order": order,
        "title": document.title,
        "uri": document.uri,
        "readers": list(document.readers or (EVERYONE,)),
        "headings": list(placed.headings),
        "page": placed.page,
        "caption": table.caption,
        "footnotes": list(table.footnotes),
        "place": table.place,
        "cells_read": table.cells_read,
        "header": [list(row) for row in table.rows[: table.header_rows]],
    }


def _write_durably(path: Path, placed: PlacedTable, about: Mapping[str, Any]) -> None:
    import pyarrow.parquet as parquet

    write_durably(path, lambda out: parquet.write_table(_arrow(placed.table, about), out, compression="zstd"))


def _arrow(table: Table, about: Mapping[str, Any]):
    """`row` (from 1), the typed columns by their names, then the texts of those that are not
    text already."""
    import pyarrow as pa

    kinds = {"integer": pa.int64(), "date": pa.date32(), "timestamp": pa.timestamp("us"), "text": pa.string()}
    columns = typed_columns(table)
    texts = [_text_name(column.name, columns) for column in columns]
    row = _text_name(ROW, columns, suffix="")
    pairs = list(zip(texts, columns, strict=True))
    shown = [column.name if column.kind == "text" else name for name, column in pairs]
    count = len(table.body)
    arrays, fields = [pa.array(range(1, count + 1), pa.int32())], [pa.field(row, pa.int32())]
    for column in columns:
        kind = kinds.get(column.kind) or pa.decimal128(38, column.scale)
        arrays.append(pa.array(column.values, kind))
        fields.append(pa.field(column.name, kind, metadata={"unit": column.unit, "label": column.label}))
    for name, column in pairs:
        if column.kind != "text":
            arrays.append(pa.array(column.texts, pa.string()))
            fields.append(pa.field(name, pa.string()))
    memo = json.dumps({**about, "texts": shown}, ensure_ascii=False).encode()
    return pa.table(arrays, pa.schema(fields, metadata={_KEY: memo}))


def _text_name(name: str, columns: Sequence[Column], suffix: str = TEXT_SUFFIX) -> str:
    taken = {column.name.casefold() for column in columns}
    wanted = f"{name}{suffix}"
    while wanted.casefold() in taken:
        wanted = f"_{wanted}"
    return wanted


@contextmanager
def _opened(path: Path) -> Iterator["parquet.ParquetFile"]:
    import pyarrow as pa
    import pyarrow.parquet as parquet

    try:
        with parquet.ParquetFile(path) as file:
            yield file
    except (OSError, pa.ArrowException, KeyError, TypeError, ValueError) as exc:
        raise StoreError(f"the table {path} cannot be read: {exc}", remedy="run: attest rebuild") from exc


def _read_about(path: Path) -> dict[str, Any]:
    """What is known of a table, without its rows."""
    with _opened(path) as file:
        return json.loads(file.schema_arrow.metadata[_KEY])


def _read(path: Path) -> tuple[Table, dict[str, Any]]:
    """The table of a file as it was parsed, and what is known of it."""
    with _opened(path) as file:
        stored = file.read()
        about = json.loads(stored.schema.metadata[_KEY])
    columns = [stored.column(name).to_pylist() for name in about["texts"]]
    body = tuple(tuple(cell or "" for cell in row) for row in zip(*columns, strict=True))
    header = tuple(tuple(row) for row in about["header"])
    table = Table(
        header + body,
        len(header),
        about["caption"],
        tuple(about["footnotes"]),
        about["place"],
        about["cells_read"],
    )
    return table, about


def _stored(path: Path, table: Table, about: Mapping[str, Any]) -> StoredTable:
    return StoredTable(
        path,
        about["document_id"],
        about["order"],
        about["title"],
        about["uri"],
        tuple(about["headings"]),
        about["page"],
        table,
    )
