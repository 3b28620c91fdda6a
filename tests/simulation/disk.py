"""The database of a simulation: a real SQLite, migrated once, in memory, used by one life after the other."""

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Protocol  # Any: rows of any query

from bot.storage import migrate
from bot.storage.moments import micros
from bot.storage.quick import QuickConnection

FAR = timedelta(days=4)
"""Nobody waits for what is due later than this: every virtual hour is played."""

_WATCHED = {"inbox": "seq", "outbox": "seq", "customers": "customer_id", "journal": "seq", "parked": "lane"}
_TOUCHED = "DROP TABLE IF EXISTS temp.touched; CREATE TEMP TABLE touched (place TEXT, row INTEGER);" + "".join(
    f"DROP TRIGGER IF EXISTS temp.{deed}_{table};"
    f"CREATE TEMP TRIGGER {deed}_{table} AFTER {deed} ON main.{table}"
    f" BEGIN INSERT INTO touched VALUES ('{table}', new.{key}); END;"
    for table, key in _WATCHED.items()
    for deed in ("insert", "update")
)


class Trouble(Protocol):
    """What may happen to a transaction."""

    def at_begin(self) -> None:
        """It begins."""
        ...

    def at_commit(self) -> None:
        """It is about to be committed."""
        ...


class Disk:
    """What survives the death of a process. One for all seeds of a run: it is wiped for each."""

    def __init__(self) -> None:
        self._raw, self._readers = _connected(), _connected()
        # Once for all: every change of this setting makes SQLite compile all its statements again.
        self._readers.execute("PRAGMA query_only = ON")
        # They share one cache, whose locks hold longer than a transaction. Nothing here runs at the same time anyway.
        self._readers.execute("PRAGMA read_uncommitted = ON")
        self._writing, self._reading = QuickConnection(self._raw), QuickConnection(self._readers)

    def wipe(self) -> None:
        """An empty, migrated database."""
        if self._raw.in_transaction:
            self._raw.execute("ROLLBACK")
        _template().backup(self._raw)
        self._raw.executescript(_TOUCHED)

    def touched(self) -> list[tuple[str, int]]:
        """Table and number of every row that was written since the last time, inside the open transaction."""
        found = self._raw.execute("SELECT DISTINCT place, row FROM temp.touched").fetchall()
        if found:
            self._raw.execute("DELETE FROM temp.touched")
        return found

    def let_go(self) -> None:
        """The process that used it is dead: what it had not committed is gone."""
        if self._raw.in_transaction:
            self._raw.execute("ROLLBACK")

    def confirm_clock(self) -> None:
        """What an operator's command writes who has found the clock to be right."""
        self._raw.execute("UPDATE counters SET value = value + 1 WHERE name = 'clock_confirmed'")

    def rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:  # Any: columns of any type
        """What a query finds, inside the transaction that is open, if one is."""
        return self._raw.execute(statement, values).fetchall()

    def dues(self, now: datetime) -> list[float]:
        """Seconds until each timer of the product that is due in the next days, in order."""
        between = (micros(now), micros(now + FAR))
        found = self.rows("SELECT due_at FROM timers WHERE due_at > ? AND due_at < ? ORDER BY due_at", *between)
        return [(due_at - between[0]) / 1e6 for (due_at,) in found]

    @property
    def inside(self) -> QuickConnection:
        """For looks inside the transaction that is open."""
        return self._writing

    @property
    def changes(self) -> int:
        """Rows that were ever written: as long as it stays the same, so does what is stored."""
        return self._raw.total_changes

    @contextmanager
    def writing(self, trouble: "Trouble") -> Iterator[QuickConnection]:
        """A transaction that may write; it ends with the block. OperationalError: what `trouble` made of it."""
        trouble.at_begin()
        self._raw.execute("BEGIN IMMEDIATE")
        try:
            yield self._writing
            trouble.at_commit()
        except BaseException:
            self.let_go()
            raise
        self._raw.execute("COMMIT")

    @contextmanager
    def reading(self) -> Iterator[QuickConnection]:
        """A transaction that cannot write."""
        self._readers.execute("BEGIN")
        try:
            yield self._reading
        finally:
            self._readers.execute("ROLLBACK")


def _connected() -> sqlite3.Connection:
    """A connection to the one database in the memory of this process."""
    return sqlite3.connect(
        "file:simulation?mode=memory&cache=shared", uri=True, check_same_thread=False, isolation_level=None
    )


@cache
def the_disk() -> Disk:
    """The one disk of this process: statements are compiled for it only once."""
    return Disk()


@cache
def _template() -> sqlite3.Connection:
    """A migrated, empty database."""
    with tempfile.TemporaryDirectory(prefix="zhitu-") as folder:
        file = Path(folder) / "template.db"
        migrate(f"sqlite:///{file}")
        template = sqlite3.connect(":memory:", check_same_thread=False)
        with_rows = sqlite3.connect(file)
        with_rows.backup(template)
        with_rows.close()
    return template
