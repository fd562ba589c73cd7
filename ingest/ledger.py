"""The ledger: what became of each file, in SQLite or PostgreSQL, synced to disk at every step.

One row for each (collection, uri). Knows nothing of parsing or of the index; the order
of steps that makes them agree is in publish.py.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from enum import StrEnum
from itertools import groupby
from pathlib import Path

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    Index,
    MetaData,
    Table,
    bindparam,
    delete,
    func,
    select,
    union_all,
    update,
)
from sqlalchemy.exc import SQLAlchemyError

from core.database import (
    MAX_VARIABLES,
    TEXT,
    add_columns,
    create_tables,
    open_database,
    place_of,
    replace_rows,
)
from core.errors import StoreError
from core.types import EVERYONE


class FileStatus(StrEnum):
    """Where a file is on its way. `writing` and `deleting` rows are finished by the next run."""

    WRITING = "writing"
    DONE = "done"
    FAILED = "failed"
    DELETING = "deleting"


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One file in one collection.

    `document_id` is of these bytes for these readers (`ingest.versions`).
    `previous_ids` are document versions of this uri that may still be in the index beside
    or instead of `document_id`. `chunks` of a row that is not `done` is the number of its own
    version's, when that was whole in the index once. `duplicate_of` is the uri whose row the chunks name.
    `warnings` are pairs of a code and words: what of the file was left out or is doubtful.
    `sha256` is of the bytes; `signature` tells by size and times that they are the same still
    (`ingest.discover`). `published` and `amended` belong to `ingest.searched` and `ingest.amended`.
    """

    collection: str
    uri: str
    document_id: str
    title: str
    media_type: str
    size_bytes: int
    status: FileStatus
    readers: tuple[str, ...] = (EVERYONE,)
    meta: Mapping[str, str] = field(default_factory=dict)
    fingerprint: str = ""
    chunks: int = 0
    pages: int = 0
    code: str = ""
    reason: str = ""
    retryable: bool = False
    attempts: int = 0
    previous_ids: tuple[str, ...] = ()
    duplicate_of: str = ""
    warnings: tuple[tuple[str, str], ...] = ()
    tables: int = 0
    figures: int = 0
    sha256: str = ""
    signature: str = ""
    published: Mapping = field(default_factory=dict)
    amended: Mapping = field(default_factory=dict)
    created_at: str = ""
    updated_at: str = ""

    def to_dict(self) -> dict:
        """For JSON."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        warnings = [{"code": code, "words": words} for code, words in self.warnings]
        lists = {"readers": list(self.readers), "previous_ids": list(self.previous_ids)}
        return values | lists | {"warnings": warnings}


@dataclass(frozen=True, slots=True)
class CollectionCount:
    """What the ledger knows of a collection."""

    name: str
    documents: int
    chunks: int
    failed: int


_MAPPINGS = ("meta", "published", "amended")
_JSON_COLUMNS = ("readers", "previous_ids", "warnings", *_MAPPINGS)
_METADATA = MetaData()
_KEY = ("collection", "uri")
_INTEGERS = {"size_bytes", "chunks", "pages", "tables", "figures", "attempts", "retryable"}
_FILES = Table(
    "ingest_files",
    _METADATA,
    *(
        Column(f.name, BigInteger if f.name in _INTEGERS else TEXT, primary_key=f.name in _KEY)
        for f in fields(LedgerRow)
    ),
    Index("ingest_files_by_document", "collection", "document_id"),
)
# Few rows have earlier versions, but every write asks for them.
_HAS_PREVIOUS = _FILES.c.previous_ids != "[]"
_WHERE = dict.fromkeys(("sqlite_where", "postgresql_where"), _HAS_PREVIOUS)
Index("ingest_files_with_previous", _FILES.c.collection, **_WHERE)
# Made once: to put a statement together takes longer than the database needs for it. The kept
# version of a failed row is the first of its previous ones.
_WITHIN = _FILES.c.collection == bindparam("collection")
_IDS = bindparam("ids", expanding=True)
_NEWEST = _FILES.c.document_id.in_(_IDS) & _FILES.c.status.in_(("writing", "done"))
_FIRST = func.substr(_FILES.c.previous_ids, 3, bindparam("length"))  # behind `["`
_KEPT = _HAS_PREVIOUS & (_FILES.c.status == "failed") & _FIRST.in_(_IDS)
_HOLDING = union_all(select(_FILES).where(_WITHIN, _NEWEST), select(_FILES).where(_WITHIN, _KEPT))
_REPLACED = select(_FILES.c.previous_ids).where(_WITHIN, _HAS_PREVIOUS)


class Ledger:
    """Reads and writes rows. Every write is on disk when it returns.

    Raises:
        StoreError: from every method, when the database does not answer.
    """

    def __init__(self, database: Path | Engine) -> None:
        """Of an SQLite file, or in a database that is open (`core.database`)."""
        self._engine = open_database(database) if isinstance(database, Path) else database
        with self._errors():
            add_columns(self._engine, _FILES)  # first: an index may need those of a later version
            create_tables(self._engine, _METADATA)

    @property
    def engine(self) -> Engine:
        """The database, for what is kept beside the rows."""
        return self._engine

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """What is written within is on disk together, or not at all."""
        with self._errors(), self._engine.begin() as connection:
            yield connection

    def get(self, collection: str, uri: str) -> LedgerRow | None:
        """The row of a uri."""
        return next(iter(self._select(_FILES.c.collection == collection, _FILES.c.uri == uri)), None)

    def put(self, row: LedgerRow) -> LedgerRow:
        """Writes a row, replacing the one of its uri; returns it with its times."""
        with self.transaction() as connection:
            return self.put_many([row], connection)[0]

    def put_many(self, rows: Sequence[LedgerRow], connection: Connection) -> list[LedgerRow]:
        """The same for several rows, within a transaction."""
        now = _now()
        rows = [replace(row, created_at=row.created_at or now, updated_at=now) for row in rows]
        replace_rows(connection, _FILES, [_to_values(row) for row in rows])
        return rows

    def get_many(self, collection: str, uris: Sequence[str]) -> dict[str, LedgerRow]:
        """The rows of some uris, by uri; those that are there."""
        found: list[LedgerRow] = []
        for at in range(0, len(uris), MAX_VARIABLES):
            part = uris[at : at + MAX_VARIABLES]
            found += self._select(_FILES.c.collection == collection, _FILES.c.uri.in_(part))
        return {row.uri: row for row in found}

    def unchanged(
        self, rows: Sequence[LedgerRow], seen: Mapping[str, LedgerRow], connection: Connection
    ) -> list[LedgerRow]:
        """Those of the rows, of one collection, whose uri has the status and version still that it
        had when `seen`, by uri, was read; until the transaction ends they stay so."""
        now: dict[str, LedgerRow] = {}
        for at in range(0, len(rows), MAX_VARIABLES):
            uris = [row.uri for row in rows[at : at + MAX_VARIABLES]]
            chosen = select(_FILES).where(_FILES.c.collection == rows[0].collection, _FILES.c.uri.in_(uris))
            found = [_to_row(row._mapping) for row in connection.execute(chosen.with_for_update())]
            now |= {row.uri: row for row in found}
        return [row for row in rows if state_of(now.get(row.uri)) == state_of(seen.get(row.uri))]

    def below(self, collection: str, folder: str) -> list[LedgerRow]:
        """Rows of the files under a folder, given without a slash at its end."""
        under = _FILES.c.uri.startswith(f"{folder}/", autoescape=True)
        return self._select(_FILES.c.collection == collection, under)

    def reopen(self, collection: str, document_ids: Sequence[str], connection: Connection) -> list[str]:
        """Makes `done` rows of versions `writing`, within a transaction; returns their uris. In
        one statement, so that a file which is taken in meanwhile is left alone."""
        chosen = (_FILES.c.collection == collection) & _FILES.c.document_id.in_(document_ids)
        begun = {"status": str(FileStatus.WRITING), "attempts": 1}
        reopened = update(_FILES).where(chosen, _FILES.c.status == str(FileStatus.DONE)).values(begun)
        return [uri for (uri,) in connection.execute(reopened.returning(_FILES.c.uri))]

    def amend(self, rows: Sequence[LedgerRow], connection: Connection | None = None) -> None:
        """Writes rows that are `done`, each only while it is so with the same version: a newer
        one may have been taken in since they were read."""
        if connection is None:
            with self.transaction() as connection:
                return self.amend(rows, connection)
        for row in rows:
            is_same = (_FILES.c.document_id == row.document_id) & (_FILES.c.status == str(FileStatus.DONE))
            chosen = (_FILES.c.collection == row.collection, _FILES.c.uri == row.uri, is_same)
            values = _to_values(replace(row, updated_at=_now()))
            connection.execute(update(_FILES).where(*chosen).values(values))

    def mark(
        self, collection: str, uri: str, status: FileStatus, document_id: str = ""
    ) -> LedgerRow | None:
        """Gives the row of a uri a status, as it stands at that moment; returns it. None when there
        is none, or not of the version `document_id` where that is given."""
        of_version = [_FILES.c.document_id == document_id] if document_id else []
        marked = self._mark(status, _FILES.c.collection == collection, _FILES.c.uri == uri, *of_version)
        return marked[0] if marked else None

    def remove(self, collection: str, uri: str) -> None:
        """Forgets a row."""
        chosen = delete(_FILES).where(_FILES.c.collection == collection, _FILES.c.uri == uri)
        with self._errors(), self._engine.begin() as connection:
            connection.execute(chosen)

    def mark_collection(self, collection: str, status: FileStatus) -> list[LedgerRow]:
        """Gives all rows of a collection a status at once; returns them."""
        return self._mark(status, _FILES.c.collection == collection)

    def remove_collection(self, collection: str, status: FileStatus | None = None) -> int:
        """Forgets all rows of a collection, or those of a status; returns how many there were."""
        of_status = [] if status is None else [_FILES.c.status == str(status)]
        chosen = delete(_FILES).where(_FILES.c.collection == collection, *of_status)
        with self._errors(), self._engine.begin() as connection:
            return connection.execute(chosen).rowcount

    def _mark(self, status: FileStatus, *conditions) -> list[LedgerRow]:
        """In one statement, so that no other writer comes between reading and writing."""
        marked = update(_FILES).where(*conditions).values(status=str(status)).returning(_FILES)
        with self.transaction() as connection:
            return [_to_row(row._mapping) for row in connection.execute(marked)]

    def rows(self, collection: str, status: FileStatus | None = None) -> list[LedgerRow]:
        """Rows of a collection by uri."""
        chosen = [] if status is None else [_FILES.c.status == str(status)]
        return self._select(_FILES.c.collection == collection, *chosen)

    def published(self, collection: str) -> list[LedgerRow]:
        """Rows that are `done`, and those whose earlier version may be in the index still."""
        return self._select(_FILES.c.collection == collection, (_FILES.c.status == "done") | _HAS_PREVIOUS)

    def reader_sets(self, collection: str) -> list[tuple[str, ...]]:
        """The different sets of readers that files of a collection have; few, however many
        files there are, and none for a collection without files."""
        readers = select(_FILES.c.readers).where(_FILES.c.collection == collection).distinct()
        with self._errors(), self._engine.connect() as connection:
            return [tuple(json.loads(value)) for (value,) in connection.execute(readers)]

    def with_document(self, collection: str, document_id: str) -> list[LedgerRow]:
        """Rows whose newest version this is."""
        return self.with_documents(collection, [document_id])

    def with_documents(self, collection: str, document_ids: Sequence[str]) -> list[LedgerRow]:
        """Rows whose newest version is one of these."""
        found: list[LedgerRow] = []
        for at in range(0, len(document_ids), MAX_VARIABLES):
            part = _FILES.c.document_id.in_(document_ids[at : at + MAX_VARIABLES])
            found += self._select(_FILES.c.collection == collection, part)
        return found

    def holding(self, collection: str, document_id: str) -> list[LedgerRow]:
        """Rows because of which a version belongs in the index, oldest first: those whose
        version it is, and failed ones whose last good version it is."""
        return self.holding_many(collection, [document_id])[document_id]

    def holding_many(self, collection: str, document_ids: Sequence[str]) -> dict[str, list[LedgerRow]]:
        """The same for several versions at once, by version."""
        found: dict[str, list[LedgerRow]] = {document_id: [] for document_id in document_ids}
        for length, ids in groupby(sorted(found, key=len), len):  # one, but for ledgers made by hand
            values = {"collection": collection, "ids": list(ids), "length": length}
            with self._errors(), self._engine.connect() as connection:
                rows = [_to_row(mapping) for mapping in connection.execute(_HOLDING, values).mappings()]
            for row in rows:
                is_kept = row.status is FileStatus.FAILED
                found[row.previous_ids[0] if is_kept else row.document_id].append(row)
        return {i: sorted(rows, key=lambda row: (row.created_at, row.uri)) for i, rows in found.items()}

    def replaced(self, collection: str) -> set[str]:
        """Versions that may be in the index beside the newest ones of their files, as rows say."""
        with self._errors(), self._engine.connect() as connection:
            found = connection.execute(_REPLACED, {"collection": collection}).scalars()
            return {document_id for ids in found for document_id in json.loads(ids)}

    def mentions(self, document_id: str) -> bool:
        """Whether any row, of any collection, needs the stored copy of this version."""
        needed = _FILES.c.previous_ids.contains(f'"{document_id}"', autoescape=True)
        with self._errors(), self._engine.connect() as connection:
            for condition in (_FILES.c.document_id == document_id, _HAS_PREVIOUS & needed):
                if connection.execute(select(_FILES.c.uri).where(condition).limit(1)).first():
                    return True
        return False

    def needed_ids(self) -> set[str]:
        """Every version that a row of any collection needs the stored copy of."""
        with self._errors(), self._engine.connect() as connection:
            found = {row[0] for row in connection.execute(select(_FILES.c.document_id).distinct())}
            for (ids,) in connection.execute(select(_FILES.c.previous_ids).where(_HAS_PREVIOUS)):
                found.update(json.loads(ids))
        return found - {""}

    def names_with(self, status: FileStatus) -> list[str]:
        """Collections that have rows of a status."""
        with self._errors(), self._engine.connect() as connection:
            chosen = select(_FILES.c.collection).where(_FILES.c.status == str(status)).distinct()
            return sorted(name for (name,) in connection.execute(chosen))

    def count(self, collection: str, status: FileStatus) -> int:
        """How many rows of a collection have a status."""
        chosen = (_FILES.c.collection == collection, _FILES.c.status == str(status))
        with self._errors(), self._engine.connect() as connection:
            return connection.scalar(select(func.count()).select_from(_FILES).where(*chosen)) or 0

    def collections(self) -> list[CollectionCount]:
        """Collections that have rows, with counts."""
        ended = (FileStatus.DONE, FileStatus.FAILED)
        done, failed = (func.count().filter(_FILES.c.status == str(status)) for status in ended)
        name, chunks = _FILES.c.collection, func.sum(_FILES.c.chunks)
        with self._errors(), self._engine.connect() as connection:
            found = connection.execute(select(name, done, chunks, failed).group_by(name).order_by(name))
            return [CollectionCount(row[0], *(int(value or 0) for value in row[1:])) for row in found]

    def close(self) -> None:
        """Closes the connections."""
        self._engine.dispose()

    def _select(self, *conditions) -> list[LedgerRow]:
        with self._errors(), self._engine.connect() as connection:
            found = connection.execute(select(_FILES).where(*conditions).order_by(_FILES.c.uri))
            return [_to_row(row._mapping) for row in found]

    @contextmanager
    def _errors(self):
        try:
            yield
        except SQLAlchemyError as exc:
            # Of a failed statement the driver's own words; SQLAlchemy adds links and parameters.
            reason = getattr(exc, "orig", None) or exc
            raise StoreError(
                f"the ledger {place_of(self._engine)} does not answer: {reason}", remedy="run: attest doctor"
            ) from exc


def state_of(row: LedgerRow | None) -> tuple[str, str] | None:
    """Status and version of a row: what tells whether somebody else has changed it."""
    return (row.status, row.document_id) if row else None


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _to_values(row: LedgerRow) -> dict:
    values = {f.name: getattr(row, f.name) for f in fields(row)}
    values |= {name: _to_json(values[name]) for name in _JSON_COLUMNS}
    # PostgreSQL takes no zero bytes, which a file may have in its title.
    plain = {name: values[name].replace("\0", "") for name in ("title", "reason")}
    return values | plain | {"status": str(row.status), "retryable": int(row.retryable)}


def _to_json(value: Sequence[str] | Mapping[str, str]) -> str:
    return json.dumps(dict(value) if isinstance(value, Mapping) else list(value))


def _to_row(mapping: Mapping) -> LedgerRow:
    values = dict(mapping)
    for name in _JSON_COLUMNS:
        parsed = json.loads(values[name] or "[]")
        values[name] = dict(parsed) if name in _MAPPINGS else tuple(parsed)
    values["warnings"] = tuple((code, words) for code, words in values["warnings"])
    values["status"], values["retryable"] = FileStatus(values["status"]), bool(values["retryable"])
    return LedgerRow(**values)
