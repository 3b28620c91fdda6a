"""Journeys that differ in one guard, one wait or one goto from the right one."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import timedelta
from typing import Any, Literal  # Any: fields of any value of a journey

from bot.core.expressions.tree import Both, Compare, Constant, Expression, Node, Not
from bot.core.journey import Journey
from bot.core.times import Working

TARGETS = frozenset({"goto", "then", "otherwise", "give_up", "fallback", "fail", "full", "exit"})
SPANS = frozenset({"span", "after", "accept_within", "within", "max_age"})
GUARDS = frozenset({"when", "check", "audience"})
_OPPOSITE: Mapping[str, str] = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "=="}
Kind = Literal["goto", "wait", "guard"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """`what` tells the change: where, what it was, what it is."""

    kind: Kind
    what: str
    journey: Journey


def mutants(journey: Journey) -> Iterator[Mutant]:
    """Every journey that is one change away from `journey`, in a fixed order."""
    for kind, what, changed in _changes(journey, journey, journey.journey):
        yield Mutant(kind=kind, what=what, journey=changed)


def _changes(journey: Journey, value: Any, place: str) -> Iterator[tuple[Kind, str, Any]]:  # Any: as above
    """`value` with one change, for each change that there is in it."""
    if is_dataclass(value) and not isinstance(value, type):
        for one in fields(value):
            below = getattr(value, one.name)
            if below == one.default:
                continue  # nobody has written it into the file
            for kind, what, changed in _of_field(journey, one.name, below, f"{place}.{one.name}"):
                yield kind, what, replace(value, **{one.name: changed})
    elif isinstance(value, tuple):
        for number, element in enumerate(value):
            for kind, what, changed in _changes(journey, element, f"{place}[{number + 1}]"):
                yield kind, what, (*value[:number], changed, *value[number + 1 :])
    elif isinstance(value, Mapping):
        for name, element in value.items():
            for kind, what, changed in _changes(journey, element, f"{place}.{name}"):
                yield kind, what, {**value, name: changed}


def _of_field(journey: Journey, name: str, value: Any, place: str) -> Iterator[tuple[Kind, str, Any]]:  # Any: as above
    if name in TARGETS and isinstance(value, str) and value:
        other = _other_state(journey, value)
        yield "goto", f"{place}: {value} → {other}", other
    elif name in SPANS and isinstance(value, timedelta):
        for length in (value / 2, value * 2):
            yield "wait", f"{place}: {value} → {length}", length
    elif name in SPANS and isinstance(value, Working):
        longer = replace(value, hours=value.hours * 2, days=value.days * 2)
        yield "wait", f"{place}: {value} → {longer}", longer
    elif name in GUARDS and isinstance(value, Expression):
        for what, tree in _trees(value.tree):
            yield "guard", f"{place}: {value.source} → {what}", replace(value, tree=tree)
    elif not isinstance(value, Expression):
        yield from _changes(journey, value, place)


def _other_state(journey: Journey, target: str) -> str:
    """The state that stands behind `target` in the file, or the first."""
    names = list(journey.states)
    place = names.index(target) if target in names else -1
    return names[(place + 1) % len(names)]


def _trees(tree: Node) -> Iterator[tuple[str, Node]]:
    """The guard the other way round, and with each of its comparisons a little off."""
    yield "not", Not(operand=tree)
    yield from _inner(tree)


def _inner(tree: Node) -> Iterator[tuple[str, Node]]:
    match tree:
        case Compare(op=op, right=right):
            if op in ("<", "<=", ">", ">="):
                yield f"{_OPPOSITE[op]}", replace(tree, op=_OPPOSITE[op])
                if isinstance(right, Constant) and isinstance(right.value, int):
                    for off in (-1, 1):
                        yield f"{off:+}", replace(tree, right=Constant(value=right.value + off))
        case Both(op=op, operands=operands):
            yield "and/or", replace(tree, op="or" if op == "and" else "and")
            for number, operand in enumerate(operands):
                for what, changed in _inner(operand):
                    yield what, replace(tree, operands=(*operands[:number], changed, *operands[number + 1 :]))
        case Not(operand=operand):
            for what, changed in _inner(operand):
                yield what, Not(operand=changed)
        case _:
            return
