"""A second chat model that answers when the first one cannot.

Knows which faults another server could make good, and how long one that failed is left alone;
knows nothing of HTTP. A reply of which a piece has left is never continued by another model: its
second half would not fit its first.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Protocol, TypeVar

from core.errors import ChatModelError, ChatRequestError, ModelFileError, ServiceError
from core.seams import ChatDelta, ChatModel, ChatOptions, Message, ToolCall, ToolSpec
from core.types import Usage

RESTS_S = 30.0
FAULTS = (ChatModelError, ModelFileError)
logger = logging.getLogger(__name__)
Reply = TypeVar("Reply")


class ConnectedChatModel(ChatModel, Protocol):
    """A `ChatModel` that holds connections."""

    async def open_client(self) -> "ConnectedChatModel":
        """Another client of the same server, for another event loop; the caller closes it."""
        ...

    async def close(self) -> None:
        """Closes the connections."""
        ...


class Breaker:
    """Leaves a model alone for a while after it failed (Nygard 2007, circuit breaker): a dead one
    would be waited for at every question. When the while is over one call tries it; the others go
    on passing it by until that call has succeeded."""

    def __init__(self, rests_s: float = RESTS_S, clock: Callable[[], float] = time.monotonic) -> None:
        self._rests_s = rests_s
        self._clock = clock
        self._resting_until: float | None = None

    def admits(self) -> bool:
        """Whether a call may be made now. Of several that ask when the while is over, one may."""
        if self._resting_until is None:
            return True
        if self._clock() < self._resting_until:
            return False
        self.open()
        return True

    def open(self) -> None:
        """The model failed: from now on it rests."""
        self._resting_until = self._clock() + self._rests_s

    def reset(self) -> None:
        """The model answered."""
        self._resting_until = None


class FallbackChatModel:
    """A `ChatModel` made of two. Usage names who answered; the second as `NAME (fallback)`."""

    def __init__(
        self, first: ConnectedChatModel, second: ConnectedChatModel, breaker: Breaker | None = None
    ) -> None:
        self.name = first.name
        self._first = first
        self._second = second
        self._breaker = breaker or Breaker()

    async def stream(
        self, messages: Sequence[Message], options: ChatOptions
    ) -> AsyncIterator[ChatDelta]:
        """See `ChatModel.stream`. Goes elsewhere only while no piece has left."""
        if self._breaker.admits():
            has_begun = False
            try:
                async with aclosing(self._first.stream(messages, options)) as deltas:
                    async for delta in deltas:
                        has_begun = has_begun or bool(delta.text)
                        self._breaker.reset()
                        yield delta
                return
            except FAULTS as exc:
                self._note(exc)
                if has_begun or isinstance(exc, ChatRequestError):
                    raise
        async with aclosing(self._second.stream(messages, options)) as deltas:
            async for delta in deltas:
                yield replace(delta, usage=_as_fallback(delta.usage)) if delta.usage else delta

    async def structured(
        self, messages: Sequence[Message], schema: Mapping, options: ChatOptions
    ) -> tuple[dict, Usage]:
        """See `ChatModel.structured`."""
        return await self._either(lambda model: model.structured(messages, schema, options))

    async def call_tool(
        self, messages: Sequence[Message], tools: Sequence[ToolSpec], options: ChatOptions
    ) -> tuple[ToolCall, Usage]:
        """See `ChatModel.call_tool`."""
        return await self._either(lambda model: model.call_tool(messages, tools, options))

    async def open_client(self) -> "FallbackChatModel":
        """See `OpenAIChatModel.open_client`. What is known of the first one's health is shared. Each is
        opened when it is first asked: one that does not start is a fault that the other makes good."""
        return FallbackChatModel(_LateClient(self._first), _LateClient(self._second), self._breaker)

    def begin(self) -> None:
        """Lets the first one load in the background, where it is of this machine."""
        if hasattr(self._first, "begin"):
            self._first.begin()

    def stop(self) -> None:
        """Stops a model whose server is a child of this process, without an event loop."""
        for model in (self._first, self._second):
            if hasattr(model, "stop"):
                model.stop()

    async def close(self) -> None:
        """Closes both."""
        await self._first.close()
        await self._second.close()

    async def _either(
        self, ask: Callable[[ChatModel], Awaitable[tuple[Reply, Usage]]]
    ) -> tuple[Reply, Usage]:
        if self._breaker.admits():
            try:
                reply = await ask(self._first)
            except FAULTS as exc:
                self._note(exc)
                if isinstance(exc, ChatRequestError):
                    raise
            else:
                self._breaker.reset()
                return reply
        value, usage = await ask(self._second)
        return value, _as_fallback(usage)

    def _note(self, exc: ServiceError) -> None:
        if isinstance(exc, ChatRequestError):
            # A server that refuses a request is alive.
            self._breaker.reset()
            return
        logger.warning("the fallback chat model is asked: %s", exc)
        self._breaker.open()


class _LateClient:
    """A `ConnectedChatModel` whose connections are opened by its first call."""

    def __init__(self, model: ConnectedChatModel) -> None:
        self.name = model.name
        self._model = model
        self._client: ConnectedChatModel | None = None
        self._opening = asyncio.Lock()

    async def stream(
        self, messages: Sequence[Message], options: ChatOptions
    ) -> AsyncIterator[ChatDelta]:
        """See `ChatModel.stream`."""
        async with aclosing((await self._open()).stream(messages, options)) as deltas:
            async for delta in deltas:
                yield delta

    async def structured(
        self, messages: Sequence[Message], schema: Mapping, options: ChatOptions
    ) -> tuple[dict, Usage]:
        """See `ChatModel.structured`."""
        return await (await self._open()).structured(messages, schema, options)

    async def call_tool(
        self, messages: Sequence[Message], tools: Sequence[ToolSpec], options: ChatOptions
    ) -> tuple[ToolCall, Usage]:
        """See `ChatModel.call_tool`."""
        return await (await self._open()).call_tool(messages, tools, options)

    async def open_client(self) -> ConnectedChatModel:
        """See `OpenAIChatModel.open_client`."""
        return await self._model.open_client()

    async def close(self) -> None:
        """Closes what was opened."""
        if self._client is not None:
            await self._client.close()

    async def _open(self) -> ConnectedChatModel:
        async with self._opening:
            if self._client is None:
                self._client = await self._model.open_client()
            return self._client


def _as_fallback(usage: Usage) -> Usage:
    return replace(usage, models=tuple(f"{name} (fallback)" for name in usage.models))
