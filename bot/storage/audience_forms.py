"""Conditions written as SQL, meaning exactly what their closures mean. Source: journey-language.md 2.7, 3.11.

Every function and filter that core declares as pushed has its form here, and no other has. What is given, that is
known before any customer is looked at, is a bound value, and so is every name. A tree of which `unpushable` finds
something is refused.
"""

# ruff: noqa: S608 - writing SQL is what this module is for; every name and value in it is bound

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Literal, TypeAlias, assert_never

from bot.core.expressions.ground import Ground, Reading
from bot.core.expressions.happenings import event_call
from bot.core.expressions.tree import (
    Arithmetic,
    Both,
    Call,
    Choice,
    Compare,
    Constant,
    EventCall,
    Filter,
    Joined,
    ListOf,
    Name,
    Negative,
    Node,
    Not,
)
from bot.core.expressions.types import Path, Type
from bot.core.expressions.values import Value

Dialect: TypeAlias = Literal["sqlite", "postgresql"]

ONE = 1_000_000
"""The number one, in the millionths that numbers are kept in."""
DAY = 86_400_000_000
"""A day in microseconds."""
SPACE = " \t\r\n\u3000\u00a0"
"""What `trim` takes away."""

_UPPER = "".join(chr(first + at) for first in (ord("A"), ord("Ａ")) for at in range(26))
_LOWER = "".join(chr(first + at) for first in (ord("a"), ord("ａ")) for at in range(26))
_FOLDS = {"lower": (_UPPER, _LOWER), "upper": (_LOWER, _UPPER)}
_PER_UNIT = {"days": 86_400, "hours": 3_600, "minutes": 60}
_NULL = "NULL"
_WHOLE_TYPE, _TEXT_TYPE = "BIGINT", "TEXT"


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A value that is worked out when the statement is run."""

    tree: Node
    kind: Type


@dataclass(frozen=True, slots=True, kw_only=True)
class Since:
    """The moment so long before the one at which the statement is run, in microseconds."""

    within: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Instead:
    """What an attribute is for whoever has none stored."""

    value: Value
    kind: Type


Bound: TypeAlias = str | int | Given | Since | Instead


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlWriter:
    """Writes one condition for one database. `bound`: its values by name, which grow as it is written.

    `of_event`: what is written is the `where` of a count, and reads the row `f` of `event_facts`.
    """

    dialect: Dialect
    reading: Reading
    bound: dict[str, Bound] = field(default_factory=dict)
    of_event: bool = False

    def condition(self, node: Node) -> str:
        """`node` where a condition stands: null is false."""
        return f"COALESCE({self.write(node)}, FALSE)"

    def write(self, node: Node) -> str:
        """`node` as an expression that is null where its value is."""
        kind = self.reading.kind(node)
        if kind == "null":
            return _NULL
        if self.reading.is_given(node) and not isinstance(node, ListOf):
            return self.value(Given(tree=node, kind=kind), kind)
        match node:
            case Name(path=path):
                return self._event_field(path[1], kind) if self.of_event else self._attribute(path, kind)
            case Compare():
                return self._compare(node)
            case Not(operand=operand):
                return f"(NOT {self.condition(operand)})"
            case Both(op=op, operands=operands):
                return f"({f' {op.upper()} '.join(map(self.condition, operands))})"
            case Arithmetic():
                return self._arithmetic(node)
            case Negative(operand=operand):
                return f"(- {self.write(operand)})"
            case Joined(parts=parts):
                return f"({' || '.join(map(self._as_text, parts))})"
            case Choice(condition=when, then=then, otherwise=otherwise):
                return f"(CASE WHEN {self.condition(when)} THEN {self.write(then)} ELSE {self.write(otherwise)} END)"
            case Filter(name=name):
                return FILTER_FORMS[name](self, node)
            case Call(name=name):
                return CALL_FORMS[name](self, node)
            case Constant() | ListOf():
                raise ValueError("a list stands where no list can")
            case _:
                assert_never(node)

    def value(self, bound: Bound, kind: Type) -> str:
        """A bound value of this kind."""
        return f"({self._cast(bound, _WHOLE_TYPE)} = 1)" if kind == "bool" else self._cast(bound, _sql_type(kind))

    def number(self, node: Node) -> str:
        """`node` where a number stands: PostgreSQL takes a plain NULL in a row of its own for a text."""
        return f"CAST({_NULL} AS {_WHOLE_TYPE})" if self.reading.kind(node) == "null" else self.write(node)

    def name(self, text: str) -> str:
        """A bound name."""
        return self._cast(text, _TEXT_TYPE)

    def _cast(self, bound: Bound, sql_type: str) -> str:
        # PostgreSQL has to be told the type of a value wherever the statement alone does not tell it.
        name = f"p{len(self.bound)}"
        self.bound[name] = bound
        return f"CAST(:{name} AS {sql_type})"

    def _attribute(self, path: Path, kind: Type) -> str:
        name, default = ".".join(path[1:]), self.reading.ground.defaults.get(path)
        if name == "id":
            return f"(c.customer_id * {ONE})"
        column = "words" if kind == "text" else "whole"
        of_her = "v.customer_id = c.customer_id"
        found = f"(SELECT v.{column} FROM customer_values v WHERE {of_her} AND v.name = {self.name(name)})"
        if name in ("score", "points"):
            return f"COALESCE({found}, 0)"
        if name == "opted_out":
            return f"COALESCE({found} = 1, FALSE)"
        kept = f"({found} = 1)" if kind == "bool" else found
        return kept if default is None else f"COALESCE({kept}, {self.value(Instead(value=default, kind=kind), kind)})"

    def _event_field(self, name: str, kind: Type) -> str:
        if self.dialect == "sqlite":
            path = f'$."{name}"'
            found = f"json_extract(f.fields, {self.name(path)})"
        else:
            found = f"CAST(CAST(f.fields AS jsonb) ->> {self.name(name)} AS {_sql_type(kind)})"
        return f"({found} = 1)" if kind == "bool" else found

    def _compare(self, node: Compare) -> str:
        left = self.write(node.left)
        if node.op in ("in", "not in"):
            listed = node.right.elements if isinstance(node.right, ListOf) else ()
            found = f"COALESCE({left} IN ({', '.join(map(self.write, listed))}), FALSE)" if listed else "FALSE"
            return found if node.op == "in" else f"(NOT {found})"
        right = self.write(node.right)
        if node.op in ("==", "!="):
            same = "IS" if self.dialect == "sqlite" else "IS NOT DISTINCT FROM"
            return f"({left} {same} {right})" if node.op == "==" else f"(NOT ({left} {same} {right}))"
        # Texts in the order of their code points, whatever the database was set up with.
        by = ' COLLATE "C"' if self.dialect == "postgresql" and self._is_text(node) else ""
        return f"COALESCE({left}{by} {node.op} {right}{by}, FALSE)"

    def _is_text(self, node: Compare) -> bool:
        return self.reading.kind(node.left) == "text" and self.reading.kind(node.right) == "text"

    def _arithmetic(self, node: Arithmetic) -> str:
        if node.op in ("+", "-"):
            return self._sum(node, self.write(node.left), self.write(node.right))
        left, right = self.number(node.left), self.number(node.right)
        match node.op:
            case "*" if self.reading.is_whole(node.right):
                return f"({left} * ({right} / {ONE}))"
            case "*":
                return f"(({left} / {ONE}) * {right})"
            case "%":
                # Towards minus infinity, where both databases go towards zero.
                rest = "((r.a % NULLIF(r.b, 0)) + r.b) % NULLIF(r.b, 0)"
                return f"(SELECT {rest} FROM (SELECT {left} AS a, {right} AS b) r)"
            case _:
                raise ValueError(f"{node.op} has no form in SQL")

    def _sum(self, node: Arithmetic, left: str, right: str) -> str:
        kinds = self.reading.kind(node.left), self.reading.kind(node.right)
        if kinds == ("date", "date"):
            return f"(({left} - {right}) * {DAY})"
        if "date" in kinds:
            left, right = (
                f"({one} / {DAY})" if k == "duration" else one for k, one in zip(kinds, (left, right), strict=True)
            )
        return f"({left} {node.op} {right})"

    def _as_text(self, node: Node) -> str:
        if self.reading.kind(node) == "bool":
            words = "CASE WHEN r.x THEN '是' WHEN NOT r.x THEN '否' ELSE '' END"
            return f"(SELECT {words} FROM (SELECT {self.write(node)} AS x) r)"
        return f"COALESCE({self.write(node)}, '')"


_CallForm: TypeAlias = Callable[[SqlWriter, Call], str]
_FilterForm: TypeAlias = Callable[[SqlWriter, Filter], str]


def _has(to: SqlWriter, node: Call) -> str:
    asked, ground = node.arguments[0], to.reading.ground
    if isinstance(asked, Name) and ground.is_only_present(asked.path):
        if asked.path in ground.defaults:
            return "TRUE"
        name = to.name(asked.path[1])
        return f"EXISTS (SELECT 1 FROM customer_values v WHERE v.customer_id = c.customer_id AND v.name = {name})"
    return f"({to.write(asked)} IS NOT NULL)"


def _marked(kind: str) -> _CallForm:
    def form(to: SqlWriter, node: Call) -> str:
        asked = node.arguments[0]
        if not isinstance(asked, Constant) or asked.value is None:
            return "FALSE"
        mark = to.name(str(asked.value))
        return (
            "EXISTS (SELECT 1 FROM customer_marks m WHERE m.customer_id = c.customer_id"
            f" AND m.kind = '{kind}' AND m.mark = {mark})"
        )

    return form


def _in_segment(to: SqlWriter, node: Call) -> str:
    asked = node.arguments[0]
    assert isinstance(asked, Constant), "the parser takes a name that is written out"
    return to.condition(to.reading.ground.segments[str(asked.value)])


def _count(to: SqlWriter, node: Call) -> str:
    return f"({happening(to, event_call(node))} * {ONE})"


def _last(to: SqlWriter, node: Call) -> str:
    return happening(to, event_call(node))


def happening(to: SqlWriter, call: EventCall) -> str:
    """How often (as a plain number), or when last, something happened to the customer `c`."""
    asked = "COUNT(*)" if call.kind == "count" else "MAX(f.at)"
    sql = f"SELECT {asked} FROM event_facts f WHERE f.customer_id = c.customer_id AND f.type = {to.name(call.event)}"
    if call.within is not None:
        sql += f" AND f.at > {to.value(Since(within=call.within), 'time')}"
    if call.where is not None:
        ground: Ground = to.reading.ground.of_event(call.event)
        sql += f" AND {replace(to, reading=Reading(ground), of_event=True).condition(call.where)}"
    return f"({sql})"


def _duration(to: SqlWriter, node: Call) -> str:
    return f"({to.write(node.arguments[0])} * {_PER_UNIT[node.name]})"


def _weekday(to: SqlWriter, node: Call) -> str:
    return f"((({to.write(node.arguments[0])} - 1) % 7 + 1) * {ONE})"


def _length(to: SqlWriter, node: Call | Filter) -> str:
    text = node.operand if isinstance(node, Filter) else node.arguments[0]
    return f"(CAST(LENGTH({to.write(text)}) AS {_WHOLE_TYPE}) * {ONE})"


def _fold(to: SqlWriter, node: Filter) -> str:
    if to.dialect == "sqlite":
        return f"zt_{node.name}({to.write(node.operand)})"
    letters, instead = _FOLDS[node.name]
    return f"TRANSLATE({to.write(node.operand)}, '{letters}', '{instead}')"


def _trim(to: SqlWriter, node: Filter) -> str:
    trim = "TRIM" if to.dialect == "sqlite" else "BTRIM"
    return f"{trim}({to.write(node.operand)}, {to.name(SPACE)})"


def _default(to: SqlWriter, node: Filter) -> str:
    return f"COALESCE({to.write(node.operand)}, {to.write(node.arguments[0])})"


def _round(to: SqlWriter, node: Filter) -> str:
    places = node.arguments[0] if node.arguments else Constant(value=0)
    written = places.value if isinstance(places, Constant) else None
    assert isinstance(written, int), "what is pushed has its places written out"
    unit = 10 ** (6 - written)
    half = unit // 2
    # A half goes away from zero, as people expect.
    below, above = f"- ((- r.x + {half}) / {unit} * {unit})", f"(r.x + {half}) / {unit} * {unit}"
    away = f"CASE WHEN r.x < 0 THEN {below} ELSE {above} END"
    return f"(SELECT {away} FROM (SELECT {to.number(node.operand)} AS x) r)"


CALL_FORMS: Mapping[str, _CallForm] = {
    "has": _has,
    "has_tag": _marked("tag"),
    "has_consent": _marked("consent"),
    "in_segment": _in_segment,
    "count": _count,
    "last": _last,
    "days": _duration,
    "hours": _duration,
    "minutes": _duration,
    "weekday": _weekday,
    "length": _length,
}
FILTER_FORMS: Mapping[str, _FilterForm] = {
    "lower": _fold,
    "upper": _fold,
    "trim": _trim,
    "length": _length,
    "default": _default,
    "round": _round,
}


def _sql_type(kind: Type) -> str:
    return _TEXT_TYPE if kind == "text" else _WHOLE_TYPE
