"""How blocking work leaves the event loop.

Reads run in the shared pool of threads. Writes queue up one behind the other before they
get a thread, so that waiting uploads cannot starve the reads. Those that wait for other
people's servers first queue by themselves, and for the writer's lock when they have what they need.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import anyio.to_thread
from anyio import CapacityLimiter


async def run_read(function: Callable, *args: Any, **named: Any) -> Any:
    """The function's result, from a thread."""
    return await anyio.to_thread.run_sync(partial(function, *args, **named))


class WriteQueue:
    """One write at a time; or `at_once`, for work that holds the writer's lock when it writes."""

    def __init__(self, at_once: int = 1) -> None:
        self._limiter = CapacityLimiter(at_once)

    async def run(self, function: Callable, *args: Any, **named: Any) -> Any:
        """The function's result, from a thread, when all before it are done.

        A caller who leaves meanwhile does not stop a write that has begun."""
        return await anyio.to_thread.run_sync(partial(function, *args, **named), limiter=self._limiter)
