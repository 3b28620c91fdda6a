"""Values that are made by the hundred in every step, made faster."""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields
from typing import ParamSpec, TypeVar, cast

S = TypeVar("S")
T = TypeVar("T")
P = ParamSpec("P")
_ABSENT = object()
_LITERALS: Mapping[object, str] = {list: "[]", dict: "{}"}
"""What makes the same as these factories, faster."""


def quickly_made(kind: type[T]) -> type[T]:
    """The frozen, slotted, keyword-only dataclass `kind`, with a constructor that takes half the time.

    Python's own sets every field of a frozen value through a function. Ours turns the new value, which nobody knows
    yet, into an open twin with the same slots, sets its fields plainly, and turns it back: then it is frozen as any.
    Worth its while from five fields on. TypeError: `kind` inherits from another class, whose slots its twin lacks.
    """
    known = _known(kind) | {"_turn": object.__setattr__}
    lines = [
        f"def __init__(self, *, {', '.join(map(_parameter, _fields(kind)))}):",
        "    _turn(self, '__class__', _twin)",
        *(f"    self.{field.name} = {_value(field)}" for field in _fields(kind)),
        "    self.__class__ = _kind",
    ]
    exec("\n".join(lines), known)  # noqa: S102 - nothing but names of fields of our own, as in `dataclasses`
    kind.__init__ = known["__init__"]  # type: ignore[method-assign, assignment] # with the parameters it had
    return kind


def maker(kind: Callable[P, T]) -> Callable[P, T]:
    """A function that makes values of the slotted, keyword-only dataclass `kind`, as calling it would.

    For the innermost of a step: a call of a class packs its keywords into a dict and unpacks them again, a call of a
    function does not. It takes less than half the time. TypeError as in `quickly_made`.
    """
    known = _known(kind) | {"_new": object.__new__}
    lines = [
        f"def make(*, {', '.join(map(_parameter, _fields(kind)))}):",
        "    made = _new(_twin)",
        *(f"    made.{field.name} = {_value(field)}" for field in _fields(kind)),
        "    made.__class__ = _kind",
        "    return made",
    ]
    exec("\n".join(lines), known)  # noqa: S102 - as above
    return cast(Callable[P, T], known["make"])  # with the parameters of `kind`


def copier(source: type[S], target: type[T], **through: Callable[..., object]) -> Callable[[S], T]:
    """A function that makes a `target` out of a `source` with the same fields, for dataclasses as above.

    A field named in `through` is given to that function on the way. TypeError: one has a field that the other lacks.
    """
    alone = {field.name for field in _fields(target)} ^ {field.name for field in _fields(source)}
    if alone:
        raise TypeError(f"only one of {source} and {target} has {sorted(alone)}")
    known = _known(target) | {"_new": object.__new__} | {f"_through_{name}": one for name, one in through.items()}
    taken = {name: f"_through_{name}(of.{name})" for name in through}
    lines = [
        "def copy(of):",
        "    made = _new(_twin)",
        *(f"    made.{field.name} = {taken.get(field.name, f'of.{field.name}')}" for field in _fields(target)),
        "    made.__class__ = _kind",
        "    return made",
    ]
    exec("\n".join(lines), known)  # noqa: S102 - as above
    return cast(Callable[[S], T], known["copy"])  # which takes a `source` and gives a `target`


def changer(kind: type[T]) -> Callable[..., T]:
    """A function that does with values of `kind` what `dataclasses.replace` does, in a fraction of the time.

    TypeError as in `quickly_made`; of the function: `kind` has no such field.
    """
    known = _known(kind) | {"_new": object.__new__}
    lines = [
        f"def change(of, *, {', '.join(f'{field.name}=_absent' for field in _fields(kind))}):",
        "    made = _new(_twin)",
        *(
            f"    made.{field.name} = of.{field.name} if {field.name} is _absent else {field.name}"
            for field in _fields(kind)
        ),
        "    made.__class__ = _kind",
        "    return made",
    ]
    exec("\n".join(lines), known)  # noqa: S102 - as above
    return cast(Callable[..., T], known["change"])  # which gives a `kind`


def _known(kind: Callable[..., object]) -> dict[str, object]:
    """The names that a constructor of `kind` reads: the class, its open twin, defaults."""
    if not isinstance(kind, type) or kind.__bases__ != (object,):
        raise TypeError(f"{kind} inherits from another class")
    if hasattr(kind, "__post_init__"):
        raise TypeError(f"{kind} has more to do when it is made")
    twin = type(kind.__name__, (), {"__slots__": tuple(field.name for field in _fields(kind))})
    known: dict[str, object] = {"_kind": kind, "_twin": twin, "_absent": _ABSENT}
    for field in _fields(kind):
        known |= {f"_default_{field.name}": field.default, f"_make_{field.name}": field.default_factory}
    return known


def _fields(kind: object) -> tuple[Field[object], ...]:
    return fields(kind)  # type: ignore[arg-type] # a type cannot say that it must be a dataclass


def _parameter(field: Field[object]) -> str:
    if field.default_factory is not MISSING:
        return f"{field.name}=_absent"
    return field.name if field.default is MISSING else f"{field.name}=_default_{field.name}"


def _value(field: Field[object]) -> str:
    if field.default_factory is MISSING:
        return field.name
    if field.default_factory in _LITERALS:
        return f"{_LITERALS[field.default_factory]} if {field.name} is _absent else {field.name}"
    return f"_make_{field.name}() if {field.name} is _absent else {field.name}"
