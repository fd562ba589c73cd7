"""/v1/memory: what is remembered of the caller, over all their sessions."""

from fastapi import APIRouter, Request

from app.routes.bodies import FactBody, MemorySwitchBody
from app.threads import run_read

router = APIRouter(tags=["memory"])


@router.get("/v1/memory", summary="List what is remembered of the caller")
async def facts(request: Request) -> dict:
    """The caller's own, the latest said first. `enabled`: whether any of it is used."""
    return await run_read(request.app.state.user_facts.list, request.state.caller)


@router.put("/v1/memory", summary="Switch memory on or off")
async def switch(body: MemorySwitchBody, request: Request) -> dict:
    """Off: nothing that the caller says is remembered, and nothing remembered is used. It stays."""
    return await run_read(request.app.state.user_facts.switch, request.state.caller, body.enabled)


@router.delete("/v1/memory", summary="Forget all that is remembered of the caller")
async def clear(request: Request) -> dict:
    """How many there were."""
    return await run_read(request.app.state.user_facts.clear, request.state.caller)


@router.get("/v1/memory/{fact_id}", summary="Show a memory")
async def fact(fact_id: str, request: Request) -> dict:
    """404 when it is not the caller's."""
    return await run_read(request.app.state.user_facts.show, request.state.caller, fact_id)


@router.patch("/v1/memory/{fact_id}", summary="Change a memory")
async def edit(fact_id: str, body: FactBody, request: Request) -> dict:
    """Its value, its end, or both. 404 when it is not the caller's."""
    change = request.app.state.user_facts.edit
    return await run_read(change, request.state.caller, fact_id, body.value, body.expires)


@router.delete("/v1/memory/{fact_id}", summary="Forget a memory")
async def delete(fact_id: str, request: Request) -> dict:
    """404 when it is not the caller's."""
    return await run_read(request.app.state.user_facts.delete, request.state.caller, fact_id)
