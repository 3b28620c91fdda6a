"""`interrupts` of `_global.yaml`: what is heard before the open question. Source: journey-language.md 2.5."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

from bot.authoring import literals, vocabulary
from bot.authoring.fields import Fields, fields_of
from bot.authoring.nodes import Node, Table
from bot.authoring.page import Page
from bot.authoring.read_actions import read_actions, read_arguments, read_target
from bot.authoring.read_entries import INTENT_MIN
from bot.authoring.read_reactions import read_intents, read_keywords
from bot.core.rules import Interrupt

_SOFT_PRIORITY = 500
"""Of an interrupt without `priority`."""
_EFFECTS: Mapping[str, Literal["end_all", "end_focus", "pause", "answer"]] = {
    "end_all": "end_all",
    "end_focus": "end_focus",
    "pause": "pause",
    "answer": "answer",
}
_HEARD = ("keyword", "intent", "faq")


def read_interrupts(fields: Fields) -> tuple[Interrupt, ...]:
    """In the order in which they are tried: by priority, then as they stand in the file."""
    found = [one for one in (_interrupt(fields.page, node) for node in fields.nodes("interrupts")) if one]
    return tuple(sorted(found, key=lambda one: -one.priority))


def _interrupt(page: Page, node: Node) -> Interrupt | None:
    fields = fields_of(page, node, vocabulary.INTERRUPT)
    if fields is None:
        return None
    if not any(fields.has(key) for key in _HEARD):
        help = "keyword: [退订, TD]"
        page.say("J014", fields.key("id"), "interrupts 的一项缺少 “keyword”、“intent” 或 “faq”", help=help)
    if fields.has("min") and not fields.has("intent") and not fields.has("faq"):
        page.say("J016", fields.key("min"), "min 只用于 intent 和 faq")
    target = fields.node("call")
    called = read_target(page, _without_save(page, target), vocabulary.INTERRUPT_CALL) if target is not None else None
    journey, inner = called or ("", None)
    return Interrupt(
        interrupt=fields.text("id"),
        keywords=read_keywords(fields),
        priority=fields.parsed("priority", literals.whole, _SOFT_PRIORITY),
        effect=fields.one_of("effect", _EFFECTS, default="answer"),
        do=read_actions(replace(page, global_=True), fields.nodes("do")),
        call=journey,
        arguments=read_arguments(inner, journey) if inner else (),
        intents=read_intents(fields),
        faq=fields.parsed("faq", literals.flag, False),
        min=fields.parsed("min", literals.fraction, INTENT_MIN),
    )


def _without_save(page: Page, target: Node) -> Node:
    """`call` without `save`: an interrupt stands in no journey, so there is nobody to keep what comes back."""
    save = target.entry("save") if isinstance(target, Table) else None
    if save is None or not isinstance(target, Table):
        return target
    message = "interrupts 的 call 没有 “save”：打断词不属于任何旅程，没有地方存结果"
    help = "让被调用的旅程自己 set: {customer.…}、tag 或 emit"
    page.say("J006", save.key, message, help=help)
    return replace(target, entries=tuple(one for one in target.entries if one is not save))
