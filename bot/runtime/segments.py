"""Counted events and segments of the customers in one batch: answers for their steps, and who came into what.

A library that counts nothing and has no journey behind a segment costs a few empty look-ups a step.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.core.arrival import EventsRead, Facts, Step
from bot.core.audiences import Audiences, audiences_of
from bot.core.customer import Customer
from bot.core.events import Event, Json
from bot.core.expressions.tree import EventCall
from bot.core.ids import CustomerId, EventId
from bot.core.program import Program
from bot.core.segments import Looker, Turn
from bot.core.step.entering import SEGMENT_ENTERED
from bot.storage import Moment, Transaction


@dataclass(slots=True)
class SegmentWatch:
    """Looks after them in one transaction, at one moment. `entered`: what customers came into, to be written down."""

    tx: Transaction
    program: Program
    now: datetime
    audiences: Audiences
    moment: Moment

    @property
    def awake(self) -> bool:
        """Whether the library counts anything, or has a journey behind a segment."""
        return bool(self.audiences.watched or self.audiences.events)

    def before(self, customer: Customer, event: Event) -> Customer:
        """Note that `event` happened to `customer` before she is stepped; she comes back as she is to be stepped."""
        kept = self.audiences.events.get(event.type)
        if kept is None:
            return customer
        known = self._looker(customer).begin(customer, (f"event:{event.type}",))
        happened = (event.type, min(event.occurred_at, self.now), event.fields)
        self.tx.audience.note(customer.customer_id, event.event_id, happened, kept)
        return known

    def after(self, before: Customer, found: Step, event: Event | None, *, cause: EventId) -> Turn:
        """What the step `found` means for segments; events of its own are noted first."""
        happened = [event.type] if event is not None else []
        for number, told in enumerate(found.told):
            happened.append(told.event)
            own = EventId(hashlib.sha256(f"{cause}|told|{number}".encode()).hexdigest())
            fact: tuple[str, datetime, Mapping[str, Json]] = (told.event, self.now, told.fields)
            self.tx.audience.note(before.customer_id, own, fact, self.audiences.events[told.event])
        return self._looker(before).turn(before, found.customer, happened=happened)

    def answers(self, customer_id: CustomerId, calls: Sequence[EventCall]) -> dict[str, int | datetime | None]:
        """What happened to her, by the source of each question."""
        return self.tx.audience.answers(customer_id, calls, self.audiences.ground, self.moment)

    def facts(self, customer_id: CustomerId, read: EventsRead, known: Facts) -> Facts:
        """`known` and the answers to `read`."""
        found = self.answers(customer_id, read.calls)
        counts = {source: answer for source, answer in found.items() if isinstance(answer, int)}
        lasts = {source: answer for source, answer in found.items() if not isinstance(answer, int)}
        return replace(known, counts={**known.counts, **counts}, lasts={**known.lasts, **lasts})

    def save(self, changes: Sequence[tuple[Customer, Customer]]) -> None:
        """Write what changed in what is searched of customers who are saved in this transaction."""
        self.tx.audience.save(changes, self.audiences.searched, self.program.library.attributes)

    def _looker(self, customer: Customer) -> Looker:
        return looker(self.tx, self.program, customer.customer_id, moment=self.moment)


def watch(tx: Transaction, program: Program, now: datetime) -> SegmentWatch:
    """The watch of one batch."""
    audiences = program.kept(Audiences, audiences_of)
    return SegmentWatch(tx, program, now, audiences, Moment(now=now, zone=program.zone))


def looker(tx: Transaction, program: Program, customer_id: CustomerId, *, moment: Moment) -> Looker:
    """Who looks at the segments of this customer, with the answers of this transaction."""
    ground = program.kept(Audiences, audiences_of).ground
    return Looker(
        program=program,
        now=moment.now,
        answer=lambda calls: tx.audience.answers(customer_id, calls, ground, moment),
    )


def used_facts(facts: Facts, asked: frozenset[str]) -> Facts:
    """What the journal keeps: of the answers about events those that the step used."""
    if not facts.counts and not facts.lasts:
        return facts
    return replace(
        facts,
        counts={source: count for source, count in facts.counts.items() if source in asked},
        lasts={source: at for source, at in facts.lasts.items() if source in asked},
    )


def entered_events(customer_id: CustomerId, turn: Turn, *, cause: str, now: datetime) -> list[Event]:
    """The events by which a customer's journeys hear what she has come into. `cause` tells one time from another."""
    return [_entered(customer_id, segment, cause, now) for segment in turn.entered]


def _entered(customer_id: CustomerId, segment: str, cause: str, now: datetime) -> Event:
    name = f"{SEGMENT_ENTERED}|{customer_id}|{segment}|{cause}|{now.isoformat()}"
    return own_event(name, SEGMENT_ENTERED, {"segment": segment}, now)


def own_event(name: str, kind: str, fields: Mapping[str, Json], now: datetime) -> Event:
    """An event of our own in a customer's lane; the same `name` is the same event for ever."""
    return Event(
        event_id=EventId(hashlib.sha256(name.encode()).hexdigest()),
        type=kind,
        channel="",
        account="",
        sender="",
        occurred_at=now,
        fields=fields,
    )


def ingest_own(tx: Transaction, arrivals: Sequence[tuple[CustomerId, Event]]) -> None:
    """Write events of our own into their customers' lanes; those that are there already stay as they are."""
    if arrivals:
        tx.lanes.ingest((), received_at=tx.now, addressed=arrivals)
