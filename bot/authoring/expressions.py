"""Expressions, templates and contents read from text: Jinja2 parses, the tree is ours.

Jinja2 never compiles and never renders what marketers write. Source: journey-language.md 2.6, 2.7.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

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
    unclosed,
    unreadable,
)
from bot.authoring.expression_tree import TreeBuilder
from bot.core.expressions.source import template_source
from bot.core.expressions.tree import Expression, Part, Template

__all__ = [
    "NORMAL",
    "Bodies",
    "ExpressionFault",
    "ExpressionRule",
    "parse_content",
    "parse_expression",
    "parse_template",
]

NORMAL = "normal"
"""The variant of a content that stands before the first `{% variant %}`."""
EXPRESSION_NODES_MAX = 300
TEMPLATE_NODES_MAX = 2_000
PARSED_MAX = 1_000
"""Sources whose trees are kept, of each kind: what stands in files that did not change is not parsed again at every
reload. Beyond, the longest unused are parsed anew."""

_VARIANT, _CHANNEL = "variant", "channel"
Bodies = dict[tuple[str, str], Template]
"""The wordings of a content by variant and channel; the empty channel is for all that have no wording of their own."""
# A tag alone on its line is there for the author: its line does not become one of the message.
_LONELY_TAG = re.compile(r"^[ \t]*(\{%[^\n{}]*%\})[ \t]*(?:\n|\Z)", re.MULTILINE)


@dataclass(slots=True, kw_only=True)
class _Piece:
    """What stands between two marks."""

    variant: str
    channel: str
    nodes: list[nodes.Node]


class _Marks(Extension):
    """Reads `{% variant NAME %}` and `{% channel NAME %}` as marks; `_pieces` cuts the body there."""

    tags = {_VARIANT, _CHANNEL}  # noqa: RUF012  a class attribute is how Jinja2 asks for the tags of an extension

    def parse(self, parser: Parser) -> nodes.Node:
        tag = next(parser.stream)
        name = parser.stream.expect("name").value
        mark = nodes.ExtensionAttribute(tag.value, name, lineno=tag.lineno)
        return nodes.ExprStmt(mark, lineno=tag.lineno)


# Nothing is ever rendered by these, so there is nothing to escape in them.
_PLAIN = Environment(optimized=False, keep_trailing_newline=True)  # noqa: S701
_CONTENT = Environment(optimized=False, keep_trailing_newline=True, extensions=[_Marks])  # noqa: S701


@lru_cache(maxsize=PARSED_MAX)
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


@lru_cache(maxsize=PARSED_MAX)
def parse_template(source: str) -> Template:
    """The template written as `source`. ExpressionFault: as for expressions; at most TEMPLATE_MAX characters."""
    body = _body(_PLAIN, source, also=())
    return Template(source=source, parts=TreeBuilder(TEMPLATE_NODES_MAX).parts(body))


def parse_content(source: str) -> Bodies:
    """The wordings in a content's body, in the order of the file, without white space around each.

    Text before the first `{% variant NAME %}` is `normal`; blank text there is no variant, unless there is no other.
    What stands behind `{% channel NAME %}` is said on that channel in the place of the variant's common text.
    ExpressionFault: as for templates, a variant or a channel of one twice, or one inside an `{% if %}` or `{% for %}`.
    """
    pieces = _pieces(_body(_CONTENT, source, also=(_VARIANT, _CHANNEL)))
    bodies: Bodies = {}
    for place, piece in enumerate(pieces):
        parts = _stripped(TreeBuilder(TEMPLATE_NODES_MAX).parts(piece.nodes))
        key = (piece.variant, piece.channel)
        if not parts and _is_replaced(pieces, place):
            continue
        if key in bodies:
            what = f"渠道 “{piece.channel}” 在变体 {piece.variant} 里" if piece.channel else f"变体 “{piece.variant}” "
            raise ExpressionFault("J017", f"{what}写了两次", piece.channel or piece.variant)
        bodies[key] = Template(source=template_source(parts), parts=parts)
    return bodies


def _is_replaced(pieces: list[_Piece], place: int) -> bool:
    """Whether a blank common text says nothing: others stand beside it, or its channels have their own."""
    piece, following = pieces[place], pieces[place + 1 : place + 2]
    return not piece.channel and bool(following) and (place == 0 or bool(following[0].channel))


def _body(environment: Environment, source: str, *, also: tuple[str, ...]) -> list[nodes.Node]:
    _check_length(source, TEMPLATE_MAX)
    text = _LONELY_TAG.sub(r"\1", source)
    try:
        tokens: list[Token] = tokens_of(environment, text)
        check_tags(tokens, also=also)
        check_tokens(tokens)
        return _parse(environment, text)
    except ExpressionFault as fault:
        # What follows a missing brace is read as part of the name; its own complaint would lead astray.
        raise (unclosed(text) if fault.rule == "J017" else None) or fault from None


def _parse(environment: Environment, source: str) -> list[nodes.Node]:
    try:
        return environment.parse(source).body
    except TemplateSyntaxError as fault:
        raise unreadable(source, fault.message or "") from None


def _check_length(source: str, most: int) -> None:
    if len(source) > most:
        raise ExpressionFault("J015", f"超过 {most} 字")


def _pieces(body: list[nodes.Node]) -> list[_Piece]:
    found = [_Piece(variant=NORMAL, channel="", nodes=[])]
    for node in body:
        match node:
            case nodes.ExprStmt(node=nodes.ExtensionAttribute(identifier=tag, name=name)):
                variant = name if tag == _VARIANT else found[-1].variant
                found.append(_Piece(variant=variant, channel=name if tag == _CHANNEL else "", nodes=[]))
            case _:
                found[-1].nodes.append(node)
    return found


def _stripped(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    kept = list(parts)
    if kept and isinstance(kept[0], str):
        kept[0] = kept[0].lstrip()
    if kept and isinstance(kept[-1], str):
        kept[-1] = kept[-1].rstrip()
    return tuple(part for part in kept if part != "")
