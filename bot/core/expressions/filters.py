"""The filters that expressions may use. A closed list, as the functions are."""

from collections.abc import Mapping
from datetime import date, datetime

from bot.core.expressions import wording
from bot.core.expressions.arithmetic import PLACES_MAX, Number, round_half_up
from bot.core.expressions.types import ANYTHING, LIST, MOMENT, NUMBER, SIZED, TEXT, Operation
from bot.core.expressions.values import EvaluationFault, Scope, Value, elements, zone_of

LIST_SEPARATOR = "、"

_SPACE = " \t\r\n\u3000\u00a0"


def _lower(scope: Scope, text: str) -> str:
    return wording.lower(text)


def _upper(scope: Scope, text: str) -> str:
    return wording.upper(text)


def _trim(scope: Scope, text: str) -> str:
    return text.strip(_SPACE)


def _length(scope: Scope, sized: "str | list[Value] | tuple[Value, ...]") -> int:
    return len(sized)


def _default(scope: Scope, value: Value, instead: Value) -> Value:
    return instead if value is None else value


def _round(scope: Scope, number: Number, places: Number = 0) -> Number:
    if places not in range(PLACES_MAX + 1):
        raise EvaluationFault("expr.type", f"round 的位数是 0 到 {PLACES_MAX} 的整数")
    return round_half_up(number, int(places))


def _join(scope: Scope, values: "list[Value] | tuple[Value, ...]", separator: str = LIST_SEPARATOR) -> str:
    return wording.joined(elements(values), separator, scope)


def _date(scope: Scope, moment: date) -> str:
    local = moment.astimezone(zone_of(scope)) if isinstance(moment, datetime) else moment
    return wording.day_text(local)


def _when(scope: Scope, moment: date) -> str:
    return wording.when_text(moment, zone_of(scope))


def _money(scope: Scope, yuan: Number) -> str:
    return wording.money_text(yuan)


def _mask_phone(scope: Scope, text: str) -> str:
    return wording.mask_phone(text)


FILTERS: Mapping[str, Operation] = {
    operation.name: operation
    for operation in (
        Operation(name="lower", takes=(TEXT,), run=_lower, gives="text", pushed=True),
        Operation(name="upper", takes=(TEXT,), run=_upper, gives="text", pushed=True),
        Operation(name="trim", takes=(TEXT,), run=_trim, gives="text", pushed=True),
        Operation(name="length", takes=(SIZED,), run=_length, gives="number", pushed=True),
        Operation(name="default", takes=(ANYTHING, ANYTHING), run=_default, gives=None, sees_null=True, pushed=True),
        Operation(name="round", takes=(NUMBER, NUMBER), run=_round, gives="number", optional=1, pushed=True),
        Operation(name="join", takes=(LIST, TEXT), run=_join, gives="text", optional=1, local=True),
        Operation(name="date", takes=(MOMENT,), run=_date, gives="text", local=True),
        Operation(name="when", takes=(MOMENT,), run=_when, gives="text", local=True),
        Operation(name="money", takes=(NUMBER,), run=_money, gives="text"),
        Operation(name="mask_phone", takes=(TEXT,), run=_mask_phone, gives="text"),
    )
}
"""`default` replaces null alone; `round` takes a half away from zero; `join` puts 、 between, or its argument, and
leaves nulls out; `date` is `2026年12月3日`, `when` `12月3日 周四 10:00`, both in the customer's zone; `money` takes
yuan and gives `¥9,800` or `12.98万`; `mask_phone` gives `138****8000`. Null gives null, which renders empty."""
