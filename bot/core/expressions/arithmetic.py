"""Numbers and times: `+ - * / %` and their null rules. Source: journey-language.md 2.7, 3.11."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal
from typing import TypeAlias, TypeGuard

from bot.core.expressions.values import KIND_NAMES, EvaluationFault, Value, kind_of

Number: TypeAlias = int | Decimal

PLACES_MAX = 6
NUMBER_MAX = 2**53 - 1
"""Greatest magnitude that arithmetic gives, the greatest JSON keeps exactly; beyond it `expr.size`."""
DURATION_MAX = timedelta(days=36_525)
"""A century; a longer duration is `expr.size`."""

# 16 integer digits and 6 places on both sides make at most 44 digits: every sum and product is exact, and a
# quotient of 60 digits cannot look like a tie when it is none.
_EXACT = Context(prec=60, rounding=ROUND_HALF_EVEN)
_STEPS = tuple(Decimal(f"1e-{places}") for places in range(PLACES_MAX + 1))
_SCALE = 10**PLACES_MAX


def is_number(value: object) -> TypeGuard[Number]:
    """Whether `value` is a number of ours; true and false are none."""
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def as_number(value: int | float | Decimal) -> Number:
    """`value` with at most six places, half to even; an int when it is whole.

    EvaluationFault: not finite, or greater than NUMBER_MAX.
    """
    exact = value if isinstance(value, int) else Decimal(repr(value)) if isinstance(value, float) else value
    if isinstance(exact, Decimal) and not exact.is_finite():
        raise EvaluationFault("expr.type", "不是有限的数")
    if not -NUMBER_MAX <= exact <= NUMBER_MAX:
        raise EvaluationFault("expr.size", f"数超过 {NUMBER_MAX}")
    if isinstance(exact, int):
        return exact
    rounded = exact.quantize(_STEPS[PLACES_MAX], context=_EXACT)
    whole = int(rounded)
    return whole if whole == rounded else rounded


def round_half_up(value: Number, places: int) -> Number:
    """`value` with `places` places (0 to 6), a half going away from zero as people expect (四舍五入)."""
    return as_number(Decimal(value).quantize(_STEPS[places], rounding=ROUND_HALF_UP, context=_EXACT))


def add(left: Value, right: Value) -> Value:
    """Numbers added; a duration added to a time, a date (whole days) or a duration. Null with null in it."""
    if left is None or right is None:
        return None
    if type(left) is int and type(right) is int:
        return as_number(left + right)
    if is_number(left) and is_number(right):
        return as_number(_EXACT.add(left, right))
    if isinstance(right, timedelta):
        return _later(left, right)
    if isinstance(left, timedelta):
        return _later(right, left)
    raise _cannot("+", left, right)


def subtract(left: Value, right: Value) -> Value:
    """Numbers subtracted; a duration taken off a time, date or duration; the duration between two of a kind."""
    if left is None or right is None:
        return None
    if is_number(left) and is_number(right):
        return as_number(_EXACT.subtract(left, right))
    if isinstance(right, timedelta):
        return _later(left, -right)
    if kind_of(left) == kind_of(right):
        return _between(left, right)
    raise _cannot("-", left, right)


def multiply(left: Value, right: Value) -> Value:
    """The product of two numbers, null with null in it."""
    pair = _numbers("*", left, right)
    return None if pair is None else as_number(_EXACT.multiply(*pair))


def divide(left: Value, right: Value) -> Value:
    """The quotient of two numbers, half to even at six places. Null with null in it, and by zero."""
    pair = _numbers("/", left, right)
    return None if pair is None or pair[1] == 0 else as_number(_EXACT.divide(*pair))


def modulo(left: Value, right: Value) -> Value:
    """The rest of a division towards minus infinity, so it has the sign of `right`. Null with null, and by zero."""
    pair = _numbers("%", left, right)
    if pair is None or pair[1] == 0:
        return None
    # Decimal's own `%` takes the sign of the left side, so whole millionths are divided instead.
    rest = _millionths(pair[0]) % _millionths(pair[1])
    return as_number(_EXACT.divide(rest, _SCALE))


def negate(value: Value) -> Value:
    """Minus a number or a duration, null of null."""
    if value is None:
        return None
    if is_number(value):
        return as_number(_EXACT.minus(value))
    if isinstance(value, timedelta):
        return -value
    raise EvaluationFault("expr.type", f"“-” 不能用于{KIND_NAMES[kind_of(value)]}")


OPERATORS: Mapping[str, Callable[[Value, Value], Value]] = {
    "+": add,
    "-": subtract,
    "*": multiply,
    "/": divide,
    "%": modulo,
}


def duration(count: Number, unit: timedelta) -> timedelta:
    """`count` times `unit`. EvaluationFault `expr.size`: longer than DURATION_MAX."""
    if not -(DURATION_MAX // unit) <= count <= DURATION_MAX // unit:
        raise EvaluationFault("expr.size", "时长超过一百年")
    return timedelta(microseconds=int(_EXACT.multiply(count, unit // timedelta(microseconds=1))))


def _numbers(op: str, left: Value, right: Value) -> tuple[Number, Number] | None:
    if left is None or right is None:
        return None
    if is_number(left) and is_number(right):
        return left, right
    raise _cannot(op, left, right)


def _millionths(value: Number) -> int:
    return int(_EXACT.multiply(value, _SCALE))


def _later(moment: Value, by: timedelta) -> Value:
    try:
        return _shifted(moment, by)
    except OverflowError:
        raise EvaluationFault("expr.size", "时间超出公元 1 至 9999 年") from None


def _shifted(moment: Value, by: timedelta) -> Value:
    match moment:
        case datetime():
            kind_of(moment)
            # In UTC: adding on the wall clock would be an hour off where a zone changes its offset.
            return moment.astimezone(UTC) + by
        case date():
            if by % timedelta(days=1):
                raise EvaluationFault("expr.type", "日期只能加减整天，用 days(n)")
            return moment + by
        case timedelta():
            total = moment + by
            if abs(total) > DURATION_MAX:
                raise EvaluationFault("expr.size", "时长超过一百年")
            return total
        case _:
            raise _cannot("+", moment, by)


def _between(left: Value, right: Value) -> timedelta:
    if isinstance(left, datetime) and isinstance(right, datetime):
        return left.astimezone(UTC) - right.astimezone(UTC)
    if isinstance(left, date) and isinstance(right, date):
        return left - right
    raise _cannot("-", left, right)


def _cannot(op: str, left: Value, right: Value) -> EvaluationFault:
    kinds = f"{KIND_NAMES[kind_of(left)]}与{KIND_NAMES[kind_of(right)]}"
    return EvaluationFault("expr.type", f"“{op}” 不能用于{kinds}")
