"""What a database can work out over many customers, and what it cannot. Rule J221; journey-language.md 2.7, 3.11.

A part of a condition that reads nothing of a customer is *given*: it is worked out here, once, and handed over as a
value. Everything else must have a form in SQL that means exactly what the closure means.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias, assert_never

from bot.core.expressions.arithmetic import PLACES_MAX
from bot.core.expressions.filters import FILTERS
from bot.core.expressions.functions import FUNCTIONS
from bot.core.expressions.ground import NUMBER_SEARCHED_MAX, SEGMENTS_DEEP_MAX, Ground, Reading, segment_of
from bot.core.expressions.happenings import event_call
from bot.core.expressions.source import to_source
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
from bot.core.expressions.types import Operation, Path, Type
from bot.core.expressions.walk import children, walk

MAGNITUDE_MAX = 9 * 10**12
"""Of a result on the way: in millionths it still fits into 64 bits."""
NESTING_MAX = 64
"""Of a condition, by the weights below: SQLite's parser keeps at most a hundred open ends, as each form needs."""
SIZE_MAX = 2_000
"""Nodes of a condition with those of the segments that it refers to, each as often as it is referred to."""

SCALARS: frozenset[Type] = frozenset({"bool", "number", "text", "time", "date", "duration", "null"})
_WRITTEN_TO_TEXT: frozenset[Type] = frozenset({"text", "bool", "null"})
_DAYS_MAX = 36_525
_PER_UNIT = {"days": 1, "hours": 24, "minutes": 24 * 60}


@dataclass(frozen=True, slots=True, kw_only=True)
class Local:
    """A part of a condition that no database can work out: its text, and why, in Chinese."""

    source: str
    reason: str


def unpushable(tree: Node, ground: Ground) -> tuple[Local, ...]:
    """The parts of `tree` that no database can work out, in the order they are written in. Empty: it can do all."""
    if _size(tree, ground, {}) > SIZE_MAX:
        return (Local(source=to_source(tree), reason="引用的人群合起来太大，或成了环"),)
    look = _Look(reading=Reading(ground))
    look.at(tree)
    if not look.found and _nesting(tree, ground) > NESTING_MAX:
        return (Local(source=to_source(tree), reason="嵌套太深，请写得平一些"),)
    return tuple(look.found)


_Rule: TypeAlias = Callable[["_Look", Call], str]


@dataclass(slots=True)
class _Look:
    """Goes through one condition and collects what cannot be pushed."""

    reading: Reading
    found: list[Local] = field(default_factory=list)
    deep: int = 0

    def at(self, node: Node) -> None:
        """Look at `node` and what is below it; below what is refused nothing more is looked for."""
        reason = self._given(node) if self.reading.is_given(node) else self._own(node)
        if reason:
            self.found.append(Local(source=to_source(node), reason=reason))

    def _given(self, node: Node) -> str:
        if any(isinstance(part, Constant) and "\0" in str(part.value) for part in walk(node)):
            return "文字里有不能查询的字符"
        if isinstance(node, Constant) and self.reading.magnitude(node) > NUMBER_SEARCHED_MAX:
            return "数太大，不能查询"
        return self._unfit_kind(node)

    def _unfit_kind(self, node: Node) -> str:
        kind = self.reading.kind(node)
        if kind not in SCALARS:
            return "类型不定，或是列表、记录"
        if kind == "number" and self.reading.magnitude(node) > MAGNITUDE_MAX:
            return "结果可能太大，数据库算不准"
        return ""

    def _own(self, node: Node) -> str:
        """Why this very node cannot be pushed; empty when it can, and then what is below it was looked at."""
        match node:
            case Constant():
                return self._given(node)
            case Name(path=path):
                return self._name(node, path)
            case Compare():
                return self._compare(node)
            case Not() | Both() | Negative():
                return self._all(node)
            case Arithmetic():
                return self._arithmetic(node)
            case Joined(parts=parts):
                unfit = next((part for part in parts if self.reading.kind(part) not in _WRITTEN_TO_TEXT), None)
                return "只有文字能在数据库里连接" if unfit is not None else self._all(node)
            case Choice():
                return self._unfit_kind(node) or self._all(node)
            case ListOf():
                return "列表只能写在 in 的右边"
            case Filter():
                return self._filter(node)
            case Call():
                return self._call(node)
            case _:
                assert_never(node)

    def _all(self, node: Node) -> str:
        reason = self._unfit_kind(node)
        if not reason:
            for part in children(node):
                self.at(part)
        return reason

    def _name(self, node: Name, path: Path) -> str:
        if path[:2] in self.reading.ground.personal:
            return "个人信息是加密保存的，只能用 has() 查"
        known = self.reading.ground.env.names.get(path)
        if known is None or known not in SCALARS:
            return "只能查询客户的属性、标签、授权和事件"
        return ""

    def _compare(self, node: Compare) -> str:
        if node.op in ("in", "not in"):
            if not isinstance(node.right, ListOf):
                return "in 的右边要直接写出列表"
            sides = (node.left, *node.right.elements)
        else:
            sides = (node.left, node.right)
        before = len(self.found)
        for side in sides:
            if not self.reading.is_given(side):
                self.at(side)
        kinds = {self.reading.kind(side) for side in sides} - {"null"}
        if len(self.found) == before and (len(kinds) > 1 or not kinds <= SCALARS):
            return "类型不同或不定，或是列表、记录"
        if len(self.found) == before:
            for side in filter(self.reading.is_given, sides):
                self.at(side)
        return ""

    def _arithmetic(self, node: Arithmetic) -> str:
        left, right = self.reading.is_whole(node.left), self.reading.is_whole(node.right)
        if node.op == "/" or (node.op == "%" and not (left and right)):
            return f"“{node.op}” 只能在程序里算"
        if node.op == "*" and not (left or right):
            return "两个小数相乘只能在程序里算"
        return self._all(node)

    def _filter(self, node: Filter) -> str:
        if not FILTERS[node.name].pushed:
            return f"过滤器 “{node.name}” 只能在程序里算"
        if node.name == "round" and not all(_is_places(place) for place in node.arguments):
            return "round 的位数要直接写成 0 到 6"
        return self._lists(FILTERS[node.name], node.operand) or self._all(node)

    def _lists(self, operation: Operation, operand: Node) -> str:
        return (
            "列表的长度只能在程序里算"
            if operation.name == "length" and self.reading.kind(operand) not in ("text", "null")
            else ""
        )

    def _call(self, node: Call) -> str:
        operation = FUNCTIONS[node.name]
        if not operation.pushed:
            return f"函数 “{node.name}” 只能在程序里算"
        rule = _CALLS.get(node.name)
        if rule is not None:
            return rule(self, node)
        return self._lists(operation, node.arguments[0]) or self._all(node)

    def presence(self, node: Call) -> str:
        """`has(x)`: of an attribute that is encrypted, or a record, this much is known."""
        if isinstance(node.arguments[0], Name) and self.reading.ground.is_only_present(node.arguments[0].path):
            return ""
        return self._all(node)

    def named(self, node: Call) -> str:
        """`has_tag(t)`, `has_consent(p)`: only tags and purposes that are known beforehand are kept to be searched."""
        written = isinstance(node.arguments[0], Constant)
        return "" if written else "名字要直接写成文字"

    def duration(self, node: Call) -> str:
        """`days(n)` and its like: a longer one than a century is refused when it is worked out, by databases never."""
        if self.reading.magnitude(node.arguments[0]) > _DAYS_MAX * _PER_UNIT[node.name]:
            return "时长可能太长"
        return self._all(node)

    def weekday(self, node: Call) -> str:
        """`weekday(t)`: of a time it depends on the customer's zone, which databases do not know."""
        return self._all(node) if self.reading.kind(node.arguments[0]) == "date" else "时间的星期只能在程序里算"

    def segment(self, node: Call) -> str:
        """`in_segment(s)`: its condition in its place."""
        asked = node.arguments[0]
        condition = self.reading.ground.segments.get(str(asked.value)) if isinstance(asked, Constant) else None
        if condition is None:
            return "没有这个人群"
        if self.deep == SEGMENTS_DEEP_MAX:
            return "人群互相引用太深，或成了环"
        inner = _Look(reading=Reading(self.reading.ground), deep=self.deep + 1)
        inner.at(condition)
        return inner.found[0].reason if inner.found else ""

    def happening(self, node: Call) -> str:
        """`count(e, …)`, `last(e)`: what is kept of events are the fields that somebody asks for."""
        call = event_call(node)
        if call.where is None:
            return ""
        inner = _Look(reading=Reading(self.reading.ground.of_event(call.event)))
        inner.at(call.where)
        self.found += inner.found
        return ""


_CALLS: Mapping[str, _Rule] = {
    "has": _Look.presence,
    "has_tag": _Look.named,
    "has_consent": _Look.named,
    "in_segment": _Look.segment,
    "count": _Look.happening,
    "last": _Look.happening,
    "days": _Look.duration,
    "hours": _Look.duration,
    "minutes": _Look.duration,
    "weekday": _Look.weekday,
}


def _size(tree: Node, ground: Ground, known: dict[str, int]) -> int:
    """The nodes of `tree` with its segments in their places. `known`: of segments, those under way among them."""
    total = 0
    for node in walk(tree):
        total += 1
        name = segment_of(node) if isinstance(node, Call) and node.name == "in_segment" else ""
        if name in ground.segments:
            if name not in known:
                known[name] = SIZE_MAX + 1  # what refers to itself is too large
                known[name] = _size(ground.segments[name], ground, known)
            total += known[name]
    return total


def _nesting(node: Node, ground: Ground) -> int:
    """How deep the SQL of `node` is nested, by weight; of a tree in which nothing else is wrong."""
    if isinstance(node, Name) and node.path in ground.defaults:
        return _DEFAULT_WEIGHT
    below = [_nesting(part, ground) for part in children(node)]
    if isinstance(node, Call) and node.name == "in_segment":
        below = [_nesting(ground.segments[segment_of(node)], ground)]
    if isinstance(node, Call) and node.name in ("count", "last"):
        where = event_call(node).where
        below = [] if where is None else [_nesting(where, ground.of_event(""))]
    return _weight(node) + max(below, default=0)


_DEFAULT_WEIGHT = 6
"""Of an attribute in whose place something stands when it is not there."""


def _weight(node: Node) -> int:
    match node:
        case Compare(op=op):
            return 11 if op in ("in", "not in") else 6
        case Filter(name="round") | Arithmetic(op="%"):
            return 12
        case Joined():
            return 9
        case Choice():
            return 8
        case Not() | Both() | Filter(name="default") | Call():
            return 6
        case Arithmetic(op="*"):
            return 5
        case _:
            return 3


def _is_places(node: Node) -> bool:
    return isinstance(node, Constant) and isinstance(node.value, int) and 0 <= node.value <= PLACES_MAX
