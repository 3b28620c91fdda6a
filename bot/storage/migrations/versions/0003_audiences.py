"""What is searched across customers: values, tags and consents, counted events, and the moments of schedules.

Revision ID: 0003
"""

from typing import Any, TypeAlias  # Any: a column of any type

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_Kind: TypeAlias = TypeEngine[Any]  # Any: as above
_Made: TypeAlias = sa.Column[Any]  # Any: as above

_big = sa.BigInteger()
_text = sa.Text()
_small = sa.SmallInteger()


def upgrade() -> None:
    """Add the tables, empty. They are filled when a library first asks for what they hold."""
    _create_narrow()
    _create_occurrences()


def _column(name: str, kind: _Kind, *, null: bool = False, default: str | None = None) -> _Made:
    return sa.Column(name, kind, nullable=null, server_default=default, autoincrement=False)


def _create_narrow() -> None:
    op.create_table(
        "customer_values",
        _column("customer_id", _big),
        _column("name", _text),
        _column("words", _text, null=True),
        _column("whole", _big, null=True),
        sa.PrimaryKeyConstraint("customer_id", "name"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "customer_marks",
        _column("customer_id", _big),
        _column("kind", _text),
        _column("mark", _text),
        sa.PrimaryKeyConstraint("customer_id", "kind", "mark"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "event_facts",
        _column("customer_id", _big),
        _column("type", _text),
        _column("at", _big),
        _column("event_id", _text),
        _column("fields", _text),
        sa.PrimaryKeyConstraint("customer_id", "type", "at", "event_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("event_facts_age", "event_facts", ["type", "at"])


def _create_occurrences() -> None:
    op.create_table(
        "occurrences",
        _column("name", _text),
        _column("due_at", _big),
        _column("cursor", _big, default="0"),
        _column("done_at", _big, null=True),
        sa.PrimaryKeyConstraint("name", "due_at"),
        sqlite_with_rowid=False,
    )
    undone = sa.text("done_at IS NULL")
    op.create_index("occurrences_open", "occurrences", ["due_at"], sqlite_where=undone, postgresql_where=undone)
    op.create_table(
        "fills",
        _column("name", _text),
        _column("cursor", _big, default="0"),
        _column("done", _small, default="0"),
        sa.PrimaryKeyConstraint("name"),
    )
