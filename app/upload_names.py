"""What an uploaded file may be called. Knows names only; the bytes are judged elsewhere."""

import unicodedata

from core.errors import InputError

MAX_NAME_BYTES = 200
_NOT_IN_NAMES = frozenset('"\'\\`/:*?<>|')


def clean_upload_name(given: str | None) -> str:
    """The last part of a name, without anything that means something to a file system, a
    terminal or a filter expression.

    Raises:
        InputError: nothing is left of it.
    """
    last = unicodedata.normalize("NFC", given or "").replace("\\", "/").rsplit("/", 1)[-1]
    kept = "".join(char for char in last if _is_harmless(char)).strip(" .")
    name = _shortened(kept)
    if not name:
        raise InputError("the uploaded file has no usable name", remedy="give it one, such as report.pdf")
    return name


def _is_harmless(char: str) -> bool:
    # Category C: control, format (such as the right-to-left override), surrogates, unassigned.
    return char not in _NOT_IN_NAMES and not unicodedata.category(char).startswith("C")


def _shortened(name: str) -> str:
    """At most MAX_NAME_BYTES in UTF-8, the ending kept."""
    stem, dot, ending = name.rpartition(".")
    if not dot or len(ending.encode()) > 16:
        stem, dot, ending = name, "", ""
    room = MAX_NAME_BYTES - len((dot + ending).encode())
    return stem.encode()[:room].decode(errors="ignore") + dot + ending
