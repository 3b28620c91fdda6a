"""What leaves the conversation, and what must be said in it. Rules J212, J605, J607."""

from bot.authoring.checks.graph import known
from bot.authoring.drafts import Drafts
from bot.authoring.nodes import place
from bot.authoring.read_journey import JourneyDraft
from bot.core.expressions.analyse import names
from bot.core.expressions.tree import Filter, Name, Node, Output, Template
from bot.core.expressions.types import Path
from bot.core.expressions.walk import children
from bot.core.states import Handoff, Webhook

MASKS = frozenset({"mask_phone", "length"})
"""Filters after which a value tells nothing about a person any more."""
FINANCE = frozenset({"金融", "finance"})
RISK_NOTE = "risk-note"
"""The content in which a journey about loans says what they cost and for whom they are not."""


def check(drafts: Drafts) -> None:
    """Report personal data where it does not belong, and a duty to inform that nobody fulfils."""
    personal = _personal_attributes(drafts)
    for draft in drafts.journeys.values():
        _in_notes(draft)
        _in_webhooks(drafts, draft, personal)
        _uninformed(draft)


def _personal_attributes(drafts: Drafts) -> frozenset[Path]:
    declared = drafts.attributes.attributes if drafts.attributes else {}
    return frozenset(("customer", name) for name, one in declared.items() if one.pii)


def _in_notes(draft: JourneyDraft) -> None:
    """A colleague sees the note of a handoff on her phone, in a list, before she has taken the customer."""
    personal = frozenset(("slots", name) for name, slot in draft.journey.slots.items() if slot.pii)
    for name, state in draft.journey.states.items():
        read = _bare_names(state.doing.note) if isinstance(state.doing, Handoff) else frozenset[Path]()
        bare = {path[:2] for path in read} & personal
        if bare:
            slot = sorted(bare)[0][1]
            message = f"handoff 的备注引用了 pii 槽 {slot} 的明文，请用 | mask_phone"
            span = place(draft.places[name].value, "handoff", "note")
            draft.page.say("J212", span, message, help=f"{{{{ slots.{slot} | mask_phone }}}}，或不写它")


def _bare_names(template: Template) -> frozenset[Path]:
    """The names of `template` that stand there unmasked."""
    found: set[Path] = set()
    waiting: list[Node] = [part.tree for part in template.parts if isinstance(part, Output)]
    hidden = names(template) if any(not isinstance(part, Output | str) for part in template.parts) else frozenset()
    while waiting:
        node = waiting.pop()
        match node:
            case Name(path=path):
                found.add(path)
            case Filter(name=name) if name in MASKS:
                continue
            case _:
                waiting.extend(children(node))
    return frozenset(found) | hidden


def _in_webhooks(drafts: Drafts, draft: JourneyDraft, attributes: frozenset[Path]) -> None:
    if drafts.webhooks is None:
        return
    personal = attributes | {("slots", name) for name, slot in draft.journey.slots.items() if slot.pii}
    for name, state in draft.journey.states.items():
        hook = state.doing
        if not isinstance(hook, Webhook) or drafts.webhooks.get(hook.target):
            continue
        for field, value in hook.body:
            if {path[:2] for path in names(value.tree)} & personal:
                message = f"pii 写入 webhook “{hook.target}”，该目标未登记为数据接收方"
                span = place(draft.places[name].value, "webhook", "body", field)
                help = f"在 config.toml 的 [webhooks.{hook.target}] 写 recipient，或不传这个值"
                draft.page.say("J605", span, message, help=help)


def _uninformed(draft: JourneyDraft) -> None:
    if not FINANCE & frozenset(draft.journey.labels) or not known(draft):
        return
    if all(use.content != RISK_NOTE for use in draft.page.contents):
        message = f"未成年人/金融适当性声明缺失：金融标签的旅程须含内容 {RISK_NOTE}"
        draft.page.say("J607", place(draft.root, "labels"), message, help=f"在介绍方案之前 send: {RISK_NOTE}")
