"""The event in a row of the inbox."""

from bot.core.events import Event
from bot.core.ids import EventId
from bot.storage.codec import read_json
from bot.storage.keys import KeyRing
from bot.storage.moments import moment
from bot.storage.tables import AnyRow


def read_event(row: AnyRow, keys: KeyRing) -> Event:
    """The event, unsealed. Spoilt: the row does not open."""
    return Event(
        event_id=EventId(row.event_id),
        type=row.type,
        channel=row.channel,
        account=row.account,
        sender=row.actor,
        occurred_at=moment(row.occurred_at),
        fields=read_json(keys.open(row.sealed, place=f"inbox.sealed:{row.event_id}")),
        urgent=bool(row.urgent),
    )
