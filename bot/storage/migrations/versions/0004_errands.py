"""What errands need: their rows, and the ledgers of places, coupons and points.

Revision ID: 0004
"""

from typing import Any, Literal, TypeAlias  # Any: a column of any type

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_Kind: TypeAlias = TypeEngine[Any]  # Any: as above
_Made: TypeAlias = sa.Column[Any]  # Any: as above

_big = sa.BigInteger()
_key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_text = sa.Text()
_whole = sa.Integer()


def upgrade() -> None:
    """Add the tables; nothing of what is there changes."""
    _create_errands()
    _create_places()
    _create_coupons()
    _create_points()


def _column(name: str, kind: _Kind, *, null: bool = False, default: str | None = None) -> _Made:
    counted: Literal["auto", False] = "auto" if name == "seq" else False
    return sa.Column(name, kind, nullable=null, server_default=default, autoincrement=counted)


def _partly(name: str, table: str, *columns: str, where: str, unique: bool = False) -> None:
    some = sa.text(where)
    op.create_index(name, table, list(columns), unique=unique, sqlite_where=some, postgresql_where=some)


def _create_errands() -> None:
    op.create_table(
        "errands",
        _column("seq", _key),
        _column("effect_id", _text),
        _column("customer_id", _big),
        _column("kind", _text),
        _column("target", _text),
        _column("state", _text),
        _column("planned_at", _big),
        _column("not_before", _big),
        _column("expires_at", _big),
        _column("attempts", _whole, default="0"),
        _column("leased_by", _text, default=""),
        _column("leased_until", _big, null=True),
        _column("started_at", _big, null=True),
        _column("epoch", _big, null=True),
        _column("settled_at", _big, null=True),
        _column("reason", _text, default=""),
        _column("status", _whole, null=True),
        _column("sealed", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("seq"),
        sqlite_autoincrement=True,
    )
    op.create_index("errands_effect", "errands", ["effect_id"], unique=True)
    op.create_index("errands_customer", "errands", ["customer_id", "seq"])
    _partly("errands_ready", "errands", "target", "not_before", "seq", where="state = 'ready'")
    _partly("errands_due", "errands", "not_before", where="state = 'ready'")
    _partly("errands_expiry", "errands", "expires_at", where="state = 'ready'")
    _partly("errands_flying", "errands", "leased_until", where="state IN ('leased', 'sending')")
    _partly("errands_unknown", "errands", "seq", where="state = 'unknown' AND reason <> 'left'")


def _create_places() -> None:
    op.create_table(
        "places",
        _column("effect_id", _text),
        _column("booking_id", _text),
        _column("customer_id", _big),
        _column("resource", _text),
        _column("dealer", _text),
        _column("start_at", _big),
        _column("place", sa.SmallInteger()),
        _column("state", _text),
        _column("hold_until", _big),
        _column("made_at", _big),
        _column("changed_at", _big),
        sa.PrimaryKeyConstraint("effect_id"),
    )
    # Two customers never get the same place, whoever asks at the same moment.
    taken = "state IN ('held', 'booked')"
    _partly("places_taken", "places", "resource", "dealer", "start_at", "place", where=taken, unique=True)
    op.create_index("places_booking", "places", ["booking_id"])
    op.create_index("places_customer", "places", ["customer_id"])


def _create_coupons() -> None:
    op.create_table(
        "coupons",
        _column("effect_id", _text),
        _column("customer_id", _big),
        _column("coupon", _text),
        _column("once", _text, null=True),
        _column("journey", _text),
        _column("given_at", _big),
        sa.PrimaryKeyConstraint("effect_id"),
    )
    _partly("coupons_once", "coupons", "customer_id", "coupon", "once", where="once IS NOT NULL", unique=True)
    op.create_index("coupons_customer", "coupons", ["customer_id"])


def _create_points() -> None:
    op.create_table(
        "points",
        _column("effect_id", _text),
        _column("customer_id", _big),
        _column("change", _big),
        _column("balance", _big),
        _column("reason", _text),
        _column("journey", _text),
        _column("changed_at", _big),
        sa.PrimaryKeyConstraint("effect_id"),
    )
    op.create_index("points_customer", "points", ["customer_id"])
