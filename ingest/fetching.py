"""Pages and files from the web to files on disk, without a way into the own network.

Each request, redirects included, goes to an address that was looked up and checked by us, and to
that address alone: a name that answers otherwise the second time (DNS rebinding) is never asked a
second time. The name stays in the Host header and in the check of the certificate. No proxy of
the environment is used, since behind one no address can be checked.
"""

import contextlib
import ipaddress
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from core.errors import FileError

_SCHEMES = ("http", "https")
_MAX_REDIRECTS = 5
_MAX_URL_CHARS = 2000
_REDIRECTS = (301, 302, 303, 307, 308)
_AGENT = "attest (document ingestion)"

Resolve = Callable[[str, int], Sequence[str]]
"""Host and port to IP addresses. Raises OSError."""


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """What one address may cost. `allow_private`: addresses of the own network too."""

    max_bytes: int
    timeout_s: float
    allow_private: bool = False


def resolve(host: str, port: int) -> list[str]:
    """All addresses of a host by the system's own look-up."""
    return [str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


class Fetcher:
    """Fetches addresses. `close` it."""

    def __init__(
        self, limits: FetchLimits, resolve: Resolve = resolve, transport: httpx.BaseTransport | None = None
    ) -> None:
        self._limits = limits
        self._resolve = resolve
        self._client = httpx.Client(
            transport=transport,
            follow_redirects=False,
            trust_env=False,
            timeout=limits.timeout_s,
            # A kept connection was checked for the name it was opened for, and is found by
            # its IP address, which other names share.
            limits=httpx.Limits(max_keepalive_connections=0),
            headers={"User-Agent": _AGENT, "Accept-Encoding": "identity"},
        )

    def close(self) -> None:
        """Ends its connections."""
        self._client.close()

    def fetch(self, address: str, target: Path) -> str:
        """Writes what is there to `target`; returns the address that it came from in the end.

        Raises:
            FileError: `bad_address`, `forbidden_address`, `fetch_failed`, `too_large`.
        """
        deadline = time.monotonic() + self._limits.timeout_s
        url = _parsed(address)
        for _ in range(_MAX_REDIRECTS + 1):
            with self._answer(url, deadline) as response:
                if response.status_code in _REDIRECTS and "location" in response.headers:
                    url = _joined(url, response.headers["location"])
                    continue
                if response.status_code != 200:
                    raise _failed(f"{url.host} answered {response.status_code}", response.status_code >= 500)
                self._write(response, target, deadline)
                return str(url)
        raise _failed(f"it leads on more than {_MAX_REDIRECTS} times")

    @contextmanager
    def _answer(self, url: httpx.URL, deadline: float) -> Iterator[httpx.Response]:
        port = url.port or (443 if url.scheme == "https" else 80)
        chosen = self._checked_address(url.host, port)
        request = self._client.build_request(
            "GET",
            url.copy_with(host=chosen),
            headers={"Host": url.netloc.decode("ascii")},
            extensions={"sni_hostname": url.raw_host.decode("ascii")},
        )
        line = _Line()
        request.extensions["trace"] = line.note
        # The client's own time-out is for each read: who sends a byte now and then never meets it.
        clock = threading.Timer(max(0.0, deadline - time.monotonic()), line.hang_up)
        clock.daemon = True
        clock.start()
        try:
            response = self._client.send(request, stream=True)
            try:
                yield response
            finally:
                response.close()
        except httpx.HTTPError as exc:
            raise _failed(f"{url.host} cannot be read: {exc or type(exc).__name__}", True) from exc
        finally:
            clock.cancel()

    def _checked_address(self, host: str, port: int) -> str:
        """The first address of the host. All must be allowed: a name that has an inner address
        as well is not one to trust."""
        try:
            found = list(self._resolve(host, port))
        except (OSError, UnicodeError) as exc:
            raise _failed(f"there is no host {host}", True) from exc
        if not found:
            raise _failed(f"there is no host {host}", True)
        for address in found:
            if not (self._limits.allow_private or is_public(address)):
                raise FileError(
                    f"{host} is an address of an inner network",
                    code="forbidden_address",
                    remedy="set ATTEST_INGEST__ALLOW_PRIVATE_ADDRESSES=true if you mean it",
                )
        return found[0]

    def _write(self, response: httpx.Response, target: Path, deadline: float) -> None:
        size = 0
        with target.open("wb") as file:
            for block in response.iter_bytes(1 << 16):
                size += len(block)
                if size > self._limits.max_bytes:
                    raise FileError(
                        f"it has more than {self._limits.max_bytes / 2**20:g} MB",
                        code="too_large",
                        remedy="raise ingest.max_file_mb",
                    )
                if time.monotonic() > deadline:
                    raise _failed(f"it takes longer than {self._limits.timeout_s:g} s", True)
                file.write(block)


class _Line:
    """The connection of one request, so that it can be ended from outside."""

    def __init__(self) -> None:
        self._sockets: list[socket.socket] = []

    def note(self, event: str, info: dict) -> None:
        """Called by the client (its extension `trace`) with each thing that it did."""
        if event.endswith((".connect_tcp.complete", ".start_tls.complete")):
            self._sockets.append(info["return_value"].get_extra_info("socket"))

    def hang_up(self) -> None:
        """Ends the connection: the read that waits on it fails."""
        for one in self._sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


def is_public(address: str) -> bool:
    """Whether an IP address is one of the open internet, also when it is an IPv4 address in
    the clothes of IPv6."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour or (found.teredo[1] if found.teredo else None)
        if inner is None and found in ipaddress.ip_network("64:ff9b::/96"):
            inner = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        if inner is not None and not is_public(str(inner)):
            return False
    return found.is_global and not (found.is_multicast or found.is_reserved or found.is_unspecified)


def _parsed(address: str) -> httpx.URL:
    """Raises FileError `bad_address` for what is no plain http or https address."""
    try:
        url = httpx.URL(address.strip())
    except (httpx.InvalidURL, ValueError, UnicodeError) as exc:
        raise _bad(f"it is not an address: {exc}") from exc
    if url.scheme not in _SCHEMES:
        raise _bad(f"addresses of the kind {url.scheme or 'without a scheme'} are not read")
    if not url.host or url.userinfo or len(address) > _MAX_URL_CHARS:
        raise _bad("it has no host, a password in it, or is too long")
    return url.copy_with(fragment=None)


def _joined(url: httpx.URL, location: str) -> httpx.URL:
    try:
        return _parsed(str(url.join(location)))
    except (httpx.InvalidURL, ValueError, UnicodeError) as exc:
        raise _bad(f"it leads on to no address: {exc}") from exc


def _bad(reason: str) -> FileError:
    return FileError(reason, code="bad_address", remedy="give an http or https address")


def _failed(reason: str, retryable: bool = False) -> FileError:
    return FileError(reason, code="fetch_failed", remedy="try it in a browser", retryable=retryable)
