"""The functions that expressions may call. A closed list: what does not stand here cannot be called."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta

from bot.core.expressions.arithmetic import Number, duration
from bot.core.expressions.patterns import compile_pattern
from bot.core.expressions.types import ANYTHING, MOMENT, NUMBER, SIZED, TEXT, Operation
from bot.core.expressions.values import Scope, Value, host_of, zone_of

NOT_BUILT = frozenset({"in_segment", "count", "last"})
"""Functions of the language that this version cannot run yet, and says so; `dealer.*` beside them."""
NOT_BUILT_ROOTS = frozenset({"dealer"})


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


FUNCTIONS: Mapping[str, Operation] = {
    operation.name: operation
    for operation in (
        Operation(name="has", takes=(ANYTHING,), run=_has, gives="bool", sees_null=True),
        Operation(name="length", takes=(SIZED,), run=_length, gives="number"),
        Operation(name="has_tag", takes=(TEXT,), run=_has_tag, gives="bool", absent=False, local=True, asks=True),
        Operation(
            name="has_consent", takes=(TEXT,), run=_has_consent, gives="bool", absent=False, local=True, asks=True
        ),
        Operation(name="days", takes=(NUMBER,), run=_days, gives="duration"),
        Operation(name="hours", takes=(NUMBER,), run=_hours, gives="duration"),
        Operation(name="minutes", takes=(NUMBER,), run=_minutes, gives="duration"),
        Operation(name="weekday", takes=(MOMENT,), run=_weekday, gives="number", local=True),
        Operation(name="matches", takes=(TEXT, TEXT), run=_matches, gives="bool", absent=False, literal=frozenset({1})),
    )
}
"""`weekday` is 1 (Monday) to 7. `matches` asks whether the whole text fits the pattern. Null gives null, and false
where a bool is given; `has` is whether a value is there."""
