"""POST /v1/ask: a question, answered as JSON or as a stream of events that can be taken up again."""

import uuid
from dataclasses import replace

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.asking import check_question, stream_answer
from app.assistants import AskWish, prepare_ask
from app.resuming import resumed
from app.routes.bodies import AskBody
from app.routes.turns import respond, wants_events
from app.services import Services
from app.sse import numbered_stream
from app.streams import EventId

router = APIRouter(tags=["ask"])


@router.post("/v1/ask", summary="Ask a question")
async def ask(body: AskBody, request: Request) -> Response:
    """JSON, or server-sent events with `"stream": true` or `Accept: text/event-stream`. A client that lost
    the stream sends the same again with `Last-Event-ID`, and gets the events behind that one."""
    services: Services = request.app.state.services
    # What can be refused is refused before the stream begins, with a status of its own.
    check_question(body.question, services.settings.server.max_question_chars)
    caller, streams = request.state.caller, request.app.state.streams
    asked = body.model_dump(mode="json", exclude={"stream", "resumable"}, exclude_none=True)
    is_stream = wants_events(request, body.stream)
    if is_stream and (last := request.headers.get("last-event-id")):
        return numbered_stream(await resumed(services, streams, caller, last, asked))
    question = await prepare_ask(services, caller, AskWish(**asked))
    if not (is_stream and body.resumable and streams.patience_s):
        return await respond(request, stream_answer(services, question), body.stream)
    # Known before the turn begins, so that each event can name it.
    session_id, run = question.session_id or uuid.uuid4().hex, uuid.uuid4().hex
    question = replace(question, session_id=session_id, run=run)
    events = request.app.state.metrics.watched(stream_answer(services, question))
    return numbered_stream(await streams.open(EventId(session_id, run, 0), caller, asked, events))
