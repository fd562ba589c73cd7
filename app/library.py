"""What can be done with documents and passages, for REST and the command line alike.

Knows visibility, collections and the one writer; knows nothing of HTTP or terminals.
Every method is synchronous and gives what is shown, as plain JSON values.
"""

import re
import shlex
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.asking import check_question
from app.rendering import render_document, render_duplicate, render_failure, render_search
from app.search_filter import conditions_of
from app.services import Services
from core.errors import AccessError, BusyError, ConflictError, NotFoundError
from core.types import EVERYONE, Figure, Scope
from retrieval.filters import check_name

if TYPE_CHECKING:
    from ingest.discover import Candidate
    from ingest.intake import Taken
    from ingest.ledger import LedgerRow
    from ingest.page_images import PageImage
    from ingest.report import Progress
    from ingest.request import IngestRequest

ID_DIGITS = 16
"""Of the id of a document, as lists show it: enough to name it."""
_WHOLE_ID = re.compile("[0-9a-f]{64}")
_NAMED = 5
"""So many collections are named to who asks for one that is not there."""
Visible = frozenset[str] | None
"""Whose documents may be seen: names of readers, or None for all."""


@dataclass(frozen=True, slots=True)
class IngestOrder:
    """What shall be ingested and how. `uploads` gives the display name of a path that is
    only a temporary copy."""

    sources: tuple[Path, ...]
    collection: str
    readers: tuple[str, ...] = (EVERYONE,)
    meta: Mapping[str, str] = field(default_factory=dict)
    dry_run: bool = False
    retry_failed: bool = False
    force: bool = False
    uploads: Mapping[Path, str] = field(default_factory=dict)
    addresses: tuple[str, ...] = ()
    prune: bool = False
    is_cancelled: Callable[[], bool] = lambda: False


class Library:
    """The documents of one data directory."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def search(
        self,
        scope: Scope,
        query: str,
        limit: int,
        viewers: Visible = None,
        narrowed: Mapping[str, Any] | None = None,
    ) -> dict:
        """As `attest search --json`; `narrowed` is the filter as a user writes it. Raises
        NotFoundError as `require_collection` does."""
        check_question(query, self._services.settings.server.max_question_chars)
        conditions_of(narrowed)  # A wrong filter is refused before anything is loaded.
        # Built first, since it opens the store and loads the embedder side by side.
        retriever = self._services.retriever()
        self.require_collection(scope.collection, viewers)
        where = conditions_of(self._by_whole_id(narrowed or {}, scope))
        return render_search(retriever.search(query, scope, limit, where))

    def _by_whole_id(self, narrowed: Mapping[str, Any], scope: Scope) -> dict[str, Any]:
        """A filter whose documents stand there by their whole ids, also those that are named otherwise."""
        given = narrowed.get("document", ())
        named = [given] if isinstance(given, str) else given
        if all(map(_WHOLE_ID.fullmatch, named)):
            return dict(narrowed)
        rows = self._searchable(scope.collection, scope.readers)
        ids = [next((row.document_id for row in rows if _is_named(row, name)), name) for name in named]
        return {**narrowed, "document": ids}

    def require_collection(self, collection: str, viewers: Visible = None) -> None:
        """Raises NotFoundError, which names the command that makes one, when it is not there;
        and, in the same words, when one of `viewers` is given and may see nothing of it."""
        check_name("collection", collection)
        # The ledger is asked first: the store describes every collection to name them.
        reader_sets = self._services.ledger().reader_sets(collection)
        if viewers is not None:
            found = any(_may_see(readers, viewers) for readers in reader_sets)
        else:
            found = bool(reader_sets) or collection in self._services.store().collections()
        if not found:
            remedy = f"run: attest ingest PATH --collection {shlex.quote(collection)}"
            raise NotFoundError(
                f"there is no collection {collection!r}", remedy=remedy + self._there_are(viewers)
            )

    def _there_are(self, viewers: Visible) -> str:
        """Names of collections, those alone that are no secret to the viewers."""
        names = [
            name
            for name in sorted(self._services.store().collections())
            if viewers is None
            or any(_may_see(readers, viewers) for readers in self._services.ledger().reader_sets(name))
        ]
        more = ", …" if len(names) > _NAMED else ""
        return f"; or name one that is there: {', '.join(names[:_NAMED])}{more}" if names else ""

    def ingest(self, order: IngestOrder, on_progress: "Callable[[Progress], None] | None" = None) -> dict:
        """As `attest ingest --json`, and `exit_code`."""
        check_name("collection", order.collection)
        with self._fetched(order) as fetched:
            return self._ingest(order, fetched, on_progress)

    @contextmanager
    def _fetched(self, order: IngestOrder) -> Iterator["tuple[Candidate, ...]"]:
        """What lies at web addresses, as temporary copies; before the store is locked, since
        it takes as long as others let it."""
        if not order.addresses:
            yield ()
            return
        from ingest.fetching import Fetcher, FetchLimits
        from ingest.web import fetch_candidates

        settings = self._services.settings.ingest
        limits = FetchLimits(
            int(settings.max_file_mb * 2**20), settings.fetch_timeout_s, settings.allow_private_addresses
        )
        self._services.paths.create()
        with (
            tempfile.TemporaryDirectory(prefix="fetch-", dir=self._services.paths.root) as folder,
            closing(Fetcher(limits)) as fetcher,
        ):
            limit = settings.max_pages
            yield tuple(fetch_candidates(order.addresses, Path(folder), fetcher, limit, order.is_cancelled))

    def _ingest(
        self,
        order: IngestOrder,
        fetched: "tuple[Candidate, ...]",
        on_progress: "Callable[[Progress], None] | None",
    ) -> dict:
        request = self._request(order, fetched)
        with self._services.write_lock:
            report = self._services.ingestor().ingest(list(order.sources), request, on_progress)
        return {**report.to_dict(), "exit_code": report.exit_code}

    @staticmethod
    def _request(order: IngestOrder, fetched: "tuple[Candidate, ...]") -> "IngestRequest":
        from ingest.pipeline import IngestRequest

        return IngestRequest(
            collection=order.collection,
            readers=order.readers,
            meta=dict(order.meta),
            dry_run=order.dry_run,
            retry_failed=order.retry_failed,
            force=order.force,
            names=dict(order.uploads),
            fetched=fetched,
            prune=order.prune,
            is_cancelled=order.is_cancelled,
        )

    def check_room(self, files: int, waiting_jobs: int) -> None:
        """Raises BusyError when so many files more may not wait."""
        limit = self._services.settings.server.max_waiting_files
        waiting = max(waiting_jobs, self._services.ingestor().queue.size())
        if waiting + files > limit:
            raise BusyError(
                f"{waiting} files wait to be read, and {limit} may",
                remedy="send it again when some are done (GET /v1/jobs), or raise server.max_waiting_files",
            )

    def accept(self, order: IngestOrder) -> "Taken":
        """Takes uploads in, at once, whatever else is being written; `finish` does the rest. What
        is not finished when the process ends is finished by the next one."""
        check_name("collection", order.collection)
        return self._services.ingestor().accept(list(order.sources), self._request(order, ()))

    def finish(
        self, collection: str, taken: "Taken", on_progress: "Callable[[Progress], None] | None" = None
    ) -> dict:
        """The report of an ingest for what was taken in."""
        with self._services.write_lock:
            report = self._services.ingestor().finish_accepted(collection, taken, on_progress)
        return {**report.to_dict(), "exit_code": report.exit_code}

    def resume(self) -> int:
        """Finishes files that were taken in by a process that is gone; returns how many."""
        with self._services.write_lock:
            return self._services.ingestor().resume()

    def verify(self, collection: str = "", repair: bool = False) -> dict:
        """As `attest verify --json`; of all collections when none is named."""
        if collection:
            self.require_collection(collection)
        with self._services.write_lock:
            return self._services.ingestor().verify(collection, repair).to_dict()

    def documents(self, collection: str, visible: Visible, viewers: Visible = None) -> dict:
        """`{"documents": […]}`: searchable ones that may be seen."""
        self.require_collection(collection, viewers)
        return {"documents": [render_document(row) for row in self._searchable(collection, visible)]}

    def document(self, collection: str, reference: str, visible: Visible, viewers: Visible = None) -> dict:
        """One document by uri, by id or by the first 16 digits of that, as lists show it. Raises
        NotFoundError when it may not be seen either."""
        self.require_collection(collection, viewers)
        return render_document(self._find(collection, reference, visible))

    def _find(self, collection: str, reference: str, visible: Visible) -> "LedgerRow":
        for row in [*self._searchable(collection, visible), *self._failed(collection, visible)]:
            if _is_named(row, reference):
                return row
        raise _no_document(reference, collection)

    def page_image(
        self, collection: str, reference: str, number: int, visible: Visible, viewers: Visible = None
    ) -> "PageImage":
        """A page of a document that may be seen, as it was ingested. Raises NotFoundError for
        the document and the page, FileError `no_pages` for kinds of file that have none, and
        AccessError when personal data in it is masked: the page shows it still."""
        self.require_collection(collection, viewers)
        row = self._find(collection, reference, visible)
        if number < 1:
            raise NotFoundError("pages are counted from 1", remedy="ask for page 1")
        self._check_unmasked(row)
        path = self._services.originals().path(row.document_id)
        return self._services.page_renderer().render(path, row.media_type, number)

    def figure(
        self, collection: str, reference: str, name: str, visible: Visible, viewers: Visible = None
    ) -> Figure:
        """A picture of a document that may be seen. Raises NotFoundError for the document and
        the picture, and AccessError when personal data in it is masked: a picture shows it still."""
        self.require_collection(collection, viewers)
        rows = [*self._searchable(collection, visible), *self._failed(collection, visible)]
        for row in rows:
            # Of a failed file the last good version is searched still.
            versions = (row.document_id, *row.previous_ids)
            named = [version for version in versions if _is_id(reference, version)]
            if named or reference == row.uri:
                document_id = named[0] if named else row.document_id
                self._check_unmasked(row)
                return self._services.figures().read(collection, document_id, name)
        raise _no_document(reference, collection)

    def _check_unmasked(self, row: "LedgerRow") -> None:
        """Refuses originals that hold what is masked elsewhere, and under `mask` those of which
        nobody knows: that failed, or were read by another policy."""
        from ingest.cleaning.cleaner import PII_MASKED

        settings = self._services.settings.ingest
        if settings.pii_show_originals:
            return
        is_masked = any(code == PII_MASKED for code, _ in row.warnings)
        if is_masked or (settings.pii == "mask" and not self._is_up_to_date(row)):
            raise AccessError(
                f"the pages and pictures of {row.uri!r} are not shown: personal data in it is masked, "
                "or was not looked for yet",
                remedy="ingest it again after a change of policy, or set ingest.pii_show_originals = true",
                authenticated=True,
            )

    def _is_up_to_date(self, row: "LedgerRow") -> bool:
        ingestor = self._services.ingestor()
        return row.status == "done" and row.fingerprint == ingestor.fingerprint(row.media_type)

    def duplicates(self, collection: str, visible: Visible, viewers: Visible = None) -> dict:
        """`{"duplicates": [{"uri", "document_id", "kind", "duplicate_of", "similarity",
        "linked"}]}`: documents that may be seen and are the same as others of the same readers,
        byte by byte (`exact`) or nearly (`near`). `linked`: it has no passages of its own."""
        self.require_collection(collection, viewers)
        rows = self._searchable(collection, visible)
        near = self._services.ingestor().near_copies(rows)
        return {"duplicates": [found for row in rows if (found := render_duplicate(row, near.get(row.uri)))]}

    def delete_document(self, collection: str, reference: str, visible: Visible) -> dict:
        """Removes a document that may be seen, under one uri, with a newer version that waits.
        Raises ConflictError when that may not be seen."""
        found = self.document(collection, reference, visible)
        self.check_replaceable(collection, [found["uri"]], visible)
        with self._services.write_lock:
            self._services.ingestor().delete(collection, found["uri"])
        return {"deleted": found["uri"], "document_id": found["document_id"]}

    def failures(self, collection: str, visible: Visible, viewers: Visible = None) -> dict:
        """`{"failures": [{"uri", "code", "reason"}]}`: files that could not be ingested."""
        self.require_collection(collection, viewers)
        return {"failures": [render_failure(row) for row in self._failed(collection, visible)]}

    def check_replaceable(self, collection: str, uris: Iterable[str], visible: Visible) -> None:
        """Raises ConflictError when one of the uris belongs to a document that the caller
        may not see: a new version would replace it."""
        if visible is None:
            return
        # Whatever its status: one that waits in the queue is acknowledged already.
        rows = self._services.ledger().get_many(collection, list(uris)).values()
        if taken := sorted(row.uri for row in rows if not _may_see(row.readers, visible)):
            raise ConflictError(f"the name {taken[0]!r} is taken", remedy="give the file another name")

    def collections(self, visible: Visible, show_empty: bool) -> dict:
        """`{"collections": [{"name", "documents", "chunks"}]}`, counting what may be seen."""
        counted = []
        for name in self._services.store().collections():
            rows = self._searchable(name, visible)
            if rows or show_empty:
                chunks = sum(row.chunks for row in rows)
                counted.append({"name": name, "documents": len(rows), "chunks": chunks})
        return {"collections": counted}

    def create_collection(self, name: str) -> dict:
        """Raises ConflictError when it is there already."""
        check_name("collection", name)
        with self._services.write_lock:
            if name in self._services.store().collections():
                raise ConflictError(f"there is a collection {name!r} already", remedy="use it")
            self._services.index().open_collection(name)
        return {"name": name, "documents": 0, "chunks": 0}

    def drop_collection(self, name: str) -> dict:
        """Removes a collection with all its documents, and what was kept of questions to it."""
        self.require_collection(name)
        loop = self._services.loop()
        # First of all: a kill in between must not leave curated answers of what is gone.
        loop.faq.drop_collection(name)
        with self._services.write_lock:
            self._services.ingestor().drop_collection(name)
        loop.drop_collection(name)
        return {"deleted": name}

    def _searchable(self, collection: str, visible: Visible) -> list["LedgerRow"]:
        return [row for row in self._services.ingestor().list(collection) if _may_see(row.readers, visible)]

    def _failed(self, collection: str, visible: Visible) -> list["LedgerRow"]:
        failed = self._services.ingestor().failures(collection)
        return [row for row in failed if _may_see(row.readers, visible)]


def _no_document(reference: str, collection: str) -> NotFoundError:
    return NotFoundError(
        f"there is no document {reference!r} in {collection!r}", remedy="see: attest documents list"
    )


def _is_named(row: "LedgerRow", reference: str) -> bool:
    return reference == row.uri or _is_id(reference, row.document_id)


def _is_id(reference: str, document_id: str) -> bool:
    return reference == document_id or len(reference) >= ID_DIGITS and document_id.startswith(reference)


def _may_see(readers: Iterable[str], visible: Visible) -> bool:
    return visible is None or bool((visible | {EVERYONE}) & set(readers))
