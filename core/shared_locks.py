"""Locks by name among all processes that use one database: those of a PostgreSQL server, and those of a
machine that use one SQLite file.

They are the server's or the system's own, so a process that dies gives them back, however it dies; there is
no lease that somebody would have to outwait. Knows names; knows nothing of what is done under them.
"""

import asyncio
import fcntl
import hashlib
import logging
import math
import os
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol
from weakref import WeakValueDictionary

from sqlalchemy import Connection, Engine, event, text

from core.database import TRY_LOCK, UNLOCK
from core.errors import StoreError

LOOK_EVERY_S = 0.2
"""How often it is asked whether another process has given a lock back."""
_IN_MEMORY = (None, "", ":memory:")
_SERVER_MISSES_US = ("tcp_keepalives_idle = 30", "tcp_keepalives_interval = 10", "tcp_keepalives_count = 3")
"""So that a server frees within a minute what a machine held that went dark: by itself it waits two hours."""
_log = logging.getLogger(__name__)


class HeldElsewhere(Exception):
    """Another process has a lock, and does not give it back in time. Callers say what that means."""


class _Keeper(Protocol):
    """Who keeps the locks of a process. Its methods are called by one thread at a time."""

    def try_take(self, name: str) -> bool: ...

    def is_held(self, name: str) -> bool: ...

    def free(self, name: str) -> None: ...

    def close(self) -> None: ...


class SharedLocks:
    """The locks of one process over a database. They are given back by a process that dies, and by
    `engine.dispose()`. On a server all are held by one connection beside the pool, so that who holds or
    awaits one takes no connection from others; beside a file each is a locked file in the folder
    `<file>.locks`.
    The methods but `alone` may be called in any thread; none of them waits for a lock."""

    def __init__(self, engine: Engine) -> None:
        self._guard = threading.Lock()
        self._queues: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._keeper: _Keeper
        if engine.dialect.name == "postgresql":
            self._keeper = _ServerKeeper(engine)
        else:
            file = engine.url.database
            self._keeper = _FileKeeper(None if file in _IN_MEMORY else Path(f"{file}.locks"))
        event.listen(engine, "engine_disposed", lambda _engine: self.close())

    @asynccontextmanager
    async def alone(self, name: str, longest_wait_s: float = math.inf) -> AsyncIterator[None]:
        """What is done within is done by nobody else at the same time: others of this process wait for it in
        their order, and it waits for those of other processes. Used in one event loop.

        Raises:
            HeldElsewhere: another process has held it for longer than that.
            StoreError: the database, or the folder of the locks, cannot be used.
        """
        async with self._queues.setdefault(name, asyncio.Lock()):
            ends = asyncio.get_running_loop().time() + longest_wait_s
            taking = self._take(name)
            try:
                while not await asyncio.shield(taking):
                    if asyncio.get_running_loop().time() >= ends:
                        raise HeldElsewhere(name)
                    await asyncio.sleep(LOOK_EVERY_S)
                    taking = self._take(name)
                yield
            finally:
                await asyncio.shield(self._give_back(taking, name))

    def try_take(self, name: str) -> bool:
        """Whether it is the caller's now; not where it is held already. Raises StoreError."""
        with self._guard:
            return self._keeper.try_take(name)

    def is_held(self, name: str) -> bool:
        """Whether it was taken here and not lost since: with a connection that breaks all of its locks go."""
        with self._guard:
            return self._keeper.is_held(name)

    def free(self, name: str) -> None:
        """Gives it back, where it is held still."""
        with self._guard:
            self._keeper.free(name)

    def close(self) -> None:
        """Gives all of them back. They can be taken again."""
        with self._guard:
            self._keeper.close()

    def _take(self, name: str) -> asyncio.Task[bool]:
        return asyncio.create_task(asyncio.to_thread(self.try_take, name))

    async def _give_back(self, taking: asyncio.Task[bool], name: str) -> None:
        """Also what a thread took for a caller that was broken off meanwhile."""
        await asyncio.wait([taking])
        if not taking.cancelled() and taking.exception() is None and taking.result():
            await asyncio.to_thread(self.free, name)


class _ServerKeeper:
    """Advisory locks of PostgreSQL, all of one connection."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: Connection | None = None
        self._held: set[str] = set()

    def try_take(self, name: str) -> bool:
        if name in self._held:
            return False
        is_old = self._connection is not None
        try:
            taken = self._execute(TRY_LOCK, name)
        except StoreError:
            self.close()
            if not is_old:
                raise
            # It was lost since, and what it held with it: the server may have begun anew.
            taken = self._execute(TRY_LOCK, name)
        if taken:
            self._held.add(name)
        return taken

    def is_held(self, name: str) -> bool:
        if name not in self._held:
            return False
        try:
            return self._execute("SELECT true", name)
        except StoreError as exc:
            _log.warning("%s", exc)
            self.close()
            return False

    def free(self, name: str) -> None:
        if name not in self._held:
            return
        self._held.remove(name)
        try:
            self._execute(UNLOCK, name)
        except StoreError as exc:
            _log.warning("%s", exc)
            self.close()

    def close(self) -> None:
        connection, self._connection = self._connection, None
        self._held.clear()
        if connection is not None:
            connection.close()

    def _execute(self, statement: str, name: str) -> bool:
        if self._connection is None:
            self._connection = self._engine.connect()
            self._connection.detach()
            with self._connection.begin():
                for setting in _SERVER_MISSES_US:
                    self._connection.exec_driver_sql(f"SET {setting}")
        with self._connection.begin():  # such locks outlive the transaction
            return bool(self._connection.scalar(text(statement), {"name": name}))


class _FileKeeper:
    """Files that are locked (flock) and go with their lock. Without a folder: of a database in memory,
    which no other process has."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._held: dict[str, int | None] = {}

    def try_take(self, name: str) -> bool:
        if name in self._held:
            return False
        if self._folder is None:
            self._held[name] = None
            return True
        path = self._path(name)
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            handle = _locked(path)
        except OSError as exc:
            raise StoreError(
                f"the lock {path} cannot be taken: {exc.strerror}", remedy="mend the rights of its folder"
            ) from exc
        if handle is not None:
            self._held[name] = handle
        return handle is not None

    def is_held(self, name: str) -> bool:
        return name in self._held

    def free(self, name: str) -> None:
        handle = self._held.pop(name, None)
        if handle is not None:
            self._path(name).unlink(missing_ok=True)
            os.close(handle)

    def close(self) -> None:
        for name in list(self._held):
            self.free(name)

    def _path(self, name: str) -> Path:
        return self._folder / hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()[:32]


def _locked(path: Path) -> int | None:
    """The handle of the file, locked; None where somebody else has it. Raises OSError."""
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.stat(path), os.fstat(handle)):
                return handle
        except BlockingIOError:
            os.close(handle)
            return None
        except FileNotFoundError:
            pass
        except OSError:
            os.close(handle)
            raise
        # Whoever gave it back took the file away between our two steps: what is locked has no name.
        os.close(handle)
