"""The events by which a customer's lane learns that a message did not arrive."""

import hashlib
from datetime import datetime
from typing import Literal

from bot.core.effects import SendMessage
from bot.core.events import Event, Json
from bot.core.ids import EventId

ReceiptType = Literal["send.refused", "send.unknown", "send.expired"]


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
