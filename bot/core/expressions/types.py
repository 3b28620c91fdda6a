"""Static types of expressions: what a name may hold, and what functions and filters take and give."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

from bot.core.expressions.values import Kind, Value

Path: TypeAlias = tuple[str, ...]

Type: TypeAlias = Kind | Literal["any"]
"""A kind of value, or `any`: known only when it is read. Every type allows null."""

TEXT: frozenset[Kind] = frozenset({"text"})
NUMBER: frozenset[Kind] = frozenset({"number"})
MOMENT: frozenset[Kind] = frozenset({"time", "date"})
DATE: frozenset[Kind] = frozenset({"date"})
DURATION: frozenset[Kind] = frozenset({"duration"})
BOOL: frozenset[Kind] = frozenset({"bool"})
LIST: frozenset[Kind] = frozenset({"list"})
SIZED: frozenset[Kind] = frozenset({"text", "list"})
ANYTHING: frozenset[Kind] = frozenset({"null", "bool", "number", "text", "time", "date", "duration", "list", "record"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A function or a filter; a filter's operand is its first argument.

    `takes` the kinds of each argument; the last `optional` of them may be left out. `gives` is None when the result
    has the types of its arguments. `absent` is the result when an argument is null, unless it is one that
    `sees_null`. `local`: it reads the scope too, so it cannot be worked out beforehand; `asks`: what
    it reads is a fact about the customer. `literal`: the arguments, by place, that must be written out as a text.
    `keywords`: arguments that are named, of which `required` may not be left out. `pushed`: a database can work it out,
    by the form that storage has for it.
    """

    name: str
    takes: tuple[frozenset[Kind], ...]
    run: Callable[..., Value]
    """Called with the scope and the arguments, whose kinds were checked against `takes`."""
    gives: Type | None
    optional: int = 0
    absent: Value = None
    sees_null: bool = False
    local: bool = False
    asks: bool = False
    literal: frozenset[int] = frozenset()
    keywords: Mapping[str, frozenset[Kind]] = field(default_factory=dict)
    required: frozenset[str] = frozenset()
    pushed: bool = False

    @property
    def counts(self) -> range:
        """The numbers of arguments that it may be called with."""
        return range(len(self.takes) - self.optional, len(self.takes) + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeEnv:
    """The names that may be read at some place. A path that begins a longer one is a record.

    `open_records`: records whose fields nobody declared, such as an event's; every field of theirs is `any`.
    `events`: the fields of every type of event that `count` may look into, with their types.
    """

    names: Mapping[Path, Type]
    open_records: frozenset[Path] = field(default_factory=frozenset)
    events: Mapping[str, Mapping[str, Type]] = field(default_factory=dict)

    def type_of(self, path: Path) -> Type | None:
        """The type of `path`, None when there is no such name."""
        declared = self.names.get(path)
        if declared is not None:
            return declared
        if path in self.open_records or any(known[: len(path)] == path for known in self.names):
            return "record"
        below_open = any(path[:end] in self.open_records for end in range(1, len(path)))
        below_any = any(self.names.get(path[:end]) == "any" for end in range(1, len(path)))
        return "any" if below_open or below_any else None

    def beside(self, path: Path) -> tuple[str, ...]:
        """The names that could have stood where `path` goes wrong, sorted: those of its deepest known record."""
        depth = next(
            (end for end in range(len(path) - 1, 0, -1) if self.type_of(path[:end]) == "record"),
            0,
        )
        known = {*self.names, *self.open_records}
        return tuple(sorted({name[depth] for name in known if len(name) > depth and name[:depth] == path[:depth]}))

    def with_name(self, name: str, type_: Type) -> "TypeEnv":
        """The same with one root more, as inside a `for`."""
        kept = {path: known for path, known in self.names.items() if path[0] != name}
        opened = frozenset(path for path in self.open_records if path[0] != name)
        return replace(self, names={**kept, (name,): type_}, open_records=opened)
