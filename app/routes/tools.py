"""/v1/tools and /v1/approvals: tools by name, the log of calls, and what waits for its owner's word."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from app.routes.bodies import ApprovalBody, ResumeBody, ToolBody
from app.routes.turns import respond
from app.threads import run_read
from app.tools import ApprovalWish, ToolOrder

router = APIRouter(tags=["tools"])


@router.get("/v1/tools", summary="List the tools that the caller may use")
async def tools(request: Request) -> dict:
    """With the JSON schema of their arguments; `effects`: it changes something."""
    return await run_read(request.app.state.tool_box.list, request.state.caller)


@router.get("/v1/tools/calls", summary="The log of calls of tools")
async def calls(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    owner: Annotated[str, Query(max_length=128)] = "",
    tool: Annotated[str, Query(max_length=64)] = "",
) -> dict:
    """The latest first, for admins alone. Secrets in arguments are masked."""
    read = request.app.state.tool_box.calls
    return await run_read(read, request.state.caller, limit, owner, tool)


@router.post("/v1/tools/{name}", summary="Call a tool")
async def call(name: str, body: ToolBody, request: Request) -> dict:
    """What it gives: words, the same as data, and citations where it has any."""
    readers = None if body.readers is None else tuple(body.readers)
    order = ToolOrder(name, body.arguments, body.collection, readers, body.key)
    return await request.app.state.tool_box.call(request.state.caller, order)


@router.get("/v1/approvals", summary="List what waits for the caller's approval")
async def approvals(request: Request) -> dict:
    """Calls of tools with effects, of all of the caller's sessions, the oldest first."""
    return await run_read(request.app.state.tool_box.waiting, request.state.caller)


@router.post("/v1/approvals/{approval_id}", summary="Approve, edit or reject a call")
async def decide(approval_id: str, body: ApprovalBody, request: Request) -> Response:
    """Goes on with the conversation; the answer comes as that of `/v1/ask`. 404 when it is not the
    caller's."""
    wish = ApprovalWish(approval_id, body.decision, body.arguments)
    return await respond(request, request.app.state.tool_box.decide(request.state.caller, wish), body.stream)


@router.post("/v1/sessions/{session_id}/resume", summary="Go on with a turn that was broken off")
async def resume(session_id: str, body: ResumeBody, request: Request) -> Response:
    """From its last step on, by a process that was ended; 409 when there is no such turn."""
    events = request.app.state.tool_box.resume(request.state.caller, session_id)
    return await respond(request, events, body.stream)
