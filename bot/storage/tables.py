"""The tables, declared once. Moments are microseconds since 1970 UTC; flags are 0 or 1; `sealed` columns are encrypted.

A customer's whole state is one sealed row in `customers` (measured against normalised rows: bot/DECISIONS.md).
Beside it stand narrow rows for what is searched across customers. There are no foreign keys: every row is
written in the transaction of the row it belongs to, and checking again would cost a look-up a row.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, TypeAlias  # Any: SQLAlchemy types a row of a text statement so

from sqlalchemy import BigInteger, Index, Integer, LargeBinary, SmallInteger, Table, Text, text
from sqlalchemy.engine import Dialect
from sqlalchemy.engine import Row as ResultRow
from sqlalchemy.orm import registry
from sqlalchemy.types import TypeDecorator, TypeEngine
from sqlmodel import Field, SQLModel

AnyRow: TypeAlias = ResultRow[Any]  # Any: as above

# Keys that we give ourselves; defaults of the database, so that the insert of a new row leaves a column out.
_GIVEN: Mapping[str, bool] = {"autoincrement": False}
_ZERO: Mapping[str, str] = {"server_default": "0"}
_EMPTY: Mapping[str, str] = {"server_default": ""}


class BigKey(TypeDecorator[int]):
    """A 64-bit key that SQLite takes as its row id, which only the type INTEGER can be."""

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[int]:
        """INTEGER on SQLite, BIGINT elsewhere."""
        return dialect.type_descriptor(Integer() if dialect.name == "sqlite" else BigInteger())


class Row(SQLModel, registry=registry()):
    """Root of our tables, with a metadata of its own."""


def _index(name: str, *columns: str, where: str = "", unique: bool = False) -> Index:
    if not where:
        return Index(name, *columns, unique=unique)
    return Index(name, *columns, unique=unique, sqlite_where=text(where), postgresql_where=text(where))


class AccountRow(Row, table=True):
    """A channel account that wrote or was written to. `lane` is negative: the account's own lane."""

    __tablename__: ClassVar[str] = "accounts"
    __table_args__ = (_index("accounts_name", "channel", "account", unique=True),)
    lane: int = Field(primary_key=True, sa_type=BigKey, sa_column_kwargs=_GIVEN)
    channel: str = Field(sa_type=Text)
    account: str = Field(sa_type=Text)


class IdentityRow(Row, table=True):
    """One id of a customer in one account."""

    __tablename__: ClassVar[str] = "identities"
    __table_args__ = (_index("identities_customer", "customer_id"), {"sqlite_with_rowid": False})
    external_id: str = Field(primary_key=True, sa_type=Text)
    account: str = Field(primary_key=True, sa_type=Text)
    channel: str = Field(primary_key=True, sa_type=Text)
    customer_id: int = Field(sa_type=BigInteger)


class InboxRow(Row, table=True):
    """One event. Consumed rows stay for seven days: they are the protection against a second delivery."""

    __tablename__: ClassVar[str] = "inbox"
    __table_args__ = (
        _index("inbox_event", "event_id", unique=True),
        _index("inbox_open", "urgent", "seq", where="consumed_at IS NULL"),
        _index("inbox_lane", "lane", "consumed_at", "seq"),
        _index("inbox_click", "actor", "seq", where="consumed_at IS NULL AND type = 'card.clicked'"),
        {"sqlite_autoincrement": True},
    )
    seq: int | None = Field(default=None, primary_key=True, sa_type=BigKey)
    event_id: str = Field(sa_type=Text)
    lane: int = Field(sa_type=BigInteger)
    type: str = Field(sa_type=Text)
    channel: str = Field(sa_type=Text)
    account: str = Field(sa_type=Text)
    actor: str = Field(sa_type=Text)
    urgent: int = Field(sa_type=SmallInteger)
    occurred_at: int = Field(sa_type=BigInteger)
    received_at: int = Field(sa_type=BigInteger)
    consumed_at: int | None = Field(default=None, sa_type=BigInteger)
    sealed: bytes = Field(sa_type=LargeBinary)


class ParkedRow(Row, table=True):
    """A lane that stands still because of a bug, until somebody sets it going again."""

    __tablename__: ClassVar[str] = "parked"
    lane: int = Field(primary_key=True, sa_type=BigKey, sa_column_kwargs=_GIVEN)
    seq: int | None = Field(default=None, sa_type=BigInteger)
    reason: str = Field(sa_type=Text)
    parked_at: int = Field(sa_type=BigInteger)


class QuarantineRow(Row, table=True):
    """What was rightly signed and could not be read or written. The id is the body's hash: twice is once.

    `form`: `body`, as the platform sent it, or `event`, decoded and then not taken by the inbox.
    """

    __tablename__: ClassVar[str] = "quarantine"
    __table_args__ = (_index("quarantine_age", "received_at"),)
    quarantine_id: str = Field(primary_key=True, sa_type=Text)
    channel: str = Field(sa_type=Text)
    account: str = Field(sa_type=Text)
    why: str = Field(sa_type=Text)
    received_at: int = Field(sa_type=BigInteger)
    sealed: bytes = Field(sa_type=LargeBinary)
    form: str = Field(default="body", sa_type=Text, sa_column_kwargs={"server_default": "body"})


class CustomerRow(Row, table=True):
    """One customer. `sealed` is None until the first step."""

    __tablename__: ClassVar[str] = "customers"
    customer_id: int = Field(primary_key=True, sa_type=BigKey, sa_column_kwargs=_GIVEN)
    version: int = Field(sa_type=BigInteger)
    shard: int = Field(sa_type=SmallInteger)
    created_at: int = Field(sa_type=BigInteger)
    sealed: bytes | None = Field(default=None, sa_type=LargeBinary)


class EnrolmentRow(Row, table=True):
    """Where the living enrolments stand. A finished one has no row; its story is in the journal."""

    __tablename__: ClassVar[str] = "enrolments"
    __table_args__ = (_index("enrolments_state", "journey", "state"), _index("enrolments_customer", "customer_id"))
    enrolment_id: str = Field(primary_key=True, sa_type=Text)
    customer_id: int = Field(sa_type=BigInteger)
    journey: str = Field(sa_type=Text)
    state: str = Field(sa_type=Text)
    status: str = Field(sa_type=Text)
    entered_at: int = Field(sa_type=BigInteger)


class TimerRow(Row, table=True):
    """When a customer is to be looked at next: the earliest of all her timers."""

    __tablename__: ClassVar[str] = "timers"
    __table_args__ = (_index("timers_due", "due_at"),)
    customer_id: int = Field(primary_key=True, sa_type=BigKey, sa_column_kwargs=_GIVEN)
    due_at: int = Field(sa_type=BigInteger)


class OutboxRow(Row, table=True):
    """One planned message and what became of it (delivery.md 3.1).

    `holds`: it waits for another try and keeps later ones of its conversation back, as a deferred one does not.
    `by_operator`: somebody decided that it leaves again, whatever comes between.
    """

    __tablename__: ClassVar[str] = "outbox"
    __table_args__ = (
        _index("outbox_effect", "effect_id", unique=True),
        _index("outbox_ready", "channel", "account", "urgent", "not_before", "seq", where="state = 'ready'"),
        _index("outbox_expiry", "expires_at", where="state = 'ready' AND expires_at IS NOT NULL"),
        _index("outbox_flying", "leased_until", where="state IN ('leased', 'sending')"),
        _index("outbox_under_way", "conversation_id", where="state IN ('leased', 'sending')"),
        _index("outbox_conversation", "conversation_id", "seq", where="state IN ('ready', 'leased', 'sending')"),
        _index("outbox_customer", "customer_id", "seq"),
        _index("outbox_unknown", "seq", where="state = 'unknown' AND reason <> 'left'"),
        _index("outbox_provider", "provider_id", where="provider_id <> ''"),
        {"sqlite_autoincrement": True},
    )
    seq: int | None = Field(default=None, primary_key=True, sa_type=BigKey)
    effect_id: str = Field(sa_type=Text)
    customer_id: int = Field(sa_type=BigInteger)
    conversation_id: str = Field(sa_type=Text)
    channel: str = Field(sa_type=Text)
    account: str = Field(sa_type=Text)
    state: str = Field(sa_type=Text)
    send_class: str = Field(sa_type=Text)
    urgent: int = Field(sa_type=SmallInteger)
    holds: int = Field(default=0, sa_type=SmallInteger, sa_column_kwargs=_ZERO)
    planned_at: int = Field(sa_type=BigInteger)
    not_before: int = Field(sa_type=BigInteger)
    expires_at: int | None = Field(default=None, sa_type=BigInteger)
    content: str = Field(sa_type=Text)
    journey: str = Field(sa_type=Text)
    journey_state: str = Field(sa_type=Text)
    enrolment_id: str | None = Field(default=None, sa_type=Text)
    visit: int = Field(sa_type=Integer)
    attempts: int = Field(default=0, sa_type=Integer, sa_column_kwargs=_ZERO)
    repeats: int = Field(default=0, sa_type=Integer, sa_column_kwargs=_ZERO)
    leased_by: str = Field(default="", sa_type=Text, sa_column_kwargs=_EMPTY)
    leased_until: int | None = Field(default=None, sa_type=BigInteger)
    started_at: int | None = Field(default=None, sa_type=BigInteger)
    epoch: int | None = Field(default=None, sa_type=BigInteger)
    settled_at: int | None = Field(default=None, sa_type=BigInteger)
    provider_id: str = Field(default="", sa_type=Text, sa_column_kwargs=_EMPTY)
    response_code: str = Field(default="", sa_type=Text, sa_column_kwargs=_EMPTY)
    reason: str = Field(default="", sa_type=Text, sa_column_kwargs=_EMPTY)
    vendor_code: int | None = Field(default=None, sa_type=BigInteger)
    sealed: bytes = Field(sa_type=LargeBinary)
    by_operator: int = Field(default=0, sa_type=SmallInteger, sa_column_kwargs=_ZERO)


class JournalRow(Row, table=True):
    """One item that was stepped, and every decision taken in it. Plain JSON: it holds nothing personal."""

    __tablename__: ClassVar[str] = "journal"
    __table_args__ = (_index("journal_customer", "customer_id", "seq"), {"sqlite_autoincrement": True})
    seq: int | None = Field(default=None, primary_key=True, sa_type=BigKey)
    at: int = Field(sa_type=BigInteger)
    customer_id: int = Field(sa_type=BigInteger)
    kind: str = Field(sa_type=Text)
    event_id: str | None = Field(default=None, sa_type=Text)
    entries: str = Field(sa_type=Text)
    facts: str | None = Field(default=None, sa_type=Text)
    took_us: int = Field(sa_type=Integer)


class LeadRow(Row, table=True):
    """A lead. `phone_index` finds it by phone number without showing one."""

    __tablename__: ClassVar[str] = "leads"
    __table_args__ = (
        _index("leads_customer", "customer_id"),
        _index("leads_phone", "phone_index", where="phone_index IS NOT NULL"),
    )
    lead_id: str = Field(primary_key=True, sa_type=Text)
    customer_id: int = Field(sa_type=BigInteger)
    stage: str = Field(sa_type=Text)
    staff_id: str | None = Field(default=None, sa_type=Text)
    dealer: str = Field(sa_type=Text)
    source: str = Field(sa_type=Text)
    opened_at: int = Field(sa_type=BigInteger)
    updated_at: int = Field(sa_type=BigInteger)
    phone_index: str | None = Field(default=None, sa_type=Text)
    sealed: bytes = Field(sa_type=LargeBinary)


class TaskRow(Row, table=True):
    """A task of an advisor; the sealed part is its title."""

    __tablename__: ClassVar[str] = "tasks"
    __table_args__ = (
        _index("tasks_customer", "customer_id"),
        _index("tasks_open", "staff_id", where="status IN ('open', 'accepted', 'overdue')"),
    )
    task_id: str = Field(primary_key=True, sa_type=Text)
    customer_id: int = Field(sa_type=BigInteger)
    kind: str = Field(sa_type=Text)
    status: str = Field(sa_type=Text)
    staff_id: str | None = Field(default=None, sa_type=Text)
    created_at: int = Field(sa_type=BigInteger)
    updated_at: int = Field(sa_type=BigInteger)
    due_at: int | None = Field(default=None, sa_type=BigInteger)
    journey: str = Field(sa_type=Text)
    enrolment_id: str | None = Field(default=None, sa_type=Text)
    sealed: bytes = Field(sa_type=LargeBinary)


class ConsentRow(Row, table=True):
    """Evidence: one consent given or withdrawn, with the text that was seen. Never changed afterwards."""

    __tablename__: ClassVar[str] = "consents"
    __table_args__ = (_index("consents_customer", "customer_id", "seq"), {"sqlite_autoincrement": True})
    seq: int | None = Field(default=None, primary_key=True, sa_type=BigKey)
    customer_id: int = Field(sa_type=BigInteger)
    purpose: str = Field(sa_type=Text)
    granted: int = Field(sa_type=SmallInteger)
    at: int = Field(sa_type=BigInteger)
    source: str = Field(sa_type=Text)
    content: str = Field(sa_type=Text)
    text_hash: str = Field(sa_type=Text)


class AssignmentRow(Row, table=True):
    """Which advisor follows which customer now."""

    __tablename__: ClassVar[str] = "assignments"
    __table_args__ = (_index("assignments_staff", "staff_id"),)
    customer_id: int = Field(primary_key=True, sa_type=BigKey, sa_column_kwargs=_GIVEN)
    staff_id: str = Field(sa_type=Text)
    at: int = Field(sa_type=BigInteger)
    reason: str = Field(sa_type=Text)


class DeskRow(Row, table=True):
    """The one conversation that an advisor's words go to."""

    __tablename__: ClassVar[str] = "desks"
    account: str = Field(primary_key=True, sa_type=Text)
    staff_id: str = Field(primary_key=True, sa_type=Text)
    conversation_id: str = Field(sa_type=Text)
    customer_id: int = Field(sa_type=BigInteger)
    opened_at: int = Field(sa_type=BigInteger)


class GapRow(Row, table=True):
    """A time in which callbacks of an account were turned away, so that messages may be missing (delivery.md 1.8).

    `cursor`: the last identity that was looked up at the platform. `reconciled_at` None: not all were.
    """

    __tablename__: ClassVar[str] = "gaps"
    __table_args__ = ({"sqlite_autoincrement": True},)
    seq: int | None = Field(default=None, primary_key=True, sa_type=BigKey)
    channel: str = Field(sa_type=Text)
    account: str = Field(sa_type=Text)
    since: int = Field(sa_type=BigInteger)
    until: int = Field(sa_type=BigInteger)
    reason: str = Field(sa_type=Text)
    turned_away: int = Field(sa_type=Integer)
    cursor: str = Field(default="", sa_type=Text, sa_column_kwargs=_EMPTY)
    reconciled_at: int | None = Field(default=None, sa_type=BigInteger)


class RateRow(Row, table=True):
    """How often something limited was done in a stretch of time: what a platform drops silently (delivery.md 3.9)."""

    __tablename__: ClassVar[str] = "rates"
    __table_args__ = (_index("rates_age", "window_start"), {"sqlite_with_rowid": False})
    scope: str = Field(primary_key=True, sa_type=Text)
    window_start: int = Field(primary_key=True, sa_type=BigInteger)
    used: int = Field(sa_type=Integer)


class TokenRow(Row, table=True):
    """The access token of an account, and who is fetching the next. `generation` grows with every change but a lease.

    `refused`: hash of a token that the platform did not accept though it was the newest.
    """

    __tablename__: ClassVar[str] = "tokens"
    __table_args__ = ({"sqlite_with_rowid": False},)
    channel: str = Field(primary_key=True, sa_type=Text)
    account: str = Field(primary_key=True, sa_type=Text)
    generation: int = Field(sa_type=BigInteger)
    sealed: bytes | None = Field(default=None, sa_type=LargeBinary)
    fresh_until: int | None = Field(default=None, sa_type=BigInteger)
    dead_at: int | None = Field(default=None, sa_type=BigInteger)
    refused: str = Field(default="", sa_type=Text, sa_column_kwargs=_EMPTY)
    refused_at: int | None = Field(default=None, sa_type=BigInteger)
    forced_at: int | None = Field(default=None, sa_type=BigInteger)
    forced_count: int = Field(default=0, sa_type=Integer, sa_column_kwargs=_ZERO)
    lease_owner: str = Field(default="", sa_type=Text, sa_column_kwargs=_EMPTY)
    lease_until: int | None = Field(default=None, sa_type=BigInteger)


class CounterRow(Row, table=True):
    """Numbers that only grow.

    `customer_id`: the last one given out. `epoch`: the starts of the program. `clock_confirmed`: how often an operator
    declared a clock right that had jumped. `probe`: attempts to write after the database had failed.
    """

    __tablename__: ClassVar[str] = "counters"
    name: str = Field(primary_key=True, sa_type=Text)
    value: int = Field(sa_type=BigInteger)


def _table(name: str) -> Table:
    return Row.metadata.tables[name]


accounts = _table("accounts")
identities = _table("identities")
inbox = _table("inbox")
parked = _table("parked")
quarantine = _table("quarantine")
customers = _table("customers")
enrolments = _table("enrolments")
timers = _table("timers")
outbox = _table("outbox")
journal = _table("journal")
leads = _table("leads")
tasks = _table("tasks")
consents = _table("consents")
assignments = _table("assignments")
desks = _table("desks")
gaps = _table("gaps")
rates = _table("rates")
tokens = _table("tokens")
counters = _table("counters")
