"""A collection's index made anew, from its own chunks or from the stored originals.

Knows which parts do it and that one process writes at a time; knows nothing of terminals.
"""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from app.library import Library
from app.services import Services

if TYPE_CHECKING:
    from ingest.report import Progress


class Rebuilding:
    """Rebuilds collections of one data directory. Searches go on meanwhile."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._library = Library(services)

    def embed_again(self, collection: str, on_progress: Callable[[int, int], None]) -> dict:
        """Every chunk gets a vector of the embedder that the settings name; text, readers and
        lexical statistics stay. `on_progress` hears of chunks done and in all.

        Raises:
            NotFoundError: there is no such collection.
            ModelFileError: the embedder's weights are missing.
        """
        self._library.require_collection(collection)
        started = time.monotonic()
        with self._services.write_lock:
            index = self._services.index()
            done = index.reembed(collection, on_progress)
            self._services.entity_graph().index.reembed(collection)
            # Else the next ingest would do every file again.
            files = self._services.ingestor().note_reembedded(collection, done.former)
        return {
            "collection": collection,
            "chunks": done.chunks,
            "documents": files,
            "embedder": index.fingerprint,
            "former_embedder": done.former,
            "seconds": round(time.monotonic() - started, 2),
        }

    def chunk_again(self, collection: str, on_progress: "Callable[[Progress], None]") -> dict:
        """Every file is parsed, cut and embedded again from its stored original, as
        `attest ingest --json` reports it, with `exit_code`.

        Raises:
            NotFoundError: there is no such collection.
            ConflictError: another embedder made it.
        """
        self._library.require_collection(collection)
        with self._services.write_lock:
            report = self._services.ingestor().rechunk(collection, on_progress)
        return {"collection": collection, **report.to_dict(), "exit_code": report.exit_code}
