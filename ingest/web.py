"""Web addresses as sources: what they lead to as candidates for ingestion; sitemaps are
expanded to the pages that they list, of the same host only."""

import gzip
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from core.errors import FileError
from ingest.discover import Candidate
from ingest.fetching import Fetcher
from ingest.parsers.safe_xml import parse_xml

_SITEMAP_ROOTS = ("urlset", "sitemapindex")
_HEAD_BYTES = 4096
_MAX_SITEMAP_BYTES = 20 * 2**20
_MAX_DEPTH = 2


def fetch_candidates(
    addresses: Sequence[str],
    folder: Path,
    fetcher: Fetcher,
    max_pages: int,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> list[Candidate]:
    """Each address once, fetched to a file of our own naming in `folder`. What cannot be
    fetched is a candidate with its error; past `max_pages` so is the sitemap. Once it is
    cancelled no more are fetched."""
    visit = _Visit(folder, fetcher, max_pages, is_cancelled)
    for address in addresses:
        visit.take(address, 0)
    return list(visit.found.values())


class _Visit:
    """One run over addresses."""

    def __init__(
        self, folder: Path, fetcher: Fetcher, max_pages: int, is_cancelled: Callable[[], bool]
    ) -> None:
        self.found: dict[str, Candidate] = {}
        self._folder, self._fetcher = folder, fetcher
        self._max_pages, self._is_cancelled = max_pages, is_cancelled
        self._fetched = 0

    def take(self, address: str, depth: int) -> None:
        """Fetches an address; of a sitemap what it lists."""
        uri = address.strip().partition("#")[0]
        if uri in self.found or self._is_cancelled():
            return
        if self._fetched >= self._max_pages:
            raise FileError(
                f"more than {self._max_pages} pages", code="too_large", remedy="raise ingest.max_pages"
            )
        self._fetched += 1
        path = self._folder / f"{self._fetched:06d}"
        try:
            self._fetcher.fetch(address, path)
            listed = _listed_in(path)
        except FileError as error:
            self.found[uri] = Candidate(path, uri, _name_of(uri), error)
            return
        if listed is None:
            self.found[uri] = Candidate(path, uri, _name_of(uri))
        else:
            self._take_listed(uri, path, listed, depth)

    def _take_listed(self, uri: str, path: Path, listed: list[str], depth: int) -> None:
        host = urlsplit(uri).hostname
        try:
            if depth >= _MAX_DEPTH:
                raise FileError("sitemaps are nested too deeply", code="bad_address")
            own = [address for address in listed if _host(address) == host]
            for address in own:
                self.take(address, depth + 1)
            if not own:
                raise FileError("it lists no page of its own host", code="empty")
        except FileError as error:
            self.found.setdefault(uri, Candidate(path, uri, _name_of(uri), error))


def _listed_in(path: Path) -> list[str] | None:
    """The addresses that a sitemap lists; None for what is none.

    Raises:
        FileError: it begins as a sitemap but cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    try:
        if head.startswith(b"\x1f\x8b"):
            with gzip.open(path) as packed:
                head, data = b"", packed.read(_MAX_SITEMAP_BYTES + 1)
        else:
            data = b"" if not _may_be(head) else path.read_bytes()
    except (OSError, EOFError, zlib.error):
        return None
    if not _may_be(head or data[:_HEAD_BYTES]):
        return None
    if len(data) > _MAX_SITEMAP_BYTES:
        raise FileError("the sitemap is too large", code="too_large", remedy="name a part of it")
    root = parse_xml(data)
    if root.tag.rpartition("}")[2] not in _SITEMAP_ROOTS:
        return None
    return [text for node in root.iterfind("{*}*/{*}loc") if (text := (node.text or "").strip())]


def _may_be(head: bytes) -> bool:
    return any(b"<" + name.encode() in head for name in _SITEMAP_ROOTS)


def _host(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None


def _name_of(uri: str) -> str:
    from ingest.publish import name_of

    return name_of(uri)
