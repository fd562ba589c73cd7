"""The answer as server-sent events (the HTML standard's section 9.2).

Knows the framing; the names and payloads come from `app.asking`.
"""

import json
from collections.abc import AsyncIterator
from contextlib import aclosing

from sse_starlette import EventSourceResponse, ServerSentEvent

HEARTBEAT_S = 15
LINE_END = "\n"


def event_stream(events: AsyncIterator[tuple[str, dict]]) -> EventSourceResponse:
    """Each pair as one event with ids from 1, and a comment every 15 s so that proxies and
    clients see that the line is alive. A client that leaves closes `events`."""
    return numbered_stream(_numbered(events))


def numbered_stream(events: AsyncIterator[tuple[str, str, dict]]) -> EventSourceResponse:
    """The same of events that have an id, a name and a payload."""
    return _response(_framed(events))


def data_stream(data: AsyncIterator[str]) -> EventSourceResponse:
    """Each text, of one line, as an event without name or id; the rest as `event_stream`."""
    return _response(_bare(data))


def _response(events: AsyncIterator[ServerSentEvent]) -> EventSourceResponse:
    return EventSourceResponse(
        events,
        ping=HEARTBEAT_S,
        ping_message_factory=lambda: ServerSentEvent(comment="heartbeat", sep=LINE_END),
        sep=LINE_END,
    )


async def _bare(data: AsyncIterator[str]) -> AsyncIterator[ServerSentEvent]:
    async with aclosing(data):
        async for text in data:
            yield ServerSentEvent(data=text, sep=LINE_END)


async def _numbered(events: AsyncIterator[tuple[str, dict]]) -> AsyncIterator[tuple[str, str, dict]]:
    async with aclosing(events):
        number = 0
        async for name, payload in events:
            number += 1
            yield str(number), name, payload


async def _framed(events: AsyncIterator[tuple[str, str, dict]]) -> AsyncIterator[ServerSentEvent]:
    async with aclosing(events):
        async for event_id, name, payload in events:
            # JSON has no raw line breaks, so the data is always one line.
            data = json.dumps(payload, ensure_ascii=False)
            yield ServerSentEvent(data=data, event=name, id=event_id, sep=LINE_END)
