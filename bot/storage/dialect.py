"""The statements that both databases have, and that are spelled once for each."""

import json
from collections.abc import Sequence
from functools import cache
from typing import TypeAlias

from sqlalchemy import Connection, Table, TextClause, Update, bindparam, text
from sqlalchemy.dialects import postgresql, sqlite

Insert: TypeAlias = sqlite.Insert | postgresql.Insert


_LISTED = {"sqlite": "IN (SELECT value FROM json_each(:ids))", "postgresql": "= ANY(:ids)"}
_LOCKED = {"sqlite": "", "postgresql": "FOR UPDATE"}


def among(connection: Connection, sql: str) -> TextClause:
    """`sql` with `{listed}` for a list of values in `:ids` (see `listed`) and `{locked}` for a lock on what it reads.

    It is one statement however long the list: a list of parameters would be spelled anew for each.
    """
    return _among(connection.dialect.name, sql)


def listed(connection: Connection, values: Sequence[str] | Sequence[int]) -> object:
    """What stands in `:ids` of such a statement."""
    return json.dumps(values) if connection.dialect.name == "sqlite" else list(values)


@cache
def _among(dialect: str, sql: str) -> TextClause:
    return text(sql.format(listed=_LISTED[dialect], locked=_LOCKED[dialect]))


def insert_or_nothing(connection: Connection, table: Table, *key: str) -> Insert:
    """INSERT that leaves a row alone which has the same `key`."""
    return _insert_or_nothing(connection.dialect.name, table, key)


def insert_or_replace(connection: Connection, table: Table, *key: str) -> Insert:
    """INSERT that writes all columns over those of the row with the same `key`."""
    return _insert_or_replace(connection.dialect.name, table, key)


def _insert(dialect: str, table: Table) -> Insert:
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


@cache
def _insert_or_nothing(dialect: str, table: Table, key: tuple[str, ...]) -> Insert:
    return _insert(dialect, table).on_conflict_do_nothing(index_elements=key)


@cache
def _insert_or_replace(dialect: str, table: Table, key: tuple[str, ...]) -> Insert:
    statement = _insert(dialect, table)
    rest = {column.name: statement.excluded[column.name] for column in table.c if column.name not in key}
    return statement.on_conflict_do_update(index_elements=key, set_=rest)


@cache
def update_by(table: Table, key: str, *columns: str) -> Update:
    """UPDATE of `columns` by `key`, for many rows: parameters are named as the columns, the key `of_KEY`."""
    return (
        table.update()
        .where(table.c[key] == bindparam(f"of_{key}"))
        .values({column: bindparam(column) for column in columns})
    )
