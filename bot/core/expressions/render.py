"""Templates rendered by ourselves, with the guards' closures: Jinja2 never sees a customer's value.

Source: journey-language.md 2.7; escaping: delivery.md 3.12.
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias, assert_never

from bot.core.expressions.evaluate import compile_node, condition
from bot.core.expressions.tree import For, If, Node, Output, Part, Template
from bot.core.expressions.values import KIND_NAMES, TEXT_MAX, EvaluationFault, Scope, kind_of
from bot.core.expressions.wording import text_of

Escape: TypeAlias = Callable[[str], str]
Render: TypeAlias = Callable[[Scope, Escape | None], str]

REPEATS_MAX = 100
"""Elements that a `{% for %}` goes through; a longer list is EvaluationFault `expr.size`."""


def compile_template(template: Template) -> Render:
    """A closure that renders `template` in a scope. Null is empty; the text has at most TEXT_MAX characters.

    Its second argument, if any, is put on every value and never on the author's own words. EvaluationFault: as the
    expressions in it, an `{% if %}` without a bool, a `{% for %}` over no list, or a text too long.
    """
    return _body(template.parts)


def _body(parts: Sequence[Part]) -> Render:
    if len(parts) == 1 and isinstance(parts[0], str) and len(parts[0]) <= TEXT_MAX:
        text = parts[0]
        return lambda scope, escape: text
    renders = [_part(part) for part in parts]

    def render(scope: Scope, escape: Escape | None) -> str:
        texts: list[str] = []
        room = TEXT_MAX
        for part in renders:
            text = part(scope, escape)
            texts.append(text)
            room -= len(text)
            if room < 0:
                raise _too_long()
        return "".join(texts)

    return render


def _too_long() -> EvaluationFault:
    return EvaluationFault("expr.size", f"文字超过 {TEXT_MAX} 字")


def _part(part: Part) -> Render:
    match part:
        case str():
            return lambda scope, escape: part
        case Output(tree=tree):
            return _output(tree)
        case If():
            return _if(part)
        case For():
            return _for(part)
        case _:
            assert_never(part)


def _output(tree: Node) -> Render:
    closure = compile_node(tree)

    def render(scope: Scope, escape: Escape | None) -> str:
        text = text_of(closure(scope), scope)
        return text if escape is None else escape(text)

    return render


def _if(part: If) -> Render:
    branches = [(condition(when), _body(body)) for when, body in part.branches]
    otherwise = _body(part.otherwise)

    def render(scope: Scope, escape: Escape | None) -> str:
        for holds, body in branches:
            if holds(scope):
                return body(scope, escape)
        return otherwise(scope, escape)

    return render


def _for(part: For) -> Render:
    over, body, name = compile_node(part.over), _body(part.body), part.name

    def render(scope: Scope, escape: Escape | None) -> str:
        listed = over(scope)
        if listed is None:
            return ""
        if not isinstance(listed, list | tuple):
            raise EvaluationFault("expr.type", f"for 需要列表，得到{KIND_NAMES[kind_of(listed)]}")
        if len(listed) > REPEATS_MAX:
            raise EvaluationFault("expr.size", f"for 的列表超过 {REPEATS_MAX} 项")
        texts: list[str] = []
        room = TEXT_MAX
        for element in listed:
            texts.append(body({**scope, name: element}, escape))
            room -= len(texts[-1])
            if room < 0:
                raise _too_long()
        return "".join(texts)

    return render
