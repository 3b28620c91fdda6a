"""The events by which a customer's lane learns that a message did not arrive."""

import hashlib
from datetime import datetime
from typing import Literal

from bot.core.effects import SendMessage
from bot.core.events import Event
from bot.core.ids import EventId
from bot.core.step.receipts import fallback_fields

ReceiptType = Literal["send.refused", "send.unknown", "send.expired"]


def receipt(
    effect: SendMessage, kind: ReceiptType, *, reason: str, at: datetime, vendor_code: int | None = None
) -> Event:
    """The event that tells what became of `effect`. Its id is made of effect and kind: it can come only once."""
    return Event(
        event_id=EventId(hashlib.sha256(f"{effect.effect_id}|{kind}".encode()).hexdigest()),
        type=kind,
        channel=effect.channel,
        account=effect.account,
        sender="",
        occurred_at=at,
        fields={
            "effect_id": effect.effect_id,
            "reason": reason,
            "vendor_code": vendor_code,
            "content": effect.content,
            "send_class": effect.send_class,
            "conversation_id": effect.conversation_id,
            "enrolment_id": effect.enrolment_id,
            "visit": effect.visit,
            "fallbacks": fallback_fields(effect.fallbacks),
        },
    )
