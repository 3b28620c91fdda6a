"""Engines for both databases, and what their errors mean to us."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast  # Any, cast: the driver's connection, and what stands in for one of SQLAlchemy's

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, OperationalError

from bot.errors import Complaint, ConfigError, Conflict, StorageError, Unavailable
from bot.storage.functions import teach
from bot.storage.quick import PREPARED_MAX, QuickConnection

BUSY_MS = 5_000
"""How long SQLite waits for another process that writes, before it gives up."""
CACHE_KIB = 65_536
"""Pages SQLite keeps in memory per connection."""

_SERIALIZATION = frozenset({"40001", "40P01"})  # PostgreSQL: serialization failure, deadlock
_SCHEMA_STATES = frozenset({"42P01", "42703", "42501", "25006"})  # no such table or column, no rights, read-only
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_HINT = "写成 `sqlite:///FILE.db` 或 `postgresql://USER@HOST/NAME`"


def parse_url(url: str) -> URL:
    """The address of a database, with the driver we use. ConfigError: neither SQLite in a file nor PostgreSQL."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise _refused("不是数据库的地址") from error
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        if parsed.database in (None, "", ":memory:"):
            raise _refused("没有指出文件；放在内存里的数据库一停就什么都没了")
        return parsed
    if backend == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    raise _refused(f"是 `{backend}`，不支持")


def writing_engine(url: URL) -> Engine:
    """An engine whose transactions may write. StorageError: the database cannot be reached."""
    if url.get_backend_name() == "postgresql":
        return create_engine(url, hide_parameters=True, pool_pre_ping=True, pool_size=1, max_overflow=0)
    engine = _sqlite_engine(url, size=1)
    event.listen(engine, "begin", _begin_immediate)
    return engine


def reading_engine(url: URL, *, size: int) -> Engine:
    """An engine of at most `size` connections whose transactions cannot write."""
    if url.get_backend_name() == "postgresql":
        engine = create_engine(url, hide_parameters=True, pool_pre_ping=True, pool_size=size, max_overflow=0)
        return engine.execution_options(postgresql_readonly=True)
    engine = _sqlite_engine(url, size=size)
    event.listen(engine, "connect", _query_only)
    event.listen(engine, "begin", _begin_deferred)
    return engine


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """A transaction that commits at the end of the block, or rolls back when the block raises.

    Errors of the driver come out as StorageError; Conflict: PostgreSQL asks to try again. ConfigError never.
    """
    try:
        with engine.begin() as connection:
            yield connection
    except DBAPIError as error:
        raise meaning_of(error) from error


def at_hand(connection: Connection) -> Connection:
    """What a job's statements go through, inside the transaction of `connection`."""
    if connection.dialect.name != "sqlite":
        return connection
    quick: Any = QuickConnection(cast(sqlite3.Connection, connection.connection.driver_connection))  # pysqlite's
    return cast(Connection, quick)  # it is none, and does all that jobs ask of one


def meaning_of(error: DBAPIError) -> StorageError:
    """What a driver's error means. Only its first line is told, since further ones may quote the row.

    Unavailable: the fault is the database's own. Conflict: try again. Plain StorageError: it did not like the values.
    """
    cause = error.orig
    first_line = str(cause).split("\n", 1)[0]
    if getattr(cause, "sqlstate", None) in _SERIALIZATION:
        return Conflict(f"the database asks to try again: {first_line}")
    if isinstance(error, (OperationalError, InterfaceError)) or _is_its_own_fault(cause):
        return Unavailable(f"the database cannot work: {first_line}", hint="is its disk full, or the server down?")
    return StorageError(f"the database refused: {first_line}")


def _is_its_own_fault(cause: BaseException | None) -> bool:
    # The last byte of SQLite's extended code is the plain one.
    plain = getattr(cause, "sqlite_errorcode", 0) & 0xFF
    return plain in _DAMAGED or getattr(cause, "sqlstate", None) in _SCHEMA_STATES


def _refused(what: str) -> ConfigError:
    return ConfigError([Complaint(where="[storage] url", what=what, hint=_HINT)])


def _sqlite_engine(url: URL, *, size: int) -> Engine:
    directory = Path(str(url.database)).parent
    if not directory.is_dir():
        raise StorageError(f"the folder `{directory}` for the database does not exist", hint="make it, or change url")
    engine = create_engine(
        url,
        hide_parameters=True,
        pool_size=size,
        max_overflow=0,
        connect_args={"check_same_thread": False, "timeout": BUSY_MS / 1000, "cached_statements": PREPARED_MAX},
    )
    event.listen(engine, "connect", _prepare_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _record: Any) -> None:  # Any: the pool's, unused
    # Python's driver would begin transactions by itself, and only before some statements; we begin them.
    connection.isolation_level = None
    for pragma in (
        "journal_mode = WAL",
        "synchronous = FULL",
        f"cache_size = -{CACHE_KIB}",
        "wal_autocheckpoint = 0",  # see checkpoints.py
    ):
        connection.execute(f"PRAGMA {pragma}")
    teach(connection)


def _query_only(connection: sqlite3.Connection, _record: Any) -> None:  # Any: the pool's, unused
    connection.execute("PRAGMA query_only = ON")


def _begin_immediate(connection: Connection) -> None:
    # Taking the write lock at once: a transaction that begins as a reader could not wait for it later.
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _begin_deferred(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")
