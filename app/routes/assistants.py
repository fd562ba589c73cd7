"""/v1/assistants: saved profiles; /v1/instructions: what the caller wants of all answers."""

from fastapi import APIRouter, Request, status

from app.routes.bodies import AssistantBody, InstructionsBody
from app.threads import run_read

router = APIRouter(tags=["assistants"])


@router.get("/v1/assistants", summary="List assistants")
async def assistants(request: Request) -> dict:
    """The caller's own and those shared with them, by name; `mine` tells which are which."""
    return await run_read(request.app.state.assistants.list, request.state.caller)


@router.post("/v1/assistants", summary="Make an assistant", status_code=status.HTTP_201_CREATED)
async def create(body: AssistantBody, request: Request) -> dict:
    """Of the caller's own. To share it, by `readers`, wants the role editor."""
    given = body.model_dump(mode="json", exclude_unset=True)
    return await run_read(request.app.state.assistants.create, request.state.caller, given)


@router.get("/v1/assistants/{reference}", summary="Show an assistant")
async def assistant(reference: str, request: Request) -> dict:
    """By id or name. 404 when the caller may not use it."""
    return await run_read(request.app.state.assistants.show, request.state.caller, reference)


@router.patch("/v1/assistants/{reference}", summary="Change an assistant")
async def edit(reference: str, body: AssistantBody, request: Request) -> dict:
    """The fields that are given; for its owner alone."""
    given = body.model_dump(mode="json", exclude_unset=True)
    return await run_read(request.app.state.assistants.edit, request.state.caller, reference, given)


@router.delete("/v1/assistants/{reference}", summary="Delete an assistant")
async def delete(reference: str, request: Request) -> dict:
    """For its owner, and for an admin with whom it is shared."""
    return await run_read(request.app.state.assistants.delete, request.state.caller, reference)


@router.get("/v1/instructions", summary="Show the caller's instructions")
async def instructions(request: Request) -> dict:
    """What the caller wants of all answers, and how many tokens it may have."""
    return await run_read(request.app.state.assistants.instructions, request.state.caller)


@router.put("/v1/instructions", summary="Change the caller's instructions")
async def instruct(body: InstructionsBody, request: Request) -> dict:
    """Empty removes them. 400 where they are too long or would change the rules of answering."""
    return await run_read(request.app.state.assistants.instruct, request.state.caller, body.instructions)
