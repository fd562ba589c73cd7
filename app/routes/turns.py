"""A turn as a response: JSON of the answer, or all events as they come."""

from collections.abc import AsyncIterator, Callable

from fastapi import Request
from starlette.responses import JSONResponse, Response

from agents.events import Failed, Finished
from app.problems import problem, status_of_code
from app.sse import event_stream


def wants_events(request: Request, streams: bool) -> bool:
    """Whether the body or the header `Accept` asks for server-sent events."""
    return streams or "text/event-stream" in request.headers.get("accept", "")


async def respond(request: Request, events: AsyncIterator[tuple[str, dict]], streams: bool) -> Response:
    """Server-sent events where they are wanted, else the answer; an error is a problem document."""
    if wants_events(request, streams):
        return event_stream(request.app.state.metrics.watched(events))
    return await respond_whole(request, events)


async def respond_whole(
    request: Request, events: AsyncIterator[tuple[str, dict]], shape: Callable[[dict], dict] = dict
) -> Response:
    """The answer, in the shape that is given; an error is a problem document."""
    last: Response | None = None
    async for name, payload in request.app.state.metrics.watched(events):
        if name == Finished.name:
            last = JSONResponse(shape(payload))
        elif name == Failed.name:
            status = status_of_code(payload["code"])
            last = problem(status, payload["code"], payload["message"], payload["remedy"])
    if last is None:
        raise RuntimeError("a turn ended without its last event")
    return last
