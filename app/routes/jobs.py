"""/v1/jobs: what the API is doing to documents; and /v1/verify."""

from fastapi import APIRouter, Request

from app.keys import Role
from app.routes.bodies import VerifyBody

router = APIRouter(tags=["jobs"])


@router.get("/v1/jobs", summary="List uploads and ingests")
async def jobs(request: Request) -> dict:
    """Newest first; the caller's own, or all for an admin."""
    return request.app.state.jobs.jobs(_owner(request))


@router.get("/v1/jobs/{job_id}", summary="Show one")
async def job(job_id: str, request: Request) -> dict:
    """Files, pages and chunks so far, their rates, the time left, and the report at the end."""
    return request.app.state.jobs.get(job_id, _owner(request)).to_dict()


@router.delete("/v1/jobs/{job_id}", summary="Cancel one")
async def cancel(job_id: str, request: Request) -> dict:
    """It takes in no more files. Those that it has taken in come to their end."""
    request.state.caller.require(Role.EDITOR)
    return request.app.state.jobs.cancel(job_id, _owner(request))


@router.post("/v1/verify", summary="Compare ledger, stored files and index")
async def verify(body: VerifyBody, request: Request) -> dict:
    """For admins alone: it tells of documents of all readers. Writers wait meanwhile."""
    request.state.caller.require(Role.ADMIN)
    library = request.app.state.library
    return await request.app.state.writes.run(library.verify, body.collection, body.repair)


def _owner(request: Request) -> str | None:
    caller = request.state.caller
    return None if caller.role is Role.ADMIN else caller.owner
