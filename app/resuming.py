"""A streamed answer taken up again by a client that lost the line.

Knows where to look: among the streams of this process, and behind a restart for the turn that was stored.
"""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import TYPE_CHECKING

from agents.events import Finished
from app.auth import Caller
from app.rendering import render_event
from app.services import Services
from app.streams import EventId, Numbered, StreamBook, no_stream, other_question, read_event_id
from core.errors import NotFoundError

if TYPE_CHECKING:
    from agents.asking import Ask


async def resumed(
    services: Services, streams: StreamBook, caller: Caller, last: str, asked: dict
) -> AsyncIterator[Numbered]:
    """The events behind the one of that id. Of a stream that is not here any more, `finished` alone, with the
    answer as it was stored.

    Raises:
        InputError: no stream has given such an id, or it is of another question.
        NotFoundError: the caller has no such stream, and no such turn.
        ConflictError: the turn was broken off, as by a restart, or its events are no longer kept.
        AccessError: the caller may not read any more as whoever asked.
    """
    event_id = read_event_id(last)
    found = streams.resume(event_id, caller, asked)
    return found if found is not None else _told(await _stored(services, caller, event_id, asked), event_id)


async def _stored(services: Services, caller: Caller, event_id: EventId, asked: dict) -> Finished:
    asker = await services.asker()

    def check(ask: "Ask") -> None:
        caller.scope(ask.scope.collection, sorted(ask.scope.readers))
        if ask.question != asked["question"].strip():
            raise other_question()

    try:
        return await asker.stored(caller.owner, event_id.session_id, event_id.run, check)
    except NotFoundError:
        raise no_stream() from None


async def _told(finished: Finished, event_id: EventId) -> AsyncIterator[Numbered]:
    yield str(replace(event_id, number=event_id.number + 1)), finished.name, render_event(finished)
