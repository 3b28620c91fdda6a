"""The first schema.

Revision ID: 0001
"""

from typing import Any, Literal, TypeAlias  # Any: a column of any type

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_Kind: TypeAlias = TypeEngine[Any]  # Any: as above
_Made: TypeAlias = sa.Column[Any]  # Any: as above

_big = sa.BigInteger()
_blob = sa.LargeBinary()
_key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_small = sa.SmallInteger()
_text = sa.Text()
_whole = sa.Integer()


def upgrade() -> None:
    """Make all tables. There is no way back to an empty database but an empty database."""
    _create_inbox()
    _create_customers()
    _create_outbox()
    _create_people()
    _create_ties()
    _create_counters()


def _column(name: str, kind: _Kind, *, null: bool = False, default: str | None = None) -> _Made:
    counted: Literal["auto", False] = "auto" if name == "seq" else False
    return sa.Column(name, kind, nullable=null, server_default=default, autoincrement=counted)


def _index(name: str, table: str, *columns: str, where: str = "", unique: bool = False) -> None:
    condition = sa.text(where) if where else None
    op.create_index(name, table, columns, unique=unique, sqlite_where=condition, postgresql_where=condition)


def _create_inbox() -> None:
    op.create_table(
        "accounts",
        _column("lane", _key),
        _column("channel", _text),
        _column("account", _text),
        sa.PrimaryKeyConstraint("lane"),
    )
    _index("accounts_name", "accounts", "channel", "account", unique=True)
    op.create_table(
        "identities",
        _column("external_id", _text),
        _column("account", _text),
        _column("channel", _text),
        _column("customer_id", _big),
        sa.PrimaryKeyConstraint("external_id", "account", "channel"),
        sqlite_with_rowid=False,
    )
    _index("identities_customer", "identities", "customer_id")
    op.create_table(
        "inbox",
        _column("seq", _key),
        _column("event_id", _text),
        _column("lane", _big),
        _column("type", _text),
        _column("channel", _text),
        _column("account", _text),
        _column("actor", _text),
        _column("urgent", _small),
        _column("occurred_at", _big),
        _column("received_at", _big),
        _column("consumed_at", _big, null=True),
        _column("sealed", _blob),
        sa.PrimaryKeyConstraint("seq"),
        sqlite_autoincrement=True,
    )
    _index("inbox_click", "inbox", "actor", "seq", where="consumed_at IS NULL AND type = 'card.clicked'")
    _index("inbox_event", "inbox", "event_id", unique=True)
    _index("inbox_lane", "inbox", "lane", "consumed_at", "seq")
    _index("inbox_open", "inbox", "urgent", "seq", where="consumed_at IS NULL")
    op.create_table(
        "parked",
        _column("lane", _key),
        _column("seq", _big, null=True),
        _column("reason", _text),
        _column("parked_at", _big),
        sa.PrimaryKeyConstraint("lane"),
    )
    op.create_table(
        "quarantine",
        _column("quarantine_id", _text),
        _column("channel", _text),
        _column("account", _text),
        _column("why", _text),
        _column("received_at", _big),
        _column("sealed", _blob),
        sa.PrimaryKeyConstraint("quarantine_id"),
    )


def _create_customers() -> None:
    op.create_table(
        "customers",
        _column("customer_id", _key),
        _column("version", _big),
        _column("shard", _small),
        _column("created_at", _big),
        _column("sealed", _blob, null=True),
        sa.PrimaryKeyConstraint("customer_id"),
    )
    op.create_table(
        "enrolments",
        _column("enrolment_id", _text),
        _column("customer_id", _big),
        _column("journey", _text),
        _column("state", _text),
        _column("status", _text),
        _column("entered_at", _big),
        sa.PrimaryKeyConstraint("enrolment_id"),
    )
    _index("enrolments_customer", "enrolments", "customer_id")
    _index("enrolments_state", "enrolments", "journey", "state")
    op.create_table(
        "timers",
        _column("customer_id", _key),
        _column("due_at", _big),
        sa.PrimaryKeyConstraint("customer_id"),
    )
    _index("timers_due", "timers", "due_at")
    op.create_table(
        "journal",
        _column("seq", _key),
        _column("at", _big),
        _column("customer_id", _big),
        _column("kind", _text),
        _column("event_id", _text, null=True),
        _column("entries", _text),
        _column("facts", _text, null=True),
        _column("took_us", _whole),
        sa.PrimaryKeyConstraint("seq"),
        sqlite_autoincrement=True,
    )
    _index("journal_customer", "journal", "customer_id", "seq")


def _create_outbox() -> None:
    op.create_table(
        "outbox",
        _column("seq", _key),
        _column("effect_id", _text),
        _column("customer_id", _big),
        _column("conversation_id", _text),
        _column("channel", _text),
        _column("account", _text),
        _column("state", _text),
        _column("send_class", _text),
        _column("urgent", _small),
        _column("holds", _small, default="0"),
        _column("planned_at", _big),
        _column("not_before", _big),
        _column("expires_at", _big, null=True),
        _column("content", _text),
        _column("journey", _text),
        _column("journey_state", _text),
        _column("enrolment_id", _text, null=True),
        _column("visit", _whole),
        _column("attempts", _whole, default="0"),
        _column("repeats", _whole, default="0"),
        _column("leased_by", _text, default=""),
        _column("leased_until", _big, null=True),
        _column("started_at", _big, null=True),
        _column("epoch", _big, null=True),
        _column("settled_at", _big, null=True),
        _column("provider_id", _text, default=""),
        _column("response_code", _text, default=""),
        _column("reason", _text, default=""),
        _column("vendor_code", _big, null=True),
        _column("sealed", _blob),
        sa.PrimaryKeyConstraint("seq"),
        sqlite_autoincrement=True,
    )
    _index("outbox_conversation", "outbox", "conversation_id", "seq", where="state IN ('ready', 'leased', 'sending')")
    _index("outbox_customer", "outbox", "customer_id", "seq")
    _index("outbox_effect", "outbox", "effect_id", unique=True)
    _index("outbox_expiry", "outbox", "expires_at", where="state = 'ready' AND expires_at IS NOT NULL")
    _index("outbox_flying", "outbox", "leased_until", where="state IN ('leased', 'sending')")
    _index("outbox_provider", "outbox", "provider_id", where="provider_id <> ''")
    _index("outbox_ready", "outbox", "channel", "account", "urgent", "not_before", "seq", where="state = 'ready'")


def _create_people() -> None:
    op.create_table(
        "leads",
        _column("lead_id", _text),
        _column("customer_id", _big),
        _column("stage", _text),
        _column("staff_id", _text, null=True),
        _column("dealer", _text),
        _column("source", _text),
        _column("opened_at", _big),
        _column("updated_at", _big),
        _column("phone_index", _text, null=True),
        _column("sealed", _blob),
        sa.PrimaryKeyConstraint("lead_id"),
    )
    _index("leads_customer", "leads", "customer_id")
    _index("leads_phone", "leads", "phone_index", where="phone_index IS NOT NULL")
    op.create_table(
        "tasks",
        _column("task_id", _text),
        _column("customer_id", _big),
        _column("kind", _text),
        _column("status", _text),
        _column("staff_id", _text, null=True),
        _column("created_at", _big),
        _column("updated_at", _big),
        _column("due_at", _big, null=True),
        _column("journey", _text),
        _column("enrolment_id", _text, null=True),
        _column("sealed", _blob),
        sa.PrimaryKeyConstraint("task_id"),
    )
    _index("tasks_customer", "tasks", "customer_id")
    _index("tasks_open", "tasks", "staff_id", where="status IN ('open', 'accepted', 'overdue')")


def _create_ties() -> None:
    op.create_table(
        "consents",
        _column("seq", _key),
        _column("customer_id", _big),
        _column("purpose", _text),
        _column("granted", _small),
        _column("at", _big),
        _column("source", _text),
        _column("content", _text),
        _column("text_hash", _text),
        sa.PrimaryKeyConstraint("seq"),
        sqlite_autoincrement=True,
    )
    _index("consents_customer", "consents", "customer_id", "seq")
    op.create_table(
        "assignments",
        _column("customer_id", _key),
        _column("staff_id", _text),
        _column("at", _big),
        _column("reason", _text),
        sa.PrimaryKeyConstraint("customer_id"),
    )
    _index("assignments_staff", "assignments", "staff_id")
    op.create_table(
        "desks",
        _column("account", _text),
        _column("staff_id", _text),
        _column("conversation_id", _text),
        _column("customer_id", _big),
        _column("opened_at", _big),
        sa.PrimaryKeyConstraint("account", "staff_id"),
    )


def _create_counters() -> None:
    op.create_table(
        "counters",
        _column("name", _text),
        _column("value", _big),
        sa.PrimaryKeyConstraint("name"),
    )
    op.execute("INSERT INTO counters (name, value) VALUES ('customer_id', 0), ('epoch', 0)")
