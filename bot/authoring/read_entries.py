"""Who comes into a journey and how often: `enter`, `reentry`, `focus`. Source: journey-language.md 2.2, 2.4, 3.8."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from bot.authoring import literals, vocabulary
from bot.authoring.fields import Fields, chosen, fields_of, parsed
from bot.authoring.nodes import Node, Scalar, Table
from bot.authoring.page import Page
from bot.authoring.read_actions import read_arguments
from bot.authoring.read_reactions import read_intents, read_keywords
from bot.authoring.suggest import meant
from bot.core.cron import CronFault, parse_cron
from bot.core.entries import (
    ApiEntry,
    Arguments,
    Entry,
    EventEntry,
    Focus,
    IntentEntry,
    KeywordEntry,
    KeywordMatch,
    Reentry,
    ScheduleEntry,
    SegmentEntry,
)
from bot.core.expressions.tree import Expression

INTENT_MIN = 80
"""How sure an intent must be, in hundredths, when `min` is not written."""
_MATCHES: Mapping[str, KeywordMatch] = {
    "exact": "exact",
    "prefix": "prefix",
    "contains": "contains",
    "fuzzy": "fuzzy",
}
_ONLY: Mapping[str, tuple[str, ...]] = {
    "match": ("keyword",),
    "min": ("intent",),
    "timezone": ("schedule",),
    "spread": ("segment", "schedule"),
    "interrupt": ("event", "keyword", "intent", "api"),
}
"""Keys of an entry that belong to some kinds of entries only."""
_FLOORS: Mapping[str, Literal["exclusive", "shared"]] = {"exclusive": "exclusive", "shared": "shared"}
_WHILE_ACTIVE: Mapping[str, Literal["ignore", "restart", "queue"]] = {
    "ignore": "ignore",
    "restart": "restart",
    "queue": "queue",
}
_ALLOWS: Mapping[str, Literal["always", "never", "goal_missed"]] = {
    "always": "always",
    "never": "never",
    "goal_missed": "goal_missed",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _EveryEntry:
    """What every entry may say."""

    when: Expression | None
    interrupt: bool
    channels: tuple[str, ...]
    arguments: Arguments


def read_entries(page: Page, nodes: tuple[Node, ...], journey: str) -> tuple[Entry, ...]:
    """The entries of `enter`, without those that are wrong. `journey` is the one that they lead into."""
    return tuple(entry for entry in (_entry(page, node, journey) for node in nodes) if entry)


def _entry(page: Page, node: Node, journey: str) -> Entry | None:
    fields = fields_of(page, node, vocabulary.ENTRY)
    if fields is None:
        return None
    kinds = [kind for kind in _READERS if isinstance(node, Table) and node.entry(kind)]
    if len(kinds) != 1:
        rule = "J016" if kinds else "J014"
        names = "、".join(_READERS)
        page.say(rule, node, f"enter 的一项要写 {names} 其中一个", help="- event: oa.follow")
        return None
    for key, owners in _ONLY.items():
        if fields.has(key) and kinds[0] not in owners:
            page.say("J016", fields.key(key), f"{key} 只用于 {'、'.join(owners)}")
    common = _EveryEntry(
        when=fields.expression("when", "guard"),
        interrupt=fields.parsed("interrupt", literals.flag, False),
        channels=_channels(fields),
        arguments=read_arguments(fields, journey) if fields.has("with") else (),
    )
    return _READERS[kinds[0]](fields, common)


def _channels(fields: Fields) -> tuple[str, ...]:
    known = {channel: channel for channel in vocabulary.JOURNEY_CHANNELS}
    found = (chosen(fields.page, scalar, known, default="") for scalar in fields.scalars("channels"))
    return tuple(dict.fromkeys(channel for channel in found if channel))


def _event(fields: Fields, common: _EveryEntry) -> Entry | None:
    scalar = fields.scalar("event")
    if scalar is None:
        return None
    return EventEntry(
        event=fields.page.refer("event", scalar.text, scalar, key="enter"),
        when=common.when,
        interrupt=common.interrupt,
        channels=common.channels,
        arguments=common.arguments,
    )


def _keyword(fields: Fields, common: _EveryEntry) -> Entry | None:
    match = fields.one_of("match", _MATCHES, default="exact")
    keywords = read_keywords(fields)
    if not keywords:
        return None
    return KeywordEntry(
        keywords=keywords,
        match=match,
        when=common.when,
        interrupt=common.interrupt,
        channels=common.channels,
        arguments=common.arguments,
    )


def _intent(fields: Fields, common: _EveryEntry) -> Entry | None:
    intents = read_intents(fields)
    least = fields.parsed("min", literals.fraction, INTENT_MIN)
    if not intents:
        return None
    return IntentEntry(
        intents=intents,
        min=least,
        when=common.when,
        interrupt=common.interrupt,
        channels=common.channels,
        arguments=common.arguments,
    )


def _segment(fields: Fields, common: _EveryEntry) -> Entry | None:
    scalar = fields.scalar("segment")
    spread = fields.parsed("spread", literals.duration, None)
    if scalar is None:
        return None
    return SegmentEntry(
        segment=fields.page.refer("segment", scalar.text, scalar, key="enter"),
        when=common.when,
        spread=spread,
        channels=common.channels,
        arguments=common.arguments,
    )


def _schedule(fields: Fields, common: _EveryEntry) -> Entry | None:
    scalar = fields.scalar("schedule")
    spread = fields.parsed("spread", literals.duration, None)
    zone = fields.scalar("timezone")
    timezone = (parsed(fields.page, zone, zone_name) or "") if zone else ""
    minutes = _minutes(fields.page, scalar) if scalar else None
    if scalar is None or minutes is None:
        return None
    if spread is None and minutes & {0, 30}:
        message = "整点推送会拥堵，建议 spread: 20m"
        fields.page.say("J412", scalar, message, help="spread: 20m 让客户分散在 20 分钟里进入")
    return ScheduleEntry(
        cron=" ".join(scalar.text.split()),
        timezone=timezone,
        when=common.when,
        spread=spread,
        channels=common.channels,
        arguments=common.arguments,
    )


def _minutes(page: Page, scalar: Scalar) -> frozenset[int] | None:
    """The minutes at which a schedule rings, None after J410."""
    try:
        return parse_cron(scalar.text).minutes
    except CronFault as fault:
        page.say("J410", scalar, f"cron “{scalar.text[:40]}” 无效：{fault}", help="例如每周二 10:00：0 10 * * tue")
        return None


def _api(fields: Fields, common: _EveryEntry) -> Entry | None:
    name = fields.text("api")
    if not name:
        return None
    return ApiEntry(
        api=name,
        when=common.when,
        interrupt=common.interrupt,
        channels=common.channels,
        arguments=common.arguments,
    )


_READERS: Mapping[str, Callable[[Fields, _EveryEntry], Entry | None]] = {
    "event": _event,
    "keyword": _keyword,
    "intent": _intent,
    "segment": _segment,
    "schedule": _schedule,
    "api": _api,
}


def zone_name(text: str) -> str:
    """The name of a time zone. LiteralFault: there is none of this name."""
    try:
        ZoneInfo(text)
    except (LookupError, ValueError, OSError) as error:
        raise literals.LiteralFault("需要时区的名字，例如 Asia/Shanghai") from error
    return text


def read_reentry(fields: Fields) -> Reentry:
    """Whether and when a customer may come in again."""
    inner = fields.inner("reentry", vocabulary.REENTRY)
    if inner is None:
        return Reentry()
    while_active = inner.one_of("while_active", _WHILE_ACTIVE, default="ignore")
    scalar = inner.scalar("allow")
    if scalar is None:
        return Reentry(while_active=while_active)
    after = scalar.text.removeprefix("after ")
    if after != scalar.text:
        length = parsed(fields.page, replace(scalar, text=after.strip()), literals.duration)
        return Reentry(allow=length or "always", while_active=while_active)
    if scalar.text not in _ALLOWS:
        help = "可用：always、never、after 30d、goal_missed"
        fields.page.say("J008", scalar, f"“{scalar.text[:40]}” 不是可用的值{meant(scalar.text, _ALLOWS)}", help=help)
        return Reentry(while_active=while_active)
    return Reentry(allow=_ALLOWS[scalar.text], while_active=while_active)


def read_focus(fields: Fields) -> Focus:
    """How the journey stands to others that talk with the same customer."""
    inner = fields.inner("focus", vocabulary.FOCUS)
    if inner is None:
        return Focus()
    priority = inner.parsed("priority", literals.whole, 50)
    if not 0 <= priority <= 100:
        message = f"priority 要在 0 到 100 之间，得到 {priority}"
        fields.page.say("J008", inner.key("priority"), message, help="不写是 50；越大越先问，要打断别的旅程就比它大")
    length: timedelta | None = inner.parsed("resume_within", literals.duration, None)
    return Focus(priority=priority, resume_within=length, floor=inner.one_of("floor", _FLOORS, default="exclusive"))
