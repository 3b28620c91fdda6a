"""The tree of an expression, and of a template. Plain data: serialisable, hashable, without behaviour.

Jinja2 parses, `bot.authoring.expressions` builds this tree; closures (`evaluate`) and, later, SQL are made from it.
"""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Literal as OneOf
from typing import TypeAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class Constant:
    value: "str | int | Decimal | bool | None"


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """A value of a scope: `path` is `("slots", "need")` for `slots.need`, `("now",)` for `now`."""

    path: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compare:
    op: OneOf["==", "!=", "<", "<=", ">", ">=", "in", "not in"]
    left: "Node"
    right: "Node"


@dataclass(frozen=True, slots=True, kw_only=True)
class Not:
    operand: "Node"


@dataclass(frozen=True, slots=True, kw_only=True)
class Both:
    """`and` or `or` of two or more operands, evaluated left to right, stopping early."""

    op: OneOf["and", "or"]
    operands: tuple["Node", ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Arithmetic:
    op: OneOf["+", "-", "*", "/", "%"]
    left: "Node"
    right: "Node"


@dataclass(frozen=True, slots=True, kw_only=True)
class Negative:
    operand: "Node"


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """`a ~ b`: texts put together; null is empty."""

    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """`then if condition else otherwise`."""

    condition: "Node"
    then: "Node"
    otherwise: "Node"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListOf:
    elements: tuple["Node", ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    name: str
    operand: "Node"
    arguments: tuple["Node", ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    name: str
    arguments: tuple["Node", ...] = ()
    keywords: tuple[tuple[str, "Node"], ...] = ()


Node: TypeAlias = (
    Constant | Name | Compare | Not | Both | Arithmetic | Negative | Joined | Choice | ListOf | Filter | Call
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """A whole expression with the text it was written as, which `why` shows."""

    source: str
    tree: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """`{{ expression }}` in a template."""

    tree: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class If:
    """`{% if %} … {% elif %} … {% else %} … {% endif %}`."""

    branches: tuple[tuple[Node, tuple["Part", ...]], ...]
    otherwise: tuple["Part", ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class For:
    """`{% for name in list %}`; the name is a scope of its own inside the body."""

    name: str
    over: Node
    body: tuple["Part", ...]


Part: TypeAlias = str | Output | If | For


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A text with values in it. A `str` part stands for itself."""

    source: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventCall:
    """What `count(event, within=…, where=…)` or `last(event)` asks. `source`: as it is printed, which names its answer.

    `count`: how often `event` came in the last `within`, the moment that long ago not included, as far as `where`
    holds for its fields. `last`: when it came last; `within` is None.
    """

    source: str
    kind: OneOf["count", "last"]
    event: str
    within: timedelta | None = None
    where: Node | None = None
