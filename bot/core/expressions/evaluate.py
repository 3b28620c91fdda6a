"""Closures made from trees: the hot path of every step. Source: journey-language.md 2.7.

Missing names are null. `and`, `or`, `not`, `x if c else y` and guards take a null for false, and stop early;
anything else that is no bool there is EvaluationFault `expr.type`, never "truthy".
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TypeAlias, assert_never, cast

from bot.core.events import Json
from bot.core.expressions.arithmetic import OPERATORS, as_number, negate
from bot.core.expressions.comparison import COMPARISONS
from bot.core.expressions.filters import FILTERS
from bot.core.expressions.functions import FUNCTIONS
from bot.core.expressions.happenings import event_call, is_event_call
from bot.core.expressions.source import to_source
from bot.core.expressions.tree import (
    Arithmetic,
    Both,
    Call,
    Choice,
    Compare,
    Constant,
    Expression,
    Filter,
    Joined,
    ListOf,
    Name,
    Negative,
    Node,
    Not,
)
from bot.core.expressions.types import ANYTHING, Operation, Path
from bot.core.expressions.values import KIND_NAMES, EvaluationFault, Scope, Value, bounded, kind_of, to_json
from bot.core.expressions.walk import children, walk
from bot.core.expressions.wording import text_of

Closure: TypeAlias = Callable[[Scope], Value]
Guard: TypeAlias = Callable[[Scope], bool]
_SHOWN_AT_ONCE = frozenset({str, bool, int})


def compile_expression(expression: Expression) -> Closure:
    """A closure that gives the value of `expression` in a scope. It raises EvaluationFault, and nothing else."""
    return compile_node(expression.tree)


def compile_guard(expression: Expression) -> Guard:
    """A closure that tells whether `expression` holds; null does not. EvaluationFault `expr.type`: it is no bool."""
    return condition(expression.tree)


def compile_time(expression: Expression) -> Callable[[Scope], datetime]:
    """A closure that gives an aware time, as `due_at` needs it.

    EvaluationFault: `expr.null` when it is null, `expr.type` when it is something else.
    """
    closure = compile_expression(expression)

    def moment(scope: Scope) -> datetime:
        value = closure(scope)
        if value is None:
            raise EvaluationFault("expr.null", f"{expression.source} 是空值，需要时间")
        if not isinstance(value, datetime):
            raise EvaluationFault("expr.type", f"{expression.source} 是{KIND_NAMES[kind_of(value)]}，需要时间")
        kind_of(value)
        return value

    return moment


def compile_node(node: Node) -> Closure:
    """A closure for one node; what depends on no scope is worked out at once."""
    closure = _closure(node)
    if isinstance(node, Constant | Name) or _reads_scope(node):
        return closure
    try:
        value = closure({})
    except EvaluationFault:
        return closure  # it faults when it is reached, which a branch not taken never is
    return lambda scope: value


def condition(node: Node) -> Guard:
    """A closure for a node in the place of a condition: null is false, and what is no bool faults."""
    closure = compile_node(node)
    if _surely_bool(node):
        return cast(Guard, closure)  # _surely_bool: these nodes give True and False only

    def holds(scope: Scope) -> bool:
        value = closure(scope)
        if value is True:
            return True
        if value is False or value is None:
            return False
        raise EvaluationFault("expr.type", f"条件应为真/假，得到{KIND_NAMES[kind_of(value)]}：{to_source(node)}")

    return holds


def read(scope: Scope, path: Path) -> Value:
    """The value of `path`, null where a part is missing. EvaluationFault `expr.type`: no record where one is read."""
    value: object = scope.get(path[0])
    for name in path[1:]:
        if value is None:
            return None
        if not isinstance(value, Mapping):
            raise EvaluationFault("expr.type", f"{'.'.join(path)}：“.{name}” 前面不是记录")
        value = value.get(name)
    return _clean(value)


def values_read(expression: Expression, scope: Scope) -> dict[str, Json]:
    """What `expression` reads, for a trace: names by dotted path, questions about the customer as they are written.

    A record shows as `{…}`, a value that cannot be read as `!`. Nothing is masked here.
    """
    return compile_reads(expression)(scope)


def compile_reads(expression: Expression) -> Callable[[Scope], dict[str, Json]]:
    """A closure that does what `values_read` does, for whoever traces the same expression again and again."""
    found: dict[str, Closure] = {}
    for node in walk(expression.tree):
        if isinstance(node, Name):
            found[".".join(node.path)] = compile_node(node)
        elif isinstance(node, Call) and FUNCTIONS[node.name].asks:
            found[to_source(node)] = compile_node(node)
    return lambda scope: {name: _shown(closure, scope) for name, closure in found.items()}


def _shown(closure: Closure, scope: Scope) -> Json:
    try:
        value = closure(scope)
        if value is None or type(value) in _SHOWN_AT_ONCE:
            return value  # type: ignore[return-value] # a text, a number or a truth value, as its type says
        return "{…}" if isinstance(value, Mapping) else to_json(value)
    except EvaluationFault:
        return "!"


def _closure(node: Node) -> Closure:
    match node:
        case Constant(value=value):
            return lambda scope: value
        case Name():
            return _name(node)
        case Compare():
            return _comparison(node)
        case Not(operand=operand):
            holds = condition(operand)
            return lambda scope: not holds(scope)
        case Both():
            return _both(node)
        case Arithmetic(op=op):
            left, right, run = compile_node(node.left), compile_node(node.right), OPERATORS[op]
            return lambda scope: run(left(scope), right(scope))
        case Negative(operand=operand):
            inner = compile_node(operand)
            return lambda scope: negate(inner(scope))
        case Choice():
            return _choice(node)
        case Joined(parts=parts):
            texts = [compile_node(part) for part in parts]
            return lambda scope: bounded("".join([text_of(text(scope), scope) for text in texts]))
        case ListOf(elements=nodes):
            closures = [compile_node(element) for element in nodes]
            return lambda scope: tuple(closure(scope) for closure in closures)
        case Filter(name=name):
            return _operation(FILTERS[name], node)
        case Call(name=name):
            return _operation(FUNCTIONS[name], node)
        case _:
            assert_never(node)


def _name(node: Name) -> Closure:
    path = node.path
    if len(path) != 2:
        return lambda scope: read(scope, path)
    root, name = path

    def field(scope: Scope) -> Value:
        record = scope.get(root)
        try:
            value = record.get(name)  # type: ignore[attr-defined] # a record has it; what lacks it is none, and read below
        except AttributeError:
            return read(scope, path)
        return value if value is None or type(value) is str else _clean(value)

    return field


def _clean(value: object) -> Value:
    if isinstance(value, float):
        return as_number(value)
    if isinstance(value, list) and any(isinstance(element, float) for element in value):
        return [_clean(element) for element in value]
    return cast(Value, value)  # whatever is no Value is refused by kind_of, in the operation that wants to use it


def _comparison(node: Compare) -> Closure:
    left, right, compare = compile_node(node.left), compile_node(node.right), COMPARISONS[node.op]
    if isinstance(node.right, Constant) and isinstance(node.right.value, str):
        # A text equals a text only, so Python's own comparison says the same, and faster.
        text = node.right.value
        if node.op == "==":
            return lambda scope: left(scope) == text
        if node.op == "!=":
            return lambda scope: left(scope) != text
    return lambda scope: compare(left(scope), right(scope))


def _both(node: Both) -> Closure:
    guards = [condition(operand) for operand in node.operands]
    decided = node.op == "or"

    def decide(scope: Scope) -> bool:
        for guard in guards:
            if guard(scope) is decided:
                return decided
        return not decided

    return decide


def _choice(node: Choice) -> Closure:
    holds, then, otherwise = condition(node.condition), compile_node(node.then), compile_node(node.otherwise)
    return lambda scope: then(scope) if holds(scope) else otherwise(scope)


def _operation(operation: Operation, node: Filter | Call) -> Closure:
    if isinstance(node, Call) and is_event_call(node):
        return _happening(operation, node)
    arguments = [compile_node(argument) for argument in children(node)]
    run, sees_null, absent = operation.run, operation.sees_null, operation.absent
    checked = list(zip(arguments, operation.takes, strict=False))  # not strict: arguments may be left out
    if sees_null and len(arguments) == 1 and operation.takes[0] is ANYTHING:
        sole = arguments[0]
        return lambda scope: run(scope, sole(scope))

    def apply(scope: Scope) -> Value:
        values = []
        for argument, kinds in checked:
            value = argument(scope)
            if value is None and not sees_null:
                return absent
            if kinds is not ANYTHING and kind_of(value) not in kinds:
                raise EvaluationFault("expr.type", f"{operation.name} 不能用于{KIND_NAMES[kind_of(value)]}")
            values.append(value)
        return run(scope, *values)

    return apply


def _happening(operation: Operation, node: Call) -> Closure:
    call, run = event_call(node), operation.run
    return lambda scope: run(scope, call)


def _surely_bool(node: Node) -> bool:
    match node:
        case Compare() | Not() | Both():
            return True
        case Constant(value=value):
            return isinstance(value, bool)
        case Call(name=name):
            operation = FUNCTIONS[name]
            return operation.gives == "bool" and (operation.sees_null or operation.absent is False)
        case _:
            return False


def _reads_scope(node: Node) -> bool:
    return any(_reads_itself(part) for part in walk(node))


def _reads_itself(node: Node) -> bool:
    match node:
        case Name():
            return True
        case Joined():
            return True  # a time in it would be written in the customer's zone
        case Call(name=name):
            return FUNCTIONS[name].local
        case Filter(name=name):
            return FILTERS[name].local
        case _:
            return False
