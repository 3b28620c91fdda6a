"""What goes into a step, and what comes out of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal, TypeAlias

from bot.core.customer import Customer, Timer
from bot.core.effects import Effect, Trace
from bot.core.events import Event, Json
from bot.core.expressions.tree import EventCall
from bot.core.ids import ConversationId, StaffId
from bot.core.understood import Understanding


@dataclass(frozen=True, slots=True, kw_only=True)
class EventArrived:
    """An event in a customer's lane. `understanding` is set for messages with text."""

    event: Event
    understanding: Understanding | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerDue:
    """A timer that is due."""

    timer: Timer


Arrival: TypeAlias = EventArrived | TimerDue


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskRead:
    """Which conversation an advisor has open, so that what she types goes there."""

    account: str
    staff_id: StaffId


@dataclass(frozen=True, slots=True, kw_only=True)
class EventsRead:
    """What happened to the customer: the answers to these questions."""

    calls: tuple[EventCall, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSlotsRead:
    """When `dealer` has a place free on that day, of `resource`; empty: of the first that it has."""

    dealer: str
    resource: str
    on: date

    @property
    def key(self) -> str:
        """The name of the answer."""
        return f"{self.dealer}|{self.resource}|{self.on.isoformat()}"


Read: TypeAlias = Literal["advisor_loads"] | DeskRead | EventsRead | OpenSlotsRead
"""A read that a step may ask for. `advisor_loads`: the number of open tasks of every advisor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Answers to the reads of a step; None, or no entry: not read yet. They go to the journal.

    `desks`: the conversation that an advisor has open, None: none. `counts` and `lasts`: how often and when last
    something happened to the customer, by the source of the question. `open_slots`: by `OpenSlotsRead.key`.
    """

    advisor_loads: Mapping[StaffId, int] | None = None
    desks: Mapping[StaffId, ConversationId | None] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    lasts: Mapping[str, datetime | None] = field(default_factory=dict)
    open_slots: Mapping[str, tuple[datetime, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """The step cannot go on without these reads; read them and step the same arrival again."""

    reads: frozenset[Read]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An event of our own, which no channel brought."""

    event: str
    fields: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """The customer afterwards, what is to be done, and why. All of it is committed together.

    `asked`: the sources of the questions about events whose answers it used. `told`: events of our own that happened
    in it and that some expression counts.
    """

    customer: Customer
    effects: tuple[Effect, ...] = ()
    journal: tuple[Trace, ...] = field(default_factory=tuple)
    asked: frozenset[str] = frozenset()
    told: tuple[Told, ...] = ()
