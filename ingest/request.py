"""What one call wants of its files, and the ledger rows that say so.

Knows names, readers and versions; knows nothing of the index.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from core.errors import InputError
from core.types import EVERYONE
from ingest.discover import Candidate, FoundFile, RefusedFile
from ingest.ledger import FileStatus, LedgerRow
from ingest.publish import UPLOAD_PREFIX, name_of
from ingest.searched import published_in
from ingest.versions import document_id_of, normalise_readers


@dataclass(frozen=True)
class IngestRequest:
    """What to do with the files of one call. Readers are normalised.

    `root`: links that lead out of it are refused (default: the folder given).
    `fetched`: copies of what lies at web addresses, or why there are none.
    `is_cancelled`: asked before more files are taken in; those taken in come to their end.
    `prune`: what has vanished from the given folders is removed.
    `names`: display names of uploads by path; such a file gets the uri `upload:<name>`.
    `amended`: what `ingest.amended.standing_request` leaves of amendments, of one file.

    Raises:
        InputError: no reader is given, too many, or one that is not a name.
    """

    collection: str
    readers: tuple[str, ...] = (EVERYONE,)
    meta: Mapping[str, str] = field(default_factory=dict)
    dry_run: bool = False
    retry_failed: bool = False
    force: bool = False
    root: Path | None = None
    prune: bool = False
    is_cancelled: Callable[[], bool] = lambda: False
    names: Mapping[Path, str] = field(default_factory=dict)
    fetched: tuple[Candidate, ...] = ()
    amended: Mapping = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "readers", normalise_readers(self.readers))


def named(candidate: Candidate, request: IngestRequest) -> Candidate:
    """An upload is known by the name that its sender gave, without any folder in it."""
    for path, name in request.names.items():
        if path.resolve() == candidate.path.resolve():
            plain = "".join(c for c in PurePosixPath(name.replace("\\", "/")).name if c.isprintable())
            if not plain or plain in (".", ".."):
                raise InputError(f"{name!r} is not a file name", remedy="give the upload a name")
            return replace(candidate, uri=f"{UPLOAD_PREFIX}{plain}", name=plain)
    return candidate


def version_of(found: FoundFile | RefusedFile, request: IngestRequest) -> str:
    """The id of the document; empty when the file could not even be hashed."""
    return document_id_of(found.sha256, request.readers) if found.sha256 else ""


def wanted_row(
    row: LedgerRow | None, found: FoundFile | RefusedFile, request: IngestRequest, fingerprint: str
) -> LedgerRow:
    """The row as this run begins to write it, with every version that may be in the index."""
    document_id = version_of(found, request)
    previous: tuple[str, ...] = ()
    chunks = 0
    if row is not None:
        chunks = row.chunks if row.document_id == document_id else 0
        in_index = bool(row.document_id) and row.status in (FileStatus.DONE, FileStatus.WRITING)
        previous = tuple(dict.fromkeys((*row.previous_ids, *((row.document_id,) if in_index else ()))))
    return LedgerRow(
        collection=request.collection,
        uri=found.uri,
        document_id=document_id,
        title=name_of(found.uri),
        media_type=found.media_type if isinstance(found, FoundFile) else "",
        size_bytes=found.size_bytes,
        status=FileStatus.WRITING,
        readers=request.readers,
        meta=dict(request.meta),
        fingerprint=fingerprint,
        chunks=chunks,
        attempts=row.attempts + 1 if row and row.document_id == document_id else 1,
        previous_ids=previous,
        sha256=found.sha256,
        published=published_in(row),
        amended=request.amended,
        signature=found.signature if isinstance(found, FoundFile) else "",
        created_at=row.created_at if row else "",
    )
