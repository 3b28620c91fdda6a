"""How long a text can get at worst, against what each channel takes. Rules J303, J304, J305."""

import re
from collections.abc import Iterable

from bot.authoring.checks.maxima import Maxima, maxima_of, saved_of
from bot.authoring.checks.worst import Measure, in_bytes, in_characters
from bot.authoring.drafts import Drafts
from bot.authoring.nodes import Table, place
from bot.authoring.page import within
from bot.authoring.read_content import ContentDraft
from bot.authoring.read_journey import JourneyDraft
from bot.authoring.source import Span
from bot.core.sizes import FIELD_CHARACTERS_MAX, MENU_LINE_BYTES_MAX, MENU_LINES_MAX, bytes_max
from bot.core.slots import Slot
from bot.core.step.offering import OPTIONS_MAX, TEXT_MAX

_LISTED_BYTES = OPTIONS_MAX * (len(f"\n{OPTIONS_MAX}. ") + len("好".encode()) * TEXT_MAX)
"""What the numbered answers of `options_from` add at worst below a text."""
_FIELD_TYPE = re.compile(r"([a-z_]+?)[0-9]*")
_HELP = "中文 1 字 = 3 字节；客户填写的值按 check 里 length(value) 的上限计，没写按 12 字计。拆成两条，或写短一些"


def check_lengths(drafts: Drafts) -> None:
    """Report every wording that may grow beyond a platform's limit, and template fields that would be cut."""
    saying = _saying(drafts)
    saved, everywhere = saved_of(drafts), tuple(drafts.journeys.values())
    listing = {
        name
        for draft in everywhere
        for slot in draft.journey.slots.values()
        for name in _says(slot)
        if slot.options_from is not None
    }
    unsaid: Maxima | None = None
    for name, draft in drafts.contents.items():
        if name in saying:
            maxima = maxima_of(saved, saying[name])
        else:
            maxima = unsaid = unsaid or maxima_of(saved, everywhere)
        _texts(draft, in_bytes(maxima), listed=_LISTED_BYTES if name in listing else 0)
        _fields(draft, maxima)


def check_menus(drafts: Drafts) -> None:
    """Report choices that no menu can show: too many of them (J304), or one too long (J303)."""
    for draft in drafts.journeys.values():
        for slot in draft.journey.slots.values():
            asking = drafts.contents.get(slot.ask)
            if asking is not None and "menu" in asking.content.forms.values():
                _menu(draft, slot)


def _says(slot: Slot) -> tuple[str, str]:
    return slot.ask, slot.retry_say


def _saying(drafts: Drafts) -> dict[str, list[JourneyDraft]]:
    """The journeys that say each content."""
    found: dict[str, list[JourneyDraft]] = {}
    for draft in drafts.journeys.values():
        said = [use.content for use in draft.page.contents]
        asked = [name for slot in draft.journey.slots.values() for name in _says(slot)]
        for name in dict.fromkeys((*said, *asked)):
            found.setdefault(name, []).append(draft)
    return found


def _texts(draft: ContentDraft, measure: Measure, *, listed: int) -> None:
    content = draft.content
    for variant in content.variants:
        for channel, form in content.forms.items():
            if form == "image":
                continue
            limit = bytes_max(channel, form)
            worst = measure.parts(content.wording(variant, channel).parts) + (listed if form == "text" else 0)
            if worst > limit:
                which = "" if variant == "normal" else f" 的变体 {variant}"
                what = "文本" if form == "text" else "菜单的文字"
                message = f"{channel} {what}最长 {limit} 字节：“{content.content}”{which} 最坏 {worst} 字节"
                draft.page.say("J303", _first_line(draft), message, help=_HELP)


def _first_line(draft: ContentDraft) -> Span:
    line = draft.page.source.line(draft.body.line)
    return within(draft.page.source, draft.body, line)


def _fields(draft: ContentDraft, maxima: Maxima) -> None:
    measure = in_characters(maxima)
    written = draft.root.entry("templates")
    for template, fields in draft.content.templates.items():
        for name, value in fields:
            named = _FIELD_TYPE.fullmatch(name)
            limit = FIELD_CHARACTERS_MAX.get(named.group(1)) if named else None
            worst = measure.parts(value.parts)
            if limit is None or worst <= limit or written is None or not isinstance(written.value, Table):
                continue
            entry = written.value.entry(template)
            message = f"模板 {template} 的 {name} 最多 {limit} 字，最坏 {worst} 字：多出的会被截断"
            draft.page.say("J305", place(entry.value if entry else written.value, name), message, help="写短一些")


def _menu(draft: JourneyDraft, slot: Slot) -> None:
    spot = _options_place(draft, slot)
    if len(slot.options) > MENU_LINES_MAX:
        message = f"槽 {slot.name} 有 {len(slot.options)} 个选项，菜单上限 {MENU_LINES_MAX}"
        draft.page.say("J304", spot, message, help="合并几个选项，或把内容改为 text 形式")
    for option in _too_long(slot.options):
        message = f"菜单的一行最长 {MENU_LINE_BYTES_MAX} 字节：选项 “{option[:TEXT_MAX]}…” {len(option.encode())} 字节"
        draft.page.say("J303", spot, message, help="选项写短一些")


def _too_long(options: Iterable[str]) -> list[str]:
    return [option for option in options if len(option.encode()) > MENU_LINE_BYTES_MAX]


def _options_place(draft: JourneyDraft, slot: Slot) -> Span:
    slots = draft.root.entry("slots")
    entry = slots.value.entry(slot.name) if slots and isinstance(slots.value, Table) else None
    if entry is None or not isinstance(entry.value, Table):
        return draft.root.span
    return place(entry.value, "options")
