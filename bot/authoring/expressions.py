"""Expressions, templates and contents read from text: Jinja2 parses, the tree is ours.

Jinja2 never compiles and never renders what marketers write. Source: journey-language.md 2.6, 2.7.
"""

import re
from typing import TypeAlias

from jinja2 import Environment, TemplateSyntaxError, nodes
from jinja2.ext import Extension
from jinja2.parser import Parser

from bot.authoring.expression_fault import ExpressionFault, ExpressionRule
from bot.authoring.expression_tokens import (
    EXPRESSION_MAX,
    TEMPLATE_MAX,
    Token,
    check_bare,
    check_tags,
    check_tokens,
    tokens_of,
    unreadable,
)
from bot.authoring.expression_tree import TreeBuilder
from bot.core.expressions.source import template_source
from bot.core.expressions.tree import Expression, Part, Template

__all__ = ["NORMAL", "ExpressionFault", "ExpressionRule", "parse_content", "parse_expression", "parse_template"]

NORMAL = "normal"
"""The variant of a content that stands before the first `{% variant %}`."""
EXPRESSION_NODES_MAX = 300
TEMPLATE_NODES_MAX = 2_000

_VARIANT = "variant"
_Variant: TypeAlias = tuple[str, list[nodes.Node]]
# A tag alone on its line is there for the author: its line does not become one of the message.
_LONELY_TAG = re.compile(r"^[ \t]*(\{%[^\n{}]*%\})[ \t]*(?:\n|\Z)", re.MULTILINE)


class _VariantTag(Extension):
    """Reads `{% variant NAME %}` as a mark; `_variants` cuts the body at the marks."""

    tags = {_VARIANT}  # noqa: RUF012  a class attribute is how Jinja2 asks for the tags of an extension

    def parse(self, parser: Parser) -> nodes.Node:
        line = next(parser.stream).lineno
        name = parser.stream.expect("name").value
        return nodes.ExprStmt(self.attr(name, lineno=line), lineno=line)


# Nothing is ever rendered by these, so there is nothing to escape in them.
_PLAIN = Environment(optimized=False, keep_trailing_newline=True)  # noqa: S701
_CONTENT = Environment(optimized=False, keep_trailing_newline=True, extensions=[_VariantTag])  # noqa: S701


def parse_expression(source: str) -> Expression:
    """The expression written as `source`.

    ExpressionFault: J012 braces, J015 longer than EXPRESSION_MAX characters or too deep, J017 not of the language,
    J090 not built yet, J222 `count` without `within`.
    """
    text = source.strip()
    _check_length(text, EXPRESSION_MAX)
    if not text:
        raise ExpressionFault("J017", "表达式是空的")
    wrapped = "{{ " + text + " }}"
    tokens = tokens_of(_PLAIN, wrapped)
    check_bare(tokens)
    check_tokens(tokens)
    match _parse(_PLAIN, wrapped):
        case [nodes.Output(nodes=[node])]:
            return Expression(source=text, tree=TreeBuilder(EXPRESSION_NODES_MAX).node(node))
        case _:
            raise ExpressionFault("J012", "这里不要写 {{ }} 或 {% %}，直接写表达式", "{{")


def parse_template(source: str) -> Template:
    """The template written as `source`. ExpressionFault: as for expressions; at most TEMPLATE_MAX characters."""
    body = _body(_PLAIN, source, also=())
    return Template(source=source, parts=TreeBuilder(TEMPLATE_NODES_MAX).parts(body))


def parse_content(source: str) -> dict[str, Template]:
    """The variants of a content's body, in the order of the file, without white space around each.

    Text before the first `{% variant NAME %}` is `normal`; blank text there is no variant, unless there is no other.
    ExpressionFault: as for templates, a variant twice, or one inside an `{% if %}` or `{% for %}`.
    """
    first, *tagged = _variants(_body(_CONTENT, source, also=(_VARIANT,)))
    variants: dict[str, Template] = {}
    for name, body in tagged if tagged and _blank(first) else [first, *tagged]:
        if name in variants:
            raise ExpressionFault("J017", f"变体 “{name}” 写了两次", name)
        parts = _stripped(TreeBuilder(TEMPLATE_NODES_MAX).parts(body))
        variants[name] = Template(source=template_source(parts), parts=parts)
    return variants


def _body(environment: Environment, source: str, *, also: tuple[str, ...]) -> list[nodes.Node]:
    _check_length(source, TEMPLATE_MAX)
    text = _LONELY_TAG.sub(r"\1", source)
    tokens: list[Token] = tokens_of(environment, text)
    check_tags(tokens, also=also)
    check_tokens(tokens)
    return _parse(environment, text)


def _parse(environment: Environment, source: str) -> list[nodes.Node]:
    try:
        return environment.parse(source).body
    except TemplateSyntaxError as fault:
        raise unreadable(source, fault.message or "") from None


def _check_length(source: str, most: int) -> None:
    if len(source) > most:
        raise ExpressionFault("J015", f"超过 {most} 字")


def _variants(body: list[nodes.Node]) -> list[_Variant]:
    found: list[_Variant] = [(NORMAL, [])]
    for node in body:
        match node:
            case nodes.ExprStmt(node=nodes.ExtensionAttribute(name=name)):
                found.append((name, []))
            case _:
                found[-1][1].append(node)
    return found


def _blank(variant: _Variant) -> bool:
    return not _stripped(TreeBuilder(TEMPLATE_NODES_MAX).parts(variant[1]))


def _stripped(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    kept = list(parts)
    if kept and isinstance(kept[0], str):
        kept[0] = kept[0].lstrip()
    if kept and isinstance(kept[-1], str):
        kept[-1] = kept[-1].rstrip()
    return tuple(part for part in kept if part != "")
