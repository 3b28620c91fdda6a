"""Types found from the leaves of a tree up, and what does not go together on the way.

Rules: J203 and J206 unknown names, J207 kinds that do not go together, J208 a condition that is no bool.
Source: journey-language.md 4.2.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, assert_never

from bot.core.expressions.comparison import COMPARABLE, ORDERED
from bot.core.expressions.filters import FILTERS
from bot.core.expressions.functions import FUNCTIONS
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
from bot.core.expressions.types import Operation, Path, Type, TypeEnv
from bot.core.expressions.values import KIND_NAMES, Kind, kind_of
from bot.core.expressions.walk import WHERE

Rule = Literal["J203", "J206", "J207", "J208", "J221"]

_UNKNOWN: frozenset[Type] = frozenset({"any", "null"})
_NUMBER: frozenset[Kind] = frozenset({"number"})
_NEGATABLE: frozenset[Kind] = frozenset({"number", "duration"})
_MOVABLE: frozenset[Kind] = frozenset({"time", "date", "duration"})
_WRITABLE: frozenset[Kind] = frozenset({"bool", "number", "text", "time", "date"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something wrong with an expression. `offending` is the part of it to point at, as it is printed.

    For an unknown name, `path` is that name, and `candidates` are the names there are in its place.
    """

    rule: Rule
    message: str
    offending: str
    path: Path = ()
    candidates: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True)
class Inference:
    """The types in one environment, and what was found wrong so far, in the order it is written in."""

    env: TypeEnv
    findings: list[Finding] = field(default_factory=list)

    def of(self, node: Node) -> Type:
        """The type of `node`; `any` where it is not known or something is wrong in it."""
        match node:
            case Constant(value=value):
                return kind_of(value)
            case Name():
                return self._name(node)
            case Compare():
                return self._compare(node)
            case Not(operand=operand):
                return self._conditions((operand,))
            case Both(operands=operands):
                return self._conditions(operands)
            case Arithmetic():
                return self._arithmetic(node)
            case Negative(operand=operand):
                return self.need(operand, _NEGATABLE, "“-” 只用于数和时长")
            case Joined(parts=parts):
                return self._joined(parts)
            case Choice():
                self.condition(node.condition)
                return _either(self.of(node.then), self.of(node.otherwise))
            case ListOf(elements=elements):
                return self._list(elements)
            case Filter(name=name, operand=operand, arguments=arguments):
                return self._operation(FILTERS[name], (operand, *arguments))
            case Call(name=name, arguments=arguments):
                self._named_arguments(node)
                return self._operation(FUNCTIONS[name], arguments)
            case _:
                assert_never(node)

    def condition(self, node: Node) -> None:
        """Report J208 unless `node` is a bool."""
        found = self.of(node)
        if found == "bool" or found == "any":
            return
        source = to_source(node)
        hint = f"。是否指 has({source})？" if isinstance(node, Name) else ""
        self._report("J208", f"守卫应为真/假，得到{KIND_NAMES[found]}（{source}）{hint}", source)

    def need(self, node: Node, kinds: frozenset[Kind], message: str) -> Type:
        """The type of `node`. Report J207 with `message` when it is none of `kinds`."""
        found = self.of(node)
        if found == "any" or found == "null" or found in kinds:
            return found
        self._report("J207", f"类型不符：{message}，得到 {to_source(node)}（{KIND_NAMES[found]}）", to_source(node))
        return "any"

    def written(self, node: Node) -> None:
        """Report J207 when a value of the kind of `node` cannot stand in a text."""
        self.need(node, _WRITABLE, "列表、时长、记录不能直接写进文字，列表用 | join")

    def _report(self, rule: Rule, message: str, offending: str) -> None:
        self.findings.append(Finding(rule=rule, message=message, offending=offending))

    def _name(self, node: Name) -> Type:
        found = self.env.type_of(node.path)
        if found is not None:
            return found
        source, attribute = ".".join(node.path), node.path[0] == "customer"
        self.findings.append(
            Finding(
                rule="J206" if attribute else "J203",
                message=f"{source} 不在 schema/customer.yaml" if attribute else f"{source} 未声明",
                offending=source,
                path=node.path,
                candidates=self.env.beside(node.path),
            )
        )
        return "any"

    def _conditions(self, operands: Iterable[Node]) -> Type:
        for operand in operands:
            self.condition(operand)
        return "bool"

    def _joined(self, parts: Iterable[Node]) -> Type:
        for part in parts:
            self.written(part)
        return "text"

    def _list(self, elements: Iterable[Node]) -> Type:
        for element in elements:
            self.of(element)
        return "list"

    def _compare(self, node: Compare) -> Type:
        if node.op in ("in", "not in"):
            self._membership(node)
            return "bool"
        left, right = self.of(node.left), self.of(node.right)
        if left in _UNKNOWN or right in _UNKNOWN:
            return "bool"
        allowed: frozenset[Type] = frozenset({*COMPARABLE, "list"}) if node.op in ("==", "!=") else frozenset(ORDERED)
        if left != right or left not in allowed:
            self._mismatch(node.left, left, node.right, right)
        return "bool"

    def _membership(self, node: Compare) -> None:
        left = self.of(node.left)
        self.need(node.right, frozenset({"list"}), "in 的右边要是列表")
        if not isinstance(node.right, ListOf) or left in _UNKNOWN:
            return
        for element in node.right.elements:
            found = Inference(env=self.env).of(element)
            if found not in _UNKNOWN and (found != left or found not in COMPARABLE):
                self._mismatch(node.left, left, element, found)

    def _mismatch(self, left: Node, left_type: Type, right: Node, right_type: Type) -> None:
        one = f"{to_source(left)}（{_type_name(left_type)}）"
        other = f"{to_source(right)}（{_type_name(right_type)}）"
        self._report("J207", f"类型不符：{one}不能与 {other}比较", to_source(left))

    def _arithmetic(self, node: Arithmetic) -> Type:
        if node.op in ("*", "/", "%"):
            for side in (node.left, node.right):
                self.need(side, _NUMBER, f"“{node.op}” 只用于数")
            return "number"
        left, right = self.of(node.left), self.of(node.right)
        if "null" in (left, right):
            return "null"
        if "any" in (left, right):
            return "any"
        result = _sum(left, right) if node.op == "+" else _difference(left, right)
        if result is None:
            one = f"{to_source(node.left)}（{_type_name(left)}）"
            other = f"{to_source(node.right)}（{_type_name(right)}）"
            hint = "。连接文字用 ~" if "text" in (left, right) else ""
            self._report("J207", f"类型不符：“{node.op}” 不能用于 {one}和 {other}{hint}", to_source(node.left))
        return result or "any"

    def _named_arguments(self, node: Call) -> None:
        for name, value in node.keywords:
            if name == WHERE:
                self._where(node, value)
            else:
                kinds = FUNCTIONS[node.name].keywords[name]
                hoped = "或".join(sorted(KIND_NAMES[kind] for kind in kinds))
                self.need(value, kinds, f"{node.name} 的 {name} 需要{hoped}")

    def _where(self, node: Call, where: Node) -> None:
        """A condition on the event that is counted: it reads the fields of that one and nothing else."""
        fields = self.env.events.get(event_call(node).event, {})
        inner = Inference(env=TypeEnv(names={("event", name): known for name, known in fields.items()}))
        inner.condition(where)
        self.findings += inner.findings

    def _operation(self, operation: Operation, arguments: tuple[Node, ...]) -> Type:
        found: list[Type] = []
        for argument, kinds in zip(arguments, operation.takes, strict=False):
            hoped = "或".join(sorted(KIND_NAMES[kind] for kind in kinds))
            found.append(self.need(argument, kinds, f"{operation.name} 需要{hoped}"))
        if operation.gives is not None:
            return operation.gives
        result = found[0]
        for other in found[1:]:
            result = _either(result, other)
        return result


def _type_name(found: Type) -> str:
    return "未知" if found == "any" else KIND_NAMES[found]


def _either(one: Type, other: Type) -> Type:
    """The type of a value that has one type or the other."""
    if one == "null":
        return other
    return one if other in (one, "null") else "any"


def _sum(left: Type, right: Type) -> Type | None:
    if left == right == "number":
        return "number"
    if right == "duration" and left in _MOVABLE:
        return left
    return right if left == "duration" and right in _MOVABLE else None


def _difference(left: Type, right: Type) -> Type | None:
    if left == right == "number":
        return "number"
    if right == "duration" and left in _MOVABLE:
        return left
    return "duration" if left == right and left in ("time", "date") else None
