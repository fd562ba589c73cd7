"""/v1/models and /v1/chat/completions: Attest for clients that speak to OpenAI's API.

A completion is a question to `/v1/ask` in other shapes: the same checks, the same way to the answer.
"""

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.asking import check_question, stream_answer
from app.assistants import AskWish, prepare_ask
from app.chat_completions import (
    Completion,
    Said,
    assistant_of,
    find_model,
    read_conversation,
    render_models,
)
from app.routes.bodies import ChatBody
from app.routes.turns import respond_whole
from app.services import Services
from app.sse import data_stream
from app.threads import run_read

router = APIRouter(tags=["OpenAI-compatible"])


@router.get("/v1/models", summary="List models")
async def models(request: Request) -> dict:
    """`attest`, and `attest/NAME` for each assistant that the caller may use."""
    found = await run_read(request.app.state.assistants.list, request.state.caller)
    return render_models(found["assistants"])


@router.get("/v1/models/{model:path}", summary="Show a model")
async def model(model: str, request: Request) -> dict:
    """One of that list, by its id there. 404 when the caller may use none such."""
    found = await run_read(request.app.state.assistants.list, request.state.caller)
    return find_model(found["assistants"], model)


@router.post("/v1/chat/completions", summary="Answer the last message")
async def complete(body: ChatBody, request: Request) -> Response:
    """A `chat.completion`, or with `"stream": true` its chunks. The message holds the whole answer, with its
    citations, as `attest`."""
    services: Services = request.app.state.services
    wish = await run_read(_wish_of, body, services.settings.server.max_question_chars)
    question = await prepare_ask(services, request.state.caller, wish)
    events, completion = stream_answer(services, question), Completion(body.model)
    if body.stream:
        watched = request.app.state.metrics.watched(events)
        return data_stream(completion.chunks(watched, with_usage=body.stream_options.include_usage))
    return await respond_whole(request, events, completion.whole)


def _wish_of(body: ChatBody, max_chars: int) -> AskWish:
    """Raises InputError for a question that cannot be asked, NotFoundError for a model that is none."""
    said = read_conversation([Said(message.role, message.text) for message in body.messages], max_chars)
    check_question(said.question, max_chars)
    asked = {"collection", "session_id", "readers", "effort", "policy", "memory"}
    return AskWish(
        question=said.question,
        assistant=assistant_of(body.model),
        instructions=said.instructions,
        # A session has its own history.
        history=() if body.session_id else said.history,
        **body.model_dump(mode="json", include=asked, exclude_none=True),
    )
