"""Our machine and that of `python-statemachine`, which follows SCXML, do the same over every event.

Shared, and compared on random charts after every event: states and their entry, events heard in the order of the file
and from the inside out, guards on variables and visits and on the event, actions that set variables (together, from
the values before) and that emit, events of our own before the next one from outside, ways that need no event (`branch`,
`then`, `when`/`else`), staying, going elsewhere and entering again, a group as a compound state with or without shallow
history, waits that end, and the end. Compared are the configuration, the variables, the visits that are over, the
states entered and the variables written on the way, in their order; and of a chart that never rests, that our breaker
stops it at the very step at which the other one is stopped.

Not shared on purpose, so not drawn:
- A state whose `when` does not hold was never entered: neither visits nor history know it. (As SCXML sees it, it was
  left; so in a group with history an `else` stays within the group here.)
- Going to one's own group, where it goes on where it was left, stays: SCXML takes the place from before the last entry.
- `reenter` in the events of a group enters the present state again, not the group.
- Exits of groups and of journeys are tested before every event, not after it; a goal likewise.
- An action that fails leaves the rest undone and is an error by name, which `errors` catches; SCXML has
  `error.execution`, which any state may hear.
- There are no parallel regions and no groups within groups. An end in a group ends the journey.
- What a reaction does is done before the state is left. SCXML does it between leaving and entering, which nobody could
  tell apart but by the timers and the visits of the state that is left.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from statemachine import StateChart

from bot.core.arrival import Arrival, EventArrived, Facts, Step, TimerDue
from bot.core.customer import Customer
from bot.core.events import Event, Json
from bot.core.ids import CustomerId, EventId
from bot.core.library import Library
from bot.core.outline import WAIT
from bot.core.program import Program, compile_library
from bot.core.step import step
from bot.core.step.scope import MASK
from tests.unit.step.dice import Dice
from tests.unit.step.play import MORNING
from tests.unit.step.statecharts import (
    BEGIN,
    ENDS,
    EVENTS,
    GROUP,
    JOURNEY,
    WAITED,
    Carried,
    Chart,
    Endless,
    chart,
    journey_of,
    machine_of,
)
from tests.unit.step.worlds import HANDOFF, world

EXAMPLES = int(os.environ.get("ZHITU_STATECHARTS", "100"))
"""Few in the everyday run, and the same ones; thousands of others when somebody works on the machine."""
EVENTS_MAX = 12
STUCK = "stuck"


class Ours:
    """The chart as a journey of one customer."""

    def __init__(self, told: Chart) -> None:
        library = replace(_library(), journeys={JOURNEY: journey_of(told)})
        self.program: Program = compile_library(library)
        self.grouped = told.grouped
        self.customer = Customer(customer_id=CustomerId(1), version=0)
        self.now = MORNING
        self.number = 0

    def hear(self, kind: str, fields: Mapping[str, Json]) -> Step:
        self.number += 1
        event = Event(
            event_id=EventId(f"event-{self.number}"),
            type=kind,
            channel="",
            account="",
            sender="",
            occurred_at=self.now,
            fields=fields,
        )
        return self._step(EventArrived(event=event))

    def end_wait(self) -> Step | None:
        """The wait of the present state is over. None: it waits for no time."""
        timer = next((one for one in self.customer.timers if one.timer_id == WAIT), None)
        if timer is None:
            return None
        self.now = max(self.now, timer.due_at)
        return self._step(TimerDue(timer=timer))

    def _step(self, arrival: Arrival) -> Step:
        self.now += timedelta(seconds=1)
        found = step(self.program, self.customer, arrival, self.now, Facts())
        assert isinstance(found, Step), "nothing has to be read"
        self.customer = found.customer
        return found

    def where(self) -> set[str]:
        run = next(iter(self.customer.enrolments.values()), None)
        if run is None:
            return {self.customer.past[f"{JOURNEY}|"].end}
        if run.status == "stuck":
            return {STUCK}
        return {run.state, GROUP} if run.state in self.grouped else {run.state}


def _library() -> Library:
    return world(HANDOFF).library


Happening = tuple[str, int]
"""The type of an event, and its field `n`."""


@st.composite
def told(draw: st.DrawFn) -> tuple[Chart, list[Happening]]:
    dice = Dice(lambda: draw(BYTES))
    found = chart(dice)
    kinds = [dice.pick([*EVENTS, *EVENTS, WAITED]) for _ in range(1 + dice.throw() % EVENTS_MAX)]
    return found, [(kind, dice.throw() % 3) for kind in kinds]


BYTES = st.integers(0, 255)


@settings(
    max_examples=EXAMPLES,
    derandomize="ZHITU_STATECHARTS" not in os.environ,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(told())
def test_a_journey_does_over_every_event_what_the_same_statechart_does(found: tuple[Chart, list[Happening]]) -> None:
    for number, (ours, theirs) in enumerate(compared(*found)):
        assert ours == theirs, f"after {number} events"


Seen = tuple[object, ...]


def compared(told: Chart, happenings: list[Happening]) -> Iterator[tuple[Seen, Seen]]:
    """What both have come to and have done, after the beginning and after every event, until it is over."""
    ours = Ours(told)
    found: Step | None = ours.hear(BEGIN, {})
    try:
        machine, carried = machine_of(told)
    except Endless:
        yield (ours.where(),), ({STUCK},)
        return
    yield _ours(ours, found), _theirs(machine, carried)
    for kind, n in happenings:
        carried.begin()
        found = ours.end_wait() if kind == WAITED else ours.hear(kind, {"n": n})
        try:
            machine.send(kind, n=n)
        except Endless:
            yield (ours.where(),), ({STUCK},)
            return
        yield _ours(ours, found), _theirs(machine, carried)
        if not ours.customer.enrolments:
            return


def _ours(ours: Ours, found: Step | None) -> Seen:
    run = next(iter(ours.customer.enrolments.values()), None)
    journal = found.journal if found is not None else ()
    entered = [trace.detail["to"] for trace in journal if trace.kind == "moved"]
    written = [(trace.detail["name"], trace.detail["value"]) for trace in journal if trace.kind == "set"]
    carried = (dict(run.values), dict(run.counts)) if run is not None else None
    return ours.where(), carried, entered, written


def _theirs(machine: StateChart[Carried], carried: Carried) -> Seen:
    """A final state carries nothing on: with us the run is over. What is inside a state with `when` is the state."""
    found = {name for name in machine.configuration_values if not name.endswith("_in")}
    kept = (carried.values, carried.counts) if found.isdisjoint(ENDS) else None
    written = [(name, MASK if isinstance(value, str) else value) for name, value in carried.written]
    return found, kept, carried.entered, written
