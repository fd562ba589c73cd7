"""POST /v1/ask: a question, answered as JSON or as a stream of events."""

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from agents.events import Failed, Finished
from app.asking import check_question, stream_answer
from app.assistants import AskWish, prepare_ask
from app.problems import problem, status_of_code
from app.routes.bodies import AskBody
from app.services import Services
from app.sse import event_stream

router = APIRouter(tags=["ask"])


@router.post("/v1/ask", summary="Ask a question")
async def ask(body: AskBody, request: Request) -> Response:
    """JSON, or server-sent events with `"stream": true` or `Accept: text/event-stream`."""
    services: Services = request.app.state.services
    # What can be refused is refused before the stream begins, with a status of its own.
    check_question(body.question, services.settings.server.max_question_chars)
    wish = AskWish(**body.model_dump(mode="json", exclude={"stream"}, exclude_none=True))
    question = await prepare_ask(services, request.state.caller, wish)
    events = stream_answer(services, question)
    if body.stream or "text/event-stream" in request.headers.get("accept", ""):
        return event_stream(events)
    async for name, payload in events:
        if name == Finished.name:
            return JSONResponse(payload)
        if name == Failed.name:
            return problem(
                status_of_code(payload["code"]), payload["code"], payload["message"], payload["remedy"]
            )
    raise RuntimeError("stream_answer ended without its last event")
