"""How blocking work leaves the event loop.

Reads run in the shared pool of threads. Writes queue up one behind the other before they
get a thread, so that waiting uploads cannot starve the reads. Those that wait for other
people's servers first queue by themselves, and for the writer's lock when they have what they need.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

import anyio.to_thread
from anyio import CapacityLimiter

from core.errors import AttestError

logger = logging.getLogger(__name__)


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


class Background:
    """Work that goes on after its request was answered. For use within one event loop."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task] = set()

    def start(self, work: Coroutine[Any, Any, Any]) -> None:
        """Begins it; an error of ours is told where the work keeps its state, another is logged."""
        task = asyncio.get_running_loop().create_task(_log_mistakes(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def aclose(self) -> None:
        """Gives up what has not begun, and waits for what has."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def _log_mistakes(work: Coroutine[Any, Any, Any]) -> None:
    try:
        await work
    except AttestError as exc:
        logger.warning("work in the background failed: %s", exc)
    except Exception:  # the edge: nobody waits for this work
        logger.exception("work in the background failed")
