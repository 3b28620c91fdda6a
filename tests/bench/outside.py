"""What stands in a database of the product, read by nothing but sqlite3."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

BUYERS_EVENTS = "type IN ('oa.follow', 'message')"


@dataclass(frozen=True, kw_only=True)
class Counted:
    """Rows. `taken`: events of buyers; `others`: what the product wrote into lanes itself."""

    taken: int
    distinct: int
    consumed: int
    others: int
    outbox: int
    journal: int
    timers: int
    customers: int
    quarantined: int
    parked: int


@contextmanager
def reading(database: Path) -> Iterator[sqlite3.Connection]:
    """A connection that cannot write."""
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=30)
    try:
        yield connection
    finally:
        connection.close()


def one(connection: sqlite3.Connection, statement: str) -> int:
    """The one number that this asks for."""
    (found,) = connection.execute(statement).fetchone()
    return int(found or 0)


def count(database: Path) -> Counted:
    """All rows that a benchmark compares."""
    with reading(database) as connection:
        return Counted(
            taken=one(connection, f"SELECT count(*) FROM inbox WHERE {BUYERS_EVENTS}"),
            distinct=one(connection, f"SELECT count(DISTINCT event_id) FROM inbox WHERE {BUYERS_EVENTS}"),
            consumed=one(connection, f"SELECT count(*) FROM inbox WHERE {BUYERS_EVENTS} AND consumed_at IS NOT NULL"),
            others=one(connection, f"SELECT count(*) FROM inbox WHERE NOT {BUYERS_EVENTS}"),
            outbox=one(connection, "SELECT count(*) FROM outbox WHERE customer_id > 0"),
            journal=one(connection, "SELECT count(*) FROM journal WHERE kind = 'event'"),
            timers=one(connection, "SELECT count(*) FROM timers"),
            customers=one(connection, "SELECT count(*) FROM customers"),
            quarantined=one(connection, "SELECT count(*) FROM quarantine"),
            parked=one(connection, "SELECT count(*) FROM parked"),
        )


def consumed_so_far(database: Path) -> int:
    """Events stepped and committed by now: a look that costs next to nothing."""
    with reading(database) as connection:
        last = one(connection, "SELECT max(seq) FROM inbox")
        return last - one(connection, "SELECT count(*) FROM inbox WHERE consumed_at IS NULL")


def waiting(database: Path) -> int:
    """Events that are not stepped yet."""
    with reading(database) as connection:
        return one(connection, "SELECT count(*) FROM inbox WHERE consumed_at IS NULL")


def groups(database: Path, column: str) -> dict[str, int]:
    """Sizes of the transactions that wrote this moment of the inbox: median, 99th percentile, and how many."""
    with reading(database) as connection:
        statement = f"SELECT count(*) AS n FROM inbox WHERE {column} IS NOT NULL GROUP BY {column} ORDER BY n"
        sizes = [size for (size,) in connection.execute(statement)]
    if not sizes:
        return {"groups": 0, "p50": 0, "p99": 0}
    return {"groups": len(sizes), "p50": sizes[len(sizes) // 2], "p99": sizes[len(sizes) * 99 // 100]}


def states(database: Path) -> dict[str, int]:
    """How many rows of the outbox stand in which state."""
    with reading(database) as connection:
        return dict(connection.execute("SELECT state, count(*) FROM outbox GROUP BY state"))
