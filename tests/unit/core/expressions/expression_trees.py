"""Trees of every sort for Hypothesis, and a scope with something right and something wrong of every kind."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from bot.core.expressions.comparison import COMPARISONS
from bot.core.expressions.filters import FILTERS
from bot.core.expressions.functions import FUNCTIONS
from bot.core.expressions.tree import (
    Arithmetic,
    Both,
    Call,
    Choice,
    Compare,
    Constant,
    Filter,
    Joined,
    ListOf,
    Name,
    Negative,
    Node,
    Not,
)
from bot.core.expressions.types import Operation, TypeEnv
from bot.core.expressions.values import Scope

NOW = datetime(2026, 12, 2, 18, 30, tzinfo=UTC)


class Nobody:
    """A host of a customer with one tag."""

    def has_tag(self, tag: str) -> bool:
        return tag == "a"

    def has_consent(self, purpose: str) -> bool:
        return False

    def open_slots(self, on: date, resource: str) -> tuple[datetime, ...]:
        return ()

    def price(self, model: str, trim: str) -> None:
        return None


SCOPE: Scope = {
    "slots": {"text": "养车", "nothing": None, "number": 5, "yes": True, "deep": {"x": 0.5}},
    "vars": {"list": ["a", 1, None, 0.25], "huge": 2**53, "far": 1e300, "odd": {1, 2}},
    "now": NOW,
    "today": date(2026, 12, 3),
    "wait": timedelta(hours=30),
    "naive": datetime(2026, 1, 1),  # noqa: DTZ001  a scope may be wrong, and must fault properly
    "zone": ZoneInfo("Asia/Shanghai"),
    "__host__": Nobody(),
}
ENV = TypeEnv(
    names={("slots", "text"): "text", ("slots", "number"): "number", ("slots", "yes"): "bool", ("now",): "time"},
    open_records=frozenset({("vars",)}),
)


def _canonical(value: str | int | Decimal | bool | None) -> str | int | Decimal | bool | None:
    """A whole decimal is read as an int, and decimals without closing zeros."""
    if not isinstance(value, Decimal):
        return value
    return int(value) if value == int(value) else value.normalize()


_NAMES = st.sampled_from(
    [
        "slots.text",
        "slots.nothing",
        "slots.number",
        "slots.yes",
        "slots.deep.x",
        "slots.deep",
        "slots.text.x",
        "vars.list",
        "vars.huge",
        "vars.far",
        "vars.odd",
        "vars.missing",
        "missing.x",
        "now",
        "today",
        "wait",
        "naive",
    ]
).map(lambda dotted: Name(path=tuple(dotted.split("."))))
_TEXTS = st.text(alphabet="ab1 '\"\\\n{}%养車\u3000", max_size=5)
_DECIMALS = st.integers(-(10**9), 10**9).map(lambda millionths: Decimal(millionths).scaleb(-6))
_NUMBERS = st.one_of(st.integers(-1_000, 1_000), st.integers(-(10**15) + 1, 10**15 - 1), _DECIMALS)
_CONSTANTS = st.one_of(st.none(), st.booleans(), _NUMBERS, _TEXTS).map(lambda value: Constant(value=_canonical(value)))


def _both(op: str, operands: list[Node]) -> Node:
    """As the parser makes it: no row of `and` stands in another."""
    flat: list[Node] = []
    for operand in operands:
        flat.extend(operand.operands if isinstance(operand, Both) and operand.op == op else [operand])
    return Both(op="and" if op == "and" else "or", operands=tuple(flat))


def _negative(operand: Node) -> Node:
    plain = isinstance(operand, Constant) and isinstance(operand.value, int | Decimal)
    return Not(operand=operand) if plain else Negative(operand=operand)


def _calls(operation: Operation, nodes: st.SearchStrategy[Node]) -> st.SearchStrategy[tuple[Node, ...]]:
    return st.sampled_from(operation.counts).flatmap(lambda count: st.tuples(*[nodes] * count))


def _operations(nodes: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    called = [
        _calls(operation, nodes).map(lambda arguments, name=operation.name: Call(name=name, arguments=arguments))
        for operation in FUNCTIONS.values()
        if not operation.literal
    ]
    filtered = [
        _calls(operation, nodes).map(
            lambda given, name=operation.name: Filter(name=name, operand=given[0], arguments=given[1:])
        )
        for operation in FILTERS.values()
    ]
    matched = nodes.map(lambda node: Call(name="matches", arguments=(node, Constant(value="a+|[养-车]*"))))
    return st.one_of(matched, *called, *filtered)


def _grown(nodes: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    several = st.lists(nodes, min_size=2, max_size=3)
    signs = st.sampled_from(sorted(COMPARISONS))
    return st.one_of(
        st.builds(lambda op, left, right: Compare(op=op, left=left, right=right), signs, nodes, nodes),
        st.builds(
            lambda op, left, right: Arithmetic(op=op, left=left, right=right), st.sampled_from("+-*/%"), nodes, nodes
        ),
        st.builds(_both, st.sampled_from(["and", "or"]), several),
        nodes.map(lambda node: Not(operand=node)),
        nodes.map(_negative),
        several.map(lambda parts: Joined(parts=tuple(parts))),
        st.lists(nodes, max_size=3).map(lambda elements: ListOf(elements=tuple(elements))),
        st.builds(lambda c, t, o: Choice(condition=c, then=t, otherwise=o), nodes, nodes, nodes),
        _operations(nodes),
    )


TREES: st.SearchStrategy[Node] = st.recursive(st.one_of(_NAMES, _CONSTANTS), _grown, max_leaves=12)


SCRAPS = st.lists(
    st.sampled_from(
        [
            "{{",
            "}}",
            "{%",
            "%}",
            "{#",
            "#}",
            "(",
            ")",
            "[",
            "]",
            "'",
            '"',
            "\\",
            "\n",
            " ",
            "and",
            "or",
            "not",
            "if",
            "else",
            "endif",
            "for",
            "in",
            "endfor",
            "variant",
            "again",
            "x",
            "slots.a",
            "1",
            "0.5",
            "==",
            "<",
            "+",
            "-",
            "*",
            "|",
            "lower",
            "has",
            ",",
            ".",
            "~",
            "is",
            "，",
            "“",
            "\x00",
            "\u2028",
            "raw",
            "set",
            "=",
            ":",
            "\\N{BULLET}",
            "\\ud800",
        ]
    ),
    max_size=25,
).map(" ".join)


def _of_kind(kind: str) -> st.SearchStrategy[Node]:
    """Trees that have the type `kind` and that the checker must find right."""
    return st.deferred(lambda: _KINDS[kind])


def _pair(make: Callable[[str, Node, Node], Node], signs: str, left: str, right: str) -> st.SearchStrategy[Node]:
    return st.builds(make, st.sampled_from(signs.split(",")), _of_kind(left), _of_kind(right))


def _compare(op: str, left: Node, right: Node) -> Node:
    return replace(_EQUAL, op=op, left=left, right=right)


def _arithmetic(op: str, left: Node, right: Node) -> Node:
    return replace(_PLUS, op=op, left=left, right=right)


def _call(name: str, kind: str) -> st.SearchStrategy[Node]:
    return _of_kind(kind).map(lambda node: Call(name=name, arguments=(node,)))


def _filter(name: str, *kinds: str) -> st.SearchStrategy[Node]:
    return st.tuples(*map(_of_kind, kinds)).map(lambda given: Filter(name=name, operand=given[0], arguments=given[1:]))


def _either(kind: str) -> st.SearchStrategy[Node]:
    one, other = _of_kind(kind), _of_kind(kind)
    return st.builds(lambda c, t, o: Choice(condition=c, then=t, otherwise=o), _of_kind("bool"), one, other)


_EQUAL = Compare(op="==", left=Constant(value=1), right=Constant(value=1))
_PLUS = Arithmetic(op="+", left=Constant(value=1), right=Constant(value=1))
_EVERY = "==,!=,<,<=,>,>="
_LEAVES: dict[str, st.SearchStrategy[Node]] = {
    "number": st.one_of(st.just(Name(path=("slots", "number"))), _NUMBERS.map(lambda value: Constant(value=value))),
    "text": st.one_of(st.just(Name(path=("slots", "text"))), _TEXTS.map(lambda value: Constant(value=value))),
    "bool": st.one_of(st.just(Name(path=("slots", "yes"))), st.booleans().map(lambda value: Constant(value=value))),
    "time": st.just(Name(path=("now",))),
    "duration": st.integers(0, 99).map(lambda count: Call(name="days", arguments=(Constant(value=count),))),
}
_KINDS: dict[str, st.SearchStrategy[Node]] = {
    "number": st.one_of(
        _LEAVES["number"],
        _pair(_arithmetic, "+,-,*,/,%", "number", "number"),
        _call("length", "text"),
        _call("weekday", "time"),
        _filter("round", "number"),
        _filter("default", "number", "number"),
        _either("number"),
    ),
    "text": st.one_of(
        _LEAVES["text"],
        _filter("lower", "text"),
        _filter("money", "number"),
        _filter("when", "time"),
        _filter("default", "text", "text"),
        st.tuples(_of_kind("text"), _of_kind("number"), _of_kind("bool")).map(lambda parts: Joined(parts=parts)),
        _either("text"),
    ),
    "bool": st.one_of(
        _LEAVES["bool"],
        _pair(_compare, _EVERY, "number", "number"),
        _pair(_compare, _EVERY, "text", "text"),
        _pair(_compare, _EVERY, "time", "time"),
        _pair(_compare, _EVERY, "duration", "duration"),
        _pair(_compare, "==,!=", "bool", "bool"),
        st.builds(_both, st.sampled_from(["and", "or"]), st.lists(_of_kind("bool"), min_size=2, max_size=3)),
        _of_kind("bool").map(lambda node: Not(operand=node)),
        _call("has", "number"),
        _call("has_tag", "text"),
    ),
    "time": st.one_of(_LEAVES["time"], _pair(_arithmetic, "+,-", "time", "duration"), _either("time")),
    "duration": st.one_of(_LEAVES["duration"], _pair(_arithmetic, "-", "time", "time"), _call("hours", "number")),
}

ANY_TREES: st.SearchStrategy[Node] = st.one_of(TREES, *_KINDS.values())
"""Trees of all sorts, most of which come to a value."""
GUARDS: st.SearchStrategy[Node] = _KINDS["bool"]
"""Conditions that the checker must find right in ENV."""
