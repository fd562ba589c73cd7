"""How quick a server of the chat protocol is: one stream, eight at once, and a prompt read before."""

import asyncio
import time
from dataclasses import dataclass

from core.chat import OpenAIChatModel
from core.seams import ChatOptions, Message
from evals.record import spread

REPLY_TOKENS = 96
STREAMS = 8
RUNS = 5
PROMPT_RULES = 60


@dataclass(frozen=True, slots=True)
class Timed:
    """One reply: seconds to its first piece and to its end, and what it took."""

    first_s: float
    whole_s: float
    tokens: int
    cached: int

    @property
    def per_second(self) -> float:
        """Tokens a second from the first piece on."""
        return (self.tokens - 1) / (self.whole_s - self.first_s)


async def measure(base_url: str, model: str, api_key: str) -> dict:
    """Figures of the server; every prompt but the repeated one is new to it."""
    client = OpenAIChatModel(base_url, model, api_key)
    try:
        await _reply(client, "warm up", 8)
        alone = [await _reply(client, _ask(run), REPLY_TOKENS) for run in range(RUNS)]
        together = [await _together(client, run) for run in range(RUNS)]
        before, again = [], []
        for run in range(RUNS):
            before.append(await _reply(client, _long(run, "first"), 4))
            again.append(await _reply(client, _long(run, "last"), 4))
    finally:
        await client.close()
    return {
        "alone": {
            "first_s": spread([one.first_s for one in alone]),
            "tokens_per_s": spread([one.per_second for one in alone]),
        },
        "together": {
            "streams": STREAMS,
            "first_s": spread([row["first_s"] for row in together]),
            "tokens_per_s": spread([row["tokens_per_s"] for row in together]),
        },
        "the same beginning": {
            "new_first_s": spread([one.first_s for one in before]),
            "read_before_first_s": spread([one.first_s for one in again]),
            "cached_tokens": min(one.cached for one in again),
        },
    }


async def _together(client: OpenAIChatModel, run: int) -> dict[str, float]:
    """Eight streams: the slowest first piece, and the tokens of all a second of the whole."""
    begun = time.perf_counter()
    asked = [_reply(client, _ask(1000 + run * STREAMS + n), REPLY_TOKENS) for n in range(STREAMS)]
    replies = await asyncio.gather(*asked)
    whole = time.perf_counter() - begun
    return {
        "first_s": max(one.first_s for one in replies),
        "tokens_per_s": sum(one.tokens for one in replies) / whole,
    }


async def _reply(client: OpenAIChatModel, prompt: str, tokens: int) -> Timed:
    begun, first, usage = time.perf_counter(), None, None
    async for delta in client.stream([Message("user", prompt)], ChatOptions(max_tokens=tokens)):
        if delta.text and first is None:
            first = time.perf_counter() - begun
        usage = delta.usage or usage
    whole = time.perf_counter() - begun
    return Timed(first or whole, whole, usage.completion_tokens, usage.cached_tokens)


def _ask(number: int) -> str:
    return f"Story {number}: tell me at length of a lighthouse, its keeper and {number} ships."


def _long(run: int, which: str) -> str:
    rules = (f"Rule {n} of house {run}: room {n * 7} closes at {n % 12}." for n in range(PROMPT_RULES))
    return f"{' '.join(rules)} Question: which room closes {which}?"
