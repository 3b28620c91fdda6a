"""Values as they stand in the narrow rows, and as they are compared with them."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from bot.core.audiences import KeptEvents, Searched
from bot.core.customer import Customer
from bot.core.events import Json
from bot.core.expressions.arithmetic import as_number
from bot.core.expressions.declared import read_date, read_moment
from bot.core.expressions.ground import NUMBER_SEARCHED_MAX
from bot.core.expressions.types import Type
from bot.core.expressions.values import EvaluationFault
from bot.core.library import Attribute
from bot.core.segments import stored_of
from bot.storage.audience_forms import ONE
from bot.storage.moments import micros

WORDS_MAX = 1_000
"""Characters of a text that are kept to be searched: far more than anybody compares with."""
_MICROSECOND = timedelta(microseconds=1)
_UNSTORABLE = {0: "\ufffd"}


@dataclass(frozen=True, slots=True, kw_only=True)
class NarrowRows:
    """What is kept of one customer: values by name, as words or as a whole number, and marks by kind."""

    values: Mapping[str, tuple[str | None, int | None]]
    marks: frozenset[tuple[str, str]]


def narrow_rows(customer: Customer, searched: Searched, attributes: Mapping[str, Attribute]) -> NarrowRows:
    """What `searched` asks to be kept of `customer`."""
    return NarrowRows(values=dict(_values(customer, searched, attributes)), marks=frozenset(_marks(customer, searched)))


def _values(
    customer: Customer, searched: Searched, attributes: Mapping[str, Attribute]
) -> Iterator[tuple[str, tuple[str | None, int | None]]]:
    for name in searched.present:
        if stored_of(customer, name, attributes) is not None:
            yield name, (None, None)
    for name, kind in searched.values.items():
        kept = _readable(customer, name, kind, attributes)
        if kept is not None:
            yield name, (kept, None) if isinstance(kept, str) else (None, kept)


def _readable(customer: Customer, name: str, kind: Type, attributes: Mapping[str, Attribute]) -> str | int | None:
    try:
        value = stored_of(customer, name, attributes)
        return None if value is None else encoded(value, kind)
    except EvaluationFault:
        return None  # of another kind than what is asked for: `bot.core.segments` reads nothing there either


def _marks(customer: Customer, searched: Searched) -> Iterator[tuple[str, str]]:
    yield from (("tag", tag) for tag in searched.tags & customer.tags)
    for purpose in searched.consents:
        consent = customer.consents.get(purpose)
        if consent is not None and consent.granted:
            yield "consent", purpose
    yield from (("segment", key) for key in searched.segments if customer.segments.get(key))


def encoded(value: object, kind: Type) -> str | int:
    """`value` as its rows hold it. EvaluationFault: it is of another kind, or a number that is no number of ours."""
    match kind, value:
        case "text", str():
            return value.translate(_UNSTORABLE)[:WORDS_MAX]
        case "bool", bool():
            return int(value)
        case "number", int() | float() | Decimal() if not isinstance(value, bool):
            millionths = int(Decimal(as_number(value)) * ONE)
            return max(-NUMBER_SEARCHED_MAX * ONE, min(NUMBER_SEARCHED_MAX * ONE, millionths))
        case "time", datetime():
            return micros(value)
        case "date", date() if not isinstance(value, datetime):
            return value.toordinal()
        case "duration", timedelta():
            return value // _MICROSECOND
        case _:
            raise EvaluationFault("expr.type", "查询的值不是它声明的类型")


def kept_fields(fields: Mapping[str, Json], kept: KeptEvents) -> str:
    """The fields of an event that somebody asks for, as JSON. Those of another kind than declared are left out."""
    found: dict[str, str | int] = {}
    for name, kind in kept.fields.items():
        try:
            value = _typed(fields.get(name), kind)
            if value is not None:
                found[name] = encoded(value, kind)
        except EvaluationFault:
            continue
    return json.dumps(found, ensure_ascii=False, sort_keys=True)


def _typed(value: Json, kind: Type) -> object:
    match kind:
        case "date":
            return read_date(value)
        case "time":
            return read_moment(value)
        case _:
            return value
