"""What one question may still spend: calls of the chat model, tokens, seconds. Every call goes through
`MeteredChat`, so an end is an end, wherever the question is.

Knows chat models; knows nothing of nodes or of what the calls are for.
"""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

from core.errors import BudgetSpentError
from core.seams import ChatDelta, ChatModel, ChatOptions, Message, ToolCall, ToolSpec
from core.types import Usage
from retrieval.evidence import estimate_tokens

SECONDS, CALLS, TOKENS = "seconds", "model_calls", "tokens"


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that a question may take; tokens are read and written ones together."""

    model_calls: float = math.inf
    tokens: float = math.inf
    seconds: float = math.inf


class Allowance:
    """One question's; its clock starts when it is made. `ended_by` is the limit that a call met first:
    seconds, model_calls or tokens; empty while none has."""

    def __init__(self, limits: Limits | None = None, spent: Usage | None = None) -> None:
        """`spent` is what was taken before, when a run goes on."""
        self._limits = limits or Limits()
        spent = spent or Usage()
        self._calls, self._tokens = spent.model_calls, spent.prompt_tokens + spent.completion_tokens
        self._end = time.monotonic() + self._limits.seconds
        self.ended_by = ""

    @property
    def seconds_left(self) -> float | None:
        """None where there is no end."""
        return None if math.isinf(self._end) else max(0.0, self._end - time.monotonic())

    @property
    def calls_left(self) -> float:
        """Calls of the chat model that would still be let through."""
        return 0 if self._met() else self._limits.model_calls - self._calls

    @property
    def is_spent(self) -> bool:
        """Whether no further call would be let through."""
        return bool(self._met())

    def begin(self, reads: float, options: ChatOptions) -> ChatOptions:
        """Counts a call and what it reads; gives options that keep what it writes within the tokens left.

        Raises:
            BudgetSpentError: nothing is left.
        """
        if met := self._met():
            raise self.end(met)
        self._calls += 1
        self._tokens += reads
        left = self._limits.tokens - self._tokens
        if left < 1:
            raise self.end(TOKENS)
        return options if left >= options.max_tokens else replace(options, max_tokens=int(left))

    def count(self, tokens: float) -> None:
        """Counts what was written, or mends an estimate."""
        self._tokens += tokens

    def end(self, by: str, *, refused: bool = True) -> BudgetSpentError:
        """The error of a limit that was met, which is noted; not `refused`: a call was cut off by it."""
        self.ended_by = self.ended_by or by
        return BudgetSpentError(
            f"the question has taken all the {by.replace('_', ' ')} that its effort allows",
            remedy=f"ask with more effort, or raise ATTEST_EFFORT__{by.upper()}",
            refused=refused,
        )

    def _met(self) -> str:
        if self.seconds_left == 0:
            return SECONDS
        if self._calls >= self._limits.model_calls:
            return CALLS
        return TOKENS if self._tokens >= self._limits.tokens else ""


class MeteredChat:
    """A `ChatModel` within an allowance: a call that begins too late is refused, one that is under way at
    the end is cut off; both raise BudgetSpentError."""

    def __init__(self, model: ChatModel, allowance: Allowance) -> None:
        self._model = model
        self._allowance = allowance
        self.name = model.name

    async def stream(self, messages: Sequence[Message], options: ChatOptions) -> AsyncIterator[ChatDelta]:
        """See `ChatModel.stream`."""
        reads = tokens_of(messages)
        options = self._allowance.begin(reads, options)
        written, told = 0.0, None
        try:
            async with aclosing(self._model.stream(messages, options)) as deltas:
                while (delta := await self._within(anext(deltas, None))) is not None:
                    written += estimate_tokens(delta.text)
                    told = delta.usage if told is None or delta.usage is None else told.plus(delta.usage)
                    yield delta
        finally:
            self._settle(reads, written, told)

    async def structured(
        self, messages: Sequence[Message], schema: Mapping, options: ChatOptions
    ) -> tuple[dict, Usage]:
        """See `ChatModel.structured`."""
        reads = tokens_of(messages)
        options = self._allowance.begin(reads, options)
        value, usage = await self._within(self._model.structured(messages, schema, options))
        self._settle(reads, 0.0, usage)
        return value, usage

    async def call_tool(
        self, messages: Sequence[Message], tools: Sequence[ToolSpec], options: ChatOptions
    ) -> tuple[ToolCall, Usage]:
        """See `ChatModel.call_tool`."""
        reads = tokens_of(messages)
        options = self._allowance.begin(reads, options)
        call, usage = await self._within(self._model.call_tool(messages, tools, options))
        self._settle(reads, 0.0, usage)
        return call, usage

    async def _within(self, awaited):
        limit = asyncio.timeout(self._allowance.seconds_left)
        try:
            async with limit:
                return await awaited
        except TimeoutError as exc:
            if limit.expired():
                raise self._allowance.end(SECONDS, refused=False) from exc
            raise

    def _settle(self, reads: float, written: float, told: Usage | None) -> None:
        if told is None:
            self._allowance.count(written)
        else:
            self._allowance.count(told.prompt_tokens + told.completion_tokens - reads)


def tokens_of(messages: Sequence[Message]) -> float:
    """An estimate of what a request makes the model read."""
    return sum(estimate_tokens(message.content) for message in messages)
