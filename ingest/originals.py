"""The accepted files, kept under the id of their document: what is parsed, and what an
index can be rebuilt from. Knows nothing of what is in them, nor of who may read them."""

import hashlib
import os
import tempfile
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from core.errors import FileError, NotFoundError, StoreError
from ingest.durable import sync_folder
from ingest.workers import is_dead, is_here, own_name

_BLOCK_BYTES = 1 << 20
_DRAFTS = ".new"
_DRAFT_S = 3600.0
_SLASH = "+"


class Originals:
    """A folder of files named by document id, 64 hexadecimal digits: `<aa>/<id>`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.changing = threading.RLock()
        """Held from before a copy is kept until something says that it is needed, and while one
        that nothing needs is removed: an upload may be the same document as one that goes. It spares
        threads a second copy; of other processes `IngestQueue.forget_copies` knows."""

    def path(self, document_id: str) -> Path:
        """Where a file lies.

        Raises:
            NotFoundError: it is not kept here.
        """
        path = self._place(document_id)
        if not path.is_file():
            raise NotFoundError(
                f"the stored copy {document_id[:12]} is not there", remedy="ingest the file again"
            )
        return path

    def check(self, document_ids: Iterable[str]) -> None:
        """Raises NotFoundError when one of these is not kept here. They are opened: of a network
        drive the names alone may be remembered."""
        for document_id in document_ids:
            try:
                self._place(document_id).open("rb").close()
            except FileNotFoundError as exc:
                raise NotFoundError(
                    f"the stored copy {document_id[:12]} is gone", remedy="ingest the file again"
                ) from exc

    def sha256_of(self, document_id: str) -> str:
        """The hash of the bytes that are kept; empty when they are not kept here."""
        place = self._place(document_id)
        return _hash(place) if place.is_file() else ""

    def keep(self, source: Path, document_id: str, sha256: str) -> Path:
        """Copies a file of that hash in; on disk for good when it returns. Twice is once.

        Raises:
            FileError: `changed`, when its bytes are no longer those of the hash; `unreadable`,
                when it is gone or may not be read any more.
            StoreError: the disk does not take it.
        """
        place = self._place(document_id)
        if place.is_file() and _hash(place) == sha256:
            return place
        try:
            file = source.open("rb")
        except OSError as exc:
            raise FileError(f"it cannot be opened: {exc.strerror}", retryable=True) from exc
        try:
            with file:
                place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                self._copy(file, place, sha256)
        except OSError as exc:
            raise StoreError(
                f"{source} cannot be copied to {place.parent}: {exc.strerror}", remedy="run: attest doctor"
            ) from exc
        return place

    def remove(self, document_id: str) -> bool:
        """Forgets a file; False when it was not kept."""
        place = self._place(document_id)
        existed = place.is_file()
        place.unlink(missing_ok=True)
        return existed

    def sweep(self) -> None:
        """Removes what processes that are gone had copied half; of another machine's, which cannot
        be seen, what is older than an hour."""
        for draft in (self._folder / _DRAFTS).glob("*"):
            worker = draft.name.replace(_SLASH, "/")
            if is_dead(worker) or (not is_here(worker) and _age_s(draft) > _DRAFT_S):
                draft.unlink(missing_ok=True)

    def names(self) -> list[str]:
        """The names of all files that lie here: document ids, and what a kill left half-copied."""
        return sorted(path.name for path in self._folder.glob("*/*") if path.is_file())

    def set_aside(self, name: str) -> None:
        """Moves one of `names` to a folder beside this one. It is not deleted: with a ledger that
        was lost, or is older than the files, this may be the only copy of an upload."""
        aside = self._folder.with_name(f"{self._folder.name}-set-aside")
        aside.mkdir(exist_ok=True, mode=0o700)
        for path in self._folder.glob("*/*"):
            if path.name == name:
                path.replace(aside / name)

    def _place(self, document_id: str) -> Path:
        if len(document_id) != 64 or not set(document_id) <= set("0123456789abcdef"):
            raise NotFoundError(f"{document_id!r} is not a document id")
        return self._folder / document_id[:2] / document_id

    def _copy(self, file: BinaryIO, place: Path, sha256: str) -> None:
        """A temporary file on the same disk, synced and renamed: never half a file."""
        drafts = self._folder / _DRAFTS
        drafts.mkdir(exist_ok=True, mode=0o700)
        handle, name = tempfile.mkstemp(dir=drafts, prefix=own_name().replace("/", _SLASH) + "-")
        try:
            digest = hashlib.sha256()
            with os.fdopen(handle, "wb") as out:
                while block := file.read(_BLOCK_BYTES):
                    digest.update(block)
                    out.write(block)
                out.flush()
                os.fsync(out.fileno())
            if digest.hexdigest() != sha256:
                raise FileError("it changed while it was read", code="changed", retryable=True)
            os.replace(name, place)
        finally:
            Path(name).unlink(missing_ok=True)
        for folder in (place.parent, place.parent.parent):
            sync_folder(folder)


def _age_s(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
