"""Turns frozen dataclasses into plain JSON values and back, by functions made once for every class.

A field that holds its default is left out, and a field that is missing gets its default: so rows stay small, and
rows written before a field existed still open. Moments become microseconds. A class is refused when it is
compiled, not when a row is read, if one of its types is not understood.
"""

import dataclasses
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Generic, TypeVar  # Any: what JSON holds is known only once it is taken apart

from bot.core.events import Json
from bot.storage.moments import micros, moment

T = TypeVar("T")
Turn = Callable[[Any], Any]  # Any: one side is JSON, the other the type of a field

_PLAIN = (str, int, float, bool, type(None))


class _Nothing:
    """Stands for `no such field` and `no default`, since None is a value."""


_NOTHING = _Nothing()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Turns:
    """How one type is packed and unpacked. None: its values are JSON already."""

    pack: Turn | None = None
    unpack: Turn | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Shape(Generic[T]):
    """How values of one class are packed and unpacked."""

    pack: Callable[[T], dict[str, Json]]
    unpack: Callable[[Any], T]  # Any: JSON that was read


def shape_of(kind: type[T], *, without: frozenset[str] = frozenset()) -> Shape[T]:
    """The shape of a dataclass. `without`: fields in columns of their own; not packed, and put in to be unpacked.

    TypeError: a field has a type that is not understood.
    """
    turns = _dataclass_turns(kind, without)
    if turns.pack is None or turns.unpack is None:
        raise TypeError(f"{kind} is no dataclass")
    return Shape(pack=turns.pack, unpack=turns.unpack)


def _dataclass_turns(kind: Any, without: frozenset[str] = frozenset()) -> _Turns:  # Any: a type form
    hints = typing.get_type_hints(kind)
    kept = [field for field in dataclasses.fields(kind) if field.name not in without]
    turns = {field.name: _turns(hints[field.name]) for field in kept}
    defaults = {field.name: _default(field) for field in kept}
    always = [(name, turns[name].pack) for name in defaults if isinstance(defaults[name], _Nothing)]
    unless = [(name, one, turns[name].pack) for name, one in defaults.items() if not isinstance(one, _Nothing)]
    unpacking = {name: turn.unpack for name, turn in turns.items()} | dict.fromkeys(without)

    def unpack(packed: Any) -> Any:  # Any: JSON in, an instance of `kind` out
        parts = {}
        for name, part in packed.items():
            turn = unpacking.get(name, _NOTHING)
            if turn is None:
                parts[name] = part
            elif turn is not _NOTHING:
                parts[name] = turn(part)
        return kind(**parts)

    return _Turns(pack=_packing(always, unless), unpack=unpack)


def _packing(always: Sequence[tuple[str, Turn | None]], unless: Sequence[tuple[str, object, Turn | None]]) -> Turn:
    """The function that packs a class, written out field by field: it runs for every value of every row.

    `always`: fields that are always written; `unless`: those that are left out when they hold their default.
    """
    known: dict[str, Any] = {}  # Any: what the function finds by name, and the function itself
    written = ", ".join(f"{name!r}: {_part(name, f'value.{name}', turn, known)}" for name, turn in always)
    lines = ["def pack(value):", f"    packed = {{{written}}}"]
    for name, default, turn in unless:
        known[f"_default_{name}"] = default
        lines += [
            f"    part = value.{name}",
            f"    if part is not _default_{name} and part != _default_{name}:",
            f"        packed[{name!r}] = {_part(name, 'part', turn, known)}",
        ]
    exec("\n".join([*lines, "    return packed"]), known)  # noqa: S102 - names of fields of ours, as in `dataclasses`
    found: Turn = known["pack"]
    return found


def _part(name: str, part: str, turn: Turn | None, known: dict[str, Any]) -> str:  # Any: as above
    if turn is None:
        return part
    known[f"_turn_{name}"] = turn
    return f"_turn_{name}({part})"


def _default(field: dataclasses.Field[Any]) -> object:  # Any: a field of any type
    if field.name == "kind":
        return _NOTHING  # written though it is a default: it tells the members of a union apart
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return _NOTHING if field.default is dataclasses.MISSING else field.default


def _turns(hint: Any) -> _Turns:  # Any: a type form
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if isinstance(hint, typing.NewType):
        return _turns(hint.__supertype__)
    if hint in _PLAIN or origin is typing.Literal or _is_json(hint):
        return _Turns()
    if hint is datetime:
        return _Turns(pack=micros, unpack=moment)
    if dataclasses.is_dataclass(hint):
        return _dataclass_turns(hint)
    if origin in (typing.Union, types.UnionType):
        return _union_turns(arguments)
    if origin is tuple:
        return _tuple_turns(arguments)
    if origin is frozenset:
        return _set_turns(arguments[0])
    if origin is Mapping and _turns(arguments[0]) == _Turns():
        return _mapping_turns(_turns(arguments[1]))
    raise TypeError(f"no way to store a {hint}")


def _is_json(hint: Any) -> bool:  # Any: a type form
    # `Json` names itself, so it reaches us as the text of the alias or as its first unfolding.
    if typing.get_origin(hint) in (list, dict):
        return _is_json(typing.get_args(hint)[-1])
    return hint == Json or isinstance(hint, (str, typing.ForwardRef))


def _union_turns(arguments: tuple[Any, ...]) -> _Turns:  # Any: type forms
    members = [argument for argument in arguments if argument is not type(None)]
    if len(members) == 1:
        return _optional(_turns(members[0]))
    if all(dataclasses.is_dataclass(member) for member in members):
        return _tagged_turns(members)
    if all(_turns(member) == _Turns() for member in members):
        return _Turns()
    raise TypeError(f"no way to tell apart {arguments}")


def _optional(turns: _Turns) -> _Turns:
    pack, unpack = turns.pack, turns.unpack
    if pack is None or unpack is None:
        return turns
    return _Turns(
        pack=lambda value: None if value is None else pack(value),
        unpack=lambda packed: None if packed is None else unpack(packed),
    )


def _tagged_turns(members: list[Any]) -> _Turns:  # Any: dataclasses with a `kind`
    packs: dict[object, Turn] = {}
    unpacks: dict[str, Turn] = {}
    for member in members:
        shape = shape_of(member)
        packs[member] = shape.pack
        unpacks[typing.get_args(typing.get_type_hints(member)["kind"])[0]] = shape.unpack
    return _Turns(
        pack=lambda value: packs[type(value)](value),
        unpack=lambda packed: unpacks[packed["kind"]](packed),
    )


def _tuple_turns(arguments: tuple[Any, ...]) -> _Turns:  # Any: type forms
    if arguments[-1] is not Ellipsis:
        if any(_turns(argument) != _Turns() for argument in arguments):
            raise TypeError(f"no way to store a tuple of {arguments}")
        return _Turns(pack=list, unpack=tuple)
    inner = _turns(arguments[0])
    pack, unpack = inner.pack, inner.unpack
    if pack is None or unpack is None:
        return _Turns(pack=list, unpack=tuple)
    return _Turns(
        pack=lambda values: [pack(value) for value in values],
        unpack=lambda packed: tuple([unpack(part) for part in packed]),
    )


def _set_turns(argument: Any) -> _Turns:  # Any: a type form
    if _turns(argument) != _Turns():
        raise TypeError(f"no way to store a set of {argument}")
    # Sorted, so that equal customers are equal bytes.
    return _Turns(pack=sorted, unpack=frozenset)


def _mapping_turns(inner: _Turns) -> _Turns:
    pack, unpack = inner.pack, inner.unpack
    if pack is None or unpack is None:
        return _Turns(pack=dict, unpack=dict)
    return _Turns(
        pack=lambda values: {key: pack(value) for key, value in values.items()},
        unpack=lambda packed: {key: unpack(part) for key, part in packed.items()},
    )
