"""GET /metrics: the numbers of this process for Prometheus."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.keys import Role
from app.metrics import MEDIA_TYPE
from app.threads import run_read

router = APIRouter(tags=["health"])


@router.get("/metrics", summary="Numbers for Prometheus", response_class=Response)
async def metrics(request: Request) -> Response:
    """For admins, and for the bearer of `server.metrics_token`. No label names a user, a collection or a
    document."""
    state = request.app.state
    if not getattr(request.state, "is_scraper", False):
        request.state.caller.require(Role.ADMIN)

    def queued() -> int:
        return state.services.ingestor().queue.size()

    body = await run_read(state.metrics.render, state.jobs.count_states(), queued)
    return Response(body, media_type=MEDIA_TYPE)
