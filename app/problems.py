"""Errors as RFC 9457 problem documents. The one place where an error gets an HTTP status.

Knows the error tree and HTTP; of routes it knows only which speak OpenAI's language, in which the same
error has another shape.
"""

import logging
from collections.abc import Mapping
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from app.openai_errors import OPENAI_PATHS, openai_error
from core.errors import (
    AccessError,
    AttestError,
    BusyError,
    ChatModelError,
    ChatRequestError,
    ConflictError,
    FileError,
    InputError,
    ModelFileError,
    NotFoundError,
    ServiceError,
    SettingsError,
    StoreError,
    StoreLockedError,
    ToolError,
)

MEDIA_TYPE = "application/problem+json"
_log = logging.getLogger(__name__)

# From the special to the general: the first class that fits gives the status.
_STATUS: tuple[tuple[type[AttestError], HTTPStatus], ...] = (
    (NotFoundError, HTTPStatus.NOT_FOUND),
    (ConflictError, HTTPStatus.CONFLICT),
    (InputError, HTTPStatus.BAD_REQUEST),
    (FileError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (BusyError, HTTPStatus.TOO_MANY_REQUESTS),
    (StoreLockedError, HTTPStatus.SERVICE_UNAVAILABLE),
    (StoreError, HTTPStatus.SERVICE_UNAVAILABLE),
    (ChatRequestError, HTTPStatus.BAD_GATEWAY),
    (ChatModelError, HTTPStatus.SERVICE_UNAVAILABLE),
    (ModelFileError, HTTPStatus.SERVICE_UNAVAILABLE),
    (ServiceError, HTTPStatus.SERVICE_UNAVAILABLE),
    (SettingsError, HTTPStatus.INTERNAL_SERVER_ERROR),
)
_STATUS_OF_CODE = {cls.code: status for cls, status in _STATUS if cls is not FileError}
_STATUS_OF_CODE |= {AccessError.code: HTTPStatus.FORBIDDEN, ToolError.code: HTTPStatus.SERVICE_UNAVAILABLE}


class _Problem(JSONResponse):
    """A problem document; to who calls a path of OpenAI's, OpenAI's error with the same headers."""

    media_type = MEDIA_TYPE

    def __init__(self, document: dict, status: int, headers: dict[str, str] | None) -> None:
        super().__init__(document, status, headers)
        self._document = document

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not scope["path"].startswith(OPENAI_PATHS):
            await super().__call__(scope, receive, send)
            return
        told, kept = self._document, dict(self.headers)
        error = openai_error(self.status_code, told["code"], told["detail"], told.get("remedy", ""))
        headers = {name: value for name, value in kept.items() if not name.startswith("content-")}
        await JSONResponse(error, self.status_code, headers)(scope, receive, send)


def status_of(error: AttestError) -> HTTPStatus:
    """The HTTP status of an error of ours."""
    if isinstance(error, AccessError):
        return HTTPStatus.FORBIDDEN if error.authenticated else HTTPStatus.UNAUTHORIZED
    return next((s for cls, s in _STATUS if isinstance(error, cls)), HTTPStatus.INTERNAL_SERVER_ERROR)


def status_of_code(code: str) -> HTTPStatus:
    """The HTTP status of an error of which only the code is left (event `failed`)."""
    return _STATUS_OF_CODE.get(code, HTTPStatus.INTERNAL_SERVER_ERROR)


def problem(status: HTTPStatus, code: str, detail: str, remedy: str = "", **more) -> JSONResponse:
    """A problem document. `type` is `urn:attest:problem:<code>`, stable for scripts."""
    body = {
        "type": f"urn:attest:problem:{code}",
        "title": status.phrase,
        "status": status.value,
        "code": code,
        "detail": detail,
    }
    if remedy:
        body["remedy"] = remedy
    headers = {"WWW-Authenticate": "Bearer"} if status is HTTPStatus.UNAUTHORIZED else None
    return _Problem(body | more, status.value, headers)


def problem_response(error: AttestError) -> JSONResponse:
    """The problem document of an error of ours."""
    return problem(status_of(error), error.code, error.message, error.remedy, retryable=bool(error.retryable))


def install_problem_handlers(app: FastAPI) -> None:
    """From here on every error of the app leaves as a problem document."""
    app.add_exception_handler(AttestError, _on_attest_error)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(Exception, _on_defect)


async def _on_attest_error(request: Request, exc: AttestError) -> JSONResponse:
    status = status_of(exc)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        _log.error("%s %s: %s", request.method, request.url.path, exc, exc_info=exc)
    return problem_response(exc)


async def _on_invalid_request(_request: Request, exc: RequestValidationError) -> JSONResponse:
    # The value itself is left out: it may be a secret, and it may be large.
    faults = [{"where": _where(fault), "what": _what(fault)} for fault in exc.errors()]
    first = faults[0] if faults else {"where": "body", "what": "cannot be read"}
    detail = f"{first['where']}: {first['what']}"
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid_request", detail, "see /docs", faults=faults)


def _where(fault: Mapping) -> str:
    # Of what is no JSON the place is a number of characters, and no field.
    return "body" if fault["type"] == "json_invalid" else ".".join(str(part) for part in fault["loc"])


def _what(fault: Mapping) -> str:
    if fault["type"] != "json_invalid":
        return fault["msg"]
    return f"not valid JSON: {fault['ctx']['error']}, at character {fault['loc'][-1]}"


async def _on_http_exception(_request: Request, exc: HTTPException) -> JSONResponse:
    status = HTTPStatus(exc.status_code)
    response = problem(status, status.name.lower(), str(exc.detail))
    response.headers.update(exc.headers or {})
    return response


async def _on_defect(_request: Request, _exc: Exception) -> JSONResponse:
    # Starlette logs the traceback itself; nothing of it leaves.
    return problem(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "internal",
        "the server failed to handle the request",
        "see the log of attest serve",
    )
