"""Sessions on disk: LangGraph's SQLite checkpoints, kept short.

Knows that saver's two tables; knows nothing of what is in a state.
"""

import aiosqlite
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver


class SessionSaver(AsyncSqliteSaver):
    """Stores plain values only: neither pickles nor classes are read back."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        super().__init__(connection, serde=JsonPlusSerializer(pickle_fallback=False))

    async def keep_latest(self, thread_id: str) -> None:
        """Forgets all checkpoints of a thread but its last: each is a full copy of the state,
        and a turn that has ended is never taken up in its middle."""
        async with self.lock:
            for table in ("writes", "checkpoints"):
                await self.conn.execute(
                    f"DELETE FROM {table} WHERE thread_id = ? AND checkpoint_id < "
                    "(SELECT max(checkpoint_id) FROM checkpoints WHERE thread_id = ?)",
                    (thread_id, thread_id),
                )
            await self.conn.commit()
