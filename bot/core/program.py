"""A library with its expressions turned into closures: what a step runs on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.core.actions import StartJourney
from bot.core.events import Json
from bot.core.expressions.evaluate import Guard, compile_expression, compile_guard, compile_reads, compile_time
from bot.core.expressions.render import Render, compile_template
from bot.core.expressions.tree import Expression, Template
from bot.core.expressions.values import Scope, Value
from bot.core.ids import StaffId
from bot.core.journey import CallJourney, Entry, EventEntry, Journey, KeywordEntry, Slot, State
from bot.core.library import Content, GlobalRules, Library, Member
from bot.core.understood import Expected

RELATED_MAX = 50
"""Journeys that one journey may start or call, directly or through others, and still be listened for."""


@dataclass(frozen=True, slots=True)
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
    _ranked: tuple[Journey, ...]
    _keywords: Mapping[str, tuple[tuple[Journey, KeywordEntry], ...]]
    _related: dict[str, tuple[Expected, ...]]
    _opening: dict[str, tuple[Expected, ...]]
    _members: Mapping[StaffId, Member]

    @property
    def rules(self) -> GlobalRules:
        return self.library.rules

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
        return compile_time(expression)(scope)

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

    def ranked(self) -> tuple[Journey, ...]:
        """All journeys by priority, of equal ones in the order of the files."""
        return self._ranked

    def keyword_entries(self, channel: str) -> tuple[tuple[Journey, KeywordEntry], ...]:
        """The ways into journeys of this channel by keyword, in the order of `ranked`."""
        return self._keywords.get(channel, ())

    def opening(self, channel: str) -> tuple[Expected, ...]:
        """Slots that the very message which begins a journey of this channel may fill."""
        found = self._opening.get(channel)
        if found is None:
            journeys = [journey for journey in self.library.journeys.values() if journey.channel == channel]
            slots = [(j, s) for j in journeys for s in j.slots.values() if _fills_at_once(j, s)]
            found = tuple(expected(j, s, asked=False) for j, s in slots)
            self._opening[channel] = found
        return found


def expected(journey: Journey, slot: Slot, *, asked: bool) -> Expected:
    """`slot` as something that a text may fill. `asked`: its question stands open."""
    return Expected(slot=f"{journey.journey}.{slot.name}", type=slot.type, options=slot.options, asked=asked)


def compile_library(library: Library) -> Program:
    """A program for `library`. Closures are made when first needed and kept."""
    ranked = tuple(sorted(library.journeys.values(), key=lambda journey: -journey.focus.priority))
    return Program(
        library=library,
        zone=ZoneInfo(library.rules.timezone),
        _values={},
        _guards={},
        _reads={},
        _texts={},
        _ranked=ranked,
        _keywords=_keyword_entries(ranked),
        _related={},
        _opening={},
        _members={member.staff_id: member for member in library.members},
    )


def _keyword_entries(journeys: tuple[Journey, ...]) -> dict[str, tuple[tuple[Journey, KeywordEntry], ...]]:
    found: dict[str, list[tuple[Journey, KeywordEntry]]] = {}
    for journey in journeys:
        for way in journey.enter:
            if isinstance(way, KeywordEntry):
                found.setdefault(journey.channel, []).append((journey, way))
    return {channel: tuple(ways) for channel, ways in found.items()}


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


def _fills_at_once(journey: Journey, slot: Slot) -> bool:
    """Whether a message that enters `journey` may name a value of `slot`: its keyword may stand among other words."""
    if slot.type == "text":
        return False
    return any(_names_a_value(way, slot) for way in journey.enter)


def _names_a_value(way: Entry, slot: Slot) -> bool:
    if isinstance(way, EventEntry):
        return way.event == "message"
    if way.match != "exact":
        return True
    spellings = [spelling.lower() for spellings in slot.options.values() for spelling in spellings]
    return any(spelling in keyword for spelling in (*slot.options, *spellings) for keyword in way.keywords)
