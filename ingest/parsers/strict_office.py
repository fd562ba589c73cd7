"""Office files in the Strict form of ISO/IEC 29500 as libraries want them: the same parts under
the names of the Transitional form. Word and PowerPoint write it on request."""

import re
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ingest.parsers.safe_xml import open_package

_MARK = b"http://purl.oclc.org/ooxml/"
_NAME = re.compile(rb"http://purl\.oclc\.org/ooxml/(\w+)/(\w+)")
_RELATIONS = "_rels/.rels"


@contextmanager
def transitional(path: Path, what: str) -> Iterator[Path]:
    """The file itself, or a temporary copy with other names when it is Strict.

    Raises:
        FileError: `corrupt` or `too_large`.
    """
    with open_package(path, what) as archive:
        if not _is_strict(archive):
            yield path
            return
        with tempfile.TemporaryDirectory(prefix="attest-strict-") as folder:
            copy = Path(folder, "copy")
            with zipfile.ZipFile(copy, "w", zipfile.ZIP_DEFLATED) as target:
                for part in archive.infolist():
                    data = archive.read(part)
                    if part.filename.endswith((".xml", ".rels")):
                        data = _NAME.sub(rb"http://schemas.openxmlformats.org/\1/2006/\2", data)
                    target.writestr(part.filename, data)
            yield copy


def _is_strict(archive: zipfile.ZipFile) -> bool:
    if _RELATIONS not in archive.namelist():
        return False
    return _MARK in archive.read(_RELATIONS)
