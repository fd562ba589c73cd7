"""A folder for each document version: `<root>/<collection>/<document id>`; a collection's folder
is named by a digest, since its name may hold any character. Knows nothing of what is in them."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from core.errors import NotFoundError, StoreError
from ingest.durable import sync_folder

_HEX = frozenset("0123456789abcdef")


class VersionFolders:
    """Places of files that belong to document versions; `what` is what they are, for messages.

    Raises:
        StoreError: from every method that changes something, when the disk does not do it.
    """

    def __init__(self, root: Path, what: str) -> None:
        self.root = root
        self._what = what

    def of_collection(self, collection: str) -> Path:
        """Where the versions of a collection lie; it need not be there."""
        return self.root / hashlib.sha256(collection.encode()).hexdigest()[:32]

    def of_version(self, collection: str, document_id: str) -> Path:
        """Where the files of a version lie; it need not be there. Raises NotFoundError for what
        is no document id."""
        if len(document_id) != 64 or not set(document_id) <= _HEX:
            raise NotFoundError(f"{document_id!r} is not a document id")
        return self.of_collection(collection) / document_id

    @contextmanager
    def changing(self, place: Path) -> Iterator[Path]:
        """The folder of a version, made; what happened in it within is on disk behind it."""
        try:
            place.mkdir(parents=True, exist_ok=True, mode=0o700)
            yield place
            for folder in (place, place.parent, self.root, self.root.parent):
                sync_folder(folder)
        except OSError as exc:
            raise self._failed(place, exc) from exc

    def remove(self, folder: Path) -> bool:
        """Removes a folder with all that is in it; False when there was none."""
        if not folder.is_dir():
            return False
        try:
            shutil.rmtree(folder)
            sync_folder(folder.parent)
        except OSError as exc:
            raise self._failed(folder, exc) from exc
        return True

    def count(self, collection: str, count_in: Callable[[Path], int]) -> dict[str, int]:
        """What `count_in` counts for each version of a collection; those with something."""
        folder = self.of_collection(collection)
        if not folder.is_dir():
            return {}
        counts = {place.name: count_in(place) for place in folder.iterdir()}
        return {name: count for name, count in sorted(counts.items()) if count}

    def _failed(self, place: Path, exc: OSError) -> StoreError:
        return StoreError(
            f"the {self._what} in {place} cannot be changed: {exc.strerror or exc}",
            remedy="run: attest doctor",
        )


def write_durably(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """A temporary file beside the place, synced and renamed: never half a file."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    try:
        with os.fdopen(handle, "wb") as out:
            write(out)
            out.flush()
            os.fsync(out.fileno())
        os.replace(name, path)
    finally:
        Path(name).unlink(missing_ok=True)
