"""GET /v1/graph: an entity, what it has to do with others, and the sentences that say so."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from app.entity_view import EntityView, EntityWish
from app.threads import run_read

router = APIRouter(tags=["graph"])


@router.get("/v1/graph", summary="Show an entity and how it is related")
async def graph(
    request: Request,
    entity: str,
    to: str = "",
    collection: str = "default",
    limit: int = 20,
    readers: Annotated[list[str], Query()] = (),
) -> dict:
    """With `to`: the way from one entity to the other. Only what the caller's documents say. 404 when
    they name no such entity, 409 when entities are not kept."""
    caller = request.state.caller
    scope = caller.scope(collection, readers or None)
    view = EntityView(request.app.state.services)
    return await run_read(view.show, scope, EntityWish(entity, to, limit), caller.viewers)
