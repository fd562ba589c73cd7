"""Compares what the ledger says with what is there: originals, index, words, token vectors,
tables, pictures, entities.

Knows what each fault is called and what mends it; knows nothing of terminals.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from core.errors import FileError
from ingest.document_index import DocumentIndex
from ingest.finishing import Finisher
from ingest.ledger import FileStatus, Ledger, LedgerRow
from ingest.originals import Originals
from ingest.publish import UPLOAD_PREFIX, Publisher
from ingest.versions import document_id_of

KINDS = {
    "unfinished": "taken in or to be removed, and not at its end",
    "missing": "the ledger has it, the index lacks all or part of it",
    "orphan": "the index or the originals have it, no row of the ledger does",
    "stale": "the index holds chunks of an earlier version of it",
    "duplicate": "a chunk stands in the index more than once",
    "leftover": "lines, replies, summaries or signatures that the present settings would not keep",
    "damaged_original": "the stored copy is gone or has other bytes",
}
_UNITS = {"tables": "tables", "figures": "pictures", "images": "picture vectors", "graphs": "graphs"}


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing amiss. `part` is where: ledger, chunks, words, tokens, tables,
    figures, images, graphs, lines, replies, communities, signatures or originals."""

    kind: str
    part: str
    collection: str
    document_id: str
    uri: str = ""
    detail: str = ""
    repaired: bool = False

    def to_dict(self) -> dict:
        """For JSON."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(slots=True)
class Verification:
    """What was looked at, and what is amiss."""

    documents: int = 0
    chunks: int = 0
    originals: int = 0
    faults: list[Fault] = field(default_factory=list)

    @property
    def is_sound(self) -> bool:
        """Whether nothing is amiss, or nothing is any more."""
        return all(fault.repaired for fault in self.faults)

    def to_dict(self) -> dict:
        """The JSON of `attest verify --json`."""
        counts = {kind: sum(fault.kind == kind for fault in self.faults) for kind in KINDS}
        return {
            "sound": self.is_sound,
            "documents": self.documents,
            "chunks": self.chunks,
            "originals": self.originals,
            "counts": counts,
            "repaired": sum(fault.repaired for fault in self.faults),
            "faults": [fault.to_dict() for fault in self.faults],
        }


class Verifier:
    """Looks at collections one by one. The caller keeps writers away meanwhile."""

    def __init__(
        self,
        ledger: Ledger,
        index: DocumentIndex,
        originals: Originals,
        publisher: Publisher,
        finisher: Finisher,
    ) -> None:
        self._ledger = ledger
        self._index = index
        self._originals = originals
        self._publisher = publisher
        self._finisher = finisher

    def verify(
        self, collections: Iterable[str], repair: bool, resume: Callable[[], int], every: bool
    ) -> Verification:
        """Checks collections; with `every` also what belongs to none of them. With `repair`
        what is amiss is mended from the stored copies; `resume` finishes what is unfinished.

        Raises:
            StoreError, EmbedderError: what is needed for it does not answer.
        """
        found = Verification()
        for collection in collections:
            self._unfinished(collection, found)
        if repair and found.faults:
            resume()
            found.faults = [replace(fault, repaired=self._is_ended(fault)) for fault in found.faults]
        for collection in collections:
            self._collection(collection, found, repair)
        if every:
            self._stray_originals(found, repair)
        return found

    def _unfinished(self, collection: str, found: Verification) -> None:
        for status in (FileStatus.WRITING, FileStatus.DELETING):
            for row in self._ledger.rows(collection, status):
                found.faults.append(_fault("unfinished", "ledger", row, str(status)))

    def _is_ended(self, fault: Fault) -> bool:
        row = self._ledger.get(fault.collection, fault.uri)
        return row is None or row.status in (FileStatus.DONE, FileStatus.FAILED)

    def _collection(self, collection: str, found: Verification, repair: bool) -> None:
        wanted = self._wanted(collection)
        good = {i for i, rows in wanted.items() if self._check_original(i, rows, found, repair)}
        present = collection in self._index.collections()
        if repair and wanted and not present:
            self._index.open_collection(collection)
            present = True
        counts = self._index.count_parts(collection) if present else {"chunks": {}}
        repeated = self._index.repeated_ids(collection) if present else []
        found.documents += len(wanted)
        found.chunks += sum(counts["chunks"].values())
        faults: list[Fault] = []
        faults += self._broken_links(collection, wanted)
        pending = self._pending(collection)
        for part, counted in counts.items():
            faults += self._compare(collection, part, (wanted, pending), counted)
        uris = self._index.uris_of_chunks(collection) if present else {}
        faults += [
            _fault("stale", "chunks", wanted[i][0], f"its chunks name {', '.join(sorted(named))}", i)
            for i, named in uris.items()
            if i in wanted and i not in pending and not _is_named_well(named, wanted[i])
        ]
        prefixes = {chunk_id.rpartition("-")[0] for chunk_id in repeated}
        faults += [
            _fault("duplicate", "chunks", rows[0], f"{len(repeated)} repeated chunk ids in all")
            for document_id, rows in wanted.items()
            if document_id[:16] in prefixes
        ]
        if repair:
            faults = self._repair(collection, faults, wanted, good)
        found.faults += faults

    def _broken_links(self, collection: str, wanted: dict[str, list[LedgerRow]]) -> list[Fault]:
        """Versions without chunks, for which nothing stands that is in the index."""
        linked = self._publisher.near_copies.linked(collection)
        return [
            _fault("missing", "chunks", rows[0], "the document that it is linked to is not there", i)
            for i, rows in wanted.items()
            if any(row.status is FileStatus.DONE and not row.chunks for row in rows)
            and (linked.get(i) not in wanted or linked[i] in linked)
        ]

    def _wanted(self, collection: str) -> dict[str, list[LedgerRow]]:
        """Versions that belong in the index, with the rows because of which they do."""
        wanted: dict[str, list[LedgerRow]] = {}
        for row in self._ledger.rows(collection):
            if row.status is FileStatus.DONE:
                wanted.setdefault(row.document_id, []).append(row)
            elif row.status is FileStatus.FAILED and row.previous_ids:
                wanted.setdefault(row.previous_ids[0], []).append(row)
        return wanted

    def _pending(self, collection: str) -> set[str]:
        """Versions that may be there, since a file is not at its end."""
        unfinished = [
            row
            for status in (FileStatus.WRITING, FileStatus.DELETING)
            for row in self._ledger.rows(collection, status)
        ]
        return {i for row in unfinished for i in (row.document_id, *row.previous_ids)}

    @staticmethod
    def _compare(
        collection: str, part: str, due_and_pending: tuple[dict, set[str]], counted: Mapping[str, int]
    ) -> list[Fault]:
        wanted, pending = due_and_pending
        unit = _UNITS.get(part, "chunks")
        faults = []
        for document_id, rows in wanted.items():
            # Of the last good version of a failed file the number of chunks is not kept.
            done = next((row for row in rows if row.status is FileStatus.DONE), None)
            due = _due(done, part)
            has = counted.get(document_id, 0)
            if due is not None and has > due:
                faults.append(_fault("stale", part, rows[0], f"{has} {unit}, not {due}", document_id))
            elif has < _least(due, part):
                detail = f"{has} of {due or 'some'} {unit}"
                faults.append(_fault("missing", part, rows[0], detail, document_id))
        for document_id in sorted(set(counted) - set(wanted) - pending):
            detail = f"{counted[document_id]} {unit}"
            faults.append(Fault("orphan", part, collection, document_id, detail=detail))
        return faults

    def _check_original(
        self, document_id: str, rows: list[LedgerRow], found: Verification, repair: bool
    ) -> bool:
        """Whether the stored copy of a version is whole, or could be made so from its file."""
        found.originals += 1
        row = rows[0]
        sha256 = self._originals.sha256_of(document_id)
        readers = next((r.readers for r in rows if r.document_id == document_id), row.readers)
        if sha256 and document_id_of(sha256, readers) == document_id:
            return True
        mended = repair and any(self._keep_again(other, document_id) for other in rows)
        detail = "other bytes" if sha256 else "not there"
        fault = _fault("damaged_original", "originals", row, detail, document_id)
        found.faults.append(replace(fault, repaired=mended))
        return mended

    def _keep_again(self, row: LedgerRow, document_id: str) -> bool:
        if row.uri.startswith(UPLOAD_PREFIX) or row.document_id != document_id or not row.sha256:
            return False
        try:
            self._originals.keep(Path(row.uri), document_id, row.sha256)
        except FileError:
            return False
        return True

    def _repair(self, collection: str, faults: list[Fault], wanted: dict, good: set[str]) -> list[Fault]:
        """Orphans go; what is missing, stale or double is written anew from the stored copy. Where
        the ledger knows no file of a collection at all it is the ledger that was lost: then
        its chunks stay."""
        orphans = sorted({fault.document_id for fault in faults if fault.kind == "orphan"})
        if orphans and not self._ledger.rows(collection):
            return faults
        if orphans:
            self._index.remove_documents(collection, orphans)
        mended = set(orphans)
        for document_id in sorted({fault.document_id for fault in faults} - mended):
            if document_id in good and self._write_again(collection, document_id, wanted[document_id]):
                mended.add(document_id)
        return [replace(fault, repaired=fault.document_id in mended) for fault in faults]

    def _write_again(self, collection: str, document_id: str, rows: list[LedgerRow]) -> bool:
        try:
            cut = self._publisher.cut(collection, document_id, may_link=False)
        except FileError:
            return False
        if cut is None:
            return False
        # Embedded before the old chunks go: what fails here leaves them.
        embedded = self._publisher.embed([cut])
        self._index.remove_chunks(collection, document_id)
        [failure] = self._publisher.write(collection, embedded)
        if failure is not None:
            return False
        now = [
            replace(
                row,
                title=cut.document.title,
                chunks=len(cut.chunks),
                pages=cut.pages,
                warnings=cut.warnings,
                tables=cut.tables,
                figures=cut.figures,
            )
            for row in rows
            if row.status is FileStatus.DONE
        ]
        for row in now:
            present = self._ledger.get(collection, row.uri)
            self._ledger.amend([replace(row, duplicate_of=present.duplicate_of if present else "")])
        self._finisher.linker.note_indexed(replace(rows[0], document_id=document_id), cut.signature)
        return True

    def _stray_originals(self, found: Verification, repair: bool) -> None:
        needed = self._ledger.needed_ids()
        for name in self._originals.names():
            if name in needed or (repair and not self._finisher.set_aside(name)):
                continue  # an upload may have come to need it since the ledger was read
            found.faults.append(Fault("orphan", "originals", "", name, repaired=repair))


def _is_named_well(named: set[str], rows: list[LedgerRow]) -> bool:
    """Whether the chunks of a version name one file, and one that holds it."""
    return len(named) == 1 and named <= {row.uri for row in rows}


def _due(done: LedgerRow | None, part: str) -> int | None:
    if done is None:
        return None
    counts = {"tables": done.tables, "figures": done.figures, "images": done.figures}
    return min(1, done.chunks) if part == "graphs" else counts.get(part, done.chunks)


def _least(due: int | None, part: str) -> int:
    """A version has a chunk at least when it is not linked to another; it may have no table and
    no picture."""
    return due if due is not None else 0 if part in _UNITS else 1


def _fault(kind: str, part: str, row: LedgerRow, detail: str, document_id: str = "") -> Fault:
    return Fault(kind, part, row.collection, document_id or row.document_id, row.uri, detail)
