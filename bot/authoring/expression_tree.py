"""Jinja2's syntax tree turned into ours; whatever is not in the closed lists is refused by name.

Recursion is bounded by DEPTH_MAX, the size of the result by the number of nodes its caller allows.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Literal

from jinja2 import nodes

from bot.authoring.expression_fault import ExpressionFault
from bot.core.expressions.filters import FILTERS
from bot.core.expressions.functions import FAMILIES, FUNCTIONS
from bot.core.expressions.happenings import WITHIN, written_duration
from bot.core.expressions.patterns import PatternFault, compile_pattern
from bot.core.expressions.tree import (
    Arithmetic,
    Both,
    Call,
    Choice,
    Compare,
    Constant,
    Filter,
    For,
    If,
    Joined,
    ListOf,
    Name,
    Negative,
    Node,
    Not,
    Output,
    Part,
)
from bot.core.expressions.types import Operation
from bot.core.expressions.walk import WHERE, walk

DEPTH_MAX = 40
"""Levels of a tree."""
PATH_MAX = 6
"""Parts of a name such as `event.location.city`."""

ROOTS = frozenset(
    {"customer", "slots", "vars", "event", "counts", "window", "state", "journey", "now", "today", "error", "value"}
)
"""Names that a `for` may not take for itself."""

ComparisonOp = Literal["==", "!=", "<", "<=", ">", ">=", "in", "not in"]
ArithmeticOp = Literal["+", "-", "*", "/", "%"]

_COMPARISONS: dict[str, ComparisonOp] = {
    "eq": "==",
    "ne": "!=",
    "lt": "<",
    "lteq": "<=",
    "gt": ">",
    "gteq": ">=",
    "in": "in",
    "notin": "not in",
}
_ARITHMETIC: dict[type[nodes.BinExpr], ArithmeticOp] = {
    nodes.Add: "+",
    nodes.Sub: "-",
    nodes.Mul: "*",
    nodes.Div: "/",
    nodes.Mod: "%",
}
_REFUSED: dict[type[nodes.Node], tuple[str, str]] = {
    nodes.Pow: ("不支持 “**”", "**"),
    nodes.FloorDiv: ("不支持 “//”", "//"),
    nodes.Pos: ("不要写正号 “+”", "+"),
    nodes.Tuple: ("列表用方括号：['a', 'b']", "("),
    nodes.Dict: ("不支持字典 {…}", "{"),
    nodes.Slice: ("不支持切片 [a:b]", "["),
}


class TreeBuilder:
    """Builds one tree of at most `nodes_max` nodes."""

    def __init__(self, nodes_max: int) -> None:
        self.nodes_max = nodes_max
        self.count = 0

    def parts(self, body: Iterable[nodes.Node]) -> tuple[Part, ...]:
        """The parts of a template. ExpressionFault: what is not of the language."""
        return tuple(part for node in body for part in self._parts_of(node))

    def _parts_of(self, node: nodes.Node) -> list[Part]:
        self._spend()
        match node:
            case nodes.Output(nodes=written):
                return [one.data if isinstance(one, nodes.TemplateData) else self._output(one) for one in written]
            case nodes.If():
                return [self._if(node)]
            case nodes.For():
                return [self._for(node)]
            case nodes.ExprStmt():
                raise ExpressionFault("J017", "{% variant %} 和 {% channel %} 不能写在 if 或 for 里", "{%")
            case _:
                raise ExpressionFault("J017", f"模板里不支持 {type(node).__name__}")

    def _output(self, node: nodes.Expr) -> Output:
        return Output(tree=self.node(node))

    def _if(self, node: nodes.If) -> If:
        branches = [(self.node(one.test), self.parts(one.body)) for one in (node, *node.elif_)]
        return If(branches=tuple(branches), otherwise=self.parts(node.else_))

    def _for(self, node: nodes.For) -> For:
        if not isinstance(node.target, nodes.Name):
            raise ExpressionFault("J017", "for 只能有一个名字：{% for x in 列表 %}", "for")
        name = self._legal(node.target.name)
        if name in ROOTS:
            raise ExpressionFault("J017", f"for 的名字不能是 “{name}”", name)
        if node.test is not None or node.else_ or node.recursive:
            raise ExpressionFault("J017", "for 不能带 if、else 或 recursive", "for")
        return For(name=name, over=self.node(node.iter), body=self.parts(node.body))

    def node(self, node: nodes.Node, depth: int = 0) -> Node:
        """One expression. ExpressionFault: what is not of the language, or too much of it."""
        self._spend()
        if depth == DEPTH_MAX:
            raise ExpressionFault("J015", f"表达式超过 {DEPTH_MAX} 层，请拆成几步")
        match node:
            case nodes.Const(value=value):
                return Constant(value=_constant(value))
            case nodes.Name() | nodes.Getattr() | nodes.Getitem():
                return self._name(node)
            case nodes.Compare():
                return self._compare(node, depth + 1)
            case nodes.Not(node=operand):
                return Not(operand=self.node(operand, depth + 1))
            case nodes.And() | nodes.Or():
                return self._both(node, depth + 1)
            case nodes.Neg(node=operand):
                return _negative(self.node(operand, depth + 1))
            case nodes.Concat(nodes=parts):
                return Joined(parts=tuple(self.node(part, depth + 1) for part in parts))
            case nodes.CondExpr():
                return self._choice(node, depth + 1)
            case nodes.List(items=elements):
                return ListOf(elements=tuple(self.node(element, depth + 1) for element in elements))
            case nodes.Filter():
                return self._filter(node, depth + 1)
            case nodes.Call():
                return self._call(node, depth + 1)
            case nodes.BinExpr() if type(node) in _ARITHMETIC:
                left, right = self.node(node.left, depth + 1), self.node(node.right, depth + 1)
                return Arithmetic(op=_ARITHMETIC[type(node)], left=left, right=right)
            case _:
                raise _refusal(node)

    def _spend(self) -> None:
        self.count += 1
        if self.count > self.nodes_max:
            raise ExpressionFault("J015", f"超过 {self.nodes_max} 个运算，请拆成几步")

    def _name(self, node: nodes.Node) -> Node:
        path: list[str] = []
        while not isinstance(node, nodes.Name):
            part, node = _last_part(node)
            path.append(self._legal(part))
            if len(path) == PATH_MAX:
                raise ExpressionFault("J015", f"名字超过 {PATH_MAX} 段", part)
        path.append(self._legal(node.name))
        if path == ["null"]:
            return Constant(value=None)
        if path[-1] in FAMILIES:
            raise ExpressionFault("J017", f"“{path[-1]}” 后面要写函数：{_family(path[-1])}", path[-1])
        return Name(path=tuple(reversed(path)))

    def _legal(self, name: str) -> str:
        if name.startswith("_"):
            raise ExpressionFault("J017", f"名字不能以下划线开头：“{name}”", name)
        return name

    def _compare(self, node: nodes.Compare, depth: int) -> Node:
        pairs: list[Node] = []
        left = self.node(node.expr, depth)
        for operand in node.ops:
            right = self.node(operand.expr, depth)
            pairs.append(Compare(op=_COMPARISONS[operand.op], left=left, right=right))
            left = right
        if len(pairs) == 1:
            return pairs[0]
        if any(not isinstance(pair.right, Name | Constant) for pair in pairs[:-1] if isinstance(pair, Compare)):
            # The middle stands in two comparisons: chains within chains would double it at every level.
            raise ExpressionFault("J017", "连写的比较请拆开：a < b and b < c")
        return Both(op="and", operands=tuple(pairs))

    def _both(self, node: nodes.And | nodes.Or, depth: int) -> Node:
        op: Literal["and", "or"] = "and" if isinstance(node, nodes.And) else "or"
        rights: list[nodes.Node] = []
        left: nodes.Node = node
        while type(left) is type(node) and isinstance(left, nodes.And | nodes.Or):
            rights.append(left.right)
            left = left.left
        operands: list[Node] = []
        for one in (left, *reversed(rights)):
            built = self.node(one, depth)
            operands.extend(built.operands if isinstance(built, Both) and built.op == op else (built,))
        return Both(op=op, operands=tuple(operands))

    def _choice(self, node: nodes.CondExpr, depth: int) -> Node:
        otherwise = Constant(value=None) if node.expr2 is None else self.node(node.expr2, depth)
        return Choice(condition=self.node(node.test, depth), then=self.node(node.expr1, depth), otherwise=otherwise)

    def _filter(self, node: nodes.Filter, depth: int) -> Node:
        operation = FILTERS.get(node.name)
        if operation is None or node.node is None:
            raise ExpressionFault("J017", f"没有过滤器 “{node.name}”，可用：{'、'.join(sorted(FILTERS))}", node.name)
        arguments = self._arguments(operation, node, depth)
        _check_count(operation, 1 + len(arguments), 1)
        return Filter(name=operation.name, operand=self.node(node.node, depth), arguments=arguments)

    def _call(self, node: nodes.Call, depth: int) -> Node:
        name = _called(node)
        operation = FUNCTIONS.get(name)
        if operation is None:
            raise ExpressionFault("J017", f"没有函数 “{name}”，可用：{'、'.join(sorted(FUNCTIONS))}", name)
        arguments = self._arguments(operation, node, depth)
        _check_count(operation, len(arguments), 0)
        _check_literals(operation, arguments)
        return Call(name=name, arguments=arguments, keywords=self._keywords(operation, node, depth))

    def _arguments(self, operation: Operation, node: nodes.Filter | nodes.Call, depth: int) -> tuple[Node, ...]:
        named = bool(node.kwargs) and not operation.keywords
        if named or node.dyn_args is not None or node.dyn_kwargs is not None:
            raise ExpressionFault("J017", f"“{operation.name}” 的参数只按位置写", operation.name)
        return tuple(self.node(argument, depth) for argument in node.args)

    def _keywords(self, operation: Operation, node: nodes.Call, depth: int) -> tuple[tuple[str, Node], ...]:
        built: dict[str, Node] = {}
        for keyword in node.kwargs:
            if keyword.key not in operation.keywords or keyword.key in built:
                known = "、".join(operation.keywords)
                raise ExpressionFault("J017", f"“{operation.name}” 的命名参数只有 {known}，各写一次", keyword.key)
            built[keyword.key] = self.node(keyword.value, depth)
        if operation.required - built.keys():
            raise ExpressionFault("J222", "count() 缺 within：历史不会永久保留", operation.name)
        _check_happening(built)
        return tuple((name, built[name]) for name in operation.keywords if name in built)


def _constant(value: object) -> str | int | Decimal | bool | None:
    match value:
        case None | bool() | int():
            return value
        case float():
            exact = Decimal(repr(value))
            return int(exact) if exact == int(exact) else exact
        case str():
            if any("\ud800" <= char <= "\udfff" for char in value):
                raise ExpressionFault("J017", "文字里有不成对的 \\ud800–\\udfff")
            return value
        case _:
            raise ExpressionFault("J017", "不支持这种常量")


def _negative(operand: Node) -> Node:
    match operand:
        case Constant(value=int() | Decimal() as number) if not isinstance(number, bool):
            return Constant(value=-number)
        case _:
            return Negative(operand=operand)


def _last_part(node: nodes.Node) -> tuple[str, nodes.Node]:
    match node:
        case nodes.Getattr(node=record, attr=attr):
            return attr, record
        case nodes.Getitem(node=record, arg=nodes.Const(value=str() as key)):
            return key, record
        case nodes.Getitem(arg=nodes.Slice()):
            raise ExpressionFault("J017", "不支持切片 [a:b]", "[")
        case nodes.Getitem():
            raise ExpressionFault("J017", "方括号里只能是写明的字段名：slots['need']", "[")
        case nodes.Call(node=nodes.Name(name=name)):
            raise ExpressionFault("J017", f"不能取 “{name}(…)” 的字段", name)
        case _:
            raise ExpressionFault("J017", "“.” 和 “[…]” 只能用在名字后面")


def _called(node: nodes.Call) -> str:
    match node.node:
        case nodes.Name(name=name):
            return name
        case nodes.Getattr(node=nodes.Name(name=root), attr=attr) if root in FAMILIES:
            return f"{root}.{attr}"
        case nodes.Getattr(attr=attr):
            raise ExpressionFault("J017", f"不能调用方法 “.{attr}(…)”", attr)
        case _:
            raise ExpressionFault("J017", "只能调用函数名")


def _check_count(operation: Operation, given: int, operand: int) -> None:
    if given in operation.counts:
        return
    hoped = [str(count - operand) for count in operation.counts]
    message = f"“{operation.name}” 需要 {' 或 '.join(hoped)} 个参数，得到 {given - operand} 个"
    raise ExpressionFault("J017", message, operation.name)


def _check_literals(operation: Operation, arguments: tuple[Node, ...]) -> None:
    for place in operation.literal:
        written = arguments[place]
        if not isinstance(written, Constant) or not isinstance(written.value, str):
            what = "正则" if operation.name == "matches" else "名字"
            raise ExpressionFault("J017", f"“{operation.name}” 的{what}要直接写成文字", operation.name)
        if operation.name != "matches":
            continue
        try:
            compile_pattern(written.value)
        except PatternFault as fault:
            raise ExpressionFault("J017", fault.message, operation.name) from None


def _check_happening(named: dict[str, Node]) -> None:
    """`within` is written out, so that it is known how long events are kept; `where` asks nothing of the customer."""
    if WITHIN in named:
        try:
            written_duration(named[WITHIN])
        except ValueError:
            raise ExpressionFault("J017", "within 要写明时长，从 1 分钟到两年：within=days(30)", WITHIN) from None
    for part in walk(named[WHERE]) if WHERE in named else ():
        if isinstance(part, Name) and part.path[0] != "event":
            name = ".".join(part.path)
            raise ExpressionFault("J017", f"where 里只能用被统计事件的字段 event.…，得到 {name}", name)
        if isinstance(part, Call | Filter):
            operation = FUNCTIONS[part.name] if isinstance(part, Call) else FILTERS[part.name]
            if operation.local or not operation.pushed:
                raise ExpressionFault("J017", f"where 里不能用 “{part.name}”", part.name)


def _family(root: str) -> str:
    return "、".join(name for name in sorted(FUNCTIONS) if name.startswith(f"{root}."))


def _refusal(node: nodes.Node) -> ExpressionFault:
    if isinstance(node, nodes.Test):
        hint = {"defined": "，用 has(x)", "none": "，用 x == null"}.get(node.name, "")
        return ExpressionFault("J017", f"不支持 “is {node.name}”{hint}", "is")
    message, offending = _REFUSED.get(type(node), (f"不支持 {type(node).__name__}", ""))
    return ExpressionFault("J017", message, offending)
