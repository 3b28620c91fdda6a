"""The events by which a customer's lane learns that a message did not arrive."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from bot.core.effects import SendMessage
from bot.core.events import Event, Json
from bot.core.ids import CustomerId, EventId
from bot.core.step.receipts import receipt_fields
from bot.storage import Transaction

ReceiptType = Literal["send.refused", "send.unknown", "send.expired"]


class Told(Protocol):
    """A message whose fate is told."""

    @property
    def customer_id(self) -> CustomerId: ...
    @property
    def effect(self) -> SendMessage: ...
    @property
    def planned_at(self) -> datetime: ...


def receipt(effect: SendMessage, kind: ReceiptType, *, at: datetime, fields: dict[str, Json]) -> Event:
    """The event that tells what became of `effect`, with what `core.step.receipts.receipt_fields` made of it.

    Its id is made of effect and state: it can come only once (delivery.md 3.6).
    """
    return Event(
        event_id=EventId(hashlib.sha256(f"{effect.effect_id}|{kind}".encode()).hexdigest()),
        type=kind,
        channel=effect.channel,
        account=effect.account,
        sender="",
        occurred_at=at,
        fields=fields,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What became of a message. `reason`, `vendor_code`: the platform's or ours. `heard_at`: her last act by then."""

    kind: ReceiptType
    reason: str
    vendor_code: int | None = None
    heard_at: datetime | None = None


def tell_lane(tx: Transaction, row: Told, fate: Fate, *, now: datetime) -> bool:
    """Write the receipt into the customer's lane. False: the message was an account's own, nobody waits for it."""
    if row.customer_id < 0:
        return False
    fields = receipt_fields(
        row.effect,
        reason=fate.reason,
        planned_at=row.planned_at,
        vendor_code=fate.vendor_code,
        heard_at=fate.heard_at,
    )
    event = receipt(row.effect, fate.kind, at=now, fields=fields)
    tx.lanes.ingest((), received_at=now, addressed=((row.customer_id, event),))
    return True
