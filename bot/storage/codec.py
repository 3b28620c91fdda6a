"""Core values as bytes, by orjson: exact both ways, and open to fields that are added later."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar  # Any: JSON that was read has no type yet

import orjson

from bot.core.arrival import Facts
from bot.core.customer import Customer
from bot.core.effects import RunErrand, SendMessage, Trace
from bot.core.events import Json
from bot.core.ids import CustomerId
from bot.errors import Spoilt, StorageError
from bot.storage.shapes import shape_of

T = TypeVar("T")

# These two stand in columns of their own, where the version is compared.
_CUSTOMER = shape_of(Customer, without=frozenset({"customer_id", "version"}))
_SEND = shape_of(SendMessage)
_ERRAND = shape_of(RunErrand)
_TRACE = shape_of(Trace)
_FACTS = shape_of(Facts)


def customer_bytes(customer: Customer) -> bytes:
    """The customer without id and version. Equal customers give equal bytes, whatever the order of their tags."""
    return _dump(_CUSTOMER.pack(customer), "customer")


def read_customer(packed: bytes, *, customer_id: CustomerId, version: int) -> Customer:
    """The customer of these bytes. Spoilt: they are not one."""

    def build(values: dict[str, Any]) -> Customer:  # Any: JSON
        return _CUSTOMER.unpack({**values, "customer_id": customer_id, "version": version})

    return _load(packed, build, "customer")


def send_bytes(effect: SendMessage) -> bytes:
    """A planned message with everything that is needed to send it and to fall back."""
    return _dump(_SEND.pack(effect), "effect")


def read_send(packed: bytes) -> SendMessage:
    """The planned message of these bytes. Spoilt: they are not one."""
    return _load(packed, _SEND.unpack, "effect")


def errand_bytes(effect: RunErrand) -> bytes:
    """An errand with everything that is needed to run it and to tell who asked."""
    return _dump(_ERRAND.pack(effect), "errand")


def read_errand(packed: bytes) -> RunErrand:
    """The errand of these bytes. Spoilt: they are not one."""
    return _load(packed, _ERRAND.unpack, "errand")


def entries_text(entries: Sequence[Trace]) -> str:
    """Lines of the journal as a JSON list."""
    return _dump([_TRACE.pack(entry) for entry in entries], "journal").decode()


def read_entries(text: str) -> tuple[Trace, ...]:
    """The lines of this JSON list."""
    return _load(text.encode(), lambda parts: tuple(_TRACE.unpack(part) for part in parts), "journal")


def facts_text(facts: Facts) -> str | None:
    """The facts a step asked for, None when it asked for none."""
    packed = _FACTS.pack(facts)
    return _dump(packed, "facts").decode() if packed else None


def read_facts(text: str | None) -> Facts:
    """The facts of this JSON object."""
    return Facts() if text is None else _load(text.encode(), _FACTS.unpack, "facts")


def json_bytes(value: Mapping[str, Json]) -> bytes:
    """Plain JSON."""
    return _dump(value, "fields")


def read_json(packed: bytes) -> dict[str, Json]:
    """The JSON object of these bytes. Spoilt: they hold something else."""
    return _load(packed, _mapping, "fields")


def _mapping(value: Any) -> dict[str, Json]:  # Any: JSON
    if not isinstance(value, dict):
        raise TypeError("not an object")
    return value


def _plain(value: object) -> Json:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"a {type(value).__name__} is no JSON")


def _dump(value: object, place: str) -> bytes:
    try:
        return orjson.dumps(value, default=_plain)
    except orjson.JSONEncodeError as error:
        # The value itself may be personal, so the message has only what orjson says of its type.
        raise StorageError(f"cannot be stored: {error}", where=place) from error


def _load(packed: bytes, build: Callable[[Any], T], place: str) -> T:  # Any: JSON
    try:
        return build(orjson.loads(packed))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise Spoilt(
            f"stored bytes do not make a value: {type(error).__name__}",
            kind="form",
            where=place,
            hint="the row was written by a newer program, or changed by hand",
        ) from error
