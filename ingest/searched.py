"""Which version of a file is searched while a newer one is on its way.

The row of a file tells of its newest version. What it said of the version that is in the index
is kept in it (`LedgerRow.published`) until the newer one has taken its place. Pure.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from ingest.ledger import FileStatus, LedgerRow

_FACTS = (
    "document_id",
    "title",
    "media_type",
    "size_bytes",
    "readers",
    "meta",
    "fingerprint",
    "chunks",
    "pages",
    "warnings",
    "tables",
    "figures",
    "sha256",
    "duplicate_of",
    "updated_at",
)
_NEWER = {FileStatus.WRITING: "waiting", FileStatus.FAILED: "failed"}


def published_in(row: LedgerRow | None) -> Mapping:
    """What is to be kept of the version that a row says is in the index, as its next one begins."""
    if row is None:
        return {}
    return {name: getattr(row, name) for name in _FACTS} if row.status is FileStatus.DONE else row.published


def begun(row: LedgerRow) -> LedgerRow:
    """A row whose version is to be written, and may be in the index already: whole, when the row has a
    number of chunks, else in part."""
    own = (row.document_id,) if row.document_id else ()
    previous = tuple(dict.fromkeys((*row.previous_ids, *own)))
    return replace(row, status=FileStatus.WRITING, previous_ids=previous, published=published_in(row))


def searched(rows: Iterable[LedgerRow]) -> list[LedgerRow]:
    """The rows as of the versions that are in the index, those that have one. Where a newer one
    failed, code and reason are of that."""
    return [view for row in rows if (view := _view(row)) is not None]


def newer_of(row: LedgerRow) -> str:
    """Of a row that `searched` gave: `waiting` or `failed` as its newer version is, else empty."""
    return str(row.published.get("newer", ""))


def _view(row: LedgerRow) -> LedgerRow | None:
    if row.status is FileStatus.DONE:
        return row
    known = row.published
    if row.status not in _NEWER or known.get("document_id") not in row.previous_ids:
        return None
    values = {name: known[name] for name in _FACTS if name in known}
    values["readers"] = tuple(values["readers"])
    values["warnings"] = tuple((code, words) for code, words in values["warnings"])
    newer = {"newer": _NEWER[row.status]}
    return replace(row, status=FileStatus.DONE, previous_ids=(), published=newer, **values)
