"""The check that every parser of zipped office files makes first. Knows zip alone."""

import zipfile
from pathlib import Path

from core.errors import FileError

_MAX_UNPACKED_BYTES = 512 * 1024 * 1024


def check_archive(path: Path, suffix: str) -> list[zipfile.ZipInfo]:
    """The members of an office file that may be unpacked.

    Raises:
        FileError: `corrupt`, or `too_large` when it unpacks to more than 512 MB.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except zipfile.BadZipFile as exc:
        raise FileError(
            "it is a damaged archive", code="corrupt", remedy=f"save it again as {suffix}"
        ) from exc
    unpacked = sum(item.file_size for item in members)
    if unpacked > _MAX_UNPACKED_BYTES:
        raise FileError(
            f"it unpacks to {unpacked // 2**20} MB",
            code="too_large",
            remedy="split it or remove its pictures",
        )
    return members
