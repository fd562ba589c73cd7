"""Which files are nearly the same as others, and what follows for the index.

With `link` a near copy is not indexed: its row is `done` without chunks, and the tables of
near_copies.py say which version stands for it. When that version leaves the index, its links are
taken in again before, so that a kill at any moment loses none of them.
Knows ledger, queue and index; one thread at a time calls it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from core.errors import FileError
from core.settings import IngestSettings
from ingest.cleaning.signatures import Signature
from ingest.ledger import FileStatus, Ledger, LedgerRow
from ingest.near_copies import Known, NearCopies, NearCopy, Note
from ingest.queue import IngestQueue

if TYPE_CHECKING:
    from ingest.publish import Published, Publisher


@dataclass(frozen=True, slots=True)
class Settled:
    """How a file ends: what stands for it in the index, and what is to be kept of it, or not any
    more; or why it fails after all."""

    published: "Published"
    note: Note | None = None
    forgotten: LedgerRow | None = None
    error: FileError | None = None


class NearFinder:
    """Looks up which version a document is nearly, by the policy of the settings."""

    def __init__(self, near: NearCopies, settings: IngestSettings) -> None:
        self._near = near
        self._mode = settings.near_duplicates
        self._least = settings.near_duplicate_at

    @property
    def is_on(self) -> bool:
        """Whether documents are compared at all."""
        return self._mode != "off"

    @property
    def links(self) -> bool:
        """Whether near copies stay out of the index."""
        return self._mode == "link"

    def find(self, row: LedgerRow, signature: Signature, fresh: Sequence[Note] = ()) -> NearCopy | None:
        """See `NearCopies.find`. Linked it is only when the document names no number and no
        code that the other one does not: what differs in a figure is no copy to leave out."""
        found = self._near.find(row, signature, self._least, fresh) if self.is_on else None
        if found is None:
            return None
        near, other = found
        return replace(near, linked=self.links and not signature.says_more_than(other))


class Linker:
    """Settles files that come to their end, and takes in again what was linked to what goes."""

    def __init__(
        self, ledger: Ledger, queue: IngestQueue, near: NearCopies, finder: NearFinder, publisher: "Publisher"
    ) -> None:
        self._ledger = ledger
        self._queue = queue
        self._near = near
        self._finder = finder
        self._publisher = publisher
        self._released: set[str] = set()

    def settle(self, ends: Sequence[tuple[LedgerRow, LedgerRow | None, "Published"]]) -> list[Settled]:
        """How files end whose versions are written, or were left out as near copies of others:
        triples of the row, the row whose chunks it got, if any, and what was published. What
        turns out to be a near copy goes from the index again; what was left out for a version
        that is gone by now is written."""
        settled: list[Settled] = []
        for row, source, published in ends:
            fresh = [end.note for end in settled if end.note]
            try:
                settled.append(self._settle(row, source, published, fresh))
            except FileError as error:
                settled.append(Settled(published, error=error))
        return settled

    def keep(self, settled: Iterable[Settled], connection: Connection) -> None:
        """Keeps what `settle` found, in the transaction that marks the rows `done`."""
        for row in [end.forgotten for end in settled if end.forgotten]:
            self._near.forget(row.collection, [row.document_id], connection)
        self._near.put([end.note for end in settled if end.note], connection)

    def release(self, collection: str, document_ids: Sequence[str]) -> None:
        """Takes the files in again that are linked to versions which are about to go."""
        linked = self._near.linked_to(collection, document_ids)
        if not linked:
            return
        with self._ledger.transaction() as connection:
            uris = self._ledger.reopen(collection, linked, connection)
            self._queue.wait(collection, uris, connection)
        self._released |= {collection} if uris else set()

    def take_released(self, collection: str) -> bool:
        """Whether files of a collection were taken in again since this was asked last."""
        was_released = collection in self._released
        self._released.discard(collection)
        return was_released

    def forget(self, collection: str, document_ids: Sequence[str]) -> None:
        """Drops what is kept of versions that are gone from the index."""
        self._near.forget(collection, document_ids)

    def note_indexed(self, row: LedgerRow, signature: Signature | None) -> None:
        """Keeps that a version is in the index, although it may be nearly another one."""
        with self._ledger.transaction() as connection:
            self._near.forget(row.collection, [row.document_id], connection)
            if signature is not None:
                found = self._finder.find(row, signature)
                near = replace(found, linked=False) if found else None
                self._near.put([Note(row, signature, near)], connection)

    def _settle(
        self, row: LedgerRow, source: LedgerRow | None, published: "Published", fresh: Sequence[Note]
    ) -> Settled:
        known = self._near.known(row.collection, row.document_id)
        if published.is_fresh and published.signature is None and published.chunks:
            # What is kept is of the same bytes as they were read by other settings.
            return Settled(published, forgotten=row if known else None)
        if published.signature is None and known is not None and self._stands(known, row, published):
            return Settled(published)
        signature = published.signature or self._signature_of(row.collection, known, source)
        near = self._finder.find(row, signature, fresh) if signature else None
        if near and near.linked and not self._is_shared(row):
            if published.chunks or row.document_id in row.previous_ids:
                self._take_out(row)
            linked = replace(published, chunks=0, tables=0, figures=0, near=near)
            return Settled(linked, Note(row, signature, near))
        if not published.chunks:
            published = self._publisher.publish_whole(row.collection, row.document_id) or published
            signature = published.signature or signature
        near = replace(near, linked=False) if near else None
        note = Note(row, signature, near) if signature else None
        return Settled(replace(published, near=near), note)

    def _stands(self, known: Known, row: LedgerRow, published: "Published") -> bool:
        """Whether what is kept of a version, when another file of it ended, still holds."""
        if not known.linked:
            return bool(published.chunks)
        return self._finder.links and bool(self._near.of_rows([replace(row, status=FileStatus.DONE)]))

    def _signature_of(
        self, collection: str, known: Known | None, source: LedgerRow | None
    ) -> Signature | None:
        if known is None and source is not None:
            known = self._near.known(collection, source.document_id)
        return known.signature if known else None

    def _is_shared(self, row: LedgerRow) -> bool:
        """Whether another file of the same bytes says that its chunks are in the index."""
        holders = self._ledger.holding(row.collection, row.document_id)
        return any(h.uri != row.uri and h.status is FileStatus.DONE and h.chunks for h in holders)

    def _take_out(self, row: LedgerRow) -> None:
        """The row is `writing` still: after a kill the next run comes here again."""
        self.release(row.collection, [row.document_id])
        self._publisher.take_out(row.collection, row.document_id)
