"""One turn of a session at a time, whichever process it is asked through.

Two at once would fork the session: both would go on from the same state, and neither would know of the other.
Knows threads of sessions and locks; knows nothing of what a turn does.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import Engine

from core.errors import ConflictError
from core.shared_locks import HeldElsewhere, SharedLocks

LONGEST_WAIT_S = 600.0
"""For a turn of another process; one of this process ends, or its caller goes away."""


class TurnOrder:
    """The turns of all sessions of a database. Of one event loop."""

    def __init__(self, engine: Engine, longest_wait_s: float = LONGEST_WAIT_S) -> None:
        self._locks = SharedLocks(engine)
        self._longest_wait_s = longest_wait_s

    @asynccontextmanager
    async def turn(self, thread: str, session_id: str) -> AsyncIterator[None]:
        """Waits for its turn; others wait until it ends. Raises ConflictError when another process has not
        ended its own for too long."""
        try:
            async with self._locks.alone(_name(thread), self._longest_wait_s):
                yield
        except HeldElsewhere as exc:
            raise ConflictError(
                f"the session {session_id!r} is still being answered by another process",
                remedy="wait for that answer, or ask in another session",
            ) from exc

    async def check(self, thread: str, session_id: str) -> None:
        """Raises ConflictError when the turn is not alone any more: its lock went with a connection that
        broke, so another process may have gone on with the session."""
        if not await asyncio.to_thread(self._locks.is_held, _name(thread)):
            raise ConflictError(
                f"the connection that kept the session {session_id!r} for this question broke meanwhile",
                remedy="ask again",
            )

    def close(self) -> None:
        """Lets other processes go on with what is under way here."""
        self._locks.close()


def _name(thread: str) -> str:
    return f"attest: turn {thread}"
