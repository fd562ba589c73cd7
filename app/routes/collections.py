"""/v1/collections: list, create, delete."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from app.keys import Role
from app.routes.bodies import CollectionBody
from app.threads import run_read

router = APIRouter(tags=["collections"])


@router.get("/v1/collections", summary="List collections")
async def collections(request: Request, readers: Annotated[list[str], Query()] = ()) -> dict:
    """With counts of what the caller may read. A mere reader sees no collection that holds
    nothing for them."""
    caller = request.state.caller
    show_empty = caller.role is not Role.READER
    return await run_read(request.app.state.library.collections, caller.visible(readers or None), show_empty)


@router.post("/v1/collections", summary="Create a collection", status_code=201)
async def create(body: CollectionBody, request: Request) -> dict:
    """409 when it is there already."""
    request.state.caller.require(Role.EDITOR)
    return await request.app.state.writes.run(request.app.state.library.create_collection, body.name)


@router.delete("/v1/collections/{name:path}", summary="Delete a collection and all its documents")
async def delete(name: str, request: Request) -> dict:
    """For admins alone: it may hold documents that an editor cannot see."""
    request.state.caller.require(Role.ADMIN)
    return await request.app.state.writes.run(request.app.state.library.drop_collection, name)
