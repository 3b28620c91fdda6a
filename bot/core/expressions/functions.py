"""The functions that expressions may call. A closed list: what does not stand here cannot be called."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta

from bot.core.expressions.arithmetic import Number, duration
from bot.core.expressions.happenings import WITHIN
from bot.core.expressions.patterns import compile_pattern
from bot.core.expressions.tree import EventCall
from bot.core.expressions.types import ANYTHING, BOOL, DATE, DURATION, MOMENT, NUMBER, SIZED, TEXT, Operation, Type
from bot.core.expressions.values import Scope, Value, host_of, zone_of
from bot.core.expressions.walk import WHERE

FAMILIES = frozenset({"dealer", "car"})
"""What stands before the dot of functions such as `dealer.open_slots`; no name of a value."""


def _has(scope: Scope, value: Value) -> bool:
    return value is not None


def _length(scope: Scope, sized: "str | list[Value] | tuple[Value, ...]") -> int:
    return len(sized)


def _has_tag(scope: Scope, tag: str) -> bool:
    return host_of(scope).has_tag(tag)


def _has_consent(scope: Scope, purpose: str) -> bool:
    return host_of(scope).has_consent(purpose)


def _days(scope: Scope, count: Number) -> timedelta:
    return duration(count, timedelta(days=1))


def _hours(scope: Scope, count: Number) -> timedelta:
    return duration(count, timedelta(hours=1))


def _minutes(scope: Scope, count: Number) -> timedelta:
    return duration(count, timedelta(minutes=1))


def _weekday(scope: Scope, moment: date) -> int:
    local = moment.astimezone(zone_of(scope)) if isinstance(moment, datetime) else moment
    return local.isoweekday()


def _matches(scope: Scope, text: str, pattern: str) -> bool:
    return compile_pattern(pattern).matches(text)


def _in_segment(scope: Scope, segment: str) -> bool:
    return host_of(scope).in_segment(segment)


def _happened(scope: Scope, call: EventCall) -> Value:
    return host_of(scope).happened(call)


def _open_slots(scope: Scope, on: date, resource: str = "") -> "tuple[datetime, ...]":
    return host_of(scope).open_slots(on, resource)


def _price(scope: Scope, model: str, trim: str = "") -> Value:
    price = host_of(scope).price(model, trim)
    return price.amount if price is not None else None


def _basis(scope: Scope, model: str, trim: str = "") -> Value:
    price = host_of(scope).price(model, trim)
    return price.basis if price is not None else None


def _as_of(scope: Scope, model: str, trim: str = "") -> Value:
    price = host_of(scope).price(model, trim)
    return price.as_of if price is not None else None


def _of_car(name: str, run: Callable[..., Value], gives: Type) -> Operation:
    """Something that the catalogue says today of a car, by its name and perhaps its trim."""
    return Operation(name=name, takes=(TEXT, TEXT), run=run, gives=gives, optional=1, local=True, asks=True)


def _asking(
    name: str, run: Callable[..., Value], gives: Type, *, absent: Value = None, written: bool = False
) -> Operation:
    """A question about the customer that a database can answer as well. `written`: its text is a literal."""
    return Operation(
        name=name,
        takes=(TEXT,),
        run=run,
        gives=gives,
        absent=absent,
        local=True,
        asks=True,
        literal=frozenset({0}) if written else frozenset(),
        pushed=True,
    )


_COUNT = replace(
    _asking("count", _happened, "number", written=True),
    keywords={WITHIN: DURATION, WHERE: BOOL},
    required=frozenset({WITHIN}),
)
_OPEN_SLOTS = Operation(
    name="dealer.open_slots",
    takes=(DATE, TEXT),
    run=_open_slots,
    gives="list",
    optional=1,
    local=True,
    asks=True,
)


FUNCTIONS: Mapping[str, Operation] = {
    operation.name: operation
    for operation in (
        Operation(name="has", takes=(ANYTHING,), run=_has, gives="bool", sees_null=True, pushed=True),
        Operation(name="length", takes=(SIZED,), run=_length, gives="number", pushed=True),
        _asking("has_tag", _has_tag, "bool", absent=False),
        _asking("has_consent", _has_consent, "bool", absent=False),
        _asking("in_segment", _in_segment, "bool", absent=False, written=True),
        _COUNT,
        _asking("last", _happened, "time", written=True),
        Operation(name="days", takes=(NUMBER,), run=_days, gives="duration", pushed=True),
        Operation(name="hours", takes=(NUMBER,), run=_hours, gives="duration", pushed=True),
        Operation(name="minutes", takes=(NUMBER,), run=_minutes, gives="duration", pushed=True),
        Operation(name="weekday", takes=(MOMENT,), run=_weekday, gives="number", local=True, pushed=True),
        Operation(name="matches", takes=(TEXT, TEXT), run=_matches, gives="bool", absent=False, literal=frozenset({1})),
        _OPEN_SLOTS,
        _of_car("car.price", _price, "number"),
        _of_car("car.basis", _basis, "text"),
        _of_car("car.as_of", _as_of, "date"),
    )
}
"""`weekday` is 1 (Monday) to 7. `matches` asks whether the whole text fits the pattern. `count` and `last` are run with
an `EventCall` in the place of their arguments. `car.price` is in yuan, `car.basis` what kind of price it is and
`car.as_of` since when; all three are null unless the price holds today. Null gives null, and false where a bool is
given; `has` is whether a value is there."""
