"""What marketers declare (types of slots, variables, attributes, fields of events) as expressions see it.

Values are stored as JSON, which knows neither dates nor times: here they become what they were declared to be.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import TypeAlias, cast

from bot.core.events import Json
from bot.core.expressions.arithmetic import as_number
from bot.core.expressions.types import Path, Type
from bot.core.expressions.values import EvaluationFault, Value, kind_of

Read: TypeAlias = Callable[[object], Value]

TYPES: Mapping[str, Type] = {
    "text": "text",
    "choice": "text",
    "number": "number",
    "money": "number",
    "bool": "bool",
    "date": "date",
    "time": "text",
    "datetime": "time",
    "phone_cn": "text",
    "plate_cn": "text",
    "vin": "text",
    "id_cn": "text",
    "city": "text",
    "entity": "text",
    "image": "text",
    "file": "text",
    "location": "record",
    "record": "any",
    "list": "list",
}
"""The type in expressions of everything that can be declared. A `time` is a text such as `09:30`, in the order of the
clock; a `datetime` is a time; an `image` and a `file` are the text by which the platform knows them."""

FIELDS: Mapping[str, Mapping[str, Type]] = {"location": {"lat": "number", "lng": "number", "name": "text"}}
"""The fields of what is declared as a record of known fields."""

EVENT_FIELDS: Mapping[str, Mapping[str, str]] = {
    "message": {"kind": "text"},
    "oa.follow": {"scene": "text"},
    "oa.scan": {"scene": "text"},
    "oa.unfollow": {},
    "oa.click": {"key": "text"},
    "oa.view": {"url": "text"},
    "link.clicked": {"link": "text"},
    "lead.opened": {"stage": "text", "journey": "text"},
    "task.done": {"result": "text", "journey": "text", "staff_id": "text"},
    "task.overdue": {"journey": "text"},
    "handoff.accepted": {"journey": "text", "staff_id": "text"},
    "handoff.closed": {"journey": "text", "staff_id": "text"},
    "segment.entered": {"segment": "text"},
    "schedule.due": {"journey": "text"},
    "api": {"entry": "text"},
    "booking.created": {},
    "booking.moved": {},
    "booking.cancelled": {},
}
"""Events of the engine and of the channels that may be counted, with the fields that are kept of them when a `where`
reads them. What customers wrote is never kept beside the inbox."""


def names_of(path: Path, declared: str) -> dict[Path, Type]:
    """What may be read where something of the type `declared` stands at `path`: itself, or the fields of a record."""
    fields = FIELDS.get(declared)
    return {path: TYPES[declared]} if fields is None else {(*path, name): kind for name, kind in fields.items()}


def default_of(declared: str, default: Json) -> Value:
    """What expressions read in the place of a value that is not stored; null when no default was declared."""
    read = reader_of(declared)
    return cast(Value, default) if read is None else read(default)  # what JSON holds is a value of ours


def fitting(value: object, declared: str) -> object:
    """Stored JSON as a value of the type `declared`, null when it is of another kind; so the fields of a record."""
    fields, read = FIELDS.get(declared), reader_of(declared)
    found = _of_kind(value, TYPES[declared], read)
    if fields is None or not isinstance(found, Mapping):
        return found
    return {name: _of_kind(one, fields[name], None) if name in fields else one for name, one in found.items()}


def _of_kind(value: object, kind: Type, read: Read | None) -> object:
    """`value`, read, null when it is of another kind or no number of ours."""
    try:
        found = value if read is None else read(value)
        if found is None or kind == "any":
            return found
        if isinstance(found, int | float | Decimal) and not isinstance(found, bool):
            as_number(found)
            return found if kind == "number" else None
        return found if kind_of(found) == kind else None
    except EvaluationFault:
        return None


def reader_of(declared: str) -> Read | None:
    """What turns stored JSON into a value of the type `declared`; None: JSON is the value already."""
    return _READERS.get(declared)


def read_date(value: object) -> Value:
    """The date `2026-12-01`. EvaluationFault `expr.type`: it is none; null stays null."""
    if value is None or type(value) is date:
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise EvaluationFault("expr.type", "存下的不是日期") from None


def read_moment(value: object) -> Value:
    """The time that ISO 8601 tells, with its offset. EvaluationFault `expr.type`: it is none; null stays null."""
    if value is None or isinstance(value, datetime):
        return value
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError:
        raise EvaluationFault("expr.type", "存下的不是时间") from None
    if found.utcoffset() is None:
        raise EvaluationFault("expr.type", "存下的时间没有时区")
    return found


_READERS: Mapping[str, Read] = {"date": read_date, "datetime": read_moment}
