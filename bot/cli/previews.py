"""What a preview shows: text, lines to tap, how much of the limit is used, which names had no value."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias
from zoneinfo import ZoneInfo

from bot.authoring import Loaded, Sitter
from bot.core.customer import Customer
from bot.core.ids import CustomerId
from bot.core.library import Content, Library
from bot.core.messages import Image, Menu, Message, TemplateMessage, Text
from bot.core.program import Program, compile_library
from bot.core.sizes import bytes_max
from bot.core.step.previewing import UNKNOWN_FACTS, Lines, Sitting, preview

Row: TypeAlias = dict[str, object]

_DAY = timedelta(days=1)
_NOTES: Mapping[Lines, str] = {
    "known": "",
    "empty": "options_from 现在是空的，没有可选的",
    "unknown": "选项要看真实的空闲时段，预览里没有",
}
_NO_LINES = "这是一条菜单，但这里没有可以列出来的选项"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be shown, and to whom. `said_by`: the journeys that say it."""

    content: Content
    channels: tuple[str, ...]
    variants: tuple[str, ...]
    sitter: Sitter
    said_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One wording on one channel. `bytes_max` 0: nothing limits it.

    `note`: what is not shown as it would be. `fault`: why it cannot be sent, empty: it can.
    """

    content: str
    channel: str
    variant: str
    form: str
    text: str = ""
    lines: tuple[str, ...] = ()
    bytes: int = 0
    bytes_max: int = 0
    nulls: tuple[str, ...] = ()
    templates: tuple[TemplateMessage, ...] = ()
    note: str = ""
    fault: str = ""


def journeys_that_say(loaded: Loaded, content: str) -> tuple[str, ...]:
    """The journeys that say or ask with `content`, by name."""
    found: list[str] = []
    for name, draft in sorted(loaded.drafts.journeys.items()):
        asked = [word for slot in draft.journey.slots.values() for word in (slot.ask, slot.retry_say)]
        if content in (*asked, *(use.content for use in draft.page.contents)):
            found.append(name)
    return tuple(found)


def show(library: Library, wanted: Wanted, now: datetime) -> tuple[Shown, ...]:
    """Every wording that is wanted, by channel and then by variant."""
    program, sitter = compile_library(library), wanted.sitter
    customer = Customer(
        customer_id=CustomerId(1),
        version=0,
        attributes={name: value for name, value in sitter.customer.items() if value is not None},
        tags=frozenset(sitter.tags),
        score=sitter.score,
        points=sitter.points,
    )
    moment = _moment(sitter, program.zone, now)
    stranger = _stranger(wanted)
    return tuple(
        _shown(program, customer, _sitting(library, wanted, channel, variant), moment, stranger=stranger)
        for channel in wanted.channels
        for variant in wanted.variants
        if variant == "normal" or wanted.content.forms[channel] != "image"
    )


def _stranger(wanted: Wanted) -> str:
    """A note when the journey that was named never says this; empty: it does, or no journey says it at all."""
    named, content = wanted.sitter.journey, wanted.content.content
    if not wanted.said_by or named in wanted.said_by:
        return ""
    return f"旅程 {named} 没有用到 {content}，所以没有它的选项和值；用到它的旅程：{'、'.join(wanted.said_by)}"


def _moment(sitter: Sitter, zone: ZoneInfo, now: datetime) -> datetime:
    if sitter.at is None:
        return now
    found = datetime.combine(sitter.at.day or now.astimezone(zone).date(), sitter.at.at, zone)
    return found if sitter.at.day or found >= now else found + _DAY


def _sitting(library: Library, wanted: Wanted, channel: str, variant: str) -> Sitting:
    sitter = wanted.sitter
    return Sitting(
        content=wanted.content.content,
        channel=channel,
        variant=variant,
        # What no journey says reads nothing of one.
        journey=sitter.journey or next(iter(library.journeys)),
        values=sitter.values,
        slots=sitter.slots,
        saved=sitter.saved,
        value=sitter.value,
    )


def _shown(program: Program, customer: Customer, sitting: Sitting, now: datetime, *, stranger: str) -> Shown:
    seen = preview(program, customer, sitting, now)
    form = program.content(sitting.content).forms[sitting.channel]
    text, lines = _read(seen.message)
    size = len(text.encode(errors="replace"))
    most = 0 if form == "image" else bytes_max(sitting.channel, "menu" if isinstance(seen.message, Menu) else "text")
    return Shown(
        content=sitting.content,
        channel=sitting.channel,
        variant=sitting.variant,
        form=form,
        text=text,
        lines=lines,
        bytes=size,
        bytes_max=most,
        nulls=seen.nulls,
        templates=seen.templates,
        note=stranger or _NOTES[seen.lines] or (_NO_LINES if form == "menu" and text and not lines else ""),
        fault=_fault(seen.fault) or (f"超过上限 {most} 字节" if most and size > most else ""),
    )


def _fault(fault: str) -> str:
    return "要读数据库里的事实（空闲时段、发生过的事），预览里没有" if fault == UNKNOWN_FACTS else fault


def _read(message: Message | None) -> tuple[str, tuple[str, ...]]:
    match message:
        case Text(text=text):
            return text, ()
        case Menu(head=head, choices=choices):
            return head, tuple(choice.text for choice in choices)
        case Image(media_id=media):
            return media, ()
        case _:
            return "", ()


def as_text(shown: Shown) -> str:
    """For a terminal."""
    which = "" if shown.variant == "normal" else f"@{shown.variant}"
    limit = f"，{shown.bytes} / {shown.bytes_max} 字节" if shown.bytes_max else ""
    parts = [f"── {shown.content}{which} · {shown.channel} {shown.form}{limit}", _printable(shown.text)]
    parts += [f"  [{number}] {_printable(line)}" for number, line in enumerate(shown.lines, start=1)]
    for template in shown.templates:
        parts.append(f"  模板 {template.template}：{'；'.join(f'{name}={value}' for name, value in template.fields)}")
    if shown.nulls:
        parts.append(f"  没有值：{'、'.join(shown.nulls)}")
    if shown.note:
        parts.append(f"  注意：{shown.note}")
    if shown.fault:
        parts.append(f"  问题：{shown.fault}")
    return "\n".join(part for part in parts if part)


def _printable(text: str) -> str:
    """`text` without what could steer a terminal."""
    return "".join(char if char.isprintable() or char == "\n" else " " for char in text)


def as_row(shown: Shown) -> Row:
    """For programs."""
    return {
        "content": shown.content,
        "channel": shown.channel,
        "variant": shown.variant,
        "form": shown.form,
        "text": shown.text,
        "lines": list(shown.lines),
        "bytes": shown.bytes,
        "bytes_max": shown.bytes_max or None,
        "nulls": list(shown.nulls),
        "templates": {one.template: dict(one.fields) for one in shown.templates},
        "note": shown.note or None,
        "fault": shown.fault or None,
    }
