"""The SQLite file of the data directory: ledger, lexical statistics and API keys share it.

Knows how it must be opened to be durable and private; knows none of its tables.
"""

import sqlite3
from pathlib import Path

from sqlalchemy import Engine, create_engine, event

from core.errors import StoreError

BUSY_TIMEOUT_MS = 10_000


def open_database(path: Path) -> Engine:
    """An engine on `path`: write-ahead log, every commit on disk, readable by this user alone.

    Several processes may open it at once: `attest keys` works while the API runs. What it
    executes raises StoreError when SQLite fails.
    """
    try:
        path.touch(mode=0o600, exist_ok=True)
    except OSError as exc:
        raise StoreError(
            f"the database {path} cannot be opened: {exc.strerror}", remedy="mend its rights"
        ) from exc
    engine = create_engine(f"sqlite:///{path}")
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "handle_error", _translate)
    return engine


def _translate(context) -> None:
    """SQLite's failures as ours; a broken constraint is a matter of who wrote the row."""
    failure = context.original_exception
    if not isinstance(failure, sqlite3.DatabaseError) or isinstance(failure, sqlite3.IntegrityError):
        return
    place = context.engine.url.database if context.engine is not None else "of the data directory"
    raise StoreError(
        f"the database {place} does not answer: {failure}", remedy="run: attest doctor"
    ) from failure


def _prepare(connection, _record) -> None:
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()
