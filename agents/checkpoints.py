"""Sessions on disk: LangGraph's checkpoints, signed and kept short, in SQLite.

Knows that saver's two tables and the key that they are signed with; knows nothing of what is in a
state but the thread that it belongs to.
"""

import hashlib
import hmac
import os
import secrets
import sqlite3
from pathlib import Path
from typing import Any

import aiosqlite
from langgraph.checkpoint.base import CheckpointTuple, RunnableConfig
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

from core.errors import StoreError, TamperedError

KEY_BYTES = 32
THREAD = "thread"
"""The field of a state that names its thread."""


class SignedSerializer(JsonPlusSerializer):
    """Plain values with a keyed hash in front (HMAC, RFC 2104, over SHA-256): what was not written
    with this key is not read."""

    def __init__(self, key: bytes) -> None:
        super().__init__(pickle_fallback=False)
        self._key = key

    def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
        """See `SerializerProtocol`."""
        kind, data = super().dumps_typed(obj)
        return kind, self._sign(kind, data) + data

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        """See `SerializerProtocol`.

        Raises:
            TamperedError: it was changed, or written with another key.
        """
        kind, signed = data
        size = hashlib.sha256().digest_size
        signature, plain = bytes(signed[:size]), bytes(signed[size:])
        if not hmac.compare_digest(signature, self._sign(kind, plain)):
            raise tampered()
        return super().loads_typed((kind, plain))

    def _sign(self, kind: str, data: bytes) -> bytes:
        return hmac.digest(self._key, kind.encode() + b"\x00" + data, "sha256")


class SessionSaver(AsyncSqliteSaver):
    """Stores plain values only: neither pickles nor classes are read back."""

    def __init__(self, connection: aiosqlite.Connection, key: bytes) -> None:
        super().__init__(connection, serde=SignedSerializer(key))

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """See `BaseCheckpointSaver`. A checkpoint of another session, signed as it is, is refused too.

        Raises:
            TamperedError: it is not what was stored here.
            StoreError: the database cannot be read.
        """
        try:
            found = await super().aget_tuple(config)
        except sqlite3.Error as exc:
            raise StoreError(
                f"the sessions cannot be read: {' '.join(str(exc).split())[:120]}",
                remedy="run: attest doctor",
            ) from exc
        thread_id = config["configurable"]["thread_id"]
        if found and found.checkpoint["channel_values"].get(THREAD, thread_id) != thread_id:
            raise tampered()
        return found

    async def keep_latest(self, thread_id: str) -> None:
        """Forgets all checkpoints of a thread but its last: each is a full copy of the state,
        and a turn goes on from its last one only."""
        async with self.lock:
            for table in ("writes", "checkpoints"):
                await self.conn.execute(
                    f"DELETE FROM {table} WHERE thread_id = ? AND checkpoint_id < "
                    "(SELECT max(checkpoint_id) FROM checkpoints WHERE thread_id = ?)",
                    (thread_id, thread_id),
                )
            await self.conn.commit()

    async def forget_all(self) -> None:
        """Forgets every checkpoint: those of an earlier version, which are not signed. The turns of
        sessions lie elsewhere, and stay."""
        async with self.lock:
            for table in ("writes", "checkpoints"):
                await self.conn.execute(f"DELETE FROM {table}")
            await self.conn.commit()


async def open_saver(connection: aiosqlite.Connection, key_file: Path) -> SessionSaver:
    """The saver over a connection; the key is made at the first time.

    Raises:
        StoreError: the key file cannot be read or made.
    """
    key, is_new = read_key(key_file)
    saver = SessionSaver(connection, key)
    await saver.setup()
    if is_new:
        await saver.forget_all()
    return saver


def read_key(path: Path) -> tuple[bytes, bool]:
    """The key that checkpoints are signed with, and whether it was made just now. The file is
    readable by this user alone. Raises StoreError."""
    try:
        # Written whole under another name first: two processes may start at once, or one be killed.
        if not path.exists():
            fresh = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
            handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.write(secrets.token_hex(KEY_BYTES))
                file.flush()
                os.fsync(file.fileno())
            try:
                os.link(fresh, path)
                return bytes.fromhex(path.read_text("ascii")), True
            except FileExistsError:
                pass
            finally:
                fresh.unlink()
        key = bytes.fromhex(path.read_text("ascii"))
    except (OSError, ValueError) as exc:
        raise StoreError(
            f"the key of the sessions, {path}, cannot be read or made: {exc}",
            remedy="mend its rights; or delete it, and unfinished turns are forgotten",
        ) from exc
    if len(key) != KEY_BYTES:
        raise StoreError(
            f"the key of the sessions, {path}, is damaged",
            remedy="restore it; or delete it, and unfinished turns are forgotten",
        )
    return key, False


def tampered() -> TamperedError:
    """What is said of a checkpoint that is not what was stored."""
    return TamperedError(
        "the stored state of this session was changed outside of attest, so it is not used",
        remedy="forget the session, and begin another",
    )
