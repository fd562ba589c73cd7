"""Makes the index agree with the ledger, one document version at a time.

A version belongs in the index while a ledger row holds it. `publish` is declarative and
idempotent: called again after a kill at any moment, it ends in the same state.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

from core.errors import ConflictError, FileError, InputError, NotFoundError
from core.settings import IngestSettings
from core.types import EVERYONE, Chunk, Document
from ingest.chunker import ChunkLimits, chunk_elements
from ingest.document_index import DocumentIndex
from ingest.ledger import FileStatus, Ledger, LedgerRow
from ingest.media_types import detect_media_type
from ingest.originals import Originals
from ingest.parsing import ParsedFile, ParserRunner
from ingest.table_check import check_tables, placed_tables

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


class Publisher:
    """Parses stored originals, cuts them and writes them to the index."""

    def __init__(
        self,
        ledger: Ledger,
        index: DocumentIndex,
        originals: Originals,
        runner: ParserRunner,
        settings: IngestSettings,
    ) -> None:
        self._ledger = ledger
        self._index = index
        self._originals = originals
        self._runner = runner
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
        holders = self._ledger.holding(collection, document_id)
        if not holders:
            self._index.remove_document(collection, document_id)
            return None
        owner = _owner_of(holders)
        path = self._stored_copy(document_id)
        media_type = detect_media_type(path, name_of(owner.uri))
        parsed = self._runner.parse(path, media_type)
        document = _document(owner, document_id, media_type, parsed.title(name_of(owner.uri)))
        chunks = self._cut(document, parsed)
        if self._may_leave_stale(holders, document_id, len(chunks)):
            # The ids of chunks are counted from 0, so a shorter version under the same ids
            # would leave the old tail. A kill after this line leaves none: the row that made
            # us come here is `writing`, so the next run writes them.
            self._index.remove_document(collection, document_id)
        warnings = (*parsed.warnings, *self._write(document, chunks, parsed))
        self._name_owner(holders, owner)
        return Published(document.title, owner.uri, len(chunks), parsed.pages, warnings)

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

    def _write(
        self, document: Document, chunks: Sequence[Chunk], parsed: ParsedFile
    ) -> list[tuple[str, str]]:
        """Returns warnings of cells that were lost on the way."""
        try:
            counts = self._index.write_document(document, chunks, placed_tables(parsed.elements))
        except (NotFoundError, ConflictError):
            raise  # of the whole collection
        except InputError as exc:
            raise FileError(
                f"the index refuses it: {exc.message}", code="refused", remedy=exc.remedy
            ) from exc
        return check_tables(parsed.elements, counts)

    def _count_tokens(self, text: str) -> int:
        """By the embedder's tokenizer, but never so few that a chunk outgrows the store: of
        characters that it does not know, a whole page is one token."""
        least = len(text) // _MAX_CHARS_PER_TOKEN
        return least if least > self._limits.longest else max(least, self._index.count_tokens(text))

    @staticmethod
    def _may_leave_stale(holders: list[LedgerRow], document_id: str, chunks: int) -> bool:
        """Whether the index may hold chunks of this version beyond the last one now written.

        A row of a version that was never begun before says so: it is not in `previous_ids`."""
        for row in holders:
            known = row.status is FileStatus.DONE or row.chunks > 0
            begun = known or document_id in row.previous_ids
            if (known and row.chunks > chunks) or (begun and not known):
                return True
        return False

    def _stored_copy(self, document_id: str) -> Path:
        try:
            return self._originals.path(document_id)
        except NotFoundError as exc:
            raise FileError(exc.message, code="original_missing", remedy=exc.remedy) from exc

    def _name_owner(self, holders: list[LedgerRow], owner: LedgerRow) -> None:
        for row in holders:
            duplicate_of = owner.uri if row.uri != owner.uri and row.readers == owner.readers else ""
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
