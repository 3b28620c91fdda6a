"""What a plain sqlite3 sees in the database of a product that is dead, or stands still."""

import sqlite3
import time
from pathlib import Path
from typing import Any  # Any: rows of SQLite

# Each by an index of what is open: these are asked a hundred times a second beside a million rows.
_SENDING = "SELECT effect_id FROM outbox WHERE state IN ('leased', 'sending') AND state = 'sending'"
_WAITING = """
    SELECT (SELECT count(*) FROM outbox WHERE state IN ('ready', 'leased', 'sending'))
         - (SELECT count(*) FROM outbox WHERE state IN ('leased', 'sending') AND state = 'sending')
"""
_UNREAD = "SELECT count(*) FROM inbox INDEXED BY inbox_open WHERE consumed_at IS NULL"


def rows(database: Path, statement: str, *values: object) -> list[tuple[Any, ...]]:
    """What a statement reads. sqlite3.DatabaseError: the file is none any more."""
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=10)
    try:
        return connection.execute(statement, values).fetchall()
    finally:
        connection.close()


def at_death(database: Path) -> dict[str, Any]:
    """What was in flight: effect ids that were `sending`, rows that wait. `broken`: why the file cannot be read."""
    try:
        sending = [name for (name,) in rows(database, _SENDING)]
        ((waiting,),), ((unconsumed,),) = rows(database, _WAITING), rows(database, _UNREAD)
    except sqlite3.DatabaseError as error:
        return {"sending": [], "waiting": 0, "unconsumed": 0, "broken": str(error)}
    return {"sending": sending, "waiting": waiting, "unconsumed": unconsumed, "broken": ""}


_OPEN = """
    SELECT (SELECT count(*) FROM inbox INDEXED BY inbox_open WHERE consumed_at IS NULL) + (
        SELECT count(*) FROM outbox o WHERE o.state IN ('ready', 'leased', 'sending') AND o.not_before <= ?1
        AND NOT EXISTS (
            SELECT 1 FROM outbox h WHERE h.conversation_id = o.conversation_id AND h.seq < o.seq
            AND h.state IN ('ready', 'leased', 'sending') AND h.state = 'ready' AND h.not_before > ?1))
"""
"""What could be done now, if there were time: not what the platform has put off, nor what waits behind that."""


def behind(database: Path) -> int | None:
    """How many events and messages wait for their turn at this moment. None: the database is busy."""
    try:
        ((count,),) = rows(database, _OPEN, time.time_ns() // 1000)
    except sqlite3.OperationalError:
        return None
    return int(count)


def damage(database: Path) -> str:
    """What is wrong with the file itself; empty: nothing."""
    try:
        ((found,),) = rows(database, "PRAGMA quick_check(1)")
    except sqlite3.DatabaseError as error:
        return str(error)
    return "" if found == "ok" else str(found)


def restless(database: Path) -> dict[str, int]:
    """What still has to be done at this moment, by kind; empty: everything is at rest."""
    now = time.time_ns() // 1000
    counts = {
        "unconsumed": (_UNREAD, ()),
        "due": ("SELECT count(*) FROM timers WHERE due_at <= ?", (now,)),
        "soon": ("SELECT count(*) FROM timers WHERE due_at BETWEEN ? AND ?", (now, now + 60_000_000)),
        "to send": ("SELECT count(*) FROM outbox WHERE state IN ('ready', 'leased', 'sending')", ()),
    }
    found = {name: rows(database, statement, *values)[0][0] for name, (statement, values) in counts.items()}
    return {name: count for name, count in found.items() if count}
