"""A customer's event with what it was understood to say: the one way from the inbox into a step."""

from collections.abc import Mapping
from dataclasses import replace

from bot.core.arrival import EventArrived
from bot.core.customer import Customer
from bot.core.events import Event, Json
from bot.core.expectation import expectation
from bot.core.ids import conversation_id
from bot.core.program import Program
from bot.core.understood import Expected, Reading, SlotType, SlotValue
from bot.understanding.index import index_of
from bot.understanding.reading import read

_FITTING: Mapping[str, frozenset[SlotType]] = {
    "image": frozenset({"image", "file"}),
    "video": frozenset({"file"}),
    "file": frozenset({"file"}),
}
"""Kind of a message → the types of slots that what came with it may fill."""


def arrived(event: Event, customer: Customer, program: Program) -> EventArrived:
    """`event` with what it says to `customer`'s open questions, None said for anything but a message.

    Days and times are meant as of when she wrote it. A picture, a file or a place fills the slots that ask for one.
    """
    if event.type != "message":
        return EventArrived(event=event)
    wanted = expectation(customer, program, conversation_id(event.channel, event.account, event.sender))
    text = event.fields.get("text")
    enclosed = _enclosed(event.fields, wanted.expected)
    if not isinstance(text, str) and not enclosed:
        return EventArrived(event=event)
    said = text if isinstance(text, str) else ""
    heard = read(said, wanted, now=event.occurred_at, zone=program.zone, index=index_of(program))
    if enclosed:
        heard = replace(heard, readings={**heard.readings, **enclosed})
    return EventArrived(event=event, understanding=heard)


def _enclosed(fields: Mapping[str, Json], expected: tuple[Expected, ...]) -> dict[str, Reading]:
    """What came with the message, for the slots whose open question it answers."""
    kind = str(fields.get("kind"))
    media_id, place = fields.get("media_id"), _place(fields) if kind == "location" else None
    found: dict[str, Reading] = {}
    for one in expected:
        if one.asked and isinstance(media_id, str) and one.type in _FITTING.get(kind, ()):
            found[one.slot] = _reading(media_id)
        elif one.asked and place is not None and one.type == "location":
            found[one.slot] = _reading(place)
    return found


def _place(fields: Mapping[str, Json]) -> dict[str, Json] | None:
    """Where she is, None: the message does not say so."""
    lat, lng, name = fields.get("lat"), fields.get("lng"), fields.get("name")
    if not isinstance(lat, int | float) or not isinstance(lng, int | float):
        return None
    return {"lat": lat, "lng": lng, "name": name if isinstance(name, str) else ""}


def _reading(value: SlotValue) -> Reading:
    return Reading(value=value, start=0, end=0)
