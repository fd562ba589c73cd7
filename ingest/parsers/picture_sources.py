"""Where the pictures of a page or a package lie: in the text itself (RFC 2397) or beside it.

Nothing is ever fetched: an address of the network gives no picture. Knows ZIP and data URIs.
"""

import base64
import binascii
import posixpath
import zipfile
from collections.abc import Callable
from urllib.parse import unquote, unquote_to_bytes, urlsplit

from core.errors import FileError
from ingest.parsers.figures import MAX_BYTES, Pictures
from ingest.parsers.safe_xml import read_part

ReadPicture = Callable[[str], bytes]
"""The bytes behind the source of an `img`; none when they are not here."""
_DATA = "data:image/"


def read_inline(source: str) -> bytes:
    """The bytes of a `data:` address of a picture; none for any other, for a damaged one, and for
    SVG, which pages use for their icons and which is not read."""
    if source[: len(_DATA)].lower() != _DATA or len(source) > 2 * MAX_BYTES:
        return b""
    head, _, body = source.partition(",")
    if "svg" in head.lower():
        return b""
    try:
        is_base64 = head.rstrip().lower().endswith(";base64")
        return base64.b64decode(unquote(body)) if is_base64 else unquote_to_bytes(body)
    except (binascii.Error, ValueError):
        return b""


def read_packed(archive: zipfile.ZipFile, name: str, pictures: Pictures, what: str) -> bytes:
    """The bytes of a picture in a package; none, and a warning, when it is damaged or too large."""
    try:
        if archive.getinfo(name).file_size > MAX_BYTES:
            raise FileError(f"it unpacks to more than {MAX_BYTES // 2**20} MB")
        return read_part(archive, name, what)
    except KeyError:
        return b""
    except FileError as error:
        pictures.fault(f"{posixpath.basename(name)[:60]}: {error.message}")
        return b""


def beside(page: str, source: str) -> str:
    """The name, in its package, of what a page of that package points to; empty for addresses
    of the network and for what leads out."""
    parts = urlsplit(source) if ":" in source or source.startswith("//") else None
    if parts is not None and (parts.scheme or parts.netloc):
        return ""
    name = posixpath.normpath(posixpath.join(posixpath.dirname(page), unquote(source.partition("#")[0])))
    return "" if name.startswith(("..", "/")) else name
