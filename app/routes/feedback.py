"""/v1/feedback: thumbs of those who asked, and the bad cases that come of them and of the guards."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from agents.kept_answers import Rating
from app.routes.bodies import DEFAULT_COLLECTION, FeedbackBody
from app.threads import run_read

router = APIRouter(tags=["feedback"])

CollectionName = Annotated[str, Query(max_length=128)]


@router.post("/v1/feedback", summary="Rate an answer")
async def rate(body: FeedbackBody, request: Request) -> dict:
    """Only who asked may: for others the answer is not there (404). A later vote replaces it."""
    rating = Rating(body.vote, body.reason.strip(), body.right_answer.strip())
    return await run_read(request.app.state.curation.rate, request.state.caller, body.answer_id, rating)


@router.get("/v1/feedback/cases", summary="List bad cases")
async def cases(request: Request, collection: CollectionName = DEFAULT_COLLECTION) -> dict:
    """The caller's own, oldest first; for admins everyone's, without others' held-back drafts."""
    return await run_read(request.app.state.curation.cases, request.state.caller, collection)


@router.get("/v1/feedback/golden", summary="Bad cases as rows of an evaluation")
async def golden(request: Request, collection: CollectionName = DEFAULT_COLLECTION) -> dict:
    """`rows` for `attest eval answers`, of the cases whose right answer is known; `unknown` counts
    the others."""
    return await run_read(request.app.state.curation.golden_rows, request.state.caller, collection)
