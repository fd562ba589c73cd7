"""The end of a turn as a response: JSON of the answer, or all events as they come."""

from collections.abc import AsyncIterator, Callable

from fastapi import Request
from starlette.responses import JSONResponse, Response

from agents.events import Failed, Finished
from app.problems import problem, status_of_code
from app.sse import event_stream


async def respond(request: Request, events: AsyncIterator[tuple[str, dict]], streams: bool) -> Response:
    """Server-sent events when the body or the header `Accept` asks for them, else the answer; an error
    is a problem document."""
    if streams or "text/event-stream" in request.headers.get("accept", ""):
        return event_stream(events)
    return await respond_whole(events)


async def respond_whole(
    events: AsyncIterator[tuple[str, dict]], shape: Callable[[dict], dict] = dict
) -> Response:
    """The answer, in the shape that is given; an error is a problem document."""
    async for name, payload in events:
        if name == Finished.name:
            return JSONResponse(shape(payload))
        if name == Failed.name:
            return problem(
                status_of_code(payload["code"]), payload["code"], payload["message"], payload["remedy"]
            )
    raise RuntimeError("a turn ended without its last event")
