"""How much one enrolment may carry. Source: journey-language.md 3.10."""

from collections.abc import Mapping

from bot.core.events import Json
from bot.core.expressions.values import EvaluationFault
from bot.core.step.copies import Run

VARS_BYTES_MAX = 64 * 1024
"""Bytes of all variables, answers and returned values of an enrolment; what would go beyond is not kept, and is the
error `expr.size` of its journey."""
_NUMBER_BYTES = 8
_SIZED = (str, list, dict)


def check_room(run: Run, added: Mapping[str, Json]) -> None:
    """EvaluationFault: `run` would carry more than it may with the values `added` as well."""
    if not [1 for value in added.values() if isinstance(value, _SIZED)]:
        return
    check_size({"vars": {**run.values, **added}, "slots": run.slots, "saved": run.saved})


def check_size(values: Mapping[str, Json]) -> None:
    """EvaluationFault: these values are more than an enrolment may carry."""
    if values and _bytes(dict(values)) > VARS_BYTES_MAX:
        raise EvaluationFault("expr.size", f"变量总量超过 {VARS_BYTES_MAX // 1024} KB")


def _bytes(value: Json) -> int:
    match value:
        case str():
            return len(value.encode())
        case list():
            return sum(_bytes(one) for one in value)
        case dict():
            return sum(len(name.encode()) + _bytes(one) for name, one in value.items())
        case _:
            return _NUMBER_BYTES
