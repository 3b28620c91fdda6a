"""What a step was told and let fall: nobody heard it who waits for it (journey-language.md 3.2 to 3.4)."""

from collections.abc import Iterator, Sequence

from bot.core.arrival import EventArrived, Step, TimerDue
from bot.core.customer import Customer, Timer
from bot.core.effects import Trace
from bot.core.errands import DONE, FAILED
from bot.core.events import CONVERSATIONAL
from bot.core.ids import EnrolmentId
from bot.core.outline import WAIT
from bot.core.program import Program
from bot.core.states import Wait
from bot.core.step.entering import event_ways
from bot.core.times import WallClock
from tests.unit.step.play import Consumed

LEAVES = frozenset({"moved", "ended", "error"})
"""What an enrolment that does not hear an event has done instead, by the journal."""


def lost(taken: Consumed, before: Customer, found: Step) -> list[str]:
    """Everything that was let fall, in words; empty when nothing was."""
    match taken.arrival:
        case TimerDue(timer=timer):
            return [*_timer(taken.program, timer, before, found.journal), *_internal(taken.program, before, found)]
        case EventArrived(event=event):
            results = event.type in (DONE, FAILED) and not _of_kind(found.journal, "result")
            return [
                *([f"nobody takes what became of {event.fields['name']}"] if results else []),
                *_entries(taken.program, event.type, found.journal),
                *_internal(taken.program, before, found),
            ]


def _of_kind(journal: Sequence[Trace], *kinds: str) -> list[Trace]:
    return [trace for trace in journal if trace.kind in kinds]


def _timer(program: Program, timer: Timer, before: Customer, journal: Sequence[Trace]) -> list[str]:
    """A timer that stood is taken, unless its owner has gone on before; and the end of a wait leads on."""
    run = before.enrolments.get(EnrolmentId(timer.owner))
    gone_on = any(trace.enrolment_id == timer.owner for trace in _of_kind(journal, *LEAVES))
    if timer not in before.timers or gone_on:
        return []
    if not _of_kind(journal, "timer"):
        return [f"nobody takes the timer {timer.timer_id} of {timer.owner}"]
    if run is None or run.visit != timer.visit or timer.timer_id != WAIT:
        return []
    state = program.journey(run.journey).states.get(run.state)
    ends = state is not None and isinstance(state.doing, Wait) and not isinstance(state.doing.until, WallClock)
    return [f"{run.journey}.{run.state} waits on"] if ends and state is not None and state.then else []


def _entries(program: Program, kind: str, journal: Sequence[Trace]) -> Iterator[str]:
    """Of an event that opens ways into journeys, each journey that it leads into takes her, or says why not."""
    if kind in CONVERSATIONAL:
        return  # the first that admits her
    said = {
        (trace.detail.get("into") or trace.journey, trace.detail.get("cause"))
        for trace in _of_kind(journal, "entered", "entry_refused", "entry_waits")
    }
    for journey, ways in event_ways(program.library).by_type.get(kind, ()):
        if all(way.when is None for way in ways) and (journey.journey, kind) not in said:
            yield f"{journey.journey} neither takes nor refuses who comes by {kind}"


def _internal(program: Program, before: Customer, found: Step) -> Iterator[str]:
    """Every event of our own is heard by all that wait for it, or they have gone on; of a call by one of it."""
    places = {name: (run.journey, run.state) for name, run in before.enrolments.items() if run.status == "active"}
    roots = {name: _root(name, before, found.customer) for name in {*before.enrolments, *found.customer.enrolments}}
    waiting: dict[EnrolmentId, str] = {}
    for trace in found.journal:
        name = trace.enrolment_id
        if trace.kind == "internal":
            yield from waiting.values()
            kind = str(trace.detail["event"])
            yield from _entries(program, kind, found.journal)
            heard = {one: place for one, place in places.items() if _waits_for(program, place, kind)}
            waiting = {roots[one]: f"{place} does not hear {kind}" for one, place in heard.items() if one in roots}
        if name is not None and trace.kind in ("heard", *LEAVES):
            waiting = {root: what for root, what in waiting.items() if root != roots.get(name, name)}
        if name is not None and trace.kind == "moved":
            places[name] = (trace.journey, str(trace.detail["to"]))
        elif name is not None and (trace.kind == "ended" or trace.detail.get("outcome") == "stuck"):
            places.pop(name, None)
    yield from waiting.values()


def _root(name: EnrolmentId, *customers: Customer) -> EnrolmentId:
    parents = {run.enrolment_id: run.parent for one in customers for run in one.enrolments.values()}
    while (above := parents.get(name)) is not None:
        name = above
    return name


def _waits_for(program: Program, place: tuple[str, str], kind: str) -> bool:
    """Whether that state hears an event of this type whatever the event is. Of bookings not who booked: not asked."""
    journey = program.journey(place[0])
    state = journey.states.get(place[1])
    if state is None or kind.startswith("booking."):
        return False
    reactions = program.outline(journey, state).events
    return any(one.event == kind and one.when is None for one in reactions)
