"""/health/live: the process answers. /health/ready: it can also answer questions."""

import os
from collections.abc import Callable
from http import HTTPStatus

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from app.problems import problem
from app.services import Services
from app.threads import run_read
from core.errors import AttestError

router = APIRouter(tags=["health"])


@router.get("/health/live", summary="Is the process alive")
async def live() -> dict:
    """Needs no key. `pid` lets a client tell this process from another on the same port."""
    return {"status": "alive", "pid": os.getpid()}


@router.get("/health/ready", summary="Can questions be answered")
async def ready(request: Request) -> Response:
    """503 with what is missing."""
    services: Services = request.app.state.services
    missing = [
        fault
        for fault in (
            await run_read(_fault, "store", lambda: services.store().collections()),
            await run_read(_fault, "embedder", services.embedder),
            await run_read(_fault, "chat model", services.chat_model),
        )
        if fault
    ]
    if missing:
        detail = "; ".join(f"{fault['part']}: {fault['what']}" for fault in missing)
        return problem(
            HTTPStatus.SERVICE_UNAVAILABLE, "not_ready", detail, "run: attest doctor", missing=missing
        )
    return JSONResponse({"status": "ready"})


def _fault(part: str, check: Callable[[], object]) -> dict | None:
    try:
        check()
    except AttestError as exc:
        return {"part": part, "what": exc.message, "remedy": exc.remedy}
    return None
