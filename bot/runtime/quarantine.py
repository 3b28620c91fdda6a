"""Events in quarantine: how one that the inbox did not take is written down, and read back when it may go in again."""

import json
from datetime import datetime

from bot.core.events import Event, Json
from bot.core.ids import EventId
from bot.errors import Unreadable
from bot.storage import Quarantined

_TEXTS = ("event_id", "type", "sender", "occurred_at")


def written(event: Event) -> bytes:
    """`event` as far as it can be written down at all, for whoever looks at the quarantine."""
    record = {
        "event_id": event.event_id,
        "type": event.type,
        "sender": event.sender,
        "occurred_at": event.occurred_at.isoformat(),
        "urgent": event.urgent,
        "fields": dict(event.fields),
    }
    return json.dumps(record, ensure_ascii=False, default=repr).encode(errors="backslashreplace")


def read_back(row: Quarantined) -> Event:
    """The event in a row of the form `event`. Unreadable: it is not whole."""
    try:
        record: object = json.loads(row.body)
    except ValueError:
        raise Unreadable("the event is no JSON", body=row.body) from None
    if not isinstance(record, dict) or not all(isinstance(record.get(name), str) for name in _TEXTS):
        raise Unreadable("the event was not kept whole", body=row.body)
    fields: dict[str, Json] = record.get("fields") or {}
    return Event(
        event_id=EventId(record["event_id"]),
        type=record["type"],
        channel=row.channel,
        account=row.account,
        sender=record["sender"],
        occurred_at=_moment(record["occurred_at"], row),
        fields=fields,
        urgent=record.get("urgent") is True,
    )


def _moment(text: str, row: Quarantined) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise Unreadable("the event has no moment", body=row.body) from None
    if at.tzinfo is None:
        raise Unreadable("the moment of the event has no zone", body=row.body)
    return at
