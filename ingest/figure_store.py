"""The pictures of documents, as files that are named by what is in them.

`<folder>/<collection>/<document id>/<digest>.png` or `.jpg`. Knows nothing of chunks, of the
ledger or of who may read: who asks for a picture has asked for its document first.
"""

import re
from collections.abc import Iterable
from pathlib import Path

from core.errors import NotFoundError, StoreError
from core.types import PICTURE_SUFFIXES, Document, Figure, picture_name
from ingest.version_folders import VersionFolders, write_durably

_NAME = re.compile(r"[0-9a-f]{32}\.(?:png|jpg)")
_TYPES = {suffix: media_type for media_type, suffix in PICTURE_SUFFIXES.items()}


class FigureStore:
    """Writes, finds and removes the pictures of document versions. Every write is on disk when
    it returns, and the same write again ends in the same state.

    Raises:
        StoreError: from every method, when the disk does not do it.
    """

    def __init__(self, folder: Path) -> None:
        self._folders = VersionFolders(folder, "pictures")

    def write_document(self, document: Document, figures: Iterable[Figure]) -> int:
        """Writes all pictures of a document version, replacing those it had; returns how many
        there are, each counted once."""
        named = {figure.name: figure.data for figure in figures}
        return self._write(document.collection, document.id, named)

    def copy_document(self, document: Document, source_id: str) -> int:
        """Gives the pictures that stand under `source_id` to `document` too."""
        place = self._folders.of_version(document.collection, source_id)
        if document.id == source_id:
            return len(_names(place))
        named = {name: _read(place / name) for name in _names(place)}
        return self._write(document.collection, document.id, named)

    def remove_document(self, collection: str, document_id: str) -> bool:
        """Forgets the pictures of a document version; False when there were none."""
        return self._folders.remove(self._folders.of_version(collection, document_id))

    def drop_collection(self, collection: str) -> bool:
        """Forgets all pictures of a collection; False when there was none."""
        return self._folders.remove(self._folders.of_collection(collection))

    def count_figures(self, collection: str) -> dict[str, int]:
        """Pictures of each document id that has any; those that are damaged do not count."""
        return self._folders.count(collection, lambda place: sum(_is_sound(place / n) for n in _names(place)))

    def read(self, collection: str, document_id: str, name: str) -> Figure:
        """A picture by its name; its size is not looked at and given as 0.

        Raises:
            NotFoundError: there is none of that name.
        """
        path = self._folders.of_version(collection, document_id) / name
        if not _NAME.fullmatch(name) or not path.is_file():
            raise NotFoundError(f"there is no picture {name[:40]!r} in document {document_id[:12]}")
        return Figure(_read(path), _TYPES[path.suffix], 0, 0)

    def _write(self, collection: str, document_id: str, named: dict[str, bytes]) -> int:
        place = self._folders.of_version(collection, document_id)
        if not named:
            self._folders.remove(place)
            return 0
        with self._folders.changing(place):
            for name, data in named.items():
                if not _is_sound(place / name):
                    write_durably(place / name, lambda out, data=data: out.write(data))
            for path in place.iterdir():
                if path.name not in named:
                    path.unlink()
        return len(named)


def _names(place: Path) -> list[str]:
    found = place.iterdir() if place.is_dir() else ()
    return sorted(path.name for path in found if _NAME.fullmatch(path.name))


def _is_sound(path: Path) -> bool:
    return path.is_file() and picture_name(_read(path), _TYPES[path.suffix]) == path.name


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as exc:
        raise StoreError(
            f"the picture {path} cannot be read: {exc.strerror or exc}", remedy="run: attest verify --repair"
        ) from exc
