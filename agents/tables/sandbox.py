"""Runs one SELECT over the tables of one question, and nothing else.

An own DuckDB in memory for each call: no files, no extensions, no network, settings locked, with limits
of rows, seconds and memory. The tables come as Arrow; whoever calls has decided who may read them.
"""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import duckdb

from agents.tables.sql_check import read_select
from agents.tables.used_rows import UsedRows, find_used
from core.errors import InputError

if TYPE_CHECKING:
    import pyarrow


@dataclass(frozen=True, slots=True)
class SqlLimits:
    """What one statement may take."""

    rows: int = 200
    seconds: float = 5.0
    memory_mb: int = 256
    chars: int = 200_000


@dataclass(frozen=True, slots=True)
class SqlResult:
    """The rows that a statement gave; `is_cut` when there were more than the limits let through. `used` are
    the rows that it read, where that can be told."""

    sql: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    is_cut: bool = False
    used: UsedRows | None = None


def run_select(sql: str, tables: Mapping[str, "pyarrow.Table"], limits: SqlLimits | None = None) -> SqlResult:
    """The result of one SELECT over the named tables, whose first columns number their rows.

    Raises:
        InputError: the statement is not allowed, is wrong, or takes more than its limits.
    """
    limits = limits or SqlLimits()
    with _opened(tables, limits) as connection, _stopping(connection, limits.seconds) as stopped:
        tree = read_select(connection, sql, frozenset(tables))
        try:
            found = connection.execute(sql)
            columns = tuple(column[0] for column in found.description)
            rows, is_cut = _fetched(found, limits)
            numbering = {name.casefold(): table.column_names[0] for name, table in tables.items()}
            used = find_used(connection, tree, numbering, limits.rows)
        except duckdb.InterruptException as exc:
            raise _too_long(limits) from exc
        except duckdb.OutOfMemoryException as exc:
            remedy = "read fewer rows, or raise tables.memory_mb"
            raise InputError(f"the SQL takes more than {limits.memory_mb} MB", remedy=remedy) from exc
        except (duckdb.Error, UnicodeError, OverflowError, ValueError) as exc:
            if stopped.is_set():
                raise _too_long(limits) from exc
            reason, remedy = str(exc).partition("\n")[0], "see the columns of the table"
            raise InputError(f"the SQL does not run: {reason}", remedy=remedy) from exc
    return SqlResult(sql, columns, rows, is_cut, used)


def _fetched(found: duckdb.DuckDBPyConnection, limits: SqlLimits) -> tuple[tuple[tuple[Any, ...], ...], bool]:
    """The rows within the limits, and whether there were more. One that is too long by itself is an error: a
    result without it would look as if there were none."""
    rows, chars = [], 0
    while (row := found.fetchone()) is not None:
        chars += sum(len(value if isinstance(value, str) else str(value)) for value in row)
        if chars > limits.chars and not rows:
            remedy = "choose fewer columns, or parts of their texts"
            raise InputError(f"a row of the result has more than {limits.chars:,} characters", remedy=remedy)
        if chars > limits.chars or len(rows) == limits.rows:
            return tuple(rows), True
        rows.append(row)
    return tuple(rows), False


@contextmanager
def _opened(tables: Mapping[str, "pyarrow.Table"], limits: SqlLimits) -> Iterator[duckdb.DuckDBPyConnection]:
    settings = {
        "threads": 1,
        "memory_limit": f"{limits.memory_mb}MB",
        "temp_directory": "",
        "max_temp_directory_size": "0MB",
        "python_enable_replacements": False,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "allow_community_extensions": False,
    }
    with duckdb.connect(":memory:", config=settings) as connection:
        for name, table in tables.items():
            connection.register(name, table)
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
        yield connection


@contextmanager
def _stopping(connection: duckdb.DuckDBPyConnection, seconds: float) -> Iterator[threading.Event]:
    """Interrupts what still runs after so long; the event tells that it came to that."""
    stopped = threading.Event()

    def stop() -> None:
        stopped.set()
        connection.interrupt()

    timer = threading.Timer(seconds, stop)
    timer.daemon = True
    timer.start()
    try:
        yield stopped
    finally:
        timer.cancel()
        timer.join()


def _too_long(limits: SqlLimits) -> InputError:
    remedy = "read fewer rows, or raise tables.timeout_s"
    return InputError(f"the SQL takes longer than {limits.seconds:g} s", remedy=remedy)
