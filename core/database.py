"""The database of ledger, lexical statistics and API keys: an SQLite file of the data
directory, or a PostgreSQL server.

Knows how each is opened to be durable and private, and the few things in which they differ;
knows none of the tables.
"""

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    Integer,
    MetaData,
    String,
    Table,
    create_engine,
    event,
    inspect,
    make_url,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from core.errors import SettingsError, StoreError
from core.paths import DataPaths
from core.settings import LedgerSettings, Settings

BUSY_TIMEOUT_MS = 30_000
CONNECT_TIMEOUT_S = 10
POOL_TIMEOUT_S = 30.0
"""How long a statement waits for a connection that others use."""
MAX_VARIABLES = 500
"""Of one statement; SQLite takes no more than some thousands."""

TEXT = String().with_variant(String(collation="C"), "postgresql")
"""Text that is ordered by its code points on both, whatever language the server speaks."""

_WRITER = "attest: who changes documents"
_DDL = "attest: who makes tables"
TRY_LOCK = "SELECT pg_try_advisory_lock(hashtextextended(:name, 0))"
UNLOCK = "SELECT pg_advisory_unlock(hashtextextended(:name, 0))"
_SECRETS = frozenset(["password", "sslpassword"])
_ALIVE = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}
_log = logging.getLogger(__name__)


def open_database(path: Path) -> Engine:
    """An SQLite file: write-ahead log, every commit on disk, readable by this user alone.

    Several processes may open it at once: `attest keys` works while the API runs. What it
    executes raises StoreError when SQLite fails.
    """
    try:
        path.touch(mode=0o600, exist_ok=True)
    except OSError as exc:
        raise StoreError(
            f"the database {path} cannot be opened: {exc.strerror}", remedy="mend its rights"
        ) from exc
    engine = create_engine(f"sqlite:///{path}", poolclass=_Pool, pool_timeout=POOL_TIMEOUT_S)
    event.listen(engine, "connect", _prepare_file)
    event.listen(engine, "handle_error", _translate)
    return engine


def open_server(url: str, password: str = "") -> Engine:
    """A database of a PostgreSQL server, as `postgresql://user@host:5432/name`; every commit
    on its disk. It is reached at the first statement; that raises StoreError when the server
    does not answer.

    Raises:
        SettingsError: the url is no such address, or holds the password; or psycopg is missing.
    """
    address = _server_address(url)
    if find_spec("psycopg") is None:
        raise SettingsError(
            "ledger.url names a PostgreSQL server, and psycopg is not installed",
            remedy="run: pip install 'attest[postgres]'",
        )
    engine = create_engine(
        address.set(drivername="postgresql+psycopg", password=password or None),
        poolclass=_Pool,
        pool_timeout=POOL_TIMEOUT_S,
        pool_pre_ping=True,
        connect_args={"connect_timeout": CONNECT_TIMEOUT_S, "application_name": "attest", **_ALIVE},
    )
    event.listen(engine, "connect", _prepare_server)
    event.listen(engine, "handle_error", _translate)
    return engine


def open_ledger(ledger: LedgerSettings, file: Path) -> Engine:
    """The server that the settings name, or else the file. Raises as the other two."""
    if ledger.url:
        return open_server(ledger.url, ledger.password.get_secret_value())
    return open_database(file)


def open_sessions(settings: Settings, file: Path) -> Engine:
    """The database of sessions: the file, or that of the ledger where the settings say so."""
    if settings.ledger.sessions:
        return open_ledger(settings.ledger, DataPaths(settings.data).ledger)
    return open_database(file)


def _server_address(url: str) -> URL:
    try:
        address = make_url(url)
    except (ArgumentError, ValueError) as exc:  # ValueError: of a port that is no number
        raise SettingsError(
            "ledger.url is not an address", remedy="write it as postgresql://user@host:5432/attest"
        ) from exc
    if address.get_backend_name() != "postgresql":
        raise SettingsError(
            f"ledger.url names {address.get_backend_name()}, which is not supported",
            remedy="write postgresql://user@host:5432/attest, or leave it empty for SQLite",
        )
    # libpq takes them from behind the ? too.
    if address.password or _SECRETS & {name.lower() for name in address.query}:
        raise SettingsError(
            "ledger.url holds a password, which would be shown with it",
            remedy="put it into ATTEST_LEDGER__PASSWORD",
        )
    return address


def place_of(engine: Engine) -> str:
    """What messages call a database: its file, or its address without the password."""
    if engine.dialect.name == "sqlite":
        return str(engine.url.database)
    shown = engine.url._replace(drivername="postgresql", password=None)
    return shown.render_as_string()


def create_tables(engine: Engine, metadata: MetaData) -> None:
    """Makes the tables and indexes that are not there. Several processes may do it at once."""
    with engine.begin() as connection:
        serialize(connection, _DDL)
        metadata.create_all(connection)


def add_columns(engine: Engine, table: Table) -> None:
    """Brings a table of an earlier version up to date, with 0 or an empty text in what it lacked;
    nothing on a new or present one."""
    with engine.begin() as connection:
        serialize(connection, _DDL)
        found = inspect(connection)
        known = {c["name"] for c in found.get_columns(table.name)} if found.has_table(table.name) else set()
        for column in table.columns if known else ():
            if column.name not in known:
                is_number = isinstance(column.type, Integer)
                kind = "INTEGER DEFAULT 0" if is_number else "VARCHAR DEFAULT ''"
                connection.exec_driver_sql(f"ALTER TABLE {table.name} ADD COLUMN {column.name} {kind}")


def insert_into(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """An insert that has `on_conflict_do_update` and `excluded`, of the connection's dialect."""
    return postgresql.insert(table) if _is_server(connection) else sqlite.insert(table)


def replace_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Writes whole rows, each in place of the one with its primary key."""
    if rows:
        statement = insert_into(connection, table)
        values = {column.name: statement.excluded[column.name] for column in table.columns}
        keys = list(table.primary_key.columns)
        connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=values), rows)


def serialize(connection: Connection, name: str) -> None:
    """The first statement of a transaction that reads before it writes: until it ends, others
    that ask for the same name wait; on SQLite all that write."""
    if _is_server(connection):
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": name})
    else:
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _is_server(connection: Connection) -> bool:
    return connection.dialect.name == "postgresql"


class WriterLock:
    """A lock for whoever changes documents: one thread at a time, and on a server one process
    of all machines. (Over an SQLite file Milvus Lite sees to that.) The same thread may take
    it again; a process that dies gives it free with its connection.

    Raises:
        StoreError: the server does not answer, or the lock was lost on the way.
    """

    def __init__(self, engine: Engine, look_every_s: float = 1.0) -> None:
        self._engine = engine
        self._look_every_s = look_every_s
        self._thread = threading.RLock()
        self._depth = 0
        self._holder: Connection | None = None

    def __enter__(self) -> "WriterLock":
        self._thread.acquire()
        try:
            if self._depth == 0 and self._engine.dialect.name == "postgresql":
                self._holder = self._wait()
        except BaseException:
            self._thread.release()
            raise
        self._depth += 1
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._depth -= 1
        holder, self._holder = (self._holder, None) if self._depth == 0 else (None, self._holder)
        try:
            if holder is not None:
                self._give_back(holder, kind is not None)
        finally:
            self._thread.release()

    def _wait(self) -> Connection:
        connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        try:
            told = False
            while not _ask(connection, TRY_LOCK):
                if not told:
                    _log.warning("another process changes documents of %s; waiting", place_of(self._engine))
                told = True
                time.sleep(self._look_every_s)
        except BaseException:
            connection.close()
            raise
        return connection

    def _give_back(self, connection: Connection, failed_before: bool) -> None:
        try:
            if not _ask(connection, UNLOCK):
                raise _lost(self._engine)
        except StoreError as exc:
            connection.invalidate()
            if not failed_before:
                raise _lost(self._engine) from exc
            _log.warning("%s", exc)
        finally:
            connection.close()


class _Pool(QueuePool):
    """Says in our words that all connections are in use."""

    def _do_get(self) -> ConnectionPoolEntry:
        try:
            return super()._do_get()
        except PoolTimeoutError as exc:
            raise StoreError(
                f"all {self.checkedout()} connections to the database were in use for {self.timeout():g} s",
                remedy="try again; if it stays so, run: attest doctor",
            ) from exc


def _ask(connection: Connection, statement: str) -> bool:
    return bool(connection.scalar(text(statement), {"name": _WRITER}))


def _lost(engine: Engine) -> StoreError:
    return StoreError(
        f"the connection to {place_of(engine)} broke while documents were changed",
        remedy="run: attest verify --repair",
    )


def _translate(context: Any) -> None:
    """The driver's failures as ours; a broken constraint is a matter of who wrote the row."""
    failure = context.sqlalchemy_exception
    if context.is_pre_ping or not isinstance(failure, DBAPIError) or isinstance(failure, IntegrityError):
        return
    place = place_of(context.engine) if context.engine is not None else "of the data directory"
    reason = " ".join(str(context.original_exception).split()).rstrip("?")
    raise StoreError(
        f"the database {place} does not answer: {reason}", remedy="run: attest doctor"
    ) from context.original_exception


def _prepare_file(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()


def _prepare_server(connection: Any, _record: Any) -> None:
    """A role may have turned it off: an acknowledged file would be lost with the server."""
    connection.execute("SET synchronous_commit TO on")
    connection.commit()
