"""A library with its expressions turned into closures: what a step runs on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from bot.core.actions import StartJourney
from bot.core.entries import Entry, EventEntry, IntentEntry, KeywordEntry
from bot.core.events import Json
from bot.core.expressions.evaluate import (
    Guard,
    compile_expression,
    compile_guard,
    compile_node,
    compile_reads,
    compile_time,
)
from bot.core.expressions.render import Render, compile_template
from bot.core.expressions.tree import Expression, Output, Template
from bot.core.expressions.values import Scope, Value
from bot.core.ids import StaffId
from bot.core.journey import Journey
from bot.core.library import Content, Library, Member
from bot.core.outline import Outline, looked_back, outline_of, rules_of, states_with
from bot.core.rules import GlobalRules
from bot.core.slots import Slot
from bot.core.states import CallJourney, State
from bot.core.triggers import REPAIRS
from bot.core.understood import Expected

T = TypeVar("T")
RELATED_MAX = 50
"""Journeys that one journey may start or call, directly or through others, and still be listened for."""


@dataclass(frozen=True, slots=True, repr=False)
class Program:
    """`library` ready to run. Built once a release; shared by every step.

    Closures are kept by the identity of their tree, which the library keeps alive: hashing a tree at every
    guard would cost more than the guard.
    """

    library: Library
    zone: ZoneInfo
    _values: dict[int, Callable[[Scope], Value]]
    _guards: dict[int, Guard]
    _reads: dict[int, Callable[[Scope], dict[str, Json]]]
    _texts: dict[int, Render]
    _related: dict[str, tuple[Expected, ...]]
    _opening: dict[str, tuple[Expected, ...]]
    _members: Mapping[StaffId, Member]
    _kept: dict[type[object], object]
    _outlines: dict[int, Outline]
    _moments: dict[int, Callable[[Scope], datetime]]
    rules: GlobalRules
    """Those of the library, with what journeys limit their own messages to."""
    looked_back: Mapping[str, timedelta]
    """Types of events that some state looks back for, with how far."""
    anchored: frozenset[tuple[str, str]]
    """States (journey, name) that have timers whose moment is an expression."""
    with_exits: frozenset[tuple[str, str]]
    """States (journey, name) whose group has exits."""
    shares_floor: bool
    """Whether any journey asks beside whoever has the floor."""

    def outline(self, journey: Journey, state: State) -> Outline:
        """What the machine asks of `state` at every step."""
        found = self._outlines.get(id(state))
        if found is None:
            found = self._outlines[id(state)] = outline_of(journey, state)
        return found

    def journey(self, name: str) -> Journey:
        """The journey called `name`. KeyError: it was taken out of the library while customers are in it."""
        return self.library.journeys[name]

    def content(self, name: str) -> Content:
        return self.library.contents[name]

    def member(self, staff_id: StaffId) -> Member | None:
        return self._members.get(staff_id)

    def guard(self, expression: Expression, scope: Scope) -> bool:
        """Whether `expression` holds. EvaluationFault: it is no condition after all."""
        closure = self._guards.get(id(expression))
        if closure is None:
            closure = self._guards[id(expression)] = compile_guard(expression)
        return closure(scope)

    def reads(self, expression: Expression, scope: Scope) -> dict[str, Json]:
        """What `expression` reads, by name, unmasked."""
        closure = self._reads.get(id(expression))
        if closure is None:
            closure = self._reads[id(expression)] = compile_reads(expression)
        return closure(scope)

    def value(self, expression: Expression, scope: Scope) -> Value:
        """What `expression` comes to. EvaluationFault: it cannot be evaluated."""
        closure = self._values.get(id(expression))
        if closure is None:
            closure = self._values[id(expression)] = compile_expression(expression)
        return closure(scope)

    def moment(self, expression: Expression, scope: Scope) -> datetime:
        """The aware time that `expression` comes to. EvaluationFault: it is null, or no time."""
        closure = self._moments.get(id(expression))
        if closure is None:
            closure = self._moments[id(expression)] = compile_time(expression)
        return closure(scope)

    def argument(self, template: Template, scope: Scope) -> Value:
        """What `template` hands on: the value itself where it is one expression and nothing else, else its text."""
        match template.parts:
            case (Output(tree=tree),):
                closure = self._values.get(id(template))
                if closure is None:
                    closure = self._values[id(template)] = compile_node(tree)
                return closure(scope)
        return self.text(template, scope)

    def text(self, template: Template, scope: Scope, *, escape: Callable[[str], str] | None = None) -> str:
        """The text that `template` makes; `escape` is put on values, never on the author's own words."""
        closure = self._texts.get(id(template))
        if closure is None:
            closure = self._texts[id(template)] = compile_template(template)
        return closure(scope, escape)

    def to_come(self, name: str) -> tuple[Expected, ...]:
        """Slots of the journey called `name` and of those that it may call or start, its own first.

        Those of free text are none of them: they are expected only while their question stands open.
        """
        found = self._related.get(name)
        if found is None:
            slots = [(j, s) for j in _reachable(self.library, name) for s in j.slots.values() if s.type != "text"]
            found = self._related[name] = tuple(expected(j, s, asked=False) for j, s in slots)
        return found

    def kept(self, kind: type[T], make: Callable[[Library], T]) -> T:
        """What another layer works out of the library, once for this program: the one value of this `kind`."""
        found = self._kept.get(kind)
        if found is None:
            found = self._kept[kind] = make(self.library)
        return found  # type: ignore[return-value] # what stands under a `kind` is of it

    def opening(self, channel: str) -> tuple[Expected, ...]:
        """Slots that the very message which begins a journey of this channel may fill."""
        found = self._opening.get(channel)
        if found is None:
            journeys = [journey for journey in self.library.journeys.values() if _is_entered_on(journey, channel)]
            slots = [(j, s) for j in journeys for s in j.slots.values() if _fills_at_once(j, s)]
            found = tuple(expected(j, s, asked=False) for j, s in slots)
            self._opening[channel] = found
        return found


def expected(journey: Journey, slot: Slot, *, asked: bool) -> Expected:
    """`slot` as something that a text may fill. `asked`: its question stands open."""
    name = f"{journey.journey}.{slot.name}"
    return Expected(slot=name, type=slot.type, options=slot.options, asked=asked, of=slot.of)


def compile_library(library: Library) -> Program:
    """A program for `library`. Closures are made when first needed and kept."""
    return Program(
        library=library,
        zone=ZoneInfo(library.rules.timezone),
        _values={},
        _guards={},
        _reads={},
        _texts={},
        _related={},
        _opening={},
        _members={member.staff_id: member for member in library.members},
        _kept={},
        _outlines={},
        _moments={},
        rules=rules_of(library),
        looked_back=looked_back(library),
        anchored=states_with(library, lambda outline: bool(outline.anchors)),
        with_exits=states_with(library, lambda outline: bool(outline.exits)),
        shares_floor=any(journey.focus.floor == "shared" for journey in library.journeys.values()),
    )


def _reachable(library: Library, name: str) -> list[Journey]:
    found: dict[str, Journey] = {}
    frontier = [name]
    while frontier and len(found) < RELATED_MAX:
        current = frontier.pop(0)
        journey = library.journeys.get(current)
        if journey is None or current in found:
            continue
        found[current] = journey
        for state in journey.states.values():
            frontier.extend(_begins(state))
    return list(found.values())


def _begins(state: State) -> list[str]:
    started = [action.journey for action in state.do if isinstance(action, StartJourney)]
    called = [state.doing.journey] if isinstance(state.doing, CallJourney) else []
    return called + started


def _is_entered_on(journey: Journey, channel: str) -> bool:
    """Whether what is said on `channel` may begin it. A repair is called by words that answer nothing."""
    return journey.channel == channel and journey.journey not in REPAIRS


def _fills_at_once(journey: Journey, slot: Slot) -> bool:
    """Whether a message that enters `journey` may name a value of `slot`: its keyword may stand among other words."""
    if slot.type == "text":
        return False
    return any(_names_a_value(way, slot) for way in journey.enter)


def _names_a_value(way: Entry, slot: Slot) -> bool:
    if isinstance(way, EventEntry):
        return way.event == "message"
    if not isinstance(way, KeywordEntry):
        return isinstance(way, IntentEntry)
    if way.match != "exact":
        return True
    spellings = [spelling.lower() for spellings in slot.options.values() for spelling in spellings]
    return any(spelling in keyword for spelling in (*slot.options, *spellings) for keyword in way.keywords)
