"""Streams of events that outlive the line to their client, so that it can have what it missed.

A turn runs by itself; whoever reads its stream may leave and come back with the id of the last event that
arrived. One that nobody reads is cancelled after a while. In the memory of this process alone. Knows events
as names and payloads; knows nothing of HTTP.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace

from agents.events import Failed
from app.auth import Caller
from app.rendering import render_event
from core.errors import ConflictError, InputError, NotFoundError

KEPT_CHARS = 4_000_000
"""Of one stream; above that its oldest events go."""
STREAMS_PER_OWNER = 16
"""Of those that nobody reads."""
_ID = re.compile(r"([A-Za-z0-9_-]{1,64})\.([0-9a-f]{32})\.([0-9]{1,9})")
CANCELLED = Failed("cancelled", "nobody read this answer any more, or the server stops", "ask again")
TOO_SLOW = Failed(
    "cancelled", "the events of this answer were not read in time", "see the session for the answer"
)
Numbered = tuple[str, str, dict]
"""The id of an event, its name and its payload."""


@dataclass(frozen=True, slots=True)
class EventId:
    """Which event of which turn: `run` is the id that its answer has."""

    session_id: str
    run: str
    number: int

    def __str__(self) -> str:
        return f"{self.session_id}.{self.run}.{self.number}"


def read_event_id(text: str) -> EventId:
    """Raises InputError for what no stream of ours has given."""
    found = _ID.fullmatch(text.strip())
    if found is None:
        raise InputError(
            f"Last-Event-ID {text[:100]!r} is of no stream",
            remedy="send the id of the last event, as it came",
        )
    return EventId(found[1], found[2], int(found[3]))


class Stream:
    """One turn: its events so far, and the work that makes more. For use within one event loop."""

    def __init__(self, first: EventId, caller: Caller, asked: dict, patience_s: float) -> None:
        """`first` is the id before that of the first event. Without a reader for `patience_s` seconds the
        turn is cancelled; so long its events are kept when it is over."""
        self.first, self.caller, self.asked = first, caller, asked
        self.is_over = False
        self._patience_s = patience_s
        self._events: list[tuple[int, str, dict, int]] = []
        self._last = self._chars = self._readers = 0
        self._changed = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._work: asyncio.Task | None = None
        self._forget: Callable[[], None] = lambda: None

    @property
    def is_read(self) -> bool:
        """Whether somebody listens at this moment."""
        return self._readers > 0

    def start(self, events: AsyncIterator[tuple[str, dict]], forget: Callable[[], None]) -> None:
        """Begins the work; `forget` is called when nobody can want the stream any more."""
        self._forget = forget
        self._work = asyncio.get_running_loop().create_task(self._run(events))
        self._wait()

    async def cancel(self) -> None:
        """Ends the work, and the stream for whoever reads it."""
        if self._work is not None:
            self._work.cancel()
            await asyncio.gather(self._work, return_exceptions=True)

    def after(self, number: int) -> AsyncIterator[Numbered]:
        """The events behind that number, those to come too, up to the end.

        Raises:
            ConflictError: it has given no such event, or those behind it are no longer kept.
        """
        kept_from = self._events[0][0] if self._events else self._last + 1
        if not kept_from - 1 <= number <= self._last:
            raise ConflictError(
                f"the events behind {number} of this stream are not there",
                remedy=f"see: GET /v1/sessions/{self.first.session_id}",
            )
        return self._follow(number)

    async def _follow(self, number: int) -> AsyncIterator[Numbered]:
        self._readers += 1
        self._stop_waiting()
        try:
            while True:
                changed = self._changed
                waiting = [event for event in self._events if event[0] > number]
                if waiting and waiting[0][0] > number + 1:
                    yield str(replace(self.first, number=number)), Failed.name, render_event(TOO_SLOW)
                    return
                for at, name, payload, _ in waiting:
                    yield str(replace(self.first, number=at)), name, payload
                    number = at
                if self.is_over and number >= self._last:
                    return
                if not waiting:
                    await changed.wait()
        finally:
            self._readers -= 1
            if not self._readers:
                self._wait()

    async def _run(self, events: AsyncIterator[tuple[str, dict]]) -> None:
        try:
            async with aclosing(events):
                async for name, payload in events:
                    self._put(name, payload)
        except asyncio.CancelledError:
            self._put(Failed.name, render_event(CANCELLED))
            raise
        finally:
            self.is_over = True
            self._tell()
            self._wait()

    def _put(self, name: str, payload: dict) -> None:
        self._last += 1
        chars = len(str(payload))
        self._events.append((self._last, name, payload, chars))
        self._chars += chars
        while self._chars > KEPT_CHARS and len(self._events) > 1:
            self._chars -= self._events.pop(0)[3]
        self._tell()

    def _tell(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    def _wait(self) -> None:
        """From now on, if nobody reads it."""
        self._stop_waiting()
        if not self._readers:
            self._timer = asyncio.get_running_loop().call_later(self._patience_s, self._give_up)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _give_up(self) -> None:
        if self.is_over:
            self._forget()
        elif self._work is not None:
            self._work.cancel()


class StreamBook:
    """The streams of one process. For use within one event loop."""

    def __init__(self, patience_s: float) -> None:
        self.patience_s = patience_s
        self._streams: dict[str, Stream] = {}

    async def open(
        self, first: EventId, caller: Caller, asked: dict, events: AsyncIterator[tuple[str, dict]]
    ) -> AsyncIterator[Numbered]:
        """The events of a turn that begins, from the first on; `asked` is what its client will send again
        with the id of an event. A turn of the same session that nobody reads any more ends first."""
        own = [one for one in self._streams.values() if one.caller.owner == caller.owner and not one.is_read]
        left = [one for one in own if not one.is_over and one.first.session_id == first.session_id]
        too_many = sorted(own, key=lambda one: not one.is_over)[: max(0, len(own) + 1 - STREAMS_PER_OWNER)]
        for stream in dict.fromkeys([*left, *too_many]):
            await stream.cancel()
            self._streams.pop(stream.first.run, None)
        stream = self._streams[first.run] = Stream(first, caller, asked, self.patience_s)
        stream.start(events, lambda: self._streams.pop(first.run, None) and None)
        return stream.after(0)

    def resume(self, last: EventId, caller: Caller, asked: dict) -> AsyncIterator[Numbered] | None:
        """The events behind the last one that arrived; None when no such stream is here any more.

        Raises:
            NotFoundError: it is another caller's, also one of the same user with other rights.
            InputError: something else was asked.
            ConflictError: as `Stream.after`.
        """
        stream = self._streams.get(last.run)
        if stream is None:
            return None
        if stream.caller != caller or stream.first.session_id != last.session_id:
            raise no_stream()
        if stream.asked != asked:
            raise other_question()
        return stream.after(last.number)

    async def aclose(self) -> None:
        """Ends all turns."""
        await asyncio.gather(*(stream.cancel() for stream in list(self._streams.values())))
        self._streams.clear()


def no_stream() -> NotFoundError:
    """Of an id that the caller has not got from here."""
    return NotFoundError("there is no such stream", remedy="ask again, without Last-Event-ID")


def other_question() -> InputError:
    """Of an id that came with another question."""
    return InputError(
        "Last-Event-ID is of another question",
        remedy="send the same body again with it, or ask without it",
    )
