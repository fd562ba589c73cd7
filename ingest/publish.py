"""Makes the index agree with the ledger, one document version at a time.

A version belongs in the index while a ledger row holds it. `publish` is declarative and
idempotent: called again after a kill at any moment, it ends in the same state.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

from core.errors import ConflictError, FileError, InputError, NotFoundError
from core.settings import IngestSettings
from core.types import EVERYONE, Chunk, Document
from ingest.amended import title_of
from ingest.cleaning.signatures import Signature
from ingest.context_lines import ContextLines
from ingest.document_index import DocumentIndex
from ingest.engine import CutOrder, IngestEngine
from ingest.ledger import FileStatus, Ledger, LedgerRow
from ingest.linking import NearFinder
from ingest.media_types import detect_media_type
from ingest.near_copies import NearCopies, NearCopy
from ingest.originals import Originals
from ingest.table_check import check_tables
from retrieval.index import EmbeddedDocument

UPLOAD_PREFIX = "upload:"


@dataclass(frozen=True, slots=True)
class Published:
    """What stands in the index. `owner` is the uri that the chunks name; `warnings` name
    what was left out, was not read or is doubtful, as pairs of a code and words. No chunks: it
    is linked to another document that it nearly is. `near` is that document, or one that it
    only resembles; `signature` is there when the version was just parsed."""

    title: str
    owner: str
    chunks: int
    pages: int
    warnings: tuple[tuple[str, str], ...] = ()
    tables: int = 0
    signature: Signature | None = None
    near: NearCopy | None = None
    figures: int = 0
    is_fresh: bool = False
    """It was just parsed: without a signature there is none."""

    @property
    def told(self) -> "Published":
        """With what the report says of `near`; the ledger does not keep that, since the other
        document may go or get another name."""
        return replace(self, warnings=(*self.warnings, self.near.warning)) if self.near else self


@dataclass(frozen=True, slots=True)
class CutDocument:
    """A version that is parsed and cut, as its holders want it, its tables and
    pictures kept: ready for
    the embedder. Without chunks when it shall be linked to another one."""

    document: Document
    chunks: tuple[Chunk, ...]
    pages: int
    warnings: tuple[tuple[str, str], ...] = ()
    tables: int = 0
    signature: Signature | None = None
    figures: int = 0

    @property
    def published(self) -> Published:
        """What will stand in the index."""
        about = (self.document.title, self.document.uri, len(self.chunks), self.pages)
        return Published(*about, self.warnings, self.tables, self.signature, None, self.figures, True)


class Publisher:
    """Has stored originals read and cut, and writes them to the index."""

    def __init__(
        self,
        ledger: Ledger,
        index: DocumentIndex,
        originals: Originals,
        engine: IngestEngine,
        settings: IngestSettings,
        context_lines: ContextLines | None = None,
    ) -> None:
        self._context_lines = context_lines
        self._ledger = ledger
        self._index = index
        self._originals = originals
        self._engine = engine
        self.near_copies = NearCopies(ledger)
        self.finder = NearFinder(self.near_copies, settings)

    def publish_whole(self, collection: str, document_id: str) -> Published | None:
        """As `publish`, and never as a link to another document."""
        return self.publish(collection, document_id, may_link=False)

    def publish(self, collection: str, document_id: str, may_link: bool = True) -> Published | None:
        """Writes the version as its holders want it, or removes it when none holds it. With
        `may_link` what is nearly another document may be left out: then it has no chunks.

        All its holders have the same readers, since these are part of its id
        (`document_id_of`), so the uri and title of one may be shown to the others.

        Raises:
            FileError: it cannot be parsed or is too long (`too_large`): the index is as it
                was; or the index refuses one of its chunks (`refused`).
            StoreError: the index does not answer.
        """
        cut = self.cut(collection, document_id, may_link)
        if cut is None:
            self._index.remove_document(collection, document_id)
            return None
        if not cut.chunks:
            return cut.published
        [failure] = self.write(collection, self.embed([cut]))
        if failure is not None:
            raise failure
        return cut.published

    def take_out(self, collection: str, document_id: str) -> None:
        """Removes a version that shall be linked to another one."""
        self._index.remove_document(collection, document_id)

    def cut(
        self,
        collection: str,
        document_id: str,
        may_link: bool = True,
        holders: Sequence[LedgerRow] | None = None,
    ) -> CutDocument | None:
        """Parses, cleans and cuts a version, and keeps its tables and pictures; None when nothing
        holds it. `holders` are given by who has just read them.
        Raises FileError."""
        holders = self._ledger.holding(collection, document_id) if holders is None else holders
        if not holders:
            return None
        owner = _owner_of(holders)
        path = self._stored_copy(document_id)
        media_type = detect_media_type(path, name_of(owner.uri))
        document = _document(owner, document_id, media_type, name_of(owner.uri))
        order = CutOrder(path.absolute(), document, name_of(owner.uri), title_of(holders))
        made = self._engine.cut(order)
        if may_link and self._is_link(replace(owner, document_id=document_id), made.signature):
            return CutDocument(made.document, (), made.pages, made.warnings, 0, made.signature)
        # Before the chunks: what can be found has its structure. The row is `writing`, so after
        # a kill the next run does both again.
        counts = self._index.write_tables(made.document, made.tables)
        figures = self._index.write_figures(made.document, made.figures)
        warnings = (*made.warnings, *check_tables(made.table_elements, counts))
        chunks = made.chunks
        if self._context_lines is not None:
            situated = self._context_lines.situate(made.document, chunks)
            chunks = situated.chunks
            warnings = (*warnings, situated.warning) if situated.warning else warnings
        if chunks and (warning := self._index.prepare_graph(made.document, chunks)):
            warnings = (*warnings, warning)
        return CutDocument(made.document, chunks, made.pages, warnings, len(counts), made.signature, figures)

    def _is_link(self, row: LedgerRow, signature: Signature | None) -> bool:
        """Whether a version need not be embedded; whether it is linked is settled at its end."""
        near = self.finder.find(row, signature) if signature and self.finder.links else None
        return near is not None and near.linked

    def embed(self, cut: Sequence[CutDocument]) -> list[EmbeddedDocument]:
        """Vectors for versions of one collection, in batches across them."""
        return self._index.embed([(one.document, one.chunks) for one in cut])

    def write(self, collection: str, embedded: Sequence[EmbeddedDocument]) -> list[FileError | None]:
        """Writes versions with one flush; for each of them None, or why the index refuses it.

        Raises:
            StoreError: the index does not answer. Any of them may be there or not.
        """
        # The ids of chunks are counted from 0, so a shorter version under the same ids would
        # leave the old tail. A kill after it is removed loses nothing: the row that made us
        # come here is `writing`, so the next run writes the version again.
        written = [e for e in embedded if e.chunks]
        stale = self._may_leave_stale(collection, written)
        try:
            if written:
                self._index.write_embedded(collection, written, stale)
        except (NotFoundError, ConflictError):
            raise  # of the whole collection
        except InputError as exc:
            if len(embedded) == 1:
                return [FileError(f"the index refuses it: {exc.message}", code="refused", remedy=exc.remedy)]
            return [self.write(collection, [one])[0] for one in embedded]
        self._name_owners(collection, [one.document for one in written])
        return [None] * len(embedded)

    def copy(self, wanted: LedgerRow, source: LedgerRow) -> Published | None:
        """Gives the chunks that stand for `source` the id, uri and readers of `wanted`, without
        parsing and embedding; None when they are not all there, or were embedded with a name
        that the file no longer has."""
        if not source.chunks or not self._keeps_title(source, wanted.uri):
            return None
        document = _document(wanted, wanted.document_id, wanted.media_type, source.title)
        if self._index.copy_document(document, source.document_id) != source.chunks:
            return None
        self._name_owners(document.collection, [document])
        about = (source.title, wanted.uri, source.chunks, source.pages)
        return Published(*about, source.warnings, source.tables, figures=source.figures)

    def hand_over(
        self, collection: str, document_id: str, left_by: str, ended: Mapping[str, LedgerRow]
    ) -> bool:
        """Lets the chunks of a version name another holder, now that the uri `left_by` no
        longer holds it. `ended` are rows, by uri, whose version is in the index and which are
        about to be marked `done`. False when the chunks must be made anew, or removed."""
        holders = [ended.get(row.uri, row) for row in self._ledger.holding(collection, document_id)]
        done = [row for row in holders if row.status is FileStatus.DONE]
        if not done:
            return False
        owner = _owner_of(done)
        if not owner.chunks:  # linked to another document: there are none
            self._name_owners(collection, [_document(owner, document_id, owner.media_type, owner.title)])
            return True
        return self.copy(owner, replace(owner, uri=left_by)) is not None

    @staticmethod
    def _keeps_title(source: LedgerRow, uri: str) -> bool:
        """A title that is the file's name is part of what was embedded."""
        old, new = (Path(name_of(name)).stem for name in (source.uri, uri))
        return old == new or source.title != old

    def _may_leave_stale(self, collection: str, written: Sequence[EmbeddedDocument]) -> list[str]:
        """Of which versions the index may hold chunks beyond the last one now written.

        A row of a version that was never begun before says so: it is not in `previous_ids`.
        Nor is it there for another row that has just left the version."""
        holders = self._ledger.holding_many(collection, [one.document.id for one in written])
        # A row that is written anew has a number of chunks too, of a cut that may be another.
        known = {i: [row for row in rows if row.status is FileStatus.DONE] for i, rows in holders.items()}
        replaced = set() if all(known.values()) else self._ledger.replaced(collection)
        stale = []
        for one in written:
            rows, document_id = known[one.document.id], one.document.id
            is_longer = any(row.chunks > len(one.chunks) for row in rows)
            stale += [document_id] if is_longer or (not rows and document_id in replaced) else []
        return stale

    def _stored_copy(self, document_id: str) -> Path:
        try:
            return self._originals.path(document_id)
        except NotFoundError as exc:
            raise FileError(exc.message, code="original_missing", remedy=exc.remedy) from exc

    def _name_owners(self, collection: str, documents: Sequence[Document]) -> None:
        holders = self._ledger.holding_many(collection, [document.id for document in documents])
        changed = []
        for document in documents:
            for row in holders[document.id]:
                is_copy = row.uri != document.uri and row.readers == document.readers
                duplicate_of = document.uri if is_copy else ""
                if row.status is FileStatus.DONE and row.duplicate_of != duplicate_of:
                    changed.append(replace(row, duplicate_of=duplicate_of))
        if changed:
            self._ledger.amend(changed)


def _owner_of(holders: Sequence[LedgerRow]) -> LedgerRow:
    """The oldest. Ledgers from before readers were part of an id may have others beside a
    public one, until their next ingest: then the public one, whose name hurts nobody."""
    return min(holders, key=lambda row: EVERYONE not in row.readers)


def name_of(uri: str) -> str:
    """The file name in a uri; of a web address without one its host."""
    if "://" not in uri[:20]:
        return uri.removeprefix(UPLOAD_PREFIX).rsplit("/", 1)[-1]
    parts = urlsplit(uri)
    return unquote(parts.path.rstrip("/").rsplit("/", 1)[-1]) or parts.netloc


def _document(owner: LedgerRow, document_id: str, media_type: str, title: str) -> Document:
    return Document(
        id=document_id,
        uri=owner.uri,
        title=title,
        media_type=media_type,
        size_bytes=owner.size_bytes,
        collection=owner.collection,
        readers=owner.readers,
        meta=dict(owner.meta),
    )
