"""Tables for what is searched across customers. Written only as far as the library in force asks for it.

A customer's own row is sealed; here stands beside it what conditions over many customers read of her, nothing of it
personal. Texts are compared by code point. Numbers are whole millionths, dates days since year 1, moments and
durations microseconds, flags 0 or 1: so that both databases work out exactly what expressions mean.
"""

from typing import ClassVar

from sqlalchemy import BigInteger, Index, SmallInteger, Text, text
from sqlmodel import Field

from bot.storage.tables import Row

_undone = text("done_at IS NULL")


class CustomerValueRow(Row, table=True):
    """A value of a customer, as text or as a whole number; without either, only that it is there is known."""

    __tablename__: ClassVar[str] = "customer_values"
    __table_args__ = ({"sqlite_with_rowid": False},)
    customer_id: int = Field(primary_key=True, sa_type=BigInteger)
    name: str = Field(primary_key=True, sa_type=Text)
    words: str | None = Field(default=None, sa_type=Text)
    whole: int | None = Field(default=None, sa_type=BigInteger)


class CustomerMarkRow(Row, table=True):
    """A tag (`tag`), a consent that is given (`consent`), or a segment that held when it was looked at (`segment`)."""

    __tablename__: ClassVar[str] = "customer_marks"
    __table_args__ = ({"sqlite_with_rowid": False},)
    customer_id: int = Field(primary_key=True, sa_type=BigInteger)
    kind: str = Field(primary_key=True, sa_type=Text)
    mark: str = Field(primary_key=True, sa_type=Text)


class EventFactRow(Row, table=True):
    """Something that happened to a customer and that is counted. `fields`: JSON of those that a `where` reads."""

    __tablename__: ClassVar[str] = "event_facts"
    __table_args__ = (Index("event_facts_age", "type", "at"), {"sqlite_with_rowid": False})
    customer_id: int = Field(primary_key=True, sa_type=BigInteger)
    type: str = Field(primary_key=True, sa_type=Text)
    at: int = Field(primary_key=True, sa_type=BigInteger)
    event_id: str = Field(primary_key=True, sa_type=Text)
    fields: str = Field(sa_type=Text)


class OccurrenceRow(Row, table=True):
    """One moment of a schedule, or of the looks at a segment. `cursor`: the last customer who was looked at."""

    __tablename__: ClassVar[str] = "occurrences"
    __table_args__ = (
        Index("occurrences_open", "due_at", sqlite_where=_undone, postgresql_where=_undone),
        {"sqlite_with_rowid": False},
    )
    name: str = Field(primary_key=True, sa_type=Text)
    due_at: int = Field(primary_key=True, sa_type=BigInteger)
    cursor: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": "0"})
    done_at: int | None = Field(default=None, sa_type=BigInteger)


class FillRow(Row, table=True):
    """Something that is searched, and up to which customer it was written down for those who were there before."""

    __tablename__: ClassVar[str] = "fills"
    name: str = Field(primary_key=True, sa_type=Text)
    cursor: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": "0"})
    done: int = Field(default=0, sa_type=SmallInteger, sa_column_kwargs={"server_default": "0"})


customer_values = Row.metadata.tables["customer_values"]
customer_marks = Row.metadata.tables["customer_marks"]
event_facts = Row.metadata.tables["event_facts"]
occurrences = Row.metadata.tables["occurrences"]
fills = Row.metadata.tables["fills"]
