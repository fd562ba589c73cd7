"""Who asks, and what they may see and do.

Knows bearer keys, the local owner and roles; the middleware at the end is the only part
that knows HTTP. It stands before every route, so that no route can forget it.
"""

import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import anyio.to_thread
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as AsgiScope

from app.keys import LOCAL_OWNER, KeyTable, Role
from app.problems import problem_response
from core.errors import AccessError, AttestError, SettingsError
from core.types import EVERYONE, Scope

METRICS_PATH = "/metrics"
MIN_TOKEN_CHARS = 16
OPEN_PATHS = frozenset({"/health/live"})
_RANK = {Role.READER: 0, Role.EDITOR: 1, Role.ADMIN: 2}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. `readers` None: may act as any reader (the owner of the data directory).

    `by_token` says that the caller has read the local token from the data directory, so
    it is a process of the same user on this machine.
    """

    owner: str
    readers: frozenset[str] | None
    role: Role
    by_token: bool = False

    def scope(self, collection: str, asked: Sequence[str] | None = None) -> Scope:
        """Where a search may look. The owner who names no reader looks as `everyone`.

        Raises:
            AccessError: `asked` names a reader that the caller is not.
        """
        return Scope(collection, self._narrowed(asked) or frozenset())

    def visible(self, asked: Sequence[str] | None = None) -> frozenset[str] | None:
        """Whose documents are listed and managed; None: all, for the owner alone."""
        return self._narrowed(asked)

    @property
    def viewers(self) -> frozenset[str] | None:
        """Names of which one must be able to see something of a collection for it to be
        there at all. None: it is there whatever it holds, for who may create collections."""
        return self.readers if self.role is Role.READER else None

    def may(self, role: Role) -> bool:
        """Whether the caller may do what that role may."""
        return _RANK[self.role] >= _RANK[role]

    def require(self, role: Role) -> None:
        """Raises AccessError when the caller's role is a lesser one."""
        if not self.may(role):
            raise AccessError(
                f"the role {self.role.value} may not do this",
                remedy=f"ask for a key of the role {role.value}",
                authenticated=True,
            )

    def check_grant(self, readers: Sequence[str]) -> None:
        """Raises AccessError when the caller may not give these readers a document."""
        if self.readers is None or self.role is Role.ADMIN:
            return
        if foreign := sorted(set(readers) - self.readers - {EVERYONE}):
            raise AccessError(
                f"you are not {foreign[0]!r} and cannot share with them",
                remedy="name yourself, one of your groups or everyone",
                authenticated=True,
            )

    def _narrowed(self, asked: Sequence[str] | None) -> frozenset[str] | None:
        if asked is None:
            return self.readers
        wanted = frozenset(asked)
        if self.readers is None:
            return wanted
        if foreign := sorted(wanted - self.readers - {EVERYONE}):
            raise AccessError(
                f"you may not act as {foreign[0]!r}",
                remedy="name only yourself and your groups in readers",
                authenticated=True,
            )
        return wanted


class Authenticator:
    """Turns an Authorization header into a caller.

    `open_to_local`: bound to loopback, so that without any key in the table the caller is
    the owner. `keys` gives the table when it is first needed. The bearer of `metrics_token` may read
    the metrics and nothing else.
    """

    def __init__(
        self, keys: Callable[[], KeyTable], local_token: str, open_to_local: bool, metrics_token: str = ""
    ) -> None:
        if 0 < len(metrics_token) < MIN_TOKEN_CHARS:
            raise SettingsError(
                f"server.metrics_token has {len(metrics_token)} characters, which are too few",
                remedy=f"give it {MIN_TOKEN_CHARS} or more, as of: openssl rand -hex 16",
            )
        self._metrics_token = metrics_token
        self._keys = keys
        self._local_token = local_token
        self._open_to_local = open_to_local

    def is_scraper(self, path: str, authorization: str | None) -> bool:
        """Whether this is who may read the metrics, at the path that has them."""
        if path != METRICS_PATH or not self._metrics_token:
            return False
        given = (authorization or "").encode("utf-8", "replace")
        return hmac.compare_digest(given, f"Bearer {self._metrics_token}".encode())

    def identify(self, authorization: str | None) -> Caller:
        """Synchronous: reads the key table.

        Raises:
            AccessError: no key where one is needed, or one that is unknown or revoked.
        """
        if authorization is None:
            if self._open_to_local and not self._keys().any():
                return Caller(LOCAL_OWNER, None, Role.ADMIN)
            raise AccessError(
                "an API key is needed",
                remedy="send Authorization: Bearer KEY; make one with: attest keys create",
            )
        kind, _, key = authorization.partition(" ")
        key = key.strip()
        if kind.lower() != "bearer" or not key:
            raise AccessError("the Authorization header is not a bearer key", remedy="send: Bearer KEY")
        if hmac.compare_digest(key.encode("utf-8", "replace"), self._local_token.encode()):
            return Caller(LOCAL_OWNER, None, Role.ADMIN, by_token=True)
        info = self._keys().find(key)
        if info is None:
            raise AccessError(
                "this API key is unknown or revoked", remedy="make another: attest keys create"
            )
        return Caller(info.user, frozenset((info.user, *info.groups)), info.role)


class AuthenticationMiddleware:
    """Refuses who is unknown, and lays the caller into `request.state.caller`."""

    def __init__(self, app: ASGIApp, authenticator: Authenticator) -> None:
        self._app = app
        self._authenticator = authenticator

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in OPEN_PATHS:
            await self._app(scope, receive, send)
            return
        header = Headers(scope=scope).get("authorization")
        if self._authenticator.is_scraper(scope["path"], header):
            scope.setdefault("state", {})["is_scraper"] = True
            await self._app(scope, receive, send)
            return
        try:
            caller = await anyio.to_thread.run_sync(self._authenticator.identify, header)
        except AttestError as exc:
            await problem_response(exc)(scope, receive, send)
            return
        scope.setdefault("state", {})["caller"] = caller
        await self._app(scope, receive, send)
