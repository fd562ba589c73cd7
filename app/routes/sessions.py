"""/v1/sessions: the caller's own conversations."""

from fastapi import APIRouter, Request

from app.rendering import render_turns
from core.errors import NotFoundError

router = APIRouter(tags=["sessions"])


@router.get("/v1/sessions", summary="List sessions")
async def sessions(request: Request) -> dict:
    """Those of the caller, newest first."""
    asker = await request.app.state.services.asker()
    return {"sessions": await asker.sessions(request.state.caller.owner)}


@router.get("/v1/sessions/{session_id}", summary="Show the turns of a session")
async def turns(session_id: str, request: Request) -> dict:
    """Oldest first; none of a session that was made before turns were kept. 404 when it is not the
    caller's."""
    asker = await request.app.state.services.asker()
    found = await asker.history(request.state.caller.owner, session_id)
    return {"session_id": session_id, **render_turns(found)}


@router.delete("/v1/sessions/{session_id}", summary="Forget a session")
async def forget(session_id: str, request: Request) -> dict:
    """404 when it is not the caller's."""
    asker = await request.app.state.services.asker()
    if not await asker.forget(request.state.caller.owner, session_id):
        raise _unknown(session_id)
    return {"deleted": session_id}


def _unknown(session_id: str) -> NotFoundError:
    return NotFoundError(f"there is no session {session_id!r}", remedy="see: GET /v1/sessions")
