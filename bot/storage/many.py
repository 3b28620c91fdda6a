"""Many rows in one statement.

SQLite's driver gives up the interpreter at each row of an `executemany` and has to win it back from the threads that
take callbacks in, which costs more than the row. Written as one statement they pass in one go. PostgreSQL's driver
sends an `executemany` in one go anyhow.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Literal, TypeAlias, TypeVar

from sqlalchemy import Connection, Insert, Table

from bot.storage.dialect import insert_or_nothing, insert_or_replace

T = TypeVar("T")
Rows: TypeAlias = Sequence[Mapping[str, object]]
Else: TypeAlias = Literal["fail", "nothing", "replace"]

PARTS = (64, 32, 16, 8, 4, 2, 1)
"""Rows of one statement: few sizes, so that the driver finds nearly every statement prepared. The widest table has
fewer than 30 columns, so 64 rows stay far below the 32,766 values that SQLite takes."""


def insert_many(connection: Connection, table: Table, rows: Rows, *, key: Sequence[str] = (), known: Else) -> int:
    """Insert rows that all have the same columns; how many were written.

    `known`: what is done with a row whose `key` is in the table: nothing, all columns written over, or an error.
    """
    if not rows:
        return 0
    if connection.dialect.name != "sqlite":
        return connection.execute(_statement(connection, table, key, known), [dict(row) for row in rows]).rowcount
    columns = tuple(rows[0])
    written = 0
    for part in _parts(rows):
        sql = _spelled(table.name, columns, tuple(key), known, len(part))
        values = tuple(row[name] for row in part for name in columns)
        written += connection.exec_driver_sql(sql, values).rowcount
    return written


_SAVE = """
    UPDATE customers SET version = n.column3, sealed = n.column4 FROM (VALUES {rows}) n
    WHERE customer_id = n.column1 AND customers.version = n.column2
"""


def save_many(connection: Connection, rows: Sequence[tuple[int, int, int, bytes]]) -> int:
    """Write customers on SQLite: id, the version that must be there, the new one, the bytes. How many were written."""
    written = 0
    for part in _parts(rows):
        values = tuple(value for row in part for value in row)
        written += connection.exec_driver_sql(_saving(len(part)), values).rowcount
    return written


def _statement(connection: Connection, table: Table, key: Sequence[str], known: Else) -> Insert:
    match known:
        case "fail":
            return table.insert()
        case "nothing":
            return insert_or_nothing(connection, table, *key)
        case "replace":
            return insert_or_replace(connection, table, *key)


def _parts(rows: Sequence[T]) -> Iterator[Sequence[T]]:
    start = 0
    for size in PARTS:
        while len(rows) - start >= size:
            yield rows[start : start + size]
            start += size


@cache
def _spelled(table: str, columns: tuple[str, ...], key: tuple[str, ...], known: Else, size: int) -> str:
    row = f"({', '.join('?' * len(columns))})"
    sql = f"INSERT INTO {table} ({', '.join(columns)}) VALUES {', '.join([row] * size)}"  # noqa: S608 - names of ours
    rest = ", ".join(f"{name} = excluded.{name}" for name in columns if name not in key)
    match known:
        case "fail":
            return sql
        case "nothing":
            return f"{sql} ON CONFLICT ({', '.join(key)}) DO NOTHING"
        case "replace":
            return f"{sql} ON CONFLICT ({', '.join(key)}) DO UPDATE SET {rest}"


@cache
def _saving(size: int) -> str:
    return _SAVE.format(rows=", ".join(["(?, ?, ?, ?)"] * size))
