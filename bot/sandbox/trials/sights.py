"""What watchers look at: the journal and the messages that left, in one row by time."""

from collections.abc import Iterator, Sequence

from bot.core.effects import Trace
from bot.core.program import Program
from bot.core.states import Ask
from bot.core.watching import Sight
from bot.sandbox.trials.outside import Delivery
from bot.sandbox.trials.story import Told


def sights(program: Program, told: Sequence[Told], deliveries: Sequence[Delivery]) -> list[Sight]:
    """Everything in order of time; of one moment, what was decided before what was sent on it."""
    decided = [sight for one in told for sight in _decided(program, one)]
    left = [_sent(one) for one in deliveries if one.to_buyer and not one.refused]
    return sorted([*decided, *left], key=lambda sight: (sight.at, sight.kind == "send"))


def _sent(one: Delivery) -> Sight:
    effect = one.effect
    fields: dict[str, object] = {
        "content": effect.content,
        "class": effect.send_class,
        "channel": effect.channel,
        "state": effect.state,
        "journey": effect.journey,
    }
    return Sight(kind="send", at=one.at, fields=fields)


def _decided(program: Program, one: Told) -> Iterator[Sight]:
    trace, at, detail = one.trace, one.at, one.trace.detail
    place: dict[str, object] = {"state": trace.state, "journey": trace.journey}
    match trace.kind:
        case "moved":
            fields = {**place, "state": detail.get("to"), "previous": trace.state}
            yield Sight(kind="state", at=at, fields=fields)
        case "planned":
            slot = asked_slot(program, trace)
            if slot:
                yield Sight(kind="ask", at=at, fields={**place, "slot": slot, "content": detail.get("content")})
        case "task":
            yield Sight(kind="task", at=at, fields={**place, **_only(trace, "to", "outcome")})
        case "handoff":
            yield Sight(kind="handoff", at=at, fields={**place, **_only(trace, "outcome")})
        case "consent":
            yield Sight(kind="consent", at=at, fields={**place, **_only(trace, "purpose", "granted")})
        case "opt_out":
            yield Sight(kind="opt_out", at=at, fields=_only(trace, "scope"))
        case "goal":
            yield Sight(kind="goal", at=at, fields={**place, **_only(trace, "goal")})
        case "ended":
            yield Sight(kind="end", at=at, fields={**place, **_only(trace, "end")})
        case "tag":
            yield Sight(kind="tag", at=at, fields={**place, **_only(trace, "tag", "removed")})
        case "entered":
            yield Sight(kind="enter", at=at, fields={**place, **_only(trace, "cause")})
        case _:
            return


def _only(trace: Trace, *names: str) -> dict[str, object]:
    return {name: trace.detail.get(name) for name in names}


def asked_slot(program: Program, trace: Trace) -> str:
    """The slot whose question this planned message is, empty: it is none."""
    journey = program.library.journeys.get(trace.journey)
    state = journey.states.get(trace.state) if journey else None
    if journey is None or state is None or not isinstance(state.doing, Ask):
        return ""
    slot = journey.slots.get(state.doing.slot)
    return slot.name if slot is not None and slot.ask == trace.detail.get("content") else ""
