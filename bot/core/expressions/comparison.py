"""`== != < <= > >= in` and their null rules. Source: journey-language.md 2.7."""

import operator
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeAlias

from bot.core.expressions.values import KIND_NAMES, EvaluationFault, Kind, Value, elements, kind_of

ORDERED: frozenset[Kind] = frozenset({"number", "text", "time", "date", "duration"})
COMPARABLE: frozenset[Kind] = ORDERED | {"bool"}

_SAME_AT_ONCE = frozenset({str, int, bool})


def same(left: Value, right: Value) -> bool:
    """Whether both are equal. Null equals null only; values of different kinds are unequal, so 1 is not true.

    Lists are equal element by element. EvaluationFault `expr.type`: a record, or a list within a list.
    """
    if left is None or right is None:
        return left is right
    if type(left) is type(right) and type(left) in _SAME_AT_ONCE:
        return left == right
    kind = kind_of(left)
    if kind_of(right) != kind:
        return False
    if kind in COMPARABLE:
        return _instant(left) == _instant(right)
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        return len(left) == len(right) and all(map(_same_elements, elements(left), elements(right)))
    raise EvaluationFault("expr.type", f"{KIND_NAMES[kind]}不能比较")


def contained(needle: Value, hay: Value) -> bool:
    """Whether a list has an element that is the same. False when either is null. EvaluationFault: `hay` is no list."""
    if needle is None or hay is None:
        return False
    if not isinstance(hay, list | tuple):
        raise EvaluationFault("expr.type", f"in 的右边要是列表，得到{KIND_NAMES[kind_of(hay)]}")
    return any(same(needle, element) for element in elements(hay))


def different(left: Value, right: Value) -> bool:
    """The opposite of `same`."""
    return not same(left, right)


def not_contained(needle: Value, hay: Value) -> bool:
    """The opposite of `contained`: true with a null, as `not (x in list)` is."""
    return not contained(needle, hay)


_ORDERED_AT_ONCE = frozenset({int, str, Decimal, date, timedelta})


_Comparing: TypeAlias = Callable[[Any, Any], bool]  # Any: that two values of one kind have an order, no type says


def _ordering(compare: _Comparing) -> Callable[[Value, Value], bool]:
    def ordered(left: Value, right: Value) -> bool:
        if left is None or right is None:
            return False
        if type(left) is type(right) and type(left) in _ORDERED_AT_ONCE:
            return compare(left, right)
        kind = kind_of(left)
        if kind != kind_of(right) or kind not in ORDERED:
            kinds = f"{KIND_NAMES[kind]}与{KIND_NAMES[kind_of(right)]}"
            raise EvaluationFault("expr.type", f"{kinds}不能比较大小")
        return compare(_instant(left), _instant(right))

    return ordered


COMPARISONS: Mapping[str, Callable[[Value, Value], bool]] = {
    "==": same,
    "!=": different,
    "<": _ordering(operator.lt),
    "<=": _ordering(operator.le),
    ">": _ordering(operator.gt),
    ">=": _ordering(operator.ge),
    "in": contained,
    "not in": not_contained,
}
"""Every comparison by its sign. The ordered ones are false with a null, and EvaluationFault between different kinds."""


def _instant(value: Value) -> Value:
    # Python compares wall clocks when both sides share one zone, which is wrong in a repeated hour.
    return value.astimezone(UTC) if isinstance(value, datetime) else value


def _same_elements(left: Value, right: Value) -> bool:
    if isinstance(left, list | tuple) or isinstance(right, list | tuple):
        raise EvaluationFault("expr.type", "列表里的列表不能比较")
    return same(left, right)
