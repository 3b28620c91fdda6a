"""How long a text can get at worst, against what the platform takes. Rule J303."""

from collections.abc import Iterable
from typing import assert_never

from bot.authoring.drafts import Drafts
from bot.authoring.page import within
from bot.authoring.read_content import ContentDraft
from bot.authoring.source import Span
from bot.core.expressions.tree import (
    Choice,
    Constant,
    Filter,
    For,
    If,
    Joined,
    Name,
    Node,
    Output,
    Part,
)

TEXT_BYTES_MAX = 2048
"""Of a text, and of a menu's text, on an official account and in the app. Source: wechat-api.md 3.3, 4.4."""
_CHINESE_BYTES = 3
_FREE_TEXT = 12 * _CHINESE_BYTES
"""A value that a customer typed, such as her name, is counted as 12 characters."""
_SHORT = 24
"""Numbers, dates, times, masked phones."""
_ROUNDS = 20
"""A `for` is counted as so many rounds."""
_SHORT_FILTERS = frozenset({"length", "round", "date", "when", "money", "mask_phone"})
_NUMBERS = frozenset({"phone", "score", "points", "id"})


def check_lengths(drafts: Drafts, draft: ContentDraft) -> None:
    """Report every wording that may grow beyond the platform's limit."""
    options = _longest_option(drafts)
    for variant, template in draft.content.variants.items():
        worst = _parts(template.parts, options)
        for channel, form in draft.content.forms.items():
            if form != "image" and worst > TEXT_BYTES_MAX:
                name = draft.content.content
                which = "" if variant == "normal" else f" 的变体 {variant}"
                message = f"{channel} 文本最长 {TEXT_BYTES_MAX} 字节：“{name}”{which} 最坏 {worst} 字节"
                help = "中文 1 字 = 3 字节，客户填写的值按 12 字计；把内容拆成两条，或写短一些"
                draft.page.say("J303", _first_line(draft), message, help=help)


def _first_line(draft: ContentDraft) -> Span:
    line = draft.page.source.line(draft.body.line)
    return within(draft.page.source, draft.body, line)


def _longest_option(drafts: Drafts) -> int:
    """Bytes of the longest option of any choice: what `slots.X` may come to beside a text."""
    slots = (slot for draft in drafts.journeys.values() for slot in draft.journey.slots.values())
    return max((len(option.encode()) for slot in slots for option in slot.options), default=0)


def _parts(parts: Iterable[Part], options: int) -> int:
    total = 0
    for part in parts:
        match part:
            case str():
                total += len(part.encode())
            case Output(tree=tree):
                total += _worst(tree, options)
            case If(branches=branches, otherwise=otherwise):
                total += max(_parts(body, options) for body in (*(body for _, body in branches), otherwise))
            case For(body=body):
                total += _ROUNDS * _parts(body, options)
            case _:
                assert_never(part)
    return total


def _worst(node: Node, options: int) -> int:
    match node:
        case Constant(value=str() as text):
            return len(text.encode())
        case Name(path=path):
            if path[-1] in _NUMBERS:
                return _SHORT
            return max(_FREE_TEXT, options) if path[0] == "slots" else _FREE_TEXT
        case Filter(name="default", operand=operand, arguments=(instead,)):
            return max(_worst(operand, options), _worst(instead, options))
        case Filter(name="join"):
            return _ROUNDS * _FREE_TEXT
        case Filter(name=name, operand=operand):
            return _SHORT if name in _SHORT_FILTERS else _worst(operand, options)
        case Choice(then=then, otherwise=otherwise):
            return max(_worst(then, options), _worst(otherwise, options))
        case Joined(parts=parts):
            return sum(_worst(part, options) for part in parts)
        case _:
            return _SHORT
