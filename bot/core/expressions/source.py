"""Trees written out again, as a marketer would have written them."""

from decimal import Decimal
from typing import assert_never

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
from bot.core.expressions.wording import plain_number

_ESCAPES = str.maketrans({"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r"})


def to_source(node: Node) -> str:
    """`node` as text that is read as an equal tree. Operands that are no plain value stand in brackets."""
    match node:
        case Constant(value=value):
            return _literal(value)
        case Name(path=path):
            return ".".join(path)
        case Compare(op=op, left=left, right=right) | Arithmetic(op=op, left=left, right=right):
            return f"{_operand(left)} {op} {_operand(right)}"
        case Not(operand=operand):
            return f"not {_operand(operand)}"
        case Both(op=op, operands=operands):
            return f" {op} ".join(map(_operand, operands))
        case Negative(operand=operand):
            return f"-{_operand(operand)}"
        case Joined(parts=parts):
            return " ~ ".join(map(_operand, parts))
        case Choice(condition=condition, then=then, otherwise=otherwise):
            return f"{_operand(then)} if {_operand(condition)} else {_operand(otherwise)}"
        case ListOf(elements=elements):
            return f"[{', '.join(map(to_source, elements))}]"
        case Filter(name=name, operand=operand, arguments=arguments):
            listed = f"({', '.join(map(to_source, arguments))})" if arguments else ""
            return f"{_operand(operand)} | {name}{listed}"
        case Call():
            return _call(node)
        case _:
            assert_never(node)


def template_source(parts: tuple[Part, ...]) -> str:
    """A template's parts as text. For reading: a brace at the end of a plain text may run into the next part."""
    return "".join(map(_part, parts))


def _part(part: Part) -> str:
    match part:
        case str():
            return part
        case Output(tree=tree):
            return f"{{{{ {to_source(tree)} }}}}"
        case For(name=name, over=over, body=body):
            return f"{{% for {name} in {to_source(over)} %}}{template_source(body)}{{% endfor %}}"
        case If(branches=branches, otherwise=otherwise):
            ways = [f"{{% if {to_source(when)} %}}{template_source(body)}" for when, body in branches]
            last = f"{{% else %}}{template_source(otherwise)}" if otherwise else ""
            return (
                "{% el".join(way.removeprefix("{% ") if at else way for at, way in enumerate(ways))
                + last
                + "{% endif %}"
            )
        case _:
            assert_never(part)


def _operand(node: Node) -> str:
    match node:
        case Constant(value=int() | Decimal() as value) if value < 0:
            return f"({to_source(node)})"
        case Constant() | Name() | ListOf() | Call():
            return to_source(node)
        case _:
            return f"({to_source(node)})"


def _call(node: Call) -> str:
    named = [f"{name}={to_source(value)}" for name, value in node.keywords]
    return f"{node.name}({', '.join([*map(to_source, node.arguments), *named])})"


def _literal(value: str | int | Decimal | bool | None) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            return f"'{value.translate(_ESCAPES)}'"
        case _:
            return plain_number(value)
