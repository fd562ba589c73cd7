"""The SQLite file of the data directory: ledger, lexical statistics and API keys share it.

Knows how it must be opened to be durable and private; knows none of its tables.
"""

from pathlib import Path

from sqlalchemy import Engine, create_engine, event

BUSY_TIMEOUT_MS = 10_000


def open_database(path: Path) -> Engine:
    """An engine on `path`: write-ahead log, every commit on disk, readable by this user alone.

    Several processes may open it at once: `attest keys` works while the API runs.
    """
    path.touch(mode=0o600, exist_ok=True)
    engine = create_engine(f"sqlite:///{path}")
    event.listen(engine, "connect", _prepare)
    return engine


def _prepare(connection, _record) -> None:
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()
