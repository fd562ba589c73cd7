"""Refuses bodies that are too large, before and while they are read.

Knows sizes only. A body without Content-Length is counted as it streams in, so that a
client that lies about its size is stopped at the limit.
"""

from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.problems import problem

MEGABYTE = 1024 * 1024
JSON_LIMIT = MEGABYTE
FORM_OVERHEAD = 64 * 1024
"""Boundaries, headers and fields around an uploaded file, in bytes."""


class BodyLimit:
    """Middleware. Multipart bodies may have `max_upload_mb`, all others 1 MiB."""

    def __init__(self, app: ASGIApp, max_upload_mb: float) -> None:
        self._app = app
        self._upload_limit = int(max_upload_mb * MEGABYTE) + FORM_OVERHEAD

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        is_form = headers.get("content-type", "").lower().startswith("multipart/")
        limit = self._upload_limit if is_form else JSON_LIMIT
        declared = headers.get("content-length", "0")
        if declared.isdecimal() and int(declared) > limit:
            await _too_large(limit)(scope, receive, send)
            return
        await self._app(scope, _counted(receive, limit), send)


def _counted(receive: Receive, limit: int) -> Receive:
    read = 0

    async def counting() -> Message:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        if read > limit:
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _detail(limit))
        return message

    return counting


def _too_large(limit: int):
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    is_json = limit == JSON_LIMIT
    remedy = "send less" if is_json else "send less, or raise ATTEST_SERVER__MAX_UPLOAD_MB"
    return problem(status, status.name.lower(), _detail(limit), remedy, retryable=False)


def _detail(limit: int) -> str:
    return f"the body is larger than {limit / MEGABYTE:.3g} MiB"
