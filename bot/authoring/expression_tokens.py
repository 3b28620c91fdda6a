"""The first look at an expression or template, token by token: what is refused before anything recurses over it.

Jinja2's parser goes down one level of Python calls for every bracket, `not`, minus sign and `else`, so their number
is bounded here, with the size of the source and the digits of a number.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from jinja2 import Environment, TemplateSyntaxError

from bot.authoring.expression_fault import ExpressionFault

EXPRESSION_MAX = 2_000
"""Characters of an expression."""
TEMPLATE_MAX = 20_000
"""Characters of a template, or of the body of a content."""
TOKENS_MAX = 6_000
"""Tokens of a source, white space among them."""
NESTING_MAX = 400
"""Levels of Python calls that parsing may go down, by the weights below; Python itself allows 1,000 in all."""
DIGITS_MAX = 15
"""Digits of a number: as many as survive being a float, which is how Jinja2 hands decimals over."""
PLACES_MAX = 6
BLOCKS_MAX = 10
"""`{% if %}` and `{% for %}` within one another."""
REPEATS_DEEP_MAX = 2
"""`{% for %}` within one another."""

TAGS = ("if", "elif", "else", "endif", "for", "endfor")

_BRACKET_WEIGHT = 18
_ELSE_WEIGHT = 3
_PREFIX_WEIGHT = 3

_NUMBER = re.compile(rf"[0-9]{{1,{DIGITS_MAX}}}(?:\.[0-9]{{1,{PLACES_MAX}}})?")
_FULL_WIDTH = {
    **dict(zip("（）［］【】｛｝，、：。．＝！＜＞＋－×＊÷％｜", "()[][]{},,:..=!<>+-**/%|", strict=True)),
    **dict.fromkeys("“”‘’＇＂", "'"),
    "≠": "!=",
    "≤": "<=",
    "≥": ">=",
}
"""Full-width signs, which an input method leaves behind, and what they stand for."""
_TAG_INSIDE = re.compile(r"\{[{%](.*?)(?:[%}]\}|\Z)", re.DOTALL)
_INSIDE = re.compile(r"""(?:'[^'\n]*'|"[^"\n]*"|[^'"{}\n])*""")
"""What may stand between `{{` and `}}` of one line."""
_NAME = re.compile(r"""\s*[A-Za-z_][A-Za-z0-9_.]*(?:\s*\|\s*[a-z_]+(?:\((?:'[^'\n]*'|[^'()\n])*\))?)*""")
"""A name with its filters, as far as it goes without Chinese."""
_OPERANDS = frozenset({"name", "string", "integer", "float"})
_WORDS_BEFORE_OPERAND = frozenset({"not", "and", "or", "in", "if", "elif", "else", "is"})


@dataclass(frozen=True, slots=True)
class Token:
    """One token of the source. `kind` and `text` are the lexer's."""

    kind: str
    text: str


def tokens_of(environment: Environment, source: str) -> list[Token]:
    """The tokens of `source` but for white space and comments.

    ExpressionFault: J015 more than TOKENS_MAX, J017 it cannot be cut into tokens.
    """
    try:
        found = [Token(kind, text) for _, kind, text in islice(environment.lex(source), TOKENS_MAX + 1)]
    except TemplateSyntaxError as fault:
        raise unreadable(source, fault.message or "") from None
    if len(found) > TOKENS_MAX:
        raise ExpressionFault("J015", f"超过 {TOKENS_MAX} 个词和符号，请拆成几段")
    return [token for token in found if token.kind != "whitespace" and not token.kind.startswith("comment")]


def unreadable(source: str, detail: str) -> ExpressionFault:
    """The fault for what the lexer or parser could not read; full-width signs, the usual reason, are named."""
    inside = " ".join(_TAG_INSIDE.findall(source))
    wide = next((char for char in _outside_quotes(inside) if char in _FULL_WIDTH), "")
    if wide:
        return ExpressionFault("J017", f"用了全角符号 {wide} ，请改为半角的 {_FULL_WIDTH[wide]}", wide)
    named = [word for word in re.findall(r"'([^']{1,40})'", detail) if word in source and word.strip("{}%")]
    if named[-1:] == ["="]:
        return ExpressionFault("J017", "比较是否相等用 ==，不用 =", "=")
    if named:
        return ExpressionFault("J017", f"表达式读不懂，在 “{named[-1]}” 附近", named[-1])
    return ExpressionFault("J017", "表达式读不懂：没有写完，或括号、引号、标签不成对")


def unclosed(source: str) -> ExpressionFault | None:
    """The fault of a template in which a `{{` is not closed by `}}` on its line; None: each one is."""
    for begin in re.finditer(r"\{\{", source):
        found = _INSIDE.match(source, begin.end())
        assert found is not None, "it takes nothing as well"
        if source.startswith("}}", found.end()):
            continue
        braces, name = "}" if source.startswith("}", found.end()) else "", _NAME.match(found.group())
        shown = found.group() if braces or name is None else name.group()
        missing, offending = "}" * (2 - len(braces)), source[begin.start() : begin.end() + len(shown)]
        cure = f"补上 {missing}：写成 {{{{ {shown.strip()} }}}}"
        return ExpressionFault("J017", f"这里少了 “{missing}”：{{{{ 没有用 }}}} 收住", offending + braces, cure=cure)
    return None


def check_tokens(tokens: Iterable[Token]) -> None:
    """Refuse numbers too long and nesting too deep. ExpressionFault J015 or J017."""
    depth, deepest, weight = 0, 0, 0
    before = Token("variable_begin", "")
    for token in tokens:
        _check_number(token)
        if token.kind.endswith("_begin"):
            depth, deepest, weight = 0, 0, 0
        depth += _step(token)
        deepest = max(deepest, depth)
        weight += _weight(token, before)
        if deepest * _BRACKET_WEIGHT + weight > NESTING_MAX:
            raise ExpressionFault("J015", "表达式嵌套太深，请拆成几步", token.text)
        before = token


def check_tags(tokens: Iterable[Token], *, also: tuple[str, ...] = ()) -> None:
    """Refuse tags that are not of the language, `{% raw %}`, and blocks too deep. ExpressionFault J015 or J017."""
    open_blocks: list[str] = []
    tags = (*TAGS, *also)
    for before, token in _pairs(tokens):
        if token.kind == "raw_begin":
            raise ExpressionFault("J017", "不支持 {% raw %}", "raw")
        if before.kind != "block_begin":
            continue
        if token.text not in tags:
            raise ExpressionFault("J017", f"不支持 {{% {token.text} %}}，可用：{'、'.join(tags)}", token.text)
        if token.text in ("if", "for"):
            open_blocks.append(token.text)
        elif token.text in ("endif", "endfor") and open_blocks:
            open_blocks.pop()
        if len(open_blocks) > BLOCKS_MAX or open_blocks.count("for") > REPEATS_DEEP_MAX:
            raise ExpressionFault("J015", f"if 最多套 {BLOCKS_MAX} 层，for 最多套 {REPEATS_DEEP_MAX} 层", token.text)


def check_bare(tokens: list[Token]) -> None:
    """Refuse braces in an expression that was put between `{{` and `}}`. ExpressionFault J012."""
    inner = tokens[1:-1]
    doubled = any(one.text == other.text and one.text in ("{", "}") for one, other in _pairs(inner))
    tagged = any(token.kind not in (*_OPERANDS, "operator") for token in inner)
    percent = any(one.text + other.text in ("{%", "%}") for one, other in _pairs(inner))
    if doubled or tagged or percent:
        raise ExpressionFault("J012", "这里不要写 {{ }} 或 {% %}，直接写表达式", "{")


def _check_number(token: Token) -> None:
    if token.kind in ("integer", "float") and not _NUMBER.fullmatch(token.text):
        shown = token.text if len(token.text) <= 2 * DIGITS_MAX else ""
        raise ExpressionFault("J017", f"数最多 {DIGITS_MAX} 位整数、{PLACES_MAX} 位小数，不用科学记数或下划线", shown)


def _step(token: Token) -> int:
    if token.kind != "operator":
        return 0
    return (token.text in ("(", "[", "{")) - (token.text in (")", "]", "}"))


def _weight(token: Token, before: Token) -> int:
    if token.kind == "name":
        return {"not": _PREFIX_WEIGHT, "else": _ELSE_WEIGHT}.get(token.text, 0)
    prefix = token.kind == "operator" and token.text in ("-", "+") and not _ends_operand(before)
    return _PREFIX_WEIGHT if prefix else 0


def _ends_operand(token: Token) -> bool:
    if token.kind == "name":
        return token.text not in _WORDS_BEFORE_OPERAND
    return token.kind in _OPERANDS or token.text in (")", "]")


def _pairs(tokens: Iterable[Token]) -> Iterator[tuple[Token, Token]]:
    before = Token("initial", "")
    for token in tokens:
        yield before, token
        before = token


def _outside_quotes(source: str) -> Iterator[str]:
    quote = ""
    for char in source:
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        else:
            yield char
