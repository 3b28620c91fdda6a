"""Slots, variables and what calls brought back, as the kinds of values they were declared to be.

They are stored as JSON; a record of a journey that declares neither dates nor times is handed out as it is stored.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import cast

from bot.core.events import Json
from bot.core.expressions.declared import Read, default_of, read_moment, reader_of
from bot.core.expressions.values import Value
from bot.core.journey import Journey
from bot.core.library import Library
from bot.core.states import Book

_BOOKING: Mapping[str, Read] = {"start": read_moment}
_BOOKING_EVENTS = ("booking.created", "booking.moved", "booking.cancelled")


class TypedRecord(Mapping[str, object]):
    """A view of `record`, in which the fields that have a reader are read by it. Absent fields are null."""

    __slots__ = ("readers", "record")

    def __init__(self, record: Mapping[str, object], readers: Mapping[str, Read]) -> None:
        self.record = record
        self.readers = readers

    def get(self, name: str, default: object = None) -> object:
        value = self.record.get(name, default)
        read = self.readers.get(name)
        return value if read is None or value is None else read(value)

    def __getitem__(self, name: str) -> object:
        value = self.record[name]
        read = self.readers.get(name)
        return value if read is None or value is None else read(value)

    def __iter__(self) -> Iterator[str]:
        return iter(self.record)

    def __len__(self) -> int:
        return len(self.record)


@dataclass(frozen=True, slots=True, kw_only=True)
class JourneyReaders:
    """Readers of one journey, by the name of the slot, variable or saved value; most journeys have none."""

    slots: Mapping[str, Read] = field(default_factory=dict)
    vars: Mapping[str, Read] = field(default_factory=dict)
    saved: Mapping[str, Mapping[str, Read]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Readers:
    """Those of a whole library: of journeys, of events by type, of the customer's attributes."""

    journeys: Mapping[str, JourneyReaders]
    events: Mapping[str, Mapping[str, Read]]
    attributes: Mapping[str, Read]
    defaults: Mapping[str, Value] = field(default_factory=dict)
    """What attributes are for whoever has none stored; only those that have a default."""

    def of(self, journey: str) -> JourneyReaders:
        """The readers of a journey; none, when it is not in the library any more."""
        return self.journeys.get(journey, _NO_READERS)


_NO_READERS = JourneyReaders()


def readers_of(library: Library) -> Readers:
    """The readers of everything that `library` declares."""
    events = {name: _of_types(event.fields) for name, event in library.events.items()}
    events |= {name: {"booking": read_booking} for name in _BOOKING_EVENTS}
    return Readers(
        journeys={name: _of_journey(journey) for name, journey in library.journeys.items()},
        events={name: readers for name, readers in events.items() if readers},
        attributes=_of_types({name: one.type for name, one in library.attributes.items()}),
        defaults={
            name: default_of(one.type, one.default)
            for name, one in library.attributes.items()
            if one.default is not None
        },
    )


def read_booking(value: object) -> Value:
    """A booking, whose `start` is a time."""
    booking = TypedRecord(value, _BOOKING) if isinstance(value, Mapping) else None
    return cast(Value, booking)  # its fields are JSON, and what readers make of them


def record_of(record: Mapping[str, object], readers: Mapping[str, Read]) -> Mapping[str, object]:
    """`record` as it was declared; itself, where nothing in it has to be read."""
    return TypedRecord(record, readers) if readers else record


def saved_of(saved: Mapping[str, Json], readers: Mapping[str, Mapping[str, Read]]) -> Mapping[str, object]:
    """What calls, bookings and webhooks brought back, by name."""
    if not readers:
        return saved
    found: dict[str, object] = dict(saved)
    for name, inner in readers.items():
        value = saved.get(name)
        if isinstance(value, Mapping):
            found[name] = TypedRecord(value, inner)
    return found


def _of_journey(journey: Journey) -> JourneyReaders:
    booked = {state.doing.save for state in journey.states.values() if isinstance(state.doing, Book)}
    return JourneyReaders(
        slots=_of_types({name: slot.type for name, slot in journey.slots.items()}),
        vars=_of_types({name: var.type for name, var in journey.vars.items()}),
        saved=dict.fromkeys(sorted(booked - {""}), _BOOKING),
    )


def _of_types(types: Mapping[str, str]) -> Mapping[str, Read]:
    return {name: read for name, kind in types.items() if (read := reader_of(kind)) is not None}
