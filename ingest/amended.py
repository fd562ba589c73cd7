"""What people have said of a document beside its file: another title, other readers, other notes.

A row holds what is so now in `readers` and `meta`. Its `amended` holds the title that was given, and what
the ingestion had said of readers and notes before they were changed: as long as ingestions say the same,
the amendment stands; one that says something else is the newer word. Pure.
"""

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from core.errors import InputError
from ingest.ledger import LedgerRow
from ingest.versions import normalise_readers

if TYPE_CHECKING:
    from ingest.request import IngestRequest

MAX_TITLE_CHARS = 300
MAX_NOTES = 50
MAX_NOTE_CHARS = 2000
_NO_WRITING = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))


@dataclass(frozen=True, slots=True)
class Amendment:
    """What shall be otherwise; None leaves it as it is. An empty `title` is the file's own again; in `meta`
    a note without words goes, and those that are not named stay (RFC 7396).

    Raises:
        InputError: a title, reader or note cannot be so.
    """

    title: str | None = None
    readers: tuple[str, ...] | None = None
    meta: Mapping[str, str | None] | None = None

    def __post_init__(self) -> None:
        if self.title is not None:
            object.__setattr__(self, "title", _one_line(self.title, "title", MAX_TITLE_CHARS))
        if self.readers is not None:
            object.__setattr__(self, "readers", normalise_readers(self.readers))
        for name, words in (self.meta or {}).items():
            if not _one_line(name, "name of a note", MAX_TITLE_CHARS):
                raise InputError("a note has no name", remedy="write NAME=WORDS")
            _one_line(words or "", f"note {name!r}", MAX_NOTE_CHARS)

    def changed(self, row: LedgerRow) -> LedgerRow:
        """The row with other readers and notes, and with what the ingestion had said of them."""
        meta = dict(row.meta)
        for name, words in (self.meta or {}).items():
            meta.pop(name, None)
            meta |= {name: words} if words else {}
        if len(meta) > MAX_NOTES:
            raise InputError(f"more than {MAX_NOTES} notes", remedy="remove some")
        now = {"readers": list(row.readers if self.readers is None else self.readers), "meta": meta}
        said = _said(row) | {name: value for name, value in row.amended.items() if name in now}
        amended = {name: said[name] for name in now if now[name] != said[name]}
        amended |= {"title": row.amended["title"]} if "title" in row.amended else {}
        return replace(row, readers=tuple(now["readers"]), meta=meta, amended=amended)

    def titled(self, row: LedgerRow) -> LedgerRow:
        """The row with another title, or with that of its file again when it is read next."""
        amended = {name: value for name, value in row.amended.items() if name != "title"}
        return replace(row, amended=amended | ({"title": self.title} if self.title else {}))


def standing_request(row: LedgerRow | None, request: "IngestRequest") -> "IngestRequest":
    """What an ingestion wants of a file, after what people have said of it since."""
    if row is None or not row.amended:
        return request
    said = _said(request)
    left = {name: value for name, value in row.amended.items() if said.get(name, value) == value}
    kept = {name: getattr(row, name) for name in said if name in left}
    return replace(request, amended=left, **kept)


def title_of(holders: Iterable[LedgerRow]) -> str:
    """The title that was given to a version by one of its rows; empty when none was."""
    return next((row.amended["title"] for row in holders if "title" in row.amended), "")


def _said(of: "LedgerRow | IngestRequest") -> dict:
    return {"readers": list(of.readers), "meta": dict(of.meta)}


def _one_line(text: str, what: str, max_chars: int) -> str:
    """Raises InputError for what is too long, over several lines or not valid Unicode."""
    text = text.strip()
    if len(text) > max_chars or any(unicodedata.category(char) in _NO_WRITING for char in text):
        raise InputError(
            f"the {what} has more than {max_chars} characters, line breaks, or what is no writing",
            remedy="write one shorter line",
        )
    return text
