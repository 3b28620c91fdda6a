"""Stepping once more what the journal says was stepped: the same customer, the same decisions, the same effects."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from bot import understanding
from bot.core.arrival import Arrival, EventArrived, Step, TimerDue
from bot.core.customer import Conversation, Customer
from bot.core.effects import Effect, SendMessage
from bot.core.events import Event
from bot.core.program import Program
from bot.core.step import step
from bot.runtime.stepping import timer_event_id
from bot.storage.codec import customer_bytes, entries_text, read_customer, read_entries, read_facts
from tests.simulation.rows import Line

REPORT = "template.finished"


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What replaying some lines led to. `effects`: with the line that each came of. `happened`: types of events."""

    customer: Customer
    effects: tuple[tuple[Line, Effect], ...]
    happened: tuple[str, ...]
    faults: tuple[str, ...]


def replayed(program: Program, before: Customer, lines: Sequence[Line], events: Mapping[str, Event]) -> Replayed:
    """`before` after the steps that `lines` tell of, and where they differ from what the journal says."""
    customer, effects, faults = before, [], []
    happened: list[str] = []
    for line in lines:
        arrival = _arrival(program, customer, line, events)
        if arrival is None:
            faults.append(f"the journal tells of {line.event_id}, which there is not")
            continue
        found = step(program, customer, arrival, line.at, read_facts(line.facts))
        if not isinstance(found, Step):
            faults.append(f"the journal holds no answer to the reads of the step for {line.event_id}")
            continue
        if read_entries(entries_text(found.journal)) != line.entries:
            faults.append(f"stepping {line.event_id} again decides otherwise")
        customer = found.customer
        effects += [(line, effect) for effect in found.effects]
        happened += [told.event for told in found.told]
        happened += [arrival.event.type] if isinstance(arrival, EventArrived) else []
    return Replayed(customer=customer, effects=tuple(effects), happened=tuple(happened), faults=tuple(faults))


def differs(replay: Customer, stored: Customer) -> bool:
    """Whether what was stored is not what the steps lead to; segments are none of their business."""
    replay = replace(replay, segments=stored.segments)
    again = read_customer(customer_bytes(replay), customer_id=stored.customer_id, version=stored.version)
    return again != stored


def only_ledger_changed(before: Customer, after: Customer) -> bool:
    """Whether a customer differs only in what dispatch may change: windows, caps, and what is planned."""
    talks = {key: _without_ledger(talk) for key, talk in after.conversations.items()}
    kept = {key: _without_ledger(talk) for key, talk in before.conversations.items()}
    bare = replace(after, version=before.version, sent=before.sent, conversations={})
    return talks == kept and bare == replace(before, conversations={})


def _without_ledger(talk: Conversation) -> Conversation:
    return replace(talk, buckets=(), unsent=())


def _arrival(program: Program, customer: Customer, line: Line, events: Mapping[str, Event]) -> Arrival | None:
    if line.kind == "timer":
        due = (timer for timer in customer.timers if timer_event_id(timer) == line.event_id)
        timer = min(due, key=lambda one: one.due_at, default=None)
        return None if timer is None else TimerDue(timer=timer)
    event = events.get(line.event_id)
    return None if event is None else understanding.arrived(event, customer, program)


def sends(effects: Sequence[tuple[Line, Effect]]) -> Iterator[tuple[Line, SendMessage]]:
    """The messages among them."""
    return ((line, effect) for line, effect in effects if isinstance(effect, SendMessage))
