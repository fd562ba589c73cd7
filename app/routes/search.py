"""POST /v1/search: the hits of a query, with their ranks at every stage."""

import time

from fastapi import APIRouter, Request

from app.routes.bodies import SearchBody
from app.threads import run_read

router = APIRouter(tags=["search"])


@router.post("/v1/search", summary="Search passages")
async def search(body: SearchBody, request: Request) -> dict:
    """Hits that the caller may read, best first."""
    caller = request.state.caller
    scope = caller.scope(body.collection, body.readers)
    search_in = request.app.state.library.search
    began = time.perf_counter()
    found = await run_read(search_in, scope, body.query, body.limit, caller.viewers, body.filter)
    request.app.state.metrics.note_search(time.perf_counter() - began)
    return found
