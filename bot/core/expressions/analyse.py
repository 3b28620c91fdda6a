"""What can be known of an expression before any customer is there: its names, its calls, what is wrong with it."""

from collections.abc import Iterable
from typing import assert_never

from bot.core.expressions.ground import Ground
from bot.core.expressions.happenings import event_call, is_event_call
from bot.core.expressions.infer import Finding, Inference
from bot.core.expressions.pushing import Local, unpushable
from bot.core.expressions.tree import Call, Expression, For, If, Name, Node, Output, Part, Template
from bot.core.expressions.types import ANYTHING, LIST, Path, Type, TypeEnv
from bot.core.expressions.values import KIND_NAMES, Kind
from bot.core.expressions.walk import walk


def names(tree: Node | Template) -> frozenset[Path]:
    """The paths that `tree` reads; the names that a `for` makes are not among them."""
    if isinstance(tree, Template):
        return _names_of(tree.parts, frozenset())
    return frozenset(node.path for node in walk(tree) if isinstance(node, Name))


def nodes(tree: Node | Template) -> tuple[Node, ...]:
    """Every node of the expressions in `tree`, in the order they are written in."""
    roots = _trees(tree.parts) if isinstance(tree, Template) else [tree]
    return tuple(node for root in roots for node in walk(root))


def calls(tree: Node | Template) -> tuple[Call, ...]:
    """The calls in `tree`, in the order they are written in."""
    return tuple(node for node in nodes(tree) if isinstance(node, Call))


def type_of(tree: Node, env: TypeEnv) -> Type:
    """The type that `tree` has; `any` where it is not known or something is wrong in it."""
    return Inference(env=env).of(tree)


def check_guard(expression: Expression, env: TypeEnv) -> tuple[Finding, ...]:
    """What is wrong with `expression` as a condition, in the order it is written in."""
    inference = Inference(env=env)
    inference.condition(expression.tree)
    return (*inference.findings, *_unaskable((expression.tree,), env))


def check_audience(expression: Expression, ground: Ground) -> tuple[Finding, ...]:
    """What in `expression` no database can work out, as a condition over many customers: rule J221."""
    return tuple(map(_local, unpushable(expression.tree, ground)))


def check_value(expression: Expression, env: TypeEnv, *, wanted: frozenset[Kind] = ANYTHING) -> tuple[Finding, ...]:
    """What is wrong with `expression` as a value of one of the kinds `wanted`."""
    inference = Inference(env=env)
    hoped = "或".join(sorted(KIND_NAMES[kind] for kind in wanted))
    inference.need(expression.tree, wanted, f"这里需要{hoped}")
    return (*inference.findings, *_unaskable((expression.tree,), env))


def check_template(template: Template, env: TypeEnv) -> tuple[Finding, ...]:
    """What is wrong with the expressions of `template`, in the order they are written in."""
    return (*_check_parts(template.parts, env), *_unaskable(_trees(template.parts), env))


def _unaskable(trees: Iterable[Node], env: TypeEnv) -> list[Finding]:
    """What stands in the `where` of a count is always asked of the database, so it must be able to work it out."""
    ground = Ground(env=env)
    wheres = [call for tree in trees for node in walk(tree) if isinstance(node, Call) for call in _counting(node)]
    return [_local(one) for event, where in wheres for one in unpushable(where, ground.of_event(event))]


def _counting(node: Call) -> list[tuple[str, Node]]:
    call = event_call(node) if is_event_call(node) else None
    return [(call.event, call.where)] if call is not None and call.where is not None else []


def _local(found: Local) -> Finding:
    return Finding(rule="J221", message=f"{found.source} 无法转成 SQL：{found.reason}", offending=found.source)


def _names_of(parts: Iterable[Part], made: frozenset[str]) -> frozenset[Path]:
    found: set[Path] = set()
    for part in parts:
        match part:
            case str():
                continue
            case Output(tree=tree):
                read = names(tree)
            case If(branches=branches, otherwise=otherwise):
                bodies = [_names_of(body, made) for _, body in branches]
                read = _names_of(otherwise, made).union(*bodies, *(names(when) for when, _ in branches))
            case For(name=name, over=over, body=body):
                read = names(over) | _names_of(body, made | {name})
            case _:
                assert_never(part)
        found |= {path for path in read if path[0] not in made}
    return frozenset(found)


def _trees(parts: Iterable[Part]) -> list[Node]:
    trees: list[Node] = []
    for part in parts:
        match part:
            case str():
                continue
            case Output(tree=tree):
                trees.append(tree)
            case If(branches=branches, otherwise=otherwise):
                for when, body in branches:
                    trees += [when, *_trees(body)]
                trees += _trees(otherwise)
            case For(over=over, body=body):
                trees += [over, *_trees(body)]
            case _:
                assert_never(part)
    return trees


def _check_parts(parts: Iterable[Part], env: TypeEnv) -> list[Finding]:
    inference = Inference(env=env)
    for part in parts:
        match part:
            case str():
                continue
            case Output(tree=tree):
                inference.written(tree)
            case If(branches=branches, otherwise=otherwise):
                for when, body in branches:
                    inference.condition(when)
                    inference.findings += _check_parts(body, env)
                inference.findings += _check_parts(otherwise, env)
            case For(name=name, over=over, body=body):
                inference.need(over, LIST, "for 需要列表")
                inference.findings += _check_parts(body, env.with_name(name, "any"))
            case _:
                assert_never(part)
    return inference.findings
