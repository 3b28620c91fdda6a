"""The rows of a real run, written again by bare sqlite3: the same tables, indexes and bytes, and nothing else done.

A process of its own: `python -m tests.bench.floors.raw_rows DONOR.db NEW.db BATCH`. Each batch of events is one
transaction: identities and blank customers of those who are new, the events, then the events marked as consumed, the
customers' rows, and the share of outbox, journal and all other rows that came of it. A row that the product wrote
several times is written once here, but for the customers' rows, which every step writes: the floor is rather too low.
"""

import json
import resource
import sqlite3
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.lines import say

PER_EVENT = ("outbox", "journal", "leads", "tasks", "consents", "assignments", "enrolments", "timers")
"""Tables whose rows are dealt out evenly over the batches."""
Rows = list[tuple[Any, ...]]


@dataclass(frozen=True, kw_only=True)
class Table:
    """One table of the donor, whole."""

    name: str
    columns: tuple[str, ...]
    rows: Rows

    def insert(self) -> str:
        """The statement that writes a row."""
        return f"INSERT INTO {self.name} ({', '.join(self.columns)}) VALUES ({', '.join('?' * len(self.columns))})"


@dataclass(frozen=True, kw_only=True)
class Batch:
    """What one transaction writes: statement and rows, in order."""

    events: int
    writes: list[tuple[str, Rows]]


def open_like(donor: sqlite3.Connection, path: Path) -> sqlite3.Connection:
    """A new database with the tables, indexes and settings of the donor."""
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "cache_size = -65536", "wal_autocheckpoint = 4000"):
        connection.execute(f"PRAGMA {pragma}")
    for (statement,) in donor.execute(
        "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'"
    ):
        connection.execute(statement)
    return connection


def table(donor: sqlite3.Connection, name: str, *, order: str) -> Table:
    """All rows of one table."""
    columns = tuple(row[1] for row in donor.execute(f"PRAGMA table_info({name})"))
    return Table(name=name, columns=columns, rows=donor.execute(f"SELECT * FROM {name} ORDER BY {order}").fetchall())


def batches(donor: sqlite3.Connection, size: int) -> list[Batch]:
    """The whole donor, cut by its events."""
    inbox = table(donor, "inbox", order="seq")
    customers = {row[0]: row for row in table(donor, "customers", order="customer_id").rows}
    identities = table(donor, "identities", order="customer_id")
    owner = identities.columns.index("customer_id")
    names = {row[owner]: row for row in identities.rows}
    rest = [table(donor, name, order="1") for name in PER_EVENT]
    found: list[Batch] = []
    seen: set[int] = set()
    count = len(inbox.rows)
    for start in range(0, count, size):
        part = inbox.rows[start : start + size]
        lanes = dict.fromkeys(row[inbox.columns.index("lane")] for row in part)
        fresh = [lane for lane in lanes if lane in names and lane not in seen]
        seen.update(fresh)
        share = slice(start / count, (start + len(part)) / count)
        found.append(Batch(events=len(part), writes=_writes(inbox, part, [
            (identities.insert(), [names[lane] for lane in fresh]),
            ("INSERT INTO customers (customer_id, version, shard, created_at) VALUES (?, 0, ?, ?)",
             [(lane, customers[lane][2], customers[lane][3]) for lane in fresh]),
        ], [
            ("UPDATE customers SET version = ?, sealed = ? WHERE customer_id = ?",
             [(customers[lane][1], customers[lane][4], lane) for lane in lanes if lane in customers]),
            *((one.insert(), _dealt(one.rows, share)) for one in rest),
        ])))  # fmt: skip
    return found


def _writes(
    inbox: Table, part: Rows, before: Sequence[tuple[str, Rows]], after: Sequence[tuple[str, Rows]]
) -> list[tuple[str, Rows]]:
    mark = inbox.columns.index("consumed_at")
    unread = [(*row[:mark], None, *row[mark + 1 :]) for row in part]
    consumed = [(row[mark], row[0]) for row in part]
    update = ("UPDATE inbox SET consumed_at = ? WHERE seq = ?", consumed)
    return [write for write in (*before, (inbox.insert(), unread), update, *after) if write[1]]


def _dealt(rows: Rows, share: slice) -> Rows:
    return rows[round(share.start * len(rows)) : round(share.stop * len(rows))]


def write(connection: sqlite3.Connection, found: Sequence[Batch]) -> None:
    """Write all batches, each in a transaction."""
    for batch in found:
        connection.execute("BEGIN IMMEDIATE")
        for statement, rows in batch.writes:
            connection.executemany(statement, rows)
        connection.execute("COMMIT")


def main(donor_file: str, new_file: str, batch: str) -> None:
    """Read the donor, write it again, tell how long the writing took."""
    donor = sqlite3.connect(f"file:{donor_file}?mode=ro", uri=True)
    found = batches(donor, int(batch))
    connection = open_like(donor, Path(new_file))
    began, cpu = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF)
    write(connection, found)
    seconds, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_SELF)
    told = {
        "events": sum(one.events for one in found),
        "rows": sum(len(rows) for one in found for _, rows in one.writes),
        "commits": len(found),
        "seconds": seconds,
        "cpu_s": after.ru_utime + after.ru_stime - cpu.ru_utime - cpu.ru_stime,
        "synchronous": connection.execute("PRAGMA synchronous").fetchone()[0],
    }
    say(json.dumps(told))


if __name__ == "__main__":
    main(*sys.argv[1:4])
