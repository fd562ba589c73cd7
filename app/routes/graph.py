"""/v1/graph: an entity, what it has to do with others, and the sentences that say so; and groups of them."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from app.communities import Communities
from app.entity_view import EntityView, EntityWish
from app.keys import Role
from app.routes.bodies import CommunitiesBody
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


@router.get("/v1/graph/communities", summary="List communities of entities")
async def communities(
    request: Request,
    collection: str = "default",
    limit: int = 20,
    readers: Annotated[list[str], Query()] = (),
) -> dict:
    """Summaries of groups of entities, each sentence with its citations: those alone of which the caller may
    read all that they were made of. 409 when none are made."""
    caller = request.state.caller
    made: Communities = request.app.state.communities
    return await run_read(made.show, caller.scope(collection, readers or None), limit, caller.viewers)


@router.post("/v1/graph/communities", summary="Summarise communities of entities")
async def make_communities(body: CommunitiesBody, request: Request) -> dict:
    """Those alone whose sources have changed. For admins, as it goes over documents of all readers; it takes
    some calls of the chat model for each, and `/v1/jobs` tells how far it is."""
    request.state.caller.require(Role.ADMIN)
    state = request.app.state
    job = state.jobs.open("communities", body.collection, request.state.caller.owner, body.job_id)
    return await state.jobs.run_here(job, state.communities.make(body.collection, job.count))
