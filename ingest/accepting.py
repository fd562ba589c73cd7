"""What a run has to do with each file that it found: nothing, refuse it, or take it in.

Knows the file system, the ledger and the stored copies; knows nothing of parsing or of the
index. A file that is taken in is on disk with its copy before anything else happens to it.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from core.errors import FileError
from core.settings import IngestSettings
from ingest import chunker
from ingest.amended import standing_request
from ingest.cleaning.cleaner import policy_of
from ingest.context_lines import MISSING
from ingest.discover import Candidate, FoundFile, KnownFile, RefusedFile, inspect_file
from ingest.ledger import FileStatus, Ledger, LedgerRow
from ingest.originals import Originals
from ingest.parsers.registry import PARSER_VERSIONS, WITH_PICTURES
from ingest.publish import UPLOAD_PREFIX
from ingest.queue import MAX_ATTEMPTS
from ingest.report import Outcome
from ingest.request import IngestRequest, version_of, wanted_row
from ingest.searched import searched


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to be done with a file.

    `row` is the ledger row to write. With `source`, the file to be stored, it is work; with
    `error` it is a failure; with neither it is all there is to do. `copy_of` is a row
    whose chunks only need another id, uri or readers; `moved_from` is the row of the place
    that the file has left.
    """

    uri: str
    outcome: Outcome
    row: LedgerRow | None = None
    error: FileError | None = None
    source: Path | None = None
    copy_of: LedgerRow | None = None
    moved_from: LedgerRow | None = None

    @property
    def is_work(self) -> bool:
        """Whether the file is to be taken in."""
        return self.source is not None


class Fingerprints:
    """Of how a kind of file would be indexed by the present settings."""

    def __init__(
        self,
        settings: IngestSettings,
        index_fingerprint: Callable[[], str],
        context_lines: str = "",
        pictures: Callable[[], str] = lambda: "",
        graphs: Callable[[], str] = lambda: "",
    ) -> None:
        """`context_lines` is the fingerprint of what writes them, `pictures` of what describes and
        finds pictures, `graphs` of what extracts entities; empty when nothing does."""
        self._graphs = graphs
        self._settings = settings
        self.context_lines = context_lines
        self._pictures = pictures if settings.figures else lambda: "none"
        self._index_fingerprint = index_fingerprint

    def of(self, media_type: str, embedder: str = "") -> str:
        """Changes whenever a file of this kind would be indexed otherwise; `embedder` stands
        for another embedder than the present one."""
        values = {
            "chunk_tokens": self._settings.chunk_tokens,
            "overlap_tokens": self._settings.overlap_tokens,
            "chunker": chunker.VERSION,
            "parser": PARSER_VERSIONS[media_type],
            "index": embedder or self._index_fingerprint(),
        } | policy_of(self._settings)
        if self.context_lines:  # not named when it is off: files of earlier versions stay as they are
            values["context_line"] = self.context_lines
        if graphs := self._graphs():  # likewise
            values["entities"] = graphs
        if media_type in WITH_PICTURES and (pictures := self._pictures()):
            values["pictures"] = pictures
        return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]


class Acceptor:
    """Looks at candidates and decides; keeps the copies of those that are taken in."""

    def __init__(
        self, ledger: Ledger, originals: Originals, fingerprints: Fingerprints, settings: IngestSettings
    ) -> None:
        self._ledger = ledger
        self.originals = originals
        self._fingerprints = fingerprints
        self._max_bytes = int(settings.max_file_mb * 2**20)
        self._may_link = settings.near_duplicates == "link"

    def decide(self, candidates: Iterable[Candidate], request: IngestRequest) -> list[Decision]:
        """One decision for each candidate that is a file. The rows are not written yet."""
        candidates = list(candidates)
        rows = self._ledger.get_many(request.collection, [candidate.uri for candidate in candidates])
        decisions = []
        for candidate in candidates:
            row = rows.get(candidate.uri)
            found = inspect_file(candidate, self._max_bytes, None if request.force else _known(row))
            if found is not None:
                decisions.append(self._decide(found, row, standing_request(row, request)))
        return decisions if request.force else self._with_moved(decisions, rows)

    def keep(self, decision: Decision) -> Decision:
        """Stores the copy of a file that is to be taken in; what came of that."""
        row = decision.row
        if decision.source is None or row is None:
            return decision
        try:
            self.originals.keep(decision.source, row.document_id, row.sha256)
        except FileError as error:
            return Decision(decision.uri, Outcome.FAILED, row, error)
        return decision

    def _decide(
        self, found: FoundFile | RefusedFile, row: LedgerRow | None, request: IngestRequest
    ) -> Decision:
        is_found = isinstance(found, FoundFile)
        fingerprint = self._fingerprints.of(found.media_type) if is_found else ""
        settled = self._settled(row, found, request, fingerprint) if row and not request.force else None
        if settled is not None:
            return settled
        wanted = wanted_row(row, found, request, fingerprint)
        if isinstance(found, RefusedFile):
            return Decision(found.uri, Outcome.FAILED, wanted, found.error)
        # What only a killed run had begun was never there for anybody who searched.
        outcome = Outcome.UPDATED if row and searched([row]) else Outcome.ADDED
        source = None if request.force else self._same_words(row, wanted)
        return Decision(found.uri, outcome, wanted, None, found.path, source)

    def _settled(
        self, row: LedgerRow, found: FoundFile | RefusedFile, request: IngestRequest, fingerprint: str
    ) -> Decision | None:
        """What there is to do when an earlier run did the rest; None when it did not."""
        version = (row.document_id, row.readers, row.fingerprint)
        same = version == (version_of(found, request), request.readers, fingerprint)
        is_indexed = bool(row.chunks) or self._may_link  # one without chunks is a link to another
        is_whole = is_indexed and not self._lacks_lines(row)
        if row.status is FileStatus.DONE and same and is_whole:
            meta, signature = dict(request.meta), getattr(found, "signature", "")
            outcome = Outcome.SKIPPED if dict(row.meta) == meta else Outcome.UPDATED
            noted = replace(row, meta=meta, signature=signature or row.signature, sha256=found.sha256)
            noted = replace(noted, amended=request.amended)
            changed = noted != row and not request.dry_run
            return Decision(row.uri, outcome, noted if changed else None)
        retry = request.retry_failed or (row.retryable and row.attempts < MAX_ATTEMPTS)
        same = same and dict(row.meta) == dict(request.meta)
        if row.status is FileStatus.FAILED and same and not retry and found.sha256:
            error = FileError(row.reason, code=row.code, retryable=row.retryable)
            return Decision(row.uri, Outcome.FAILED, error=error)
        return None

    def _lacks_lines(self, row: LedgerRow) -> bool:
        """Whether the chat model failed on some of its chunks and may be asked again."""
        return bool(self._fingerprints.context_lines) and any(code == MISSING for code, _ in row.warnings)

    @staticmethod
    def _same_words(row: LedgerRow | None, wanted: LedgerRow) -> LedgerRow | None:
        """The row as it was, when only its readers are others now."""
        if row is None or row.status is not FileStatus.DONE or not row.sha256:
            return None
        same = (row.sha256, row.fingerprint) == (wanted.sha256, wanted.fingerprint)
        return row if same and row.document_id != wanted.document_id else None

    def _with_moved(self, decisions: list[Decision], rows: Mapping[str, LedgerRow]) -> list[Decision]:
        """New files that were elsewhere before are called so: those whose bytes another place had,
        from which they are gone. An upload is none that has moved: it comes from elsewhere."""
        new = {
            decision.uri: decision.row
            for decision in decisions
            if decision.row and not decision.error and decision.is_work and decision.uri not in rows
        }
        new = {uri: row for uri, row in new.items() if not uri.startswith(UPLOAD_PREFIX)}
        if not new:
            return decisions
        collection = next(iter(new.values())).collection
        twins = self._ledger.with_documents(collection, [row.document_id for row in new.values()])
        left: dict[str, LedgerRow] = {}
        for twin in (twin for twin in twins if twin.status is FileStatus.DONE):
            is_path = not twin.uri.startswith(UPLOAD_PREFIX) and os.path.isabs(twin.uri)
            if is_path and twin.document_id not in left and not os.path.lexists(twin.uri):
                left[twin.document_id] = twin
        return [
            replace(decision, outcome=Outcome.MOVED, moved_from=left[new[decision.uri].document_id])
            if decision.uri in new and new[decision.uri].document_id in left
            else decision
            for decision in decisions
        ]


def _known(row: LedgerRow | None) -> KnownFile | None:
    if row is None or not (row.signature and row.sha256 and row.media_type):
        return None
    return KnownFile(row.signature, row.sha256, row.media_type)
