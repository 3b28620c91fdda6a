"""The tables of errands and of the ledgers that some of them are done in. Columns as in `tables`."""

from typing import ClassVar

from sqlalchemy import BigInteger, Index, Integer, LargeBinary, SmallInteger, Table, Text, text
from sqlmodel import Field

from bot.storage.tables import BigKey, Row


def _partly(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    return Index(name, *columns, unique=unique, sqlite_where=text(where), postgresql_where=text(where))


class ErrandRow(Row, table=True):
    """Something that another system, or a ledger of ours, is to do, and what became of it.

    `target`: the webhook that is asked; empty: a ledger of ours. `status`: the HTTP status of the last answer, None:
    the last request got none, or there was none yet.
    """

    __tablename__: ClassVar[str] = "errands"
    __table_args__ = (
        Index("errands_effect", "effect_id", unique=True),
        _partly("errands_ready", "target", "not_before", "seq", where="state = 'ready'"),
        _partly("errands_due", "not_before", where="state = 'ready'"),
        _partly("errands_expiry", "expires_at", where="state = 'ready'"),
        _partly("errands_flying", "leased_until", where="state IN ('leased', 'sending')"),
        _partly("errands_unknown", "seq", where="state = 'unknown' AND reason <> 'left'"),
        Index("errands_customer", "customer_id", "seq"),
        {"sqlite_autoincrement": True},
    )
    seq: int | None = Field(default=None, primary_key=True, sa_type=BigKey)
    effect_id: str = Field(sa_type=Text)
    customer_id: int = Field(sa_type=BigInteger)
    kind: str = Field(sa_type=Text)
    target: str = Field(sa_type=Text)
    state: str = Field(sa_type=Text)
    planned_at: int = Field(sa_type=BigInteger)
    not_before: int = Field(sa_type=BigInteger)
    expires_at: int = Field(sa_type=BigInteger)
    attempts: int = Field(default=0, sa_type=Integer, sa_column_kwargs={"server_default": "0"})
    leased_by: str = Field(default="", sa_type=Text, sa_column_kwargs={"server_default": ""})
    leased_until: int | None = Field(default=None, sa_type=BigInteger)
    started_at: int | None = Field(default=None, sa_type=BigInteger)
    epoch: int | None = Field(default=None, sa_type=BigInteger)
    settled_at: int | None = Field(default=None, sa_type=BigInteger)
    reason: str = Field(default="", sa_type=Text, sa_column_kwargs={"server_default": ""})
    status: int | None = Field(default=None, sa_type=Integer)
    sealed: bytes = Field(sa_type=LargeBinary)


class PlaceRow(Row, table=True):
    """One place of a slot that somebody has. No two customers ever have the same: the index `places_taken` says so.

    `state`: held (until `hold_until`), booked, moved, cancelled, lapsed. A booking that moves keeps its `booking_id`.
    """

    __tablename__: ClassVar[str] = "places"
    __table_args__ = (
        _partly(
            "places_taken", "resource", "dealer", "start_at", "place", where="state IN ('held', 'booked')", unique=True
        ),
        Index("places_booking", "booking_id"),
        Index("places_customer", "customer_id"),
    )
    effect_id: str = Field(primary_key=True, sa_type=Text)
    booking_id: str = Field(sa_type=Text)
    customer_id: int = Field(sa_type=BigInteger)
    resource: str = Field(sa_type=Text)
    dealer: str = Field(sa_type=Text)
    start_at: int = Field(sa_type=BigInteger)
    place: int = Field(sa_type=SmallInteger)
    state: str = Field(sa_type=Text)
    hold_until: int = Field(sa_type=BigInteger)
    made_at: int = Field(sa_type=BigInteger)
    changed_at: int = Field(sa_type=BigInteger)


class CouponRow(Row, table=True):
    """A coupon that a customer was given. `once`: within what she gets it only once, None: every time."""

    __tablename__: ClassVar[str] = "coupons"
    __table_args__ = (
        _partly("coupons_once", "customer_id", "coupon", "once", where="once IS NOT NULL", unique=True),
        Index("coupons_customer", "customer_id"),
    )
    effect_id: str = Field(primary_key=True, sa_type=Text)
    customer_id: int = Field(sa_type=BigInteger)
    coupon: str = Field(sa_type=Text)
    once: str | None = Field(default=None, sa_type=Text)
    journey: str = Field(sa_type=Text)
    given_at: int = Field(sa_type=BigInteger)


class PointsRow(Row, table=True):
    """One change of a customer's points. `balance`: what she had afterwards."""

    __tablename__: ClassVar[str] = "points"
    __table_args__ = (Index("points_customer", "customer_id"),)
    effect_id: str = Field(primary_key=True, sa_type=Text)
    customer_id: int = Field(sa_type=BigInteger)
    change: int = Field(sa_type=BigInteger)
    balance: int = Field(sa_type=BigInteger)
    reason: str = Field(sa_type=Text)
    journey: str = Field(sa_type=Text)
    changed_at: int = Field(sa_type=BigInteger)


def _table(name: str) -> Table:
    return Row.metadata.tables[name]


errands = _table("errands")
places = _table("places")
coupons = _table("coupons")
points = _table("points")
