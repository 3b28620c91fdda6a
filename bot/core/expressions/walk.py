"""Going through a tree, whatever it is made of.

What stands in the `where=` of `count` reads the fields of other events, so it is no part of the tree around it.
"""

from collections.abc import Iterator
from typing import assert_never

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

WHERE = "where"


def children(node: Node) -> tuple[Node, ...]:
    """The nodes right below `node`, in the order they are evaluated in."""
    match node:
        case Constant() | Name():
            return ()
        case Not(operand=operand) | Negative(operand=operand):
            return (operand,)
        case Compare(left=left, right=right) | Arithmetic(left=left, right=right):
            return (left, right)
        case Both(operands=nodes) | Joined(parts=nodes) | ListOf(elements=nodes):
            return nodes
        case Choice(condition=condition, then=then, otherwise=otherwise):
            return (condition, then, otherwise)
        case Filter(operand=operand, arguments=arguments):
            return (operand, *arguments)
        case Call(arguments=arguments, keywords=keywords):
            return (*arguments, *(value for name, value in keywords if name != WHERE))
        case _:
            assert_never(node)


def walk(node: Node) -> Iterator[Node]:
    """`node` and everything below it, each before what is below it, left to right."""
    waiting = [node]
    while waiting:
        current = waiting.pop()
        yield current
        waiting.extend(reversed(children(current)))
