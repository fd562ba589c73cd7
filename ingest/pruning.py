"""Files that have vanished from the folders that a run was given.

Knows the ledger and what was found; removes nothing itself.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.errors import InputError
from ingest.discover import Candidate
from ingest.ledger import FileStatus, Ledger, LedgerRow
from ingest.report import FileWarning
from ingest.request import IngestRequest
from ingest.searched import searched

_NAMED = 5
"""So many of the files of a folder are named in a warning."""


@dataclass(frozen=True, slots=True)
class Vanished:
    """Rows whose file is gone, and what is kept although its file cannot be seen."""

    rows: list[LedgerRow]
    warnings: list[FileWarning]


def find_vanished(
    ledger: Ledger, request: IngestRequest, sources: Sequence[Path], candidates: Iterable[Candidate]
) -> Vanished:
    """Rows of the collection below one of the folders whose file is no longer there. What lies
    elsewhere, uploads among it, is none of this run's business. Files of a folder that is there
    and holds nothing at all are kept, with a warning: a disk may be mounted there at other times.

    Raises:
        InputError: a folder is not there or holds nothing, though files of it are in the
            collection: that looks like a disk that is not mounted.
    """
    seen = {candidate.uri for candidate in candidates}
    gone: dict[str, LedgerRow] = {}
    for source in sources:
        if source.exists() and not source.is_dir():
            continue
        folder = source.resolve().as_posix()
        rows = _below(ledger, request.collection, folder)
        if rows and not any(uri.startswith(f"{folder}/") for uri in seen):
            raise InputError(
                f"{source} holds no file, but {len(rows)} files of it are in {request.collection!r}",
                remedy="is the disk mounted? To remove them all the same: attest documents delete URI, "
                f"or attest collections delete {request.collection}",
            )
        gone |= {row.uri: row for row in _gone(rows, seen)}
    return _without_unmounted([gone[uri] for uri in sorted(gone)])


def warn_of_vanished(
    ledger: Ledger, request: IngestRequest, sources: Sequence[Path], candidates: Iterable[Candidate]
) -> list[FileWarning]:
    """For a run that does not prune: one warning for each of its folders of which files are searched
    still that are gone from it. Without it who renames or deletes a file is answered from the old one
    unawares."""
    seen = {candidate.uri for candidate in candidates}
    warnings = []
    for source in sources:
        folder = source.resolve().as_posix()
        gone = searched(_gone(_below(ledger, request.collection, folder), seen)) if source.is_dir() else []
        if gone:
            names = ", ".join(row.uri.removeprefix(f"{folder}/") for row in gone[:_NAMED])
            more = f" and {len(gone) - _NAMED} more" if len(gone) > _NAMED else ""
            words = f"gone from the folder and searched still: {names}{more}. --prune removes what is gone"
            warnings.append(FileWarning(folder, "vanished", words))
    return warnings


def _below(ledger: Ledger, collection: str, folder: str) -> list[LedgerRow]:
    return [row for row in ledger.below(collection, folder) if row.status is not FileStatus.DELETING]


def _gone(rows: Iterable[LedgerRow], seen: set[str]) -> list[LedgerRow]:
    # What the walk passed over, such as a folder that may not be read, is still there.
    return [row for row in rows if row.uri not in seen and not _is_there(row.uri)]


def _without_unmounted(rows: list[LedgerRow]) -> Vanished:
    empty: dict[Path, int] = {}
    left = []
    for row in rows:
        folder = next(parent for parent in Path(row.uri).parents if parent.exists())
        if folder in empty or not any(folder.iterdir()):
            empty[folder] = empty.get(folder, 0) + 1
        else:
            left.append(row)
    warnings = [
        FileWarning(
            folder.as_posix(),
            "empty_folder",
            f"the folder is empty and {count} files of it are kept: is a disk mounted there? "
            "Remove the folder if they are to go",
        )
        for folder, count in empty.items()
    ]
    return Vanished(left, warnings)


def _is_there(uri: str) -> bool:
    """Whether something lies at a path, or whether that cannot be known."""
    try:
        Path(uri).lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True
