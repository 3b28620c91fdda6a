"""Statecharts of the subset that our journeys share with SCXML, drawn at random, each told in two ways.

`journey_of` says a chart as a journey, `machine_of` as a machine of `python-statemachine`. What is shared, and what is
not, stands in `test_against_statemachine.py`.
"""

import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Literal  # Any: definitions of machines are untyped trees

from statemachine import StateChart
from statemachine.io import create_machine_class_from_definition

from bot.core import actions as say
from bot.core.entries import EventEntry, Reentry
from bot.core.expressions.tree import Arithmetic, Compare, Constant, Expression, Joined, Name
from bot.core.journey import Journey
from bot.core.slots import Var
from bot.core.states import Arm, Branch, Doing, End, Group, On, State, Wait
from bot.core.step.emitting import EMITTED_MAX
from bot.core.step.machine import MICROSTEPS_MAX
from tests.unit.step.dice import Dice

JOURNEY, GROUP, BEGIN, WAITED = "chart", "g", "x.begin", "waited"
EVENTS = ("x.a", "x.b", "x.c")
ENDS = ("good", "bad")
NUMBERS = ("a", "b")
STATES_MAX = 7
_OPS: Mapping[Literal["<", "==", "!=", ">="], Callable[[Any, Any], bool]] = {  # Any: numbers
    "<": operator.lt,
    "==": operator.eq,
    "!=": operator.ne,
    ">=": operator.ge,
}


@dataclass(frozen=True, slots=True)
class Guard:
    """`place` compared with a number: a variable, how often a state was visited, or the field `n` of the event."""

    place: tuple[str, str]
    op: Literal["<", "==", "!=", ">="]
    number: int

    def expression(self) -> Expression:
        node = Compare(op=self.op, left=Name(path=self.place), right=Constant(value=self.number))
        return Expression(source=f"{'.'.join(self.place)} {self.op} {self.number}", tree=node)


@dataclass(frozen=True, slots=True)
class Change:
    """A new value for the variable `name`: a number, another variable with something added, or one more letter."""

    name: str
    of: str = ""
    number: int = 0
    letter: str = ""

    def expression(self) -> Expression:
        if self.letter:
            left = Name(path=("vars", "log"))
            return Expression(source="log", tree=Joined(parts=(left, Constant(value=self.letter))))
        if not self.of:
            return Expression(source="number", tree=Constant(value=self.number))
        left = Name(path=("vars", self.of))
        return Expression(source="sum", tree=Arithmetic(op="+", left=left, right=Constant(value=self.number)))

    def value(self, values: Mapping[str, Any]) -> object:  # Any: numbers, and the text of `log`
        if self.letter:
            return values["log"] + self.letter
        return values[self.of] + self.number if self.of else self.number


Act = tuple[Change, ...] | str
"""Variables that change together, or the type of an event that is emitted with `a` as its `n`."""


@dataclass(frozen=True, slots=True)
class Reaction:
    """`target` empty: stay. `again`: leave the state and enter it again."""

    event: str
    when: Guard | None
    acts: tuple[Act, ...]
    target: str = ""
    again: bool = False


@dataclass(frozen=True, slots=True)
class Node:
    """`arms`: ways on that need no event, the last without a guard. `then`: where the wait leads, empty: for ever."""

    name: str
    when: Guard | None
    otherwise: str
    acts: tuple[Act, ...]
    arms: tuple[tuple[Guard | None, str], ...]
    then: str
    reactions: tuple[Reaction, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """The first node is where it begins; `grouped` nodes make one compound state, with `history` or without."""

    nodes: tuple[Node, ...]
    grouped: tuple[str, ...]
    history: bool
    reactions: tuple[Reaction, ...]

    def heard(self) -> frozenset[str]:
        """The types of events that somebody listens for."""
        return frozenset(one.event for node in self.nodes for one in node.reactions) | {
            one.event for one in self.reactions
        }


# drawing


def chart(dice: Dice) -> Chart:
    """A chart of up to `STATES_MAX` states."""
    names = tuple(f"s{number}" for number in range(1 + dice.throw() % STATES_MAX))
    first, last = dice.throw() % len(names), dice.throw() % (len(names) + 1)
    grouped, history = names[first:last], dice.throw() % 2 == 1
    # Whoever goes to her own group with history stays where she is, in SCXML goes where she was when it was left.
    inside = (*names, *names, *ENDS)
    outside = (*inside, GROUP, GROUP) if grouped else inside
    inside = inside if history else outside
    nodes = tuple(_node(dice, name, names, inside if name in grouped else outside) for name in names)
    if history:
        nodes = tuple(_kept_inside(node, grouped) if node.name in grouped else node for node in nodes)
    reactions = tuple(_reaction(dice, names, inside) for _ in range(dice.throw() % 3)) if grouped else ()
    return Chart(nodes=nodes, grouped=grouped, history=history, reactions=reactions)


def _kept_inside(node: Node, grouped: tuple[str, ...]) -> Node:
    """A state that is passed by leads on within its group: we were never there, for SCXML that was the last place."""
    return node if node.otherwise in grouped else replace(node, otherwise=grouped[-1])


def _node(dice: Dice, name: str, names: tuple[str, ...], to: tuple[str, ...]) -> Node:
    kind = dice.throw() % 5
    arms: tuple[tuple[Guard | None, str], ...] = ()
    if kind in (2, 3):
        arms = (*((_guard(dice, names), dice.pick(to)) for _ in range(dice.throw() % 3)), (None, dice.pick(to)))
    found = tuple(_reaction(dice, names, to) for _ in range(dice.throw() % 4))
    again = tuple(replace(one, target="", again=True) if dice.throw() % 6 == 5 else one for one in found)
    return Node(
        name=name,
        when=_guard(dice, names) if dice.throw() % 4 == 3 else None,
        otherwise=dice.pick(to),
        acts=(letter(name), *_acts(dice)),
        arms=arms,
        then=dice.pick(to) if kind in (1, 4) else "",
        reactions=again,
    )


def letter(name: str) -> Act:
    """Every state writes its name, so that the order of all that happens can be read."""
    return (Change(name="log", letter=f"{name}."),)


def _reaction(dice: Dice, names: tuple[str, ...], to: tuple[str, ...]) -> Reaction:
    when = dice.throw() % 2 == 1
    return Reaction(
        event=dice.pick(EVENTS),
        when=(_of_event(dice) if dice.throw() % 3 == 0 else _guard(dice, names)) if when else None,
        acts=_acts(dice),
        target=dice.pick((*to, "", "")),
    )


def _acts(dice: Dice) -> tuple[Act, ...]:
    return tuple(_act(dice) for _ in range(dice.throw() % 3))


def _act(dice: Dice) -> Act:
    if dice.throw() % 4 == 3:
        return dice.pick(EVENTS)
    names = dice.pick([("a",), ("b",), ("a", "b"), ("b", "a")])
    return tuple(Change(name=name, of=dice.pick(("", "a", "b")), number=dice.throw() % 3 - 1) for name in names)


def _guard(dice: Dice, names: tuple[str, ...]) -> Guard:
    place = dice.pick([("vars", "a"), ("vars", "b"), ("counts", dice.pick(names))])
    return Guard(place=place, op=dice.pick(tuple(_OPS)), number=dice.throw() % 3)


def _of_event(dice: Dice) -> Guard:
    return Guard(place=("event", "n"), op=dice.pick(("==", "!=")), number=dice.throw() % 3)


# as a journey


def journey_of(told: Chart) -> Journey:
    states = {node.name: _state(node, GROUP if node.name in told.grouped else "") for node in told.nodes}
    ends = {label: State(name=label, doing=End(label=label)) for label in ENDS}
    group = Group(
        name=GROUP,
        initial=told.grouped[0] if told.grouped else "",
        resume="last" if told.history else "first",
        events=tuple(_on(one) for one in told.reactions),
    )
    return Journey(
        journey=JOURNEY,
        name=JOURNEY,
        channel="oa",
        states={**states, **ends},
        enter=(EventEntry(event=BEGIN),),
        reentry=Reentry(allow="never"),
        vars={**{name: Var(type="number", default=0) for name in NUMBERS}, "log": Var(type="text", default="")},
        groups={GROUP: group} if told.grouped else {},
    )


def _state(node: Node, group: str) -> State:
    doing: Doing | None = Wait(span=timedelta(hours=1)) if node.then else Wait()
    if node.arms:
        arms = tuple(Arm(when=when.expression() if when else None, goto=goto) for when, goto in node.arms)
        doing = Branch(arms=arms) if len(arms) > 1 else None
    return State(
        name=node.name,
        when=node.when.expression() if node.when else None,
        otherwise=node.otherwise,
        do=tuple(_action(act) for act in node.acts),
        doing=doing,
        then=node.arms[0][1] if len(node.arms) == 1 else node.then,
        events=tuple(_on(one) for one in node.reactions),
        group=group,
    )


def _action(act: Act) -> say.Action:
    if isinstance(act, str):
        return say.Emit(event=act, fields=(("n", Expression(source="vars.a", tree=Name(path=("vars", "a")))),))
    return say.SetValues(values=tuple((f"vars.{one.name}", one.expression()) for one in act))


def _on(one: Reaction) -> On:
    return On(
        event=one.event,
        when=one.when.expression() if one.when else None,
        do=tuple(_action(act) for act in one.acts),
        goto=one.target,
        reenter=one.again,
    )


# as a machine of python-statemachine


class Endless(Exception):
    """The machine made more steps over one event than a journey may."""


@dataclass(slots=True)
class Carried:
    """What a machine carries, and what it did over the last event. `state` belongs to the library."""

    heard: frozenset[str]
    state: Any = None  # Any: the library's own
    values: dict[str, Any] = field(default_factory=lambda: {"a": 0, "b": 0, "log": ""})  # Any: as `Change.value`
    counts: dict[str, int] = field(default_factory=dict)
    entered: list[str] = field(default_factory=list)
    written: list[tuple[str, object]] = field(default_factory=list)
    emitted: int = 0

    def begin(self) -> None:
        """Another event comes."""
        self.entered, self.written, self.emitted = [], [], 0

    def arrive(self, name: str) -> None:
        if len(self.entered) == MICROSTEPS_MAX:
            raise Endless
        self.entered.append(name)

    def leave(self, name: str) -> None:
        self.counts[name] = self.counts.get(name, 0) + 1

    def change(self, changes: Iterable[Change]) -> None:
        found = [(one.name, one.value(self.values)) for one in changes]
        self.values.update(found)
        self.written += [(f"vars.{name}", value) for name, value in found]

    def holds(self, guard: Guard, n: object) -> bool:
        root, name = guard.place
        if root == "event":
            return _OPS[guard.op](n, guard.number)
        return _OPS[guard.op](self.values[name] if root == "vars" else self.counts.get(name, 0), guard.number)


def machine_of(told: Chart) -> tuple[StateChart[Carried], Carried]:
    """A machine that has begun, and what it carries."""
    carried = Carried(heard=told.heard())
    top: dict[str, Any] = {}  # Any: as the library's definitions are
    within: dict[str, Any] = {}  # Any: as above
    for node in told.nodes:
        (within if node.name in told.grouped else top)[node.name] = _definition(told, node, carried)
        if told.grouped and node.name == told.grouped[0]:
            top[GROUP] = {"states": within, "on": _heard(told, told.reactions, GROUP, carried)}
    first = told.nodes[0].name
    top[GROUP if first in told.grouped else first]["initial"] = True
    if within:
        within[told.grouped[0]]["initial"] = True
    if within and told.history:
        top[GROUP]["history"] = {f"{GROUP}_last": {"transitions": [{"target": told.grouped[0]}]}}
    for label in ENDS:
        top[label] = {"final": True, "enter": lambda label=label: carried.arrive(label)}
    made = create_machine_class_from_definition(
        "Told",
        top,
        catch_errors_as_events=False,
        validate_disconnected_states=False,
        validate_trap_states=False,
        validate_final_reachability=False,
    )
    return made(carried), carried


def _definition(told: Chart, node: Node, carried: Carried) -> dict[str, Any]:  # Any: as above
    """A state; one with `when` is a compound state that begins with the choice and goes on to the state itself."""
    acts = _doing(node.acts, carried)

    def enter(machine: StateChart[Carried]) -> None:
        carried.arrive(node.name)
        acts(machine)

    itself: dict[str, Any] = {"exit": lambda: carried.leave(node.name)}  # Any: as above
    itself["on"] = _heard(told, node.reactions, node.name, carried)
    itself["transitions"] = [_way(told, when, goto, carried) for when, goto in node.arms]
    if node.then and not node.arms:
        itself["on"][WAITED] = [{"target": _target(told, node.then)}]
    if node.when is None:
        return {**itself, "enter": enter}
    choice = [_way(told, node.when, f"{node.name}_in", carried), _way(told, None, node.otherwise, carried)]
    states = {
        f"{node.name}_gate": {"initial": True, "transitions": choice},
        f"{node.name}_in": {**itself, "enter": acts},
    }
    return {"states": states, "enter": lambda: carried.arrive(node.name)}


def _way(told: Chart, when: Guard | None, goto: str, carried: Carried) -> dict[str, Any]:  # Any: as above
    way = {"target": _target(told, goto)}
    return way if when is None else {**way, "cond": lambda: carried.holds(when, None)}


def _target(told: Chart, goto: str) -> str:
    return f"{GROUP}_last" if goto == GROUP and told.history else goto


def _heard(told: Chart, reactions: tuple[Reaction, ...], own: str, carried: Carried) -> dict[str, Any]:  # Any: as above
    found: dict[str, Any] = {}  # Any: as above
    for one in reactions:
        target = own if one.again else _target(told, one.target)
        # On its way to a history that remembers nothing yet, the library does `on` of a way in twice.
        moment = "before" if target.endswith("_last") else "on"
        way: dict[str, Any] = {"target": target or None, moment: _doing(one.acts, carried)}  # Any: as above
        if one.when is not None:
            way["cond"] = lambda n=None, when=one.when: carried.holds(when, n)
        found.setdefault(one.event, []).append(way)
    return found


def _doing(acts: tuple[Act, ...], carried: Carried) -> Callable[[StateChart[Carried]], None]:
    def perform(machine: StateChart[Carried]) -> None:
        for act in acts:
            if not isinstance(act, str):
                carried.change(act)
            elif act in carried.heard:
                if carried.emitted == EMITTED_MAX:
                    raise Endless
                carried.emitted += 1
                machine.raise_(act, n=carried.values["a"])

    return perform
