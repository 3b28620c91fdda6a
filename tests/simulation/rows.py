"""Rows as the watch sees them: read with SQL of its own, opened with the product's keys."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.core.customer import Customer
from bot.core.effects import SendMessage, Trace
from bot.core.events import Event
from bot.core.ids import CustomerId, EventId
from bot.storage import KeyRing
from bot.storage.codec import read_customer, read_entries, read_json, read_send
from bot.storage.moments import moment
from tests.simulation.disk import Disk

OUTBOX = (
    "seq, effect_id, customer_id, conversation_id, state, planned_at, not_before, expires_at, attempts, repeats,"
    " leased_until, holds, sealed"
)
INBOX = "seq, event_id, lane, type, channel, account, actor, urgent, occurred_at, received_at, consumed_at, sealed"
FLYING = ("leased", "sending")
SEGMENT = "segment"
"""The kind of the traces that the shell puts behind those of a step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """A row of the outbox. `leased_until`: in the ticks of leases."""

    seq: int
    effect: SendMessage
    customer_id: int
    state: str
    planned_at: datetime
    not_before: datetime
    expires_at: datetime | None
    attempts: int
    repeats: int
    leased_until: int | None
    holds: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A row of the inbox."""

    seq: int
    lane: int
    event: Event
    received_at: datetime
    consumed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A row of the journal. `entries`: what the step decided; `found`: what it meant for segments."""

    seq: int
    customer_id: int
    kind: str
    at: datetime
    event_id: str
    entries: tuple[Trace, ...]
    found: tuple[Trace, ...]
    facts: str | None


def _maybe(value: int | None) -> datetime | None:
    return None if value is None else moment(value)


def send_of(disk: Disk, keys: KeyRing, seq: int, known: Send | None) -> Send:
    """The row with this number; its message is opened only once."""
    row = disk.rows(f"SELECT {OUTBOX} FROM outbox WHERE seq = ?", seq)[0]
    effect = known.effect if known else read_send(keys.open(row[12], place=f"outbox.sealed:{row[1]}"))
    return Send(
        seq=row[0],
        effect=effect,
        customer_id=row[2],
        state=row[4],
        planned_at=moment(row[5]),
        not_before=moment(row[6]),
        expires_at=_maybe(row[7]),
        attempts=row[8],
        repeats=row[9],
        leased_until=row[10],
        holds=bool(row[11]),
    )


def heard_of(disk: Disk, keys: KeyRing, seq: int, known: Heard | None) -> Heard:
    """The row with this number; its event is opened once, and again when it was carried into another lane."""
    row = disk.rows(f"SELECT {INBOX} FROM inbox WHERE seq = ?", seq)[0]
    event = known.event if known is not None and known.lane == row[2] else _event(row, keys)
    return Heard(seq=row[0], lane=row[2], event=event, received_at=moment(row[9]), consumed=row[10] is not None)


def _event(row: Sequence[object], keys: KeyRing) -> Event:
    _, event_id, _, kind, channel, account, actor, urgent, occurred_at, _, _, sealed = row
    assert isinstance(sealed, bytes) and isinstance(occurred_at, int), "as the schema says"
    return Event(
        event_id=EventId(str(event_id)),
        type=str(kind),
        channel=str(channel),
        account=str(account),
        sender=str(actor),
        occurred_at=moment(occurred_at),
        fields=read_json(keys.open(sealed, place=f"inbox.sealed:{event_id}")),
        urgent=bool(urgent),
    )


def customer_of(disk: Disk, keys: KeyRing, number: int) -> Customer:
    """The customer with this number."""
    version, sealed = disk.rows("SELECT version, sealed FROM customers WHERE customer_id = ?", number)[0]
    customer_id = CustomerId(number)
    if sealed is None:
        return Customer(customer_id=customer_id, version=version)
    packed = keys.open(sealed, place=f"customers.sealed:{number}")
    return read_customer(packed, customer_id=customer_id, version=version)


def line_of(disk: Disk, seq: int) -> Line:
    """The line of the journal with this number."""
    columns = "seq, customer_id, kind, at, event_id, entries, facts"
    row = disk.rows(f"SELECT {columns} FROM journal WHERE seq = ?", seq)[0]
    traces = read_entries(row[5])
    return Line(
        seq=row[0],
        customer_id=row[1],
        kind=row[2],
        at=moment(row[3]),
        event_id=row[4] or "",
        entries=tuple(trace for trace in traces if trace.kind != SEGMENT),
        found=tuple(trace for trace in traces if trace.kind == SEGMENT),
        facts=row[6],
    )


def entered(line: Line) -> list[str]:
    """The segments that this line tells her to have come into."""
    return [str(trace.detail["segment"]) for trace in line.found if trace.detail["within"]]
