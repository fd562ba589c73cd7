"""/v1/faq: curated answers to known questions, and proposals for more."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from app.curation import FaqOrder
from app.routes.bodies import DEFAULT_COLLECTION, FaqBody
from app.threads import run_read

router = APIRouter(tags=["faq"])

CollectionName = Annotated[str, Query(max_length=128)]
ReaderNames = Annotated[list[str], Query()]


@router.get("/v1/faq", summary="List curated answers")
async def entries(
    request: Request, collection: CollectionName = DEFAULT_COLLECTION, readers: ReaderNames = ()
) -> dict:
    """Those whose documents the caller may read. `status`: valid, expired or unverified.
    `may_curate`: whether the caller may add and delete some."""
    curation = request.app.state.curation
    return await run_read(curation.entries, request.state.caller, collection, tuple(readers) or None)


@router.post("/v1/faq", summary="Add a curated answer", status_code=201)
async def add(body: FaqBody, request: Request) -> dict:
    """For editors. Each sentence of `answer` is bound to the documents and checked; one that they
    do not bear out is refused (400), or with `force` kept without evidence. Or `from_answer`
    takes over a past answer, `suggestion` one of /v1/faq/suggestions."""
    order = FaqOrder(
        collection=body.collection,
        questions=tuple(body.questions),
        text=body.answer.strip(),
        from_answer=body.from_answer,
        suggestion=body.suggestion,
        readers=tuple(body.readers) if body.readers else None,
        force=body.force,
    )
    return await run_read(request.app.state.curation.add, request.state.caller, order)


@router.get("/v1/faq/suggestions", summary="Questions that want a curated answer")
async def suggestions(
    request: Request,
    collection: CollectionName = DEFAULT_COLLECTION,
    readers: ReaderNames = (),
    min_count: Annotated[int, Query(ge=1)] = 2,
) -> dict:
    """For editors: from their own questions; for admins from everyone's."""
    suggest = request.app.state.curation.suggestions
    return await run_read(suggest, request.state.caller, collection, tuple(readers) or None, min_count)


@router.delete("/v1/faq/{entry_id}", summary="Delete a curated answer")
async def delete(entry_id: str, request: Request) -> dict:
    """For editors. 404 when its documents are not the caller's to read."""
    return await run_read(request.app.state.curation.delete, request.state.caller, entry_id)
