"""What is kept of texts beside the index, and goes when the present settings would not keep it.

Context lines, what a model said of entities, summaries of communities and signatures of near copies are
made of the text of documents. They go when their feature is turned off; and while personal data is masked
also those of versions that were read by other settings, since these may have been made before. Knows
ledger, lines and signatures.
"""

from collections.abc import Callable, Iterator

from sqlalchemy import column, select, table

from core.settings import IngestSettings
from ingest.document_index import DocumentIndex
from ingest.ledger import FileStatus, Ledger
from ingest.near_copies import NearCopies
from ingest.verify import Fault

_NAMES = ("document_id", "media_type", "fingerprint", "status", "chunks", "previous_ids")
_FILES = table("ingest_files", column("collection"), *(column(name) for name in _NAMES))
"""What is read of the ledger's table: whole rows of a large collection would fill the memory."""


class Leftovers:
    """Finds and removes them, collection by collection. The caller keeps writers away meanwhile."""

    def __init__(
        self,
        ledger: Ledger,
        index: DocumentIndex,
        near: NearCopies,
        settings: IngestSettings,
        fingerprint: Callable[[str], str],
    ) -> None:
        """`fingerprint` is that of the present settings for a kind of file."""
        self._ledger = ledger
        self._index = index
        self._near = near
        self._keeps_lines = settings.context_line != "off"
        self._keeps_replies = settings.entities == "model"
        self._keeps_communities = settings.entities != "off" and settings.communities != "off"
        self._keeps_signatures = settings.near_duplicates != "off"
        self._masks = settings.pii == "mask"
        self._fingerprint = fingerprint

    def find(self, collection: str) -> dict[str, list[str]]:
        """Versions of which something is kept that should not be, by part: `lines`, `replies`,
        `communities`, `signatures`."""
        kept = {
            "lines": (self._index.documents_with_lines, self._keeps_lines),
            "replies": (self._index.documents_with_replies, self._keeps_replies),
            "communities": (self._index.documents_in_communities, self._keeps_communities),
            "signatures": (self._near.signed, self._keeps_signatures),
        }
        wanted = self._read_now(collection) if self._masks else None
        found = {}
        for part, (versions_of, is_on) in kept.items():
            if is_on and wanted is None:
                continue
            if needless := sorted(versions_of(collection) - (wanted or set() if is_on else set())):
                found[part] = needless
        return found

    def remove(self, collection: str) -> dict[str, list[str]]:
        """Removes what `find` finds; returns that. What stands for a linked file is still known."""
        found = self.find(collection)
        self._index.forget_lines(collection, found.get("lines", ()))
        self._index.forget_replies(collection, found.get("replies", ()))
        self._index.forget_communities(collection, found.get("communities", ()))
        self._near.forget_signatures(collection, found.get("signatures", ()))
        return found

    def faults(self, collection: str, repair: bool) -> list[Fault]:
        """One for each part of which something is kept that should not be."""
        found = self.remove(collection) if repair else self.find(collection)
        return [
            Fault("leftover", part, collection, "", detail=f"of {len(ids)} documents", repaired=repair)
            for part, ids in found.items()
        ]

    def _read_now(self, collection: str) -> set[str]:
        """Versions of which all that is kept was made by the present settings."""
        fingerprints: dict[str, str] = {}
        wanted = set()
        for document_id, kind, fingerprint in self._readings(collection):
            if kind and kind not in fingerprints:  # none: it was refused unread
                fingerprints[kind] = self._fingerprint(kind)
            if kind and fingerprint == fingerprints[kind]:
                wanted.add(document_id)
        return wanted

    def _readings(self, collection: str) -> Iterator[tuple[str, str, str]]:
        """Newest versions with kind of file and the fingerprint by which all that is kept of them
        was made; without those that were whole once and now are read again."""
        chosen = select(*(_FILES.c[name] for name in _NAMES)).where(_FILES.c.collection == collection)
        with self._ledger.transaction() as connection:
            for document_id, kind, fingerprint, status, chunks, previous in connection.execute(chosen):
                if status == FileStatus.DONE or not (chunks and document_id in previous):
                    yield document_id, kind, fingerprint
