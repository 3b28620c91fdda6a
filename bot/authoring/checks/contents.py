"""Every content that is said exists, fits its channel, and is said by someone. J301, J302, J303, J307, J308, J312."""

from bot.authoring.checks.lengths import check_lengths, check_menus
from bot.authoring.drafts import Drafts
from bot.authoring.nodes import place
from bot.authoring.page import ContentUse, Page, is_template
from bot.authoring.read_content import ContentDraft
from bot.authoring.read_journey import JourneyDraft
from bot.authoring.suggest import meant, nearest
from bot.core.slots import Slot

RESERVED = {
    "confirm": "复述客户的答案，请她确认",
    "expired-choice": "回应过期的选项",
    "fallback": "回应没听懂的话",
    "optout-ok": "确认已经退订",
}
"""Contents that the engine itself says."""


def check(drafts: Drafts) -> None:
    """Report contents that are missing, unused or unfit."""
    used = set(RESERVED)
    check_menus(drafts)
    check_lengths(drafts)
    for draft in drafts.journeys.values():
        for use in _uses(draft):
            used |= _named(drafts, use)
            # A reserved content is reported as such, not where the product itself says it.
            if not (draft.shipped and use.content in RESERVED):
                _use(drafts, draft, use)
    if drafts.rules:
        for use in drafts.rules.page.contents:
            used |= _named(drafts, use)
            said = drafts.contents.get(use.content)
            if _exists(drafts, drafts.rules.page, use) and said and "oa" not in said.content.forms:
                drafts.rules.page.say("J307", use.span, f"渠道 oa 没有 “{use.content}” 的可用版本")
            if said:
                _templates(drafts, drafts.rules.page, use, said)
    # What a file says that could not be read is not known: nothing counts as unused then.
    all_read = (
        drafts.rules is not None and drafts.journeys.keys() == drafts.journey_names and all(drafts.fragments.values())
    )
    for name, content in drafts.contents.items():
        if all_read and name not in used and not content.shipped and not content.questions:
            message = f"{content.page.source.name} 没有被任何旅程引用"
            content.page.say("J302", place(content.root, "content"), message, help="在旅程里用上它，或删掉这个文件")
        _reserved_forms(content)


def _named(drafts: Drafts, use: ContentUse) -> set[str]:
    """The content that is said, and with a misspelt one that which was most likely meant: it does not lie idle."""
    near = None if use.content in drafts.content_names else nearest(use.content, sorted(drafts.content_names))
    return {use.content} if near is None else {use.content, near}


def _uses(draft: JourneyDraft) -> list[ContentUse]:
    """What the journey says. An ask names a slot; its content stands at the slot, its fallbacks at the ask."""
    found: list[ContentUse] = []
    for use in draft.page.contents:
        slot = draft.journey.slots.get(use.slot)
        if use.content:
            found.append(use)
        elif slot and slot.ask:
            found.append(
                ContentUse(
                    content=slot.ask,
                    span=use.span,
                    how="ask",
                    state=use.state,
                    slot=use.slot,
                    send_class=use.send_class,
                    templates=use.templates,
                )
            )
    return found


def _exists(drafts: Drafts, page: Page, use: ContentUse) -> bool:
    if use.content in drafts.content_names or is_template(use.content):
        return use.content in drafts.content_names  # that a template cannot stand there was reported already
    # The ask of a slot is reported where the slot names it.
    if not (use.how == "ask" and use.state):
        near = nearest(use.content, sorted(drafts.content_names))
        hint, cure = (f"，是否指 “{near}”？", f"改成 “{near}”") if near else ("", f"新建 content/{use.content}.md")
        page.say("J301", use.span, f"content/{use.content}.md 不存在{hint}", help=cure)
    return False


def _use(drafts: Drafts, draft: JourneyDraft, use: ContentUse) -> None:
    if not _exists(drafts, draft.page, use):
        return
    content = drafts.contents.get(use.content)
    if content is None:
        return
    if use.how != "evidence":
        _form(draft, use, content)
    _templates(drafts, draft.page, use, content)


def _templates(drafts: Drafts, page: Page, use: ContentUse, content: ContentDraft) -> None:
    for name, span in use.templates:
        if drafts.templates is not None and name not in drafts.templates:
            hint = meant(f"template:{name}", [f"template:{one}" for one in drafts.templates])
            help = "在 config.toml 的 [channels.oa.名字.templates] 登记模板 id"
            page.say("J312", span, f"未登记：template:{name}{hint}", help=help)
        elif name not in content.content.templates:
            message = f"“{use.content}” 没有写模板 {name} 的字段"
            help = f"在 content/{use.content}.md 加 templates: {{{name}: {{thing1: …}}}}"
            page.say("J312", span, message, help=help)


def _form(draft: JourneyDraft, use: ContentUse, content: ContentDraft) -> None:
    forms = content.content.forms
    for channel in _channels(draft):
        if channel not in forms:
            only = f"只有 {'、'.join(forms)}" if forms else "channels 里一个也没有"
            message = f"渠道 {channel} 没有 “{use.content}” 的可用版本（{only}）"
            draft.page.say("J307", use.span, message, help=f"channels: {{{channel}: text}}")
            return
    channel = draft.journey.channel
    slot: Slot | None = draft.journey.slots.get(use.slot)
    if forms[channel] == "menu" and (
        use.how == "send" or (slot and slot.type != "choice" and slot.options_from is None)
    ):
        message = f"“{use.content}” 是 menu 形式，只能用来问 choice 的槽"
        draft.page.say("J307", use.span, message, help=f"channels: {{{channel}: text}}")


def _channels(draft: JourneyDraft) -> tuple[str, ...]:
    """The channels in which the journey may talk: its own, and those of its entries."""
    journey = draft.journey
    return tuple(dict.fromkeys((journey.channel, *(one for entry in journey.enter for one in entry.channels))))


def _reserved_forms(content: ContentDraft) -> None:
    if content.content.content in RESERVED and "oa" not in content.content.forms:
        message = f"引擎在公众号要用 “{content.content.content}”，它没有 oa 的版本"
        content.page.say("J307", place(content.root, "channels"), message, help="channels: {oa: text}")
