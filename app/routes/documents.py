"""/v1/documents: upload, list, show, change, delete; and /v1/ingest for files of this machine.

Knows forms and roles; what is done stands in `app.library`.
"""

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, File, Form, Query, Request, Response, UploadFile
from fastapi import Path as PathParameter
from fastapi.responses import JSONResponse
from starlette.convertors import Convertor, register_url_convertor

from app.amending import AmendWish
from app.jobs import Job
from app.keys import Role
from app.library import IngestOrder, Library
from app.rendering import render_taken
from app.routes.bodies import DEFAULT_COLLECTION, DocumentBody, IngestBody
from app.threads import WriteQueue, run_read
from app.upload_names import clean_upload_name
from core.errors import AccessError, InputError, NotFoundError
from core.types import EVERYONE

if TYPE_CHECKING:
    from ingest.intake import Taken



class PictureName(Convertor[str]):
    """The name of a picture in a path. Any other word there is part of the uri of a document,
    which may lie in a folder that is called figures."""

    regex = r"[0-9a-f]{32}\.(?:png|jpg)"

    def convert(self, value: str) -> str:
        """As it is."""
        return value

    def to_string(self, value: str) -> str:
        """As it is."""
        return value


class PageNumber(PictureName):
    """The number of a page in a path, as it is written."""

    regex = r"[0-9]{1,9}"


register_url_convertor("picture", PictureName())
register_url_convertor("page", PageNumber())
router = APIRouter(tags=["documents"])

CollectionName = Annotated[str, Query(max_length=128)]
ReaderNames = Annotated[list[str], Query()]


@router.post("/v1/documents", summary="Upload documents", response_model=None)
async def upload(
    request: Request,
    file: Annotated[list[UploadFile], File()],
    collection: Annotated[str, Form(max_length=128)] = DEFAULT_COLLECTION,
    readers: Annotated[list[str] | None, Form()] = None,
    wait: Annotated[bool, Form()] = True,
) -> dict | JSONResponse:
    """The report of the ingestion, as `attest ingest --json`. A file of a name that is
    there already becomes its new version. With `wait=false` the answer is 202 as soon as the
    files are on disk and in the queue: `{"job_id", "accepted": [{"uri", "document_id"}],
    "unchanged", "failures"}`, and `/v1/jobs/{job_id}` tells of the rest."""
    caller = request.state.caller
    caller.require(Role.EDITOR)
    granted = tuple(readers or (EVERYONE,))
    caller.check_grant(granted)
    named = [(part, clean_upload_name(part.filename)) for part in file]
    if len({name for _, name in named}) < len(named):
        raise InputError("two uploaded files have the same name", remedy="send them one by one")
    state, visible = request.app.state, caller.visible()
    library: Library = state.library

    @contextmanager
    def spooled() -> Iterator[IngestOrder]:
        state.services.paths.create()
        with tempfile.TemporaryDirectory(prefix="upload-", dir=state.services.paths.root) as folder:
            uploads = {_spool(part, Path(folder), number): name for number, (part, name) in enumerate(named)}
            library.check_replaceable(collection, [f"upload:{name}" for name in uploads.values()], visible)
            yield IngestOrder(tuple(uploads), collection, granted, uploads=uploads)

    def ingest() -> dict:
        with spooled() as order:
            return library.ingest(replace(order, is_cancelled=lambda: job.wants_cancel), job.note)

    def accept() -> "Taken":
        library.check_room(len(named), state.jobs.waiting_count())
        with spooled() as order:
            return library.accept(order)

    if wait:
        job = state.jobs.open("upload", collection, caller.owner)
        return await _run(request, job, ingest, state.writes)
    taken = await run_read(accept)
    job = state.jobs.open("upload", collection, caller.owner)
    state.background.start(
        _run(request, job, lambda: library.finish(collection, taken, job.note), state.writes)
    )
    body = {"job_id": job.id, **render_taken(taken)}
    return JSONResponse(body, status_code=202, headers={"Location": f"/v1/jobs/{job.id}"})


def _spool(part: UploadFile, folder: Path, number: int) -> Path:
    """A copy on disk: under a number, since the given name is no business of the file system."""
    path = folder / f"{number}{Path(clean_upload_name(part.filename)).suffix}"
    with path.open("xb") as target:
        shutil.copyfileobj(part.file, target)
    return path


@router.post("/v1/ingest", summary="Ingest files of this machine")
async def ingest_paths(body: IngestBody, request: Request) -> dict:
    """For the holder of the local token alone: whoever can read it can read the files too."""
    if not request.state.caller.by_token:
        raise AccessError(
            "paths of the server can be named only from its own command line",
            remedy="upload the files: POST /v1/documents",
            authenticated=True,
        )
    if not (body.paths or body.addresses):
        raise InputError("there is nothing to ingest", remedy="name paths or addresses")
    paths = tuple(Path(path) for path in body.paths)
    if relative := [path for path in paths if not path.is_absolute()]:
        raise InputError(f"the path {str(relative[0])!r} is not absolute", remedy="send absolute paths")
    library: Library = request.app.state.library
    order = IngestOrder(
        paths,
        body.collection,
        tuple(body.readers),
        body.meta,
        body.dry_run,
        body.retry_failed,
        body.force,
        addresses=tuple(body.addresses),
        prune=body.prune,
    )
    job = request.app.state.jobs.open(
        "ingest", body.collection, request.state.caller.owner, body.job_id
    )
    watched = replace(order, is_cancelled=lambda: job.wants_cancel)
    state = request.app.state
    queue = state.fetches if body.addresses else state.writes
    return await _run(request, job, lambda: library.ingest(watched, job.note), queue)


async def _run(request: Request, job: Job, work: Callable[[], dict], queue: WriteQueue) -> dict:
    """The report of an ingest, while `/v1/jobs` tells how far it is."""
    state = request.app.state
    with state.jobs.waiting(job):
        report = await queue.run(state.jobs.run, job, work)
    state.background.start(state.communities.follow_ingest(job.collection))
    return report


@router.get("/v1/documents", summary="List documents")
async def documents(
    request: Request, collection: CollectionName = DEFAULT_COLLECTION, readers: ReaderNames = ()
) -> dict:
    """Those that the caller may read."""
    caller, library = request.state.caller, request.app.state.library
    visible = caller.visible(readers or None)
    return await run_read(library.documents, collection, visible, caller.viewers)


@router.get("/v1/documents/failed", summary="List files that could not be ingested")
async def failed(
    request: Request, collection: CollectionName = DEFAULT_COLLECTION, readers: ReaderNames = ()
) -> dict:
    """Each with its uri, code and reason."""
    caller, library = request.state.caller, request.app.state.library
    visible = caller.visible(readers or None)
    return await run_read(library.failures, collection, visible, caller.viewers)


@router.get("/v1/documents/duplicates", summary="List documents that are the same as others")
async def duplicates(
    request: Request, collection: CollectionName = DEFAULT_COLLECTION, readers: ReaderNames = ()
) -> dict:
    """Exact and near copies among the documents that the caller may read."""
    caller, library = request.state.caller, request.app.state.library
    visible = caller.visible(readers or None)
    return await run_read(library.duplicates, collection, visible, caller.viewers)


@router.get(
    "/v1/documents/{reference:path}/pages/{number:page}.png", summary="Show a page", response_class=Response
)
async def page(
    reference: str,
    number: Annotated[str, PathParameter(pattern=PageNumber.regex)],
    request: Request,
    collection: CollectionName = DEFAULT_COLLECTION,
    readers: ReaderNames = (),
) -> Response:
    """A page of a PDF or a picture as PNG. Boxes of citations are in points; the page has
    `X-Page-Width` × `X-Page-Height` of them. 404 as for the document itself; 403 when personal
    data in it is masked. Where there is no such page, but a document with the whole for its
    uri, that is shown."""
    caller, library = request.state.caller, request.app.state.library
    visible = caller.visible(readers or None)
    try:
        place = (collection, reference, int(number))
        image = await run_read(library.page_image, *place, visible, caller.viewers)
    except NotFoundError as error:
        return await _of_that_uri(f"{reference}/pages/{number}.png", error, request, collection, readers)
    size = {"X-Page-Width": f"{image.width:g}", "X-Page-Height": f"{image.height:g}"}
    return Response(image.png, media_type="image/png", headers={"Cache-Control": "private, no-store", **size})


@router.get(
    "/v1/documents/{reference:path}/figures/{name:picture}",
    summary="Show a picture",
    response_class=Response,
)
async def figure(
    reference: str,
    name: str,
    request: Request,
    collection: CollectionName = DEFAULT_COLLECTION,
    readers: ReaderNames = (),
) -> Response:
    """A picture of a document, as hits and citations name it: PNG or JPEG. 404 as for the
    document itself. Where there is no such picture, but a document with the whole for its uri,
    that is shown."""
    caller, library = request.state.caller, request.app.state.library
    visible = caller.visible(readers or None)
    try:
        found = await run_read(library.figure, collection, reference, name, visible, caller.viewers)
    except NotFoundError as error:
        return await _of_that_uri(f"{reference}/figures/{name}", error, request, collection, readers)
    headers = {"Cache-Control": "private, no-store", "X-Content-Type-Options": "nosniff"}
    return Response(found.data, media_type=found.media_type, headers=headers)


async def _of_that_uri(
    uri: str, otherwise: NotFoundError, request: Request, collection: str, readers: Sequence[str]
) -> JSONResponse:
    """The document of that uri, which looks like a page or a picture of another one. Raises
    `otherwise` when there is none."""
    try:
        return JSONResponse(await document(uri, request, collection, readers))
    except NotFoundError:
        raise otherwise from None


@router.get("/v1/documents/{reference:path}", summary="Show a document")
async def document(
    reference: str,
    request: Request,
    collection: CollectionName = DEFAULT_COLLECTION,
    readers: ReaderNames = (),
) -> dict:
    """By id or uri. 404 also when it is there and the caller may not read it."""
    caller, library = request.state.caller, request.app.state.library
    visible = caller.visible(readers or None)
    return await run_read(library.document, collection, reference, visible, caller.viewers)


@router.patch("/v1/documents/{reference:path}", summary="Change title, readers or notes")
async def amend(
    reference: str,
    body: DocumentBody,
    request: Request,
    collection: CollectionName = DEFAULT_COLLECTION,
    readers: ReaderNames = (),
) -> dict:
    """By id or uri; the document as it is then and is searched. 404 also when it is there and the caller
    may not read it, 409 while another version of it is on its way."""
    state = request.app.state
    wish = AmendWish(collection, reference, body.model_dump(exclude_unset=True), readers or None)
    return await state.writes.run(state.amending.amend, request.state.caller, wish)


@router.delete("/v1/documents/{reference:path}", summary="Delete a document")
async def delete(
    reference: str,
    request: Request,
    collection: CollectionName = DEFAULT_COLLECTION,
    readers: ReaderNames = (),
) -> dict:
    """By id or uri. 404 also when it is there and the caller may not read it."""
    caller = request.state.caller
    caller.require(Role.EDITOR)
    visible = caller.visible(readers or None)
    library: Library = request.app.state.library
    return await request.app.state.writes.run(library.delete_document, collection, reference, visible)
