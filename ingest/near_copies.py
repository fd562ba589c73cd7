"""Signatures of the versions in the index, in the ledger's database: which document is nearly
another one.

Compared are documents of one collection and the same readers alone, so that nobody learns of
a file that he may not read. Locality-sensitive hashing in bands (Leskovec, Rajaraman, Ullman:
Mining of Massive Datasets, chapter 3), as rows of a table, so that memory stays flat.
Knows versions and rows; knows nothing of parsing or of the index.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    bindparam,
    delete,
    insert,
    select,
    update,
)

from core.database import MAX_VARIABLES, create_tables
from ingest.cleaning.signatures import Signature
from ingest.ledger import FileStatus, Ledger, LedgerRow

NEAR_DUPLICATE = "near_duplicate"
_METADATA = MetaData()
_VERSIONS = Table(
    "ingest_signatures",
    _METADATA,
    Column("number", Integer, primary_key=True),
    Column("collection", String, nullable=False),
    Column("document_id", String, nullable=False),
    Column("scope", String, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("near_id", String, nullable=False),
    Column("similarity", Float, nullable=False),
    Column("linked", Integer, nullable=False),
    Index("ingest_signatures_by_document", "collection", "document_id", unique=True),
    Index("ingest_signatures_by_near", "collection", "near_id"),
)
# Only of versions that are in the index: nothing is linked to what is itself a link.
_BANDS = Table(
    "ingest_bands",
    _METADATA,
    Column("band", BigInteger, primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)
# Made once: to put a statement together takes longer than the database needs for it.
_INSERT = insert(_VERSIONS)
_NUMBERS = select(_BANDS.c.number).where(_BANDS.c.band.in_(bindparam("keys", expanding=True))).distinct()
_SHARING = select(_VERSIONS).where(_VERSIONS.c.number.in_(_NUMBERS))
_OF_DOCUMENT = select(_VERSIONS).where(
    _VERSIONS.c.collection == bindparam("collection"), _VERSIONS.c.document_id == bindparam("document_id")
)


@dataclass(frozen=True, slots=True)
class NearCopy:
    """The version that another one is nearly, and by which name it may be called. `linked`:
    the other one is not in the index itself."""

    document_id: str
    uri: str
    similarity: float
    linked: bool = False

    @property
    def warning(self) -> tuple[str, str]:
        """Code and words."""
        share = f"{100 * self.similarity:.0f} %"
        end = ": it is linked to that file and not searched by itself" if self.linked else ""
        return NEAR_DUPLICATE, f"about {share} the same as {self.uri}{end}"


@dataclass(frozen=True, slots=True)
class Known:
    """What is kept of a version."""

    document_id: str
    signature: Signature | None
    near_id: str
    similarity: float
    linked: bool


@dataclass(frozen=True, slots=True)
class Note:
    """What is to be kept of the version of a row that comes to its end."""

    row: LedgerRow
    signature: Signature
    near: NearCopy | None = None


class NearCopies:
    """The tables of one data directory.

    Raises:
        StoreError: from every method, when the database does not answer.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        create_tables(ledger.engine, _METADATA)

    def find(
        self, row: LedgerRow, signature: Signature, least: float, fresh: Sequence[Note] = ()
    ) -> tuple[NearCopy, Signature] | None:
        """The most similar version in the index, of `least` similarity, that a file of the
        same collection and readers holds; `fresh` are some that are about to be there. Not
        the version of the row itself, and none that the row is about to leave."""
        best: tuple[NearCopy, Signature] | None = None
        candidates = self._candidates(row, signature)
        for note in fresh:
            is_other = note.row.document_id != row.document_id and note.row.readers == row.readers
            if is_other and (note.near is None or not note.near.linked):
                candidates.append((note.row.document_id, note.row.uri, note.signature))
        for document_id, uri, other in candidates:
            similarity = signature.similarity(other)
            if similarity >= least and (best is None or similarity > best[0].similarity):
                best = NearCopy(document_id, uri, similarity), other
        return best

    def known(self, collection: str, document_id: str) -> Known | None:
        """What is kept of a version; None when nothing is."""
        values = {"collection": collection, "document_id": document_id}
        with self._ledger.transaction() as connection:
            found = connection.execute(_OF_DOCUMENT, values).first()
        return _known(found) if found else None

    def linked(self, collection: str) -> dict[str, str]:
        """Versions that are not in the index, each with the one that stands for it."""
        return {known.document_id: known.near_id for known in self._all(collection, _VERSIONS.c.linked == 1)}

    def linked_to(self, collection: str, document_ids: Sequence[str]) -> list[str]:
        """Versions for which one of these stands."""
        chosen = (_VERSIONS.c.linked == 1) & _VERSIONS.c.near_id.in_(document_ids)
        return sorted(known.document_id for known in self._all(collection, chosen))

    def of_rows(self, rows: Sequence[LedgerRow]) -> dict[str, NearCopy]:
        """For those of the rows, by uri, that are nearly another file: which. Named is a file of
        the same readers that holds the version now."""
        found = {}
        for collection in {row.collection for row in rows}:
            nearly = {known.document_id: known for known in self._all(collection, _VERSIONS.c.near_id != "")}
            # Most of the others are among the rows: then nobody needs to be asked.
            there = [row for row in rows if row.collection == collection and row.status is FileStatus.DONE]
            named = {(row.document_id, row.readers): row.uri for row in there}
            for row in rows if nearly else ():
                known = nearly.get(row.document_id) if row.collection == collection else None
                if known is None:
                    continue
                uri = named.get((known.near_id, row.readers)) or self._holder(collection, known.near_id, row)
                if uri:
                    found[row.uri] = NearCopy(known.near_id, uri, known.similarity, known.linked)
        return found

    def tell(self, rows: Sequence[LedgerRow]) -> list[LedgerRow]:
        """The rows with a warning where they are nearly another file. The ledger does not keep
        it, since the other one may go, or get another name or other readers."""
        near = self.of_rows(rows)
        return [
            replace(row, warnings=(*row.warnings, near[row.uri].warning)) if row.uri in near else row
            for row in rows
        ]

    def put(self, notes: Iterable[Note], connection: Connection) -> None:
        """Keeps what is known of versions, within the transaction that marks their rows `done`."""
        notes = list(notes)
        for collection in {note.row.collection for note in notes}:
            ids = [note.row.document_id for note in notes if note.row.collection == collection]
            self.forget(collection, ids, connection)
        bands: list[dict] = []
        for note in notes:
            row, near = note.row, note.near
            values = {
                "collection": row.collection,
                "document_id": row.document_id,
                "scope": _scope(row),
                "signature": note.signature.to_bytes(),
                "near_id": near.document_id if near else "",
                "similarity": near.similarity if near else 0.0,
                "linked": int(bool(near and near.linked)),
            }
            [number] = connection.execute(_INSERT, values).inserted_primary_key
            keys = set() if values["linked"] else set(note.signature.band_keys(_scope(row)))
            bands += [{"band": key, "number": number} for key in keys]
        if bands:
            connection.execute(insert(_BANDS), bands)

    def forget(
        self, collection: str, document_ids: Sequence[str], connection: Connection | None = None
    ) -> None:
        """Drops what is kept of versions."""
        if connection is None:
            with self._ledger.transaction() as connection:
                return self.forget(collection, document_ids, connection)
        for at in range(0, len(document_ids), MAX_VARIABLES):
            chosen = _of(collection, document_ids[at : at + MAX_VARIABLES])
            known = connection.execute(select(_VERSIONS).where(*chosen)).all()
            for found in known:
                signature, bands = Signature.from_bytes(found.signature), _BANDS.c.number == found.number
                if signature is not None:  # by the key of the table: it has many rows
                    bands &= _BANDS.c.band.in_(signature.band_keys(found.scope))
                connection.execute(delete(_BANDS).where(bands))
            if known:
                connection.execute(delete(_VERSIONS).where(*chosen))

    def signed(self, collection: str) -> set[str]:
        """Versions whose signature is kept."""
        chosen = (_VERSIONS.c.collection == collection, _VERSIONS.c.signature != b"")
        with self._ledger.transaction() as connection:
            return {i for (i,) in connection.execute(select(_VERSIONS.c.document_id).where(*chosen))}

    def forget_signatures(self, collection: str, document_ids: Sequence[str]) -> None:
        """Drops signatures, and what versions in the index are nearly. Of those that are not it is
        still known which version stands for them."""
        if not document_ids:
            return
        linked = self.linked(collection)
        self.forget(collection, [i for i in document_ids if i not in linked])
        with self._ledger.transaction() as connection:
            for document_id in set(document_ids) & set(linked):
                blank = update(_VERSIONS).where(*_of(collection, [document_id])).values(signature=b"")
                connection.execute(blank)

    def forget_collection(self, collection: str) -> None:
        """Drops what is kept of a collection."""
        within = _VERSIONS.c.collection == collection
        with self._ledger.transaction() as connection:
            numbers = select(_VERSIONS.c.number).where(within)
            connection.execute(delete(_BANDS).where(_BANDS.c.number.in_(numbers)))
            connection.execute(delete(_VERSIONS).where(within))

    def _candidates(self, row: LedgerRow, signature: Signature) -> list[tuple[str, str, Signature]]:
        keys = signature.band_keys(_scope(row))
        with self._ledger.transaction() as connection:
            found = connection.execute(_SHARING, {"keys": keys}).all()
        candidates = []
        for known in map(_known, found):
            is_other = known.document_id != row.document_id and known.signature is not None
            if is_other and (uri := self._holder(row.collection, known.document_id, row)):
                candidates.append((known.document_id, uri, known.signature))
        return candidates

    def _holder(self, collection: str, document_id: str, row: LedgerRow) -> str:
        """The file, of the row's readers, because of which a version is in the index; empty
        when there is none, as when it is not yet there."""
        for holder in self._ledger.holding(collection, document_id):
            # A file that failed holds its last good version.
            is_there = holder.status in (FileStatus.DONE, FileStatus.FAILED)
            if is_there and holder.uri != row.uri and holder.readers == row.readers:
                return holder.uri
        return ""

    def _all(self, collection: str, condition) -> list[Known]:
        """Without the signatures, which are most of what is kept."""
        columns = (_VERSIONS.c[name] for name in ("document_id", "near_id", "similarity", "linked"))
        chosen = select(*columns).where(_VERSIONS.c.collection == collection, condition)
        with self._ledger.transaction() as connection:
            found = connection.execute(chosen).all()
        return [Known(row.document_id, None, row.near_id, row.similarity, bool(row.linked)) for row in found]


def _of(collection: str, document_ids: Sequence[str]) -> tuple:
    return _VERSIONS.c.collection == collection, _VERSIONS.c.document_id.in_(document_ids)


def _known(found) -> Known:
    signature = Signature.from_bytes(found.signature)
    return Known(found.document_id, signature, found.near_id, found.similarity, bool(found.linked))


def _scope(row: LedgerRow) -> str:
    return json.dumps([row.collection, *row.readers])
