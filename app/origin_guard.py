"""Keeps web pages of other sites away from an API that trusts whoever reaches it.

On loopback a caller without a key is the owner of the data. A page in the owner's browser
can reach loopback too: by DNS rebinding (its Host header then names the page's own site)
or by a cross-site request (which carries an Origin header). Both are refused.
"""

import ipaddress
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from app.problems import problem_response
from core.errors import AccessError

LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})


def is_loopback(host: str) -> bool:
    """Whether an address can be reached from this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class OriginGuard:
    """Middleware. `hosts`: names that the Host header may have besides loopback's;
    `origins`: web origins that may call besides the API's own."""

    def __init__(self, app: ASGIApp, hosts: Iterable[str], origins: Iterable[str]) -> None:
        self._app = app
        self._hosts = LOOPBACK_HOSTS | {host.lower() for host in hosts}
        self._origins = {origin.lower() for origin in origins}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket"):
            try:
                self._check(Headers(scope=scope), scope.get("scheme", "http"))
            except AccessError as exc:
                await problem_response(exc)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _check(self, headers: Headers, scheme: str) -> None:
        host = headers.get("host", "")
        name = _host_name(host)
        if name not in self._hosts:
            raise AccessError(
                f"the host name {name!r} is not served here",
                remedy="call http://127.0.0.1, or set ATTEST_SERVER__HOST and use API keys",
                authenticated=True,
            )
        origin = headers.get("origin")
        if origin is None:
            return
        if origin.lower() not in self._origins | {f"{scheme}://{host}".lower()}:
            raise AccessError(
                f"requests from the site {origin[:100]!r} are refused",
                remedy="call the API from a program, not from another site's page",
                authenticated=True,
            )


def _host_name(host: str) -> str:
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""
