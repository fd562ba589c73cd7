"""POST /v1/ask: a question, answered as JSON or as a stream of events."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.asking import check_question, stream_answer
from app.assistants import AskWish, prepare_ask
from app.routes.bodies import AskBody
from app.routes.turns import respond
from app.services import Services

router = APIRouter(tags=["ask"])


@router.post("/v1/ask", summary="Ask a question")
async def ask(body: AskBody, request: Request) -> Response:
    """JSON, or server-sent events with `"stream": true` or `Accept: text/event-stream`."""
    services: Services = request.app.state.services
    # What can be refused is refused before the stream begins, with a status of its own.
    check_question(body.question, services.settings.server.max_question_chars)
    wish = AskWish(**body.model_dump(mode="json", exclude={"stream"}, exclude_none=True))
    question = await prepare_ask(services, request.state.caller, wish)
    return await respond(request, stream_answer(services, question), body.stream)
