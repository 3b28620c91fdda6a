"""SQLAlchemy's connection without most of its work, for SQLite: thousands of transactions a second.

Statements are still spelled by SQLAlchemy, once each. Values pass as they are: whole numbers, texts and bytes are all
that the product stores.
"""

import sqlite3
from collections import namedtuple
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias  # Any: rows of any query

from sqlalchemy import ClauseElement
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.compiler import SQLCompiler

Values: TypeAlias = Mapping[str, object]
Row: TypeAlias = tuple[Any, ...]  # Any: as above

_DIALECT: Dialect = sqlite.dialect()
SPELLED_MAX = 2_000
"""Statements that are kept spelled; when there are more, all are spelled anew. The product has some two hundred, and
those that ask for audiences."""
PREPARED_MAX = 512
"""Statements that SQLite keeps prepared on one connection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Spelled:
    """A statement as SQLite takes it. `names`: of its values, in order; None: it is spelled anew for each list."""

    compiled: SQLCompiler
    sql: str
    names: tuple[str, ...] | None
    defaults: Mapping[str, object]

    def asked(self, values: Values) -> tuple[str, tuple[object, ...]]:
        """The words and the values of one execution."""
        if self.names is not None:
            known = {**self.defaults, **values} if self.defaults else values
            return self.sql, tuple([known[name] for name in self.names])
        state = self.compiled.construct_expanded_state(dict(values))
        return state.statement, tuple(state.positional_parameters)


_SPELLINGS: dict[tuple[int, tuple[str, ...]], _Spelled] = {}
"""By the statement and the names of its values, for all connections: the statements are the same."""


@cache
def _row_type(columns: tuple[str, ...]) -> Callable[[Row], Row]:
    named: Any = namedtuple  # Any: the columns are only known now
    made = named("Row", columns, rename=True)
    found: Callable[[Row], Row] = made._make
    return found


class QuickColumn(list[Any]):  # Any: values of any column
    """The first column of every row."""

    def all(self) -> list[Any]:  # Any: as above
        """Every value."""
        return self


class QuickResult:
    """The rows of one statement, all read at once."""

    def __init__(self, cursor: sqlite3.Cursor) -> None:
        self.rowcount = cursor.rowcount
        self._rows: list[Row] = []
        if cursor.description is not None:
            made = _row_type(tuple(column[0] for column in cursor.description))
            self._rows = [made(row) for row in cursor.fetchall()]
            # SQLite tells the count of a statement that returns rows only once they are read.
            self.rowcount = cursor.rowcount

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows)

    def all(self) -> list[Row]:
        """Every row."""
        return self._rows

    def first(self) -> Row | None:
        """The first row, if there is one."""
        return self._rows[0] if self._rows else None

    def one(self) -> Row:
        """The only row."""
        assert len(self._rows) == 1, "one row was asked for"
        return self._rows[0]

    def one_or_none(self) -> Row | None:
        """The only row, if there is one."""
        assert len(self._rows) <= 1, "at most one row was asked for"
        return self.first()

    def scalar(self) -> Any:  # Any: as above
        """The first column of the first row, if there is one."""
        return self._rows[0][0] if self._rows else None

    def scalar_one(self) -> Any:  # Any: as above
        """The first column of the only row."""
        return self.one()[0]

    def scalars(self) -> QuickColumn:
        """The first column of every row."""
        return QuickColumn(row[0] for row in self._rows)


class QuickConnection:
    """What the product uses of a SQLAlchemy connection. DBAPIError: SQLite did not take a statement."""

    dialect = _DIALECT

    def __init__(self, raw: sqlite3.Connection) -> None:
        self._raw = raw

    def execute(self, statement: ClauseElement, values: Values | Sequence[Values] = ()) -> QuickResult:
        """Run a statement once, or once for each of a list of values."""
        many = not isinstance(values, Mapping)
        first = values[0] if isinstance(values, Sequence) and values else values
        assert isinstance(first, Mapping) or not first, "values have names"
        named = first if isinstance(first, Mapping) else {}
        spelled = self._spell(statement, tuple(named))
        if many and isinstance(values, Sequence) and len(values) > 0:
            asked = [spelled.asked(row) for row in values]
            return self._run(lambda: self._raw.executemany(asked[0][0], [row for _, row in asked]), asked[0][0])
        sql, row = spelled.asked(named)
        return self._run(lambda: self._raw.execute(sql, row), sql)

    def exec_driver_sql(self, sql: str, values: tuple[object, ...] = ()) -> QuickResult:
        """Run a statement that is spelled already."""
        return self._run(lambda: self._raw.execute(sql, values), sql)

    def _run(self, work: Callable[[], sqlite3.Cursor], sql: str) -> QuickResult:
        try:
            return QuickResult(work())
        except sqlite3.Error as error:
            raise DBAPIError.instance(sql, None, error, sqlite3.Error) from error

    def _spell(self, statement: ClauseElement, columns: tuple[str, ...]) -> _Spelled:
        known = _SPELLINGS.get((id(statement), columns))
        if known is None:
            if len(_SPELLINGS) >= SPELLED_MAX:
                _SPELLINGS.clear()
            # What is spelled keeps its statement alive, so nothing else ever gets its id.
            known = _SPELLINGS[id(statement), columns] = _spell(statement, columns)
        return known


def _spell(statement: ClauseElement, columns: tuple[str, ...]) -> _Spelled:
    keys = None if statement.__visit_name__ in ("textclause", "select", "delete") else list(columns)
    compiled = statement.compile(dialect=_DIALECT, column_keys=keys)
    assert isinstance(compiled, SQLCompiler), "statements, not schemas"
    grows = bool(compiled.post_compile_params)
    defaults = {name: value for name, value in compiled.params.items() if value is not None and name not in columns}
    return _Spelled(
        compiled=compiled,
        sql=str(compiled),
        names=None if grows else tuple(compiled.positiontup or ()),
        defaults=defaults,
    )
