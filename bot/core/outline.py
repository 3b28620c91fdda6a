"""What states hold that the machine asks for at every step, worked out once for a library."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

from bot.core.entries import JourneyCap
from bot.core.expressions.analyse import names
from bot.core.expressions.tree import Expression
from bot.core.expressions.types import Path
from bot.core.journey import Journey
from bot.core.library import Library
from bot.core.rules import Cap, GlobalRules, JourneyRules
from bot.core.states import GroupExit, On, State, Wait

WAIT = "wait"
NAMED = "@"
"""Stands before the name that a journey gave a timer, so that it is never taken for one of the machine's own."""
JOURNEY_CAP = "旅程上限"
"""How the cap of a journey's own `limits` is called where a reason names it."""
_UNCHANGING = frozenset({"event", "error", "value", "now", "today", "state", "journey", "entry"})
"""Names whose values no writing changes. What reads the event is worked out once, when the event is there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """A timer whose moment is an expression, and the names whose change moves it."""

    timer_id: str
    paths: tuple[Path, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """A state with what its group adds. `events`: its own reactions, then the group's. `exits` are the group's.

    `look_back`: how old an event may be that one of them still hears, by its type.
    """

    events: tuple[On, ...]
    exits: tuple[GroupExit, ...]
    anchors: tuple[Anchor, ...]
    look_back: dict[str, timedelta]


def outline_of(journey: Journey, state: State) -> Outline:
    """The outline of a state of `journey`."""
    group = journey.groups.get(state.group)
    events = state.events if group is None else (*state.events, *group.events)
    return Outline(
        events=events,
        exits=() if group is None else group.exits,
        anchors=tuple(_anchors(state)),
        look_back=_look_back(events),
    )


def _anchors(state: State) -> Iterator[Anchor]:
    if isinstance(state.doing, Wait) and isinstance(state.doing.until, Expression):
        yield from _anchor(WAIT, state.doing.until)
    for timer in state.timers:
        if isinstance(timer.at, Expression):
            yield from _anchor(NAMED + timer.timer_id, timer.at)


def _anchor(timer_id: str, expression: Expression) -> Iterator[Anchor]:
    read = names(expression.tree)
    paths = tuple(sorted(path for path in read if path[0] not in _UNCHANGING))
    if paths and not any(path[0] == "event" for path in read):
        yield Anchor(timer_id=timer_id, paths=paths)


def states_with(library: Library, wanted: Callable[[Outline], bool]) -> frozenset[tuple[str, str]]:
    """The states, as journey and name, whose outline is `wanted`."""
    found = ((journey, state) for journey in library.journeys.values() for state in journey.states.values())
    return frozenset((j.journey, s.name) for j, s in found if wanted(outline_of(j, s)))


def looked_back(library: Library) -> dict[str, timedelta]:
    """The types of events that some state looks back for, each with how far at most."""
    found: dict[str, timedelta] = {}
    for journey in library.journeys.values():
        heard = [*(state.events for state in journey.states.values()), *(one.events for one in journey.groups.values())]
        for events in heard:
            for kind, age in _look_back(events).items():
                found[kind] = max(age, found.get(kind, age))
    return found


def _look_back(events: tuple[On, ...]) -> dict[str, timedelta]:
    found: dict[str, timedelta] = {}
    for reaction in events:
        if reaction.since is not None:
            found[reaction.event] = max(reaction.since, found.get(reaction.event, reaction.since))
    return found


def rules_of(library: Library) -> GlobalRules:
    """The rules of the library, with what single journeys say of their own messages."""
    found = {name: _own_rules(journey, library.rules) for name, journey in library.journeys.items()}
    return replace(library.rules, journeys={name: own for name, own in found.items() if own != JourneyRules()})


def _own_rules(journey: Journey, rules: GlobalRules) -> JourneyRules:
    limits = journey.limits
    return JourneyRules(
        quiet=limits.quiet,
        working_days=limits.days == "working",
        cap=_cap(limits.cap, rules) if limits.cap is not None else None,
    )


def _cap(cap: JourneyCap, rules: GlobalRules) -> Cap:
    """One that names no classes is asked of, and counts, every class that caps hold for."""
    capped = frozenset(name for name, rule in rules.class_rules.items() if rule.cap != "ignore")
    return Cap(name=JOURNEY_CAP, classes=cap.classes or capped, max=cap.max, per=cap.per, scope=cap.scope)
