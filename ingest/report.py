"""What a run of ingestion tells: progress while it goes on, the report at its end."""

from dataclasses import dataclass, field
from enum import StrEnum


class Outcome(StrEnum):
    """What became of one file in this run."""

    ADDED = "added"
    UPDATED = "updated"
    SKIPPED = "skipped"
    FAILED = "failed"
    REMOVED = "removed"
    MOVED = "moved"


@dataclass(frozen=True, slots=True)
class FileFailure:
    """Why a file is not searchable."""

    uri: str
    code: str
    reason: str

    def to_dict(self) -> dict:
        """For JSON."""
        return {"uri": self.uri, "code": self.code, "reason": self.reason}


@dataclass(frozen=True, slots=True)
class FileWarning:
    """What of a searchable file was left out or is doubtful."""

    uri: str
    code: str
    words: str

    def to_dict(self) -> dict:
        """For JSON."""
        return {"uri": self.uri, "code": self.code, "words": self.words}


@dataclass(frozen=True, slots=True)
class Progress:
    """File `done` of `total` has come to an end with `outcome`. `parsed` files and
    `embedded_chunks` are how far the stages before are, in this run."""

    uri: str
    outcome: Outcome
    done: int
    total: int
    chunks: int = 0
    pages: int = 0
    parsed: int = 0
    embedded_chunks: int = 0


@dataclass(slots=True)
class IngestReport:
    """Counts of one run. Of a dry run: what would be done."""

    added: int = 0
    updated: int = 0
    skipped: int = 0
    failed: int = 0
    chunks: int = 0
    pages: int = 0
    seconds: float = 0.0
    failures: list[FileFailure] = field(default_factory=list)
    warnings: list[FileWarning] = field(default_factory=list)
    removed: int = 0
    moved: int = 0

    def count(self, outcome: Outcome, chunks: int = 0, pages: int = 0) -> None:
        """Adds one file."""
        setattr(self, outcome, getattr(self, outcome) + 1)
        self.chunks += chunks
        self.pages += pages

    @property
    def exit_code(self) -> int:
        """0 all went well, 1 some files failed, 2 nothing was done."""
        succeeded = self.added + self.updated + self.skipped + self.removed + self.moved
        if not succeeded:
            return 2
        return 1 if self.failed else 0

    def to_dict(self) -> dict:
        """The JSON of `attest ingest --json`."""
        return {
            "added": self.added,
            "updated": self.updated,
            "skipped": self.skipped,
            "failed": self.failed,
            "chunks": self.chunks,
            "pages": self.pages,
            "seconds": round(self.seconds, 3),
            "failures": [failure.to_dict() for failure in self.failures],
            "warnings": [warning.to_dict() for warning in self.warnings],
            "removed": self.removed,
            "moved": self.moved,
        }
