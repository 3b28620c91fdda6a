"""Questions about what happened to a customer: `count(event, within=…, where=…)` and `last(event)`.

They are answered by the rows of `event_facts`, never by the scope: within a step their answers are facts.
"""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

from bot.core.expressions.source import to_source
from bot.core.expressions.tree import Arithmetic, Call, Constant, EventCall, Node
from bot.core.expressions.walk import WHERE, walk

WITHIN = "within"
WITHIN_MAX = timedelta(days=731)
"""Two years: the longest stretch that events are kept for, to be counted."""

_UNITS = {"days": timedelta(days=1), "hours": timedelta(hours=1), "minutes": timedelta(minutes=1)}


def event_call(node: Call) -> EventCall:
    """The question that `node` asks. ValueError: it is none, or is not written as the parser makes sure it is."""
    named = dict(node.keywords)
    event = node.arguments[0] if node.arguments else None
    if not isinstance(event, Constant) or not isinstance(event.value, str):
        raise ValueError(f"{node.name} does not name an event")
    match node.name:
        case "last":
            return EventCall(source=to_source(node), kind="last", event=event.value)
        case "count":
            within = written_duration(named[WITHIN])
            return EventCall(
                source=to_source(node), kind="count", event=event.value, within=within, where=named.get(WHERE)
            )
        case _:
            raise ValueError(f"{node.name} asks for no event")


def is_event_call(node: Node) -> bool:
    """Whether `node` asks what happened."""
    return isinstance(node, Call) and node.name in ("count", "last")


def event_calls(tree: Node) -> Iterator[EventCall]:
    """The questions in `tree`, in the order they are written in."""
    for node in walk(tree):
        if isinstance(node, Call) and is_event_call(node):
            yield event_call(node)


def written_duration(node: Node) -> timedelta:
    """The duration that is written out: `days(30)`, `hours(1) + minutes(30)`.

    ValueError: it is not, or is none between 1 minute and WITHIN_MAX.
    """
    found = _sum(node)
    if not timedelta(minutes=1) <= found <= WITHIN_MAX:
        raise ValueError("a duration out of its range")
    return found


def _sum(node: Node) -> timedelta:
    match node:
        case Arithmetic(op="+", left=left, right=right):
            return _sum(left) + _sum(right)
        case Call(name=name, arguments=(Constant(value=int() | Decimal() as count),)) if name in _UNITS:
            if isinstance(count, bool) or not 0 <= count <= WITHIN_MAX // _UNITS[name]:
                raise ValueError("a duration out of its range")
            return timedelta(microseconds=int(count * (_UNITS[name] // timedelta(microseconds=1))))
        case _:
            raise ValueError("no duration that is written out")
