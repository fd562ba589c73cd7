"""What one version of a document is: these bytes for these readers.

Knows how readers are normalised and how the id follows from them; pure.
"""

import hashlib
from collections.abc import Iterable

from core.errors import InputError
from core.types import EVERYONE
from retrieval.filters import check_name

MAX_READERS = 256
"""As many as the store keeps with a chunk."""


def normalise_readers(readers: Iterable[str]) -> tuple[str, ...]:
    """Sorted, each once; `everyone` makes the others needless.

    Raises:
        InputError: there is none, there are too many, or one is not a name.
    """
    names = sorted({check_name("reader", reader) for reader in readers})
    if not names:
        raise InputError("no reader is given", remedy=f"give --reader NAME, or {EVERYONE}")
    if EVERYONE in names:
        return (EVERYONE,)
    if len(names) > MAX_READERS:
        raise InputError(
            f"{len(names)} readers are given, more than {MAX_READERS}",
            remedy="put them into a group, and name the group",
        )
    return tuple(names)


def document_id_of(sha256: str, readers: Iterable[str]) -> str:
    """The id of a version: the sha256 of its bytes when everyone may read it; else the
    sha256 of that (in hexadecimal), a NUL and the sorted readers, joined by NUL.

    The readers belong to it because equal ids share their chunks, and chunks name the uri
    and title of one holder: only who may read that holder's file may be shown them. Names
    hold no NUL, so different readers never give the same id.
    """
    names = normalise_readers(readers)
    if names == (EVERYONE,):
        return sha256
    return hashlib.sha256("\0".join((sha256, *names)).encode()).hexdigest()
