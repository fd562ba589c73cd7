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
from ingest.chunker import ChunkLimits, chunk_elements
from ingest.describing import FigureDescriber
from ingest.document_index import DocumentIndex
from ingest.ledger import FileStatus, Ledger, LedgerRow
from ingest.media_types import detect_media_type
from ingest.originals import Originals
from ingest.parsing import ParsedFile, ParserRunner
from ingest.table_check import check_tables, placed_tables
from retrieval.index import EmbeddedDocument

UPLOAD_PREFIX = "upload:"
_MAX_CHARS_PER_TOKEN = 16
_MANY_CHARS_PER_TOKEN = 8
"""More than a token of any ordinary text has (English 4 to 5, Chinese 1 to 2), so that the
estimate made with it refuses no file that the count would let pass."""


@dataclass(frozen=True, slots=True)
class Published:
    """What stands in the index. `owner` is the uri that the chunks name; `warnings` name
    what was left out, was not read or is doubtful, as pairs of a code and words."""

    title: str
    owner: str
    chunks: int
    pages: int
    warnings: tuple[tuple[str, str], ...] = ()
    tables: int = 0
    figures: int = 0


@dataclass(frozen=True, slots=True)
class CutDocument:
    """A version that is parsed and cut, as its holders want it, its tables and pictures kept:
    ready for the embedder."""

    document: Document
    chunks: tuple[Chunk, ...]
    pages: int
    warnings: tuple[tuple[str, str], ...] = ()
    tables: int = 0
    figures: int = 0

    @property
    def published(self) -> Published:
        """What will stand in the index."""
        about = (self.document.title, self.document.uri, len(self.chunks), self.pages)
        return Published(*about, self.warnings, self.tables, self.figures)


class Publisher:
    """Parses stored originals, cuts them and writes them to the index."""

    def __init__(
        self,
        ledger: Ledger,
        index: DocumentIndex,
        originals: Originals,
        runner: ParserRunner,
        settings: IngestSettings,
        describer: FigureDescriber,
    ) -> None:
        self._ledger = ledger
        self._index = index
        self._originals = originals
        self._runner = runner
        self._describer = describer
        self._limits = ChunkLimits(settings.chunk_tokens, settings.overlap_tokens)
        self._max_chunks = settings.max_chunks

    def publish(self, collection: str, document_id: str) -> Published | None:
        """Writes the version as its holders want it, or removes it when none holds it.

        All its holders have the same readers, since these are part of its id
        (`document_id_of`), so the uri and title of one may be shown to the others.

        Raises:
            FileError: it cannot be parsed or is too long (`too_large`): the index is as it
                was; or the index refuses one of its chunks (`refused`).
            StoreError: the index does not answer.
        """
        cut = self.cut(collection, document_id)
        if cut is None:
            self._index.remove_document(collection, document_id)
            return None
        [failure] = self.write(collection, self.embed([cut]))
        if failure is not None:
            raise failure
        return cut.published

    def cut(self, collection: str, document_id: str) -> CutDocument | None:
        """Parses and cuts a version, and keeps its tables and pictures; None when nothing holds it.
        Raises FileError."""
        holders = self._ledger.holding(collection, document_id)
        if not holders:
            return None
        owner = _owner_of(holders)
        path = self._stored_copy(document_id)
        media_type = detect_media_type(path, name_of(owner.uri))
        parsed = self._runner.parse(path, media_type)
        title = parsed.title(name_of(owner.uri))
        document = _document(owner, document_id, media_type, title)
        elements, undescribed = self._describer.describe(parsed.elements, title)
        parsed = replace(parsed, elements=elements, warnings=(*parsed.warnings, *undescribed))
        chunks = tuple(self._cut(document, parsed))
        # Before the chunks: what can be found has its structure. The row is `writing`, so after
        # a kill the next run does both again.
        counts = self._index.write_tables(document, placed_tables(parsed.elements))
        figures = self._index.write_figures(document, [e.figure for e in parsed.elements if e.figure])
        warnings = (*parsed.warnings, *check_tables(parsed.elements, counts))
        return CutDocument(document, chunks, parsed.pages, warnings, len(counts), figures)

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
        stale = [e.document.id for e in embedded if self._may_leave_stale(e)]
        try:
            self._index.write_embedded(collection, embedded, stale)
        except (NotFoundError, ConflictError):
            raise  # of the whole collection
        except InputError as exc:
            if len(embedded) == 1:
                return [FileError(f"the index refuses it: {exc.message}", code="refused", remedy=exc.remedy)]
            return [self.write(collection, [one])[0] for one in embedded]
        for one in embedded:
            self._name_owner(one.document)
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
        self._name_owner(document)
        about = (source.title, wanted.uri, source.chunks, source.pages)
        return Published(*about, source.warnings, source.tables, source.figures)

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
        return self.copy(owner, replace(owner, uri=left_by)) is not None

    @staticmethod
    def _keeps_title(source: LedgerRow, uri: str) -> bool:
        """A title that is the file's name is part of what was embedded."""
        old, new = (Path(name_of(name)).stem for name in (source.uri, uri))
        return old == new or source.title != old

    def _cut(self, document: Document, parsed: ParsedFile) -> list[Chunk]:
        """Estimated first: of a text of many megabytes the cutting alone takes minutes."""
        chars = sum(len(element.text) for element in parsed.elements)
        self._check_count(chars // (_MANY_CHARS_PER_TOKEN * self._limits.longest), "at least ")
        chunks = chunk_elements(document, parsed.elements, self._limits, self._count_tokens)
        self._check_count(len(chunks))
        return chunks

    def _check_count(self, chunks: int, about: str = "") -> None:
        if chunks > self._max_chunks:
            raise FileError(
                f"it would give {about}{chunks} chunks, the limit is {self._max_chunks}",
                code="too_large",
                remedy="split it, or raise ingest.max_chunks and ingest it with --retry-failed",
            )

    def _count_tokens(self, text: str) -> int:
        """By the embedder's tokenizer, but never so few that a chunk outgrows the store: of
        characters that it does not know, a whole page is one token."""
        least = len(text) // _MAX_CHARS_PER_TOKEN
        return least if least > self._limits.longest else max(least, self._index.count_tokens(text))

    def _may_leave_stale(self, embedded: EmbeddedDocument) -> bool:
        """Whether the index may hold chunks of this version beyond the last one now written.

        A row of a version that was never begun before says so: it is not in `previous_ids`.
        Nor is it there for another row that has just left the version."""
        document, chunks = embedded.document, len(embedded.chunks)
        holders = self._ledger.holding(document.collection, document.id)
        known = [row for row in holders if row.status is FileStatus.DONE or row.chunks > 0]
        if any(row.chunks > chunks for row in known):
            return True
        return not known and self._ledger.replacing(document.collection, document.id)

    def _stored_copy(self, document_id: str) -> Path:
        try:
            return self._originals.path(document_id)
        except NotFoundError as exc:
            raise FileError(exc.message, code="original_missing", remedy=exc.remedy) from exc

    def _name_owner(self, document: Document) -> None:
        for row in self._ledger.holding(document.collection, document.id):
            is_copy = row.uri != document.uri and row.readers == document.readers
            duplicate_of = document.uri if is_copy else ""
            if row.status is FileStatus.DONE and row.duplicate_of != duplicate_of:
                self._ledger.put(replace(row, duplicate_of=duplicate_of))


def _owner_of(holders: list[LedgerRow]) -> LedgerRow:
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
