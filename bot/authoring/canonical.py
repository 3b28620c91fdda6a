"""One text for one meaning: what a library says, without how its files were laid out. Its hash is the release."""

import hashlib
import json
from collections.abc import Mapping, Sequence, Set
from dataclasses import fields, is_dataclass, replace
from datetime import date, time, timedelta
from decimal import Decimal

from bot.core.library import Content, Library

_ORDERED = frozenset({"options"})
"""Tables whose order has a meaning: a menu shows the options of a slot as they are written."""
_UNMEANT = frozenset({"source", "hash", "release"})
"""How an expression was spelt, and hashes of what stands here anyway."""


def canonical(library: Library) -> str:
    """JSON in which equal meanings are equal texts: keys are sorted, spelling, comments and layout are gone."""
    return _json(_plain(library))


def release_of(library: Library) -> str:
    """The hash of everything that the library says, 64 hexadecimal digits."""
    return hashlib.sha256(canonical(library).encode()).hexdigest()


def hashed(content: Content) -> Content:
    """`content` with the hash of its wording, which is kept as evidence of what a customer agreed to."""
    return replace(content, hash=hashlib.sha256(_json(_plain(content)).encode()).hexdigest())


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _plain(value: object, *, ordered: bool = False) -> object:
    """`value` as lists, tables and texts."""
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if is_dataclass(value) and not isinstance(value, type):
        return _record(value)
    if isinstance(value, Mapping):
        pairs = [[_plain(key), _plain(one)] for key, one in value.items()]
        return pairs if ordered else sorted(pairs, key=_json)
    if isinstance(value, Set):
        return sorted((_plain(one) for one in value), key=_json)
    if isinstance(value, Sequence):
        return [_plain(one) for one in value]
    if isinstance(value, timedelta):
        return {"seconds": int(value.total_seconds())}
    if isinstance(value, Decimal):
        return {"number": str(value.normalize())}
    if isinstance(value, date):
        return {"date": value.isoformat()}
    if isinstance(value, time):
        return {"time": value.isoformat()}
    raise TypeError(f"{type(value).__name__} has no canonical form")


def _record(value: object) -> dict[str, object]:
    assert is_dataclass(value), "only records come here"
    record: dict[str, object] = {"is": type(value).__name__}
    for one in fields(value):
        if one.name not in _UNMEANT:
            record[one.name] = _plain(getattr(value, one.name), ordered=one.name in _ORDERED)
    if "states" in record:
        # The order of states has no meaning but for the first.
        record["initial"] = getattr(value, "initial", None)
    return record
