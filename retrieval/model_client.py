"""One HTTP client for servers of embedding and reranking models.

Knows status codes, retries and time limits, and turns every failure into one error that
names the server and the setting; knows nothing of vectors, scores or protocols.
"""

import email.utils
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx

from core.errors import ServiceError, SettingsError

ATTEMPTS = 4
FIRST_PAUSE_S = 0.25
# A server may ask for minutes; a question cannot wait that long.
LONGEST_PAUSE_S = 8.0
SHOWN_CHARS = 300
TRY_AGAIN = frozenset({429, 503})
TOO_LONG = frozenset({400, 413, 422})


@dataclass(frozen=True, slots=True)
class ModelServer:
    """A server and how messages speak of it.

    `what` is "embedding server"; `setting` the start of its settings' names in the
    environment; `too_long` what to do when it refuses a text for its length; `timeout_s`
    is for a whole call, retries included.
    """

    what: str
    url: str
    key: str
    timeout_s: float
    setting: str
    too_long: str
    error: type[ServiceError]


class ModelClient:
    """JSON in, JSON out. Thread-safe; no call lasts much longer than the server's time-out."""

    def __init__(self, server: ModelServer) -> None:
        """Connects to nothing yet. Raises SettingsError when the address is no URL."""
        self._server = server
        headers = {"Authorization": f"Bearer {server.key}"} if server.key else {}
        try:
            url = httpx.URL(server.url)
            self._client = httpx.Client(base_url=url, headers=headers, timeout=server.timeout_s)
        except (httpx.InvalidURL, UnicodeError) as exc:
            raise SettingsError(
                f"the address of the {server.what} is not usable", remedy=f"mend {server.setting}BASE_URL"
            ) from exc
        if url.scheme not in ("http", "https") or not url.host:
            raise SettingsError(
                f"the address of the {server.what} must begin with http:// or https://",
                remedy=f"mend {server.setting}BASE_URL",
            )
        self._url = str(url)

    def get(self, path: str) -> Any:
        """The JSON at `path`, which is added to the server's address. Raises its error."""
        return self._call("GET", path, None)

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """The JSON that answers `body`. Raises the server's error class."""
        return self._call("POST", path, body)

    def nonsense(self, what: str) -> ServiceError:
        """The error for a reply that can be read and must not be believed."""
        remedy = f"look at its log, at {self._server.setting}MODEL and at {self._server.setting}STYLE"
        return self._error(f"answered {what}", remedy, retryable=False)

    def close(self) -> None:
        """Closes the connections."""
        self._client.close()

    def _call(self, method: str, path: str, body: Mapping[str, Any] | None) -> Any:
        ends_at = time.monotonic() + self._server.timeout_s
        for attempt in range(1, ATTEMPTS + 1):
            reply = self._send(method, path, body, ends_at)
            if reply.status_code not in TRY_AGAIN or attempt == ATTEMPTS:
                break
            pause = _asked_pause_s(reply)
            if pause is None:
                pause = FIRST_PAUSE_S * 2**attempt
            if pause > min(LONGEST_PAUSE_S, ends_at - time.monotonic()):
                break
            time.sleep(pause)
        return self._read(reply, path)

    def _send(self, method: str, path: str, body: Mapping[str, Any] | None, ends_at: float) -> httpx.Response:
        try:
            try:
                return self._transmit(method, path, body, ends_at)
            except (httpx.RemoteProtocolError, httpx.ReadError):
                # A kept connection that the server had closed meanwhile: a fresh one tells.
                return self._transmit(method, path, body, ends_at)
        except httpx.TimeoutException as exc:
            remedy = f"look at its load, or raise {self._server.setting}TIMEOUT_S"
            raise self._error(f"did not answer within {self._server.timeout_s:g} s", remedy) from exc
        except (httpx.HTTPError, UnicodeError) as exc:
            remedy = f"start it, or mend {self._server.setting}BASE_URL"
            raise self._error(f"cannot be reached ({exc})", remedy) from exc

    def _transmit(
        self, method: str, path: str, body: Mapping[str, Any] | None, ends_at: float
    ) -> httpx.Response:
        left_s = max(ends_at - time.monotonic(), 0.001)
        if body is None:
            return self._client.request(method, path, timeout=left_s)
        # A lone surrogate, which some parsers yield, cannot be written as UTF-8.
        content = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
        headers = {"Content-Type": "application/json"}
        return self._client.request(method, path, content=content, headers=headers, timeout=left_s)

    def _read(self, reply: httpx.Response, path: str) -> Any:
        if reply.status_code != 200:
            raise self._refusal(reply, path)
        try:
            return reply.json()
        except ValueError as exc:
            raise self.nonsense("something that is not JSON") from exc

    def _refusal(self, reply: httpx.Response, path: str) -> ServiceError:
        status, setting = reply.status_code, self._server.setting
        said = " ".join(reply.text.split())
        if status in (401, 403):
            return self._error(f"refused the key ({status})", f"set {setting}API_KEY", retryable=False)
        if status in (404, 405):
            remedy = f"mend {setting}BASE_URL, {setting}STYLE or {setting}MODEL"
            what = f"has no {path} or does not serve that model ({status}: {said})"
            return self._error(what, remedy, retryable=False)
        if status in TOO_LONG:
            what = f"refused the request ({status}: {said})"
            return self._error(what, self._server.too_long, retryable=False)
        if status in TRY_AGAIN:
            return self._error(f"is overloaded ({status})", "try again later, or give it less work at a time")
        return self._error(f"failed ({status}: {said})", "look at its log")

    def _error(self, what: str, remedy: str, retryable: bool = True) -> ServiceError:
        # Servers like to repeat the key that they refuse.
        said = what.replace(self._server.key, "***") if self._server.key else what
        said = said if len(said) <= SHOWN_CHARS else said[:SHOWN_CHARS] + "…"
        error = self._server.error(f"the {self._server.what} at {self._url} {said}", remedy=remedy)
        error.retryable = retryable
        return error


def _asked_pause_s(reply: httpx.Response) -> float | None:
    """Seconds of the Retry-After header (RFC 9110, 10.2.3: a number or a date); None without."""
    asked = reply.headers.get("retry-after", "").strip()
    if asked.isdecimal():
        return float(asked)
    try:
        moment = email.utils.parsedate_to_datetime(asked)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max((moment - datetime.now(UTC)).total_seconds(), 0.0)
