"""What an expression works on: the kinds of values, the scope they come from, and the fault it may end in."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Literal, Protocol, TypeAlias, cast

from bot.core.catalogue import Price
from bot.core.events import Json
from bot.core.expressions.tree import EventCall

Value: TypeAlias = (
    "bool | int | Decimal | str | datetime | date | timedelta | list[Value] | tuple[Value, ...] "
    "| Mapping[str, Value] | None"
)

Scope: TypeAlias = Mapping[str, object]
"""Roots by name: records (`slots`, `customer`, …) are mappings, `now` is an aware datetime, `today` a date.

Two keys are not for marketers: `zone`, the customer's tzinfo, and `__host__`, a `Host`. A key that is absent, at
any depth, reads as null; a float reads as the decimal it prints as.
"""

HOST = "__host__"
ZONE = "zone"

TEXT_MAX = 20_000
"""Characters of one text that an expression makes or a template renders; beyond it EvaluationFault `expr.size`."""
LIST_MAX = 1_000
"""Elements that `in`, `join` or `for` look at; beyond it EvaluationFault `expr.size`."""

Kind = Literal["null", "bool", "number", "text", "time", "date", "duration", "list", "record"]

KIND_NAMES: Mapping[Kind, str] = {
    "null": "空值",
    "bool": "真/假",
    "number": "数",
    "text": "文字",
    "time": "时间",
    "date": "日期",
    "duration": "时长",
    "list": "列表",
    "record": "记录",
}

FaultCode = Literal["expr.type", "expr.null", "expr.size"]


class EvaluationFault(Exception):
    """An expression met a value that it cannot work with. `code` is the name of the journey error it becomes.

    `message` is Chinese, for the journey's owner, and tells kinds and names, never values.
    """

    def __init__(self, code: FaultCode, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code: FaultCode = code
        self.message = message


class Host(Protocol):
    """Answers the functions that ask about the customer rather than about their arguments."""

    def has_tag(self, tag: str) -> bool:
        """Whether the customer carries `tag`."""
        ...

    def has_consent(self, purpose: str) -> bool:
        """Whether she has granted consent for `purpose` and not withdrawn it."""
        ...

    def in_segment(self, segment: str) -> bool:
        """Whether the condition of `segment` holds for her now."""
        ...

    def happened(self, call: EventCall) -> "int | datetime | None":
        """How often, or when last, what `call` asks for happened to her."""
        ...

    def open_slots(self, on: date, resource: str) -> "tuple[datetime, ...]":
        """When her dealer has a place free on that day, of `resource` or, when it is empty, of what it has."""
        ...

    def price(self, model: str, trim: str) -> Price | None:
        """What a car costs today, None: nobody may name a price for it today."""
        ...


_PLAIN_KINDS: Mapping[type, Kind] = {
    type(None): "null",
    bool: "bool",
    int: "number",
    Decimal: "number",
    str: "text",
    timedelta: "duration",
    list: "list",
    tuple: "list",
    dict: "record",
}


def kind_of(value: object) -> Kind:
    """The kind of `value`. EvaluationFault `expr.type`: no kind of ours, or a datetime without a zone."""
    plain = _PLAIN_KINDS.get(type(value))
    return _unusual_kind(value) if plain is None else plain


def _unusual_kind(value: object) -> Kind:
    match value:
        case datetime():
            if value.utcoffset() is None:
                raise EvaluationFault("expr.type", "时间没有时区")
            return "time"
        case date():
            return "date"
        case str():
            return "text"
        case int() | Decimal():
            return "number"
        case Mapping():
            return "record"
        case list() | tuple():
            return "list"
        case _:
            raise EvaluationFault("expr.type", f"不认识的值类型 {type(value).__name__}")


def elements(value: "list[Value] | tuple[Value, ...]") -> "list[Value] | tuple[Value, ...]":
    """The elements of a list, at most LIST_MAX of them. EvaluationFault `expr.size`: it has more."""
    if len(value) > LIST_MAX:
        raise EvaluationFault("expr.size", f"列表超过 {LIST_MAX} 项")
    return value


def bounded(text: str) -> str:
    """`text` itself. EvaluationFault `expr.size`: it is longer than TEXT_MAX characters."""
    if len(text) > TEXT_MAX:
        raise EvaluationFault("expr.size", f"文字超过 {TEXT_MAX} 字")
    return text


def zone_of(scope: Scope) -> tzinfo:
    """The customer's zone. EvaluationFault `expr.null`: the scope has none."""
    zone = scope.get(ZONE)
    if not isinstance(zone, tzinfo):
        raise EvaluationFault("expr.null", "没有客户时区")
    return zone


def host_of(scope: Scope) -> Host:
    """Who answers for the customer. EvaluationFault `expr.null`: nobody does in this scope."""
    host = scope.get(HOST)
    if host is None:
        raise EvaluationFault("expr.null", "这里没有客户")
    return cast(Host, host)  # whoever builds a scope puts a Host there; asking a Protocol costs more than the guard


def to_json(value: Value) -> Json:
    """`value` as it is stored in variables and journals.

    Decimals become floats, exact below 10⁹; times ISO 8601 in UTC, dates ISO 8601, durations seconds.
    EvaluationFault: no kind of ours.
    """
    match value:
        case None | bool() | int() | str():
            return value
        case Decimal():
            return float(value)
        case datetime():
            return value.astimezone(UTC).isoformat()
        case date():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case list() | tuple():
            return [to_json(element) for element in elements(value)]
        case Mapping():
            return {name: to_json(field) for name, field in value.items()}
        case _:
            raise EvaluationFault("expr.type", f"不认识的值类型 {type(value).__name__}")
