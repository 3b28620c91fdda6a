"""A database in the memory of this process, for one thread: the product's statements without its writer.

For virtual time only: what a test or a simulation writes is gone with the process. Rows, statements, keys and
sealing are those of every other database; nothing but the disk and the threads is left out.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from functools import cache, cached_property
from typing import Any  # Any: what stands in for a connection of SQLAlchemy

from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool

from bot.storage.database import meaning_of
from bot.storage.functions import teach
from bot.storage.keys import KeyRing
from bot.storage.quick import PREPARED_MAX, QuickConnection
from bot.storage.recent import Recent
from bot.storage.schema import upgrade
from bot.storage.transaction import Moments, Transaction

_UNTOUCHED = frozenset({"alembic_version"})


class MemoryDatabase:
    """Begins empty and migrated; `wipe` brings it back to that."""

    def __init__(self, *, clock_now: Callable[[], datetime]) -> None:
        self._clock_now = clock_now
        self._keys = KeyRing.generate()
        self._raw = sqlite3.connect(":memory:", isolation_level=None, cached_statements=PREPARED_MAX)
        _template().backup(self._raw)
        teach(self._raw)
        self._connection = QuickConnection(self._raw)
        self._recent = Recent()
        self._first_rows = _rows_of(self._raw)

    def wipe(self) -> None:
        """Forget everything. Rows only: a statement that was prepared stays so."""
        self.let_go()
        for table, rows in self._first_rows.items():
            self._raw.execute(f"DELETE FROM {table}")  # noqa: S608 - names of our own tables
            for row in rows:
                self._raw.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)  # noqa: S608 - as above

    def let_go(self) -> None:
        """The process that used it is dead: what it had not committed is gone, and all that it kept in memory."""
        if self._raw.in_transaction:
            self._raw.execute("ROLLBACK")
        self._recent = Recent()

    def close(self) -> None:
        """Give the memory back."""
        self._raw.close()

    @contextmanager
    def writing(self) -> Iterator[Transaction]:
        """A transaction that is committed at the end of the block. StorageError: the database refused something.

        Whatever leaves the block by an exception leaves nothing behind.
        """
        self._raw.execute("BEGIN IMMEDIATE")
        try:
            yield self._transaction(self._recent)
            self._raw.execute("COMMIT")
        except DBAPIError as error:
            raise meaning_of(error) from error
        finally:
            if self._raw.in_transaction:
                self._raw.execute("ROLLBACK")

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        """A look at what is committed. Not inside `writing`."""
        self._raw.execute("BEGIN")
        try:
            yield self._transaction(None)
        finally:
            self._raw.execute("ROLLBACK")

    @cached_property
    def glance(self) -> Transaction:
        """For a look at what is committed between two transactions. Its `now` stands still."""
        return self._transaction(None)

    def _transaction(self, recent: Recent | None) -> Transaction:
        # One thread, and no request that takes time: no lease ever ends by itself.
        moments = Moments(now=self._clock_now(), ticks=lambda: 0)
        usable: Any = self._connection  # Any: it is no Connection, and does all that is asked of one
        return Transaction(usable, keys=self._keys, at=moments, recent=recent)


@cache
def _template() -> sqlite3.Connection:
    """A migrated, empty database."""
    engine = create_engine("sqlite://", poolclass=StaticPool)
    upgrade(engine)
    kept = sqlite3.connect(":memory:")
    with closing(engine.raw_connection()) as made:
        driver: Any = made.driver_connection  # Any: SQLAlchemy does not say which driver's it is
        driver.backup(kept)
    engine.dispose()
    return kept


def _rows_of(raw: sqlite3.Connection) -> dict[str, list[tuple[Any, ...]]]:  # Any: columns of any type
    """The rows of every table that a wipe brings back: of most tables none."""
    names = [name for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    return {name: raw.execute(f"SELECT * FROM {name}").fetchall() for name in names if name not in _UNTOUCHED}  # noqa: S608 - as above
