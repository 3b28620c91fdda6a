"""The ways of a journey from state to state, and the guards on them, as its file says them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from bot.core.entries import Exit
from bot.core.expressions.tree import Expression
from bot.core.journey import Journey
from bot.core.states import Ask, Book, Branch, Handoff, On, Split, State, Webhook

ANYWHERE = "*"
"""Stands for any state, of a way that leads out of all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """From `state` to `goto`. `cause`: what must have happened for it to be taken; `name` as people are told it."""

    state: str
    goto: str
    cause: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A guard that stands in `state` (empty: in front of the journey)."""

    state: str
    source: str


def ways_of(journey: Journey) -> tuple[Way, ...]:
    """Every way that the file names, in its order. One to a group leads to the first of its states."""
    found = [way for state in journey.states.values() for way in _of_state(journey, state)]
    found += [
        Way(state=ANYWHERE, goto=rule.goto, cause=f"error:{rule.error}", name=f"errors.{rule.error}")
        for rule in journey.errors
        if rule.goto
    ]
    found += [
        Way(state=ANYWHERE, goto=one.goto, cause=f"exit:{_by(one)}", name=f"exit[{number}]")
        for number, one in enumerate(journey.exits, start=1)
    ]
    if journey.goal is not None and journey.goal.exit:
        found.append(Way(state=ANYWHERE, goto=journey.goal.exit, cause="goal", name="goal.exit"))
    return tuple(_into_group(journey, way) for way in found)


def _into_group(journey: Journey, way: Way) -> Way:
    group = journey.groups.get(way.goto)
    return way if group is None else replace(way, goto=group.initial)


def _by(way_out: Exit) -> str:
    """What the journal says of whoever left by it."""
    return way_out.event or (way_out.when.source if way_out.when is not None else "")


def _of_state(journey: Journey, state: State) -> Iterator[Way]:
    name = state.name
    yield from _way(name, state.otherwise, "else", f"{name}.else")
    match state.doing:
        case Branch(arms=arms):
            for number, arm in enumerate(arms, start=1):
                label = f"{name}.branch[{number}]" if arm.when is not None else f"{name}.branch.else"
                yield from _way(name, arm.goto, f"arm:{arm.when.source if arm.when else ''}", label)
        case Split(arms=parts):
            for part in parts:
                yield from _way(name, part.goto, f"split:{part.name}", f"{name}.split.{part.name}")
        case Ask():
            yield from _way(name, state.give_up, "unparsed", f"{name}.give_up")
        case Handoff(fallback=fallback):
            yield from _way(name, fallback, "fallback", f"{name}.fallback")
        case Book(full=full, fail=fail):
            yield from _way(name, full, "full", f"{name}.full")
            yield from _way(name, fail, "fail", f"{name}.fail")
        case Webhook(fail=fail):
            yield from _way(name, fail, "fail", f"{name}.fail")
        case _:
            pass
    yield from _way(name, state.then, "then", f"{name}.closed" if isinstance(state.doing, Handoff) else f"{name}.then")
    if state.timeout is not None:
        yield from _way(name, state.timeout.goto, "timeout", f"{name}.timeout")
    yield from _way(name, state.fail, "error", f"{name}.fail")
    group = journey.groups.get(state.group)
    reactions = (*state.events, *(group.events if group is not None else ()))
    for number, reaction in enumerate(reactions, start=1):
        yield from _reaction(name, reaction, number)
    for timer in state.timers:
        yield from _way(name, timer.goto, f"timer:{timer.timer_id}", f"{name}.{timer.timer_id}")
    for number, way_out in enumerate(group.exits if group is not None else (), start=1):
        yield from _way(name, way_out.goto, "exit", f"{name}.exit[{number}]")


def _reaction(state: str, reaction: On, number: int) -> Iterator[Way]:
    goto = state if reaction.reenter else reaction.goto
    yield from _way(state, goto, f"heard:{reaction.event}", f"{state}.events[{number}]")


def _way(state: str, goto: str, cause: str, name: str) -> Iterator[Way]:
    if goto:
        yield Way(state=state, goto=goto, cause=cause, name=name)


def questions_of(journey: Journey) -> tuple[Question, ...]:
    """Every guard of the journey, each once."""
    found = [Question(state="", source=when.source) for when in _before(journey)]
    for state in journey.states.values():
        found += [Question(state=state.name, source=when.source) for when in _guards(journey, state)]
    return tuple(dict.fromkeys(found))


def _before(journey: Journey) -> Iterator[Expression]:
    """Guards of entries. Those of exits are asked at every step, and the journal tells only where one led out."""
    conditions = [*(way.when for way in journey.enter), journey.audience]
    return (when for when in conditions if when is not None)


def _guards(journey: Journey, state: State) -> Iterator[Expression]:
    conditions = [state.when, *(reaction.when for reaction in state.events), *(timer.when for timer in state.timers)]
    match state.doing:
        case Branch(arms=arms):
            conditions += [arm.when for arm in arms]
        case Ask(slot=slot):
            conditions.append(journey.slots[slot].check)
        case _:
            pass
    return (when for when in conditions if when is not None)
