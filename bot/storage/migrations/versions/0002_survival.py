"""What surviving needs: gaps of accounts, limits that are counted, access tokens, the form of what is quarantined.

And which messages of unknown fate an operator lets leave again.

Revision ID: 0002
"""

from typing import Any, Literal, TypeAlias  # Any: a column of any type

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_Kind: TypeAlias = TypeEngine[Any]  # Any: as above
_Made: TypeAlias = sa.Column[Any]  # Any: as above

_big = sa.BigInteger()
_key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_text = sa.Text()
_blob = sa.LargeBinary()
_whole = sa.Integer()


def upgrade() -> None:
    """Add the tables and columns. Rows of the first schema stay as they are."""
    _create_gaps()
    _create_rates()
    _widen_quarantine()
    _create_tokens()
    op.add_column("outbox", _column("by_operator", sa.SmallInteger(), default="0"))
    # Those that an operator has yet to decide on are few, among millions that are done.
    fate = sa.text("state = 'unknown' AND reason <> 'left'")
    op.create_index("outbox_unknown", "outbox", ["seq"], sqlite_where=fate, postgresql_where=fate)
    under_way = sa.text("state IN ('leased', 'sending')")
    op.create_index(
        "outbox_under_way", "outbox", ["conversation_id"], sqlite_where=under_way, postgresql_where=under_way
    )
    op.execute("INSERT INTO counters (name, value) VALUES ('clock_confirmed', 0), ('probe', 0)")


def _column(name: str, kind: _Kind, *, null: bool = False, default: str | None = None) -> _Made:
    counted: Literal["auto", False] = "auto" if name == "seq" else False
    return sa.Column(name, kind, nullable=null, server_default=default, autoincrement=counted)


def _create_gaps() -> None:
    op.create_table(
        "gaps",
        _column("seq", _key),
        _column("channel", _text),
        _column("account", _text),
        _column("since", _big),
        _column("until", _big),
        _column("reason", _text),
        _column("turned_away", _whole),
        _column("cursor", _text, default=""),
        _column("reconciled_at", _big, null=True),
        sa.PrimaryKeyConstraint("seq"),
        sqlite_autoincrement=True,
    )


def _create_rates() -> None:
    op.create_table(
        "rates",
        _column("scope", _text),
        _column("window_start", _big),
        _column("used", _whole),
        sa.PrimaryKeyConstraint("scope", "window_start"),
        sqlite_with_rowid=False,
    )
    op.create_index("rates_age", "rates", ["window_start"])


def _widen_quarantine() -> None:
    op.add_column("quarantine", _column("form", _text, default="body"))
    op.create_index("quarantine_age", "quarantine", ["received_at"])


def _create_tokens() -> None:
    op.create_table(
        "tokens",
        _column("channel", _text),
        _column("account", _text),
        _column("generation", _big),
        _column("sealed", _blob, null=True),
        _column("fresh_until", _big, null=True),
        _column("dead_at", _big, null=True),
        _column("refused", _text, default=""),
        _column("refused_at", _big, null=True),
        _column("forced_at", _big, null=True),
        _column("forced_count", _whole, default="0"),
        _column("lease_owner", _text, default=""),
        _column("lease_until", _big, null=True),
        sa.PrimaryKeyConstraint("channel", "account"),
        sqlite_with_rowid=False,
    )
