"""`_global.yaml` to the rules that hold for every journey. Source: journey-language.md 2.5."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from bot.authoring import literals, vocabulary
from bot.authoring.fields import Fields, chosen, fields_of, parsed, unbuilt
from bot.authoring.nodes import Node, Scalar
from bot.authoring.page import Page
from bot.authoring.read_actions import CLASSES, read_actions, read_target
from bot.authoring.read_journey import check_dsl
from bot.authoring.read_states import read_keywords
from bot.core.customer import BucketKind
from bot.core.effects import Delivery, SendClass
from bot.core.library import Cap, ClassRule, GlobalRules, Interrupt, QuietHours, WeeklyHours, WindowRule

_SOFT_PRIORITY = 500
"""Of an interrupt without `priority`."""
_KINDS: Mapping[str, BucketKind] = {
    "message": "message",
    "menu_click": "menu_click",
    "follow": "follow",
    "scan": "scan",
}
_CHANNELS_UNBUILT = ("kf", "wecom", "wecom_welcome", "sms")
_OPT_OUT: Mapping[str, Literal["ignore", "reply_only", "block"]] = {
    "ignore": "ignore",
    "reply_only": "reply_only",
    "block": "block",
}
_QUIET: Mapping[str, Literal["ignore", "defer"]] = {"ignore": "ignore", "defer": "defer"}
_CAP: Mapping[str, Literal["ignore", "drop"]] = {"ignore": "ignore", "drop": "drop"}
_DELIVERY: Mapping[str, Delivery] = {"at_least_once": "at_least_once", "at_most_once": "at_most_once"}
_EFFECTS: Mapping[str, Literal["end_all", "end_focus", "pause", "answer"]] = {
    "end_all": "end_all",
    "end_focus": "end_focus",
    "pause": "pause",
    "answer": "answer",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesDraft:
    rules: GlobalRules
    page: Page


def read_rules(page: Page, root: Node) -> RulesDraft | None:
    """The global rules, None (after findings) when the file holds no table."""
    fields = fields_of(page, root, vocabulary.GLOBAL)
    if fields is None:
        return None
    check_dsl(fields)
    defaults = fields.inner("defaults", vocabulary.DEFAULTS)
    rules = GlobalRules(
        timezone=_timezone(defaults),
        quiet=_quiet(defaults) if defaults else None,
        human_hold=_human_hold(defaults),
        working_hours=_working_hours(fields),
        caps=tuple(cap for cap in (_cap(page, node) for node in fields.nodes("caps")) if cap),
        class_rules=_class_rules(fields),
        windows=_windows(fields),
        interrupts=_interrupts(fields),
    )
    return RulesDraft(rules=rules, page=page)


def _timezone(defaults: Fields | None) -> str:
    scalar = defaults.scalar("timezone") if defaults else None
    return (parsed(defaults.page, scalar, _zone) if defaults and scalar else None) or "Asia/Shanghai"


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (LookupError, ValueError, OSError) as error:
        raise literals.LiteralFault("需要时区的名字，例如 Asia/Shanghai") from error
    return text


def _human_hold(defaults: Fields | None) -> timedelta:
    standard = timedelta(minutes=30)
    return defaults.parsed("human_hold", literals.duration, standard) if defaults else standard


def read_range(page: Page, scalar: Scalar) -> tuple[time, time] | None:
    """A time range; J009 when its hours are not padded."""
    span = parsed(page, scalar, literals.time_range)
    if span and scalar.text.strip() != literals.padded(span):
        usual = literals.padded(span)
        page.say("J009", scalar, f"“{scalar.text}” 已按 {usual} 理解，建议补零", help=usual)
    return span


def _quiet(defaults: Fields) -> QuietHours | None:
    scalar = defaults.scalar("quiet")
    span = read_range(defaults.page, scalar) if scalar else None
    return QuietHours(begins=span[0], ends=span[1]) if span else None


def _working_hours(fields: Fields) -> dict[str, WeeklyHours]:
    found: dict[str, WeeklyHours] = {}
    for entry in fields.entries("working_hours"):
        inner = fields_of(fields.page, entry.value, vocabulary.HOURS)
        hours = _hours(inner) if inner else None
        if hours:
            found[entry.key.text] = hours
    return found


def _hours(fields: Fields) -> WeeklyHours | None:
    scalar = fields.scalar("hours")
    span = read_range(fields.page, scalar) if scalar else None
    days = [parsed(fields.page, one, literals.weekdays) for one in fields.scalars("days")]
    if span is None or scalar is None:
        return None
    if span[1] <= span[0]:
        fields.page.say("J008", scalar, "营业时间的结束要晚于开始，不能跨过午夜")
        return None
    return WeeklyHours(weekdays=frozenset().union(*(day for day in days if day)), opens=span[0], closes=span[1])


def _classes(fields: Fields) -> frozenset[SendClass]:
    found = [chosen(fields.page, scalar, CLASSES, default="marketing") for scalar in fields.scalars("class")]
    return frozenset(found)


def _cap(page: Page, node: Node) -> Cap | None:
    fields = fields_of(page, node, vocabulary.CAP)
    if fields is None:
        return None
    most = fields.parsed("max", literals.whole, None)
    per: timedelta | None = fields.parsed("per", literals.duration, None)
    if most is None or per is None:
        return None
    if most < 1:
        page.say("J008", fields.key("max"), "max 至少是 1")
    return Cap(name=fields.text("name"), classes=_classes(fields), max=most, per=per)


def _class_rules(fields: Fields) -> dict[SendClass, ClassRule]:
    found: dict[SendClass, ClassRule] = {}
    for entry in fields.entries("class_rules"):
        inner = fields_of(fields.page, entry.value, vocabulary.CLASS_RULE)
        name = chosen(fields.page, entry.key, {**CLASSES, "": None}, default=None)
        if inner and name:
            found[name] = _class_rule(inner)
    missing = [name for name in CLASSES if name not in found]
    if missing and fields.has("class_rules"):
        fields.page.say("J014", fields.key("class_rules"), f"class_rules 缺少 {'、'.join(missing)}")
    return found


def _class_rule(fields: Fields) -> ClassRule:
    scalar = fields.scalar("cap")
    cap: Literal["ignore", "defer", "drop"] = "ignore"
    defer: timedelta | None = None
    if scalar and scalar.text.startswith("defer"):
        cap, wait = "defer", scalar.text.removeprefix("defer").strip()
        defer = parsed(fields.page, replace(scalar, text=wait), literals.duration)
    elif scalar:
        cap = chosen(fields.page, scalar, _CAP, default="ignore")
    return ClassRule(
        opt_out=fields.one_of("opt_out", _OPT_OUT, default="block"),
        quiet=fields.one_of("quiet", _QUIET, default="defer"),
        cap=cap,
        delivery=fields.one_of("delivery", _DELIVERY, default="at_most_once"),
        consent=fields.text("consent"),
        cap_defer=defer,
    )


def _windows(fields: Fields) -> dict[str, dict[BucketKind, WindowRule]]:
    found: dict[str, dict[BucketKind, WindowRule]] = {}
    for entry in fields.entries("platform_windows"):
        if entry.key.text in _CHANNELS_UNBUILT:
            unbuilt(fields.page, entry.key, entry.key.text)
            continue
        channel = chosen(fields.page, entry.key, {"oa": "oa"}, default="")
        kinds = fields_of(fields.page, entry.value, replace(vocabulary.WINDOW, built=frozenset(_KINDS), required=()))
        if channel and kinds:
            found[channel] = _kinds(kinds)
    return found


def _kinds(fields: Fields) -> dict[BucketKind, WindowRule]:
    found: dict[BucketKind, WindowRule] = {}
    for name, kind in _KINDS.items():
        inner = fields.inner(name, vocabulary.WINDOW)
        if inner is None:
            continue
        most = inner.parsed("max", literals.whole, None)
        length: timedelta | None = inner.parsed("for", literals.duration, None)
        if most is not None and length is not None:
            found[kind] = WindowRule(max=most, duration=length)
    return found


def _interrupts(fields: Fields) -> tuple[Interrupt, ...]:
    """In the order in which they are tried: by priority, then as they stand in the file."""
    found = [one for one in (_interrupt(fields.page, node) for node in fields.nodes("interrupts")) if one]
    return tuple(sorted(found, key=lambda one: -one.priority))


def _interrupt(page: Page, node: Node) -> Interrupt | None:
    fields = fields_of(page, node, vocabulary.INTERRUPT)
    if fields is None:
        return None
    keywords = read_keywords(fields)
    if not fields.has("keyword"):
        page.say("J014", fields.key("id"), "interrupts 的一项缺少 “keyword”", help="keyword: [退订, TD]")
    target = fields.node("call")
    called = read_target(page, target, vocabulary.INTERRUPT_CALL) if target is not None else None
    return Interrupt(
        interrupt=fields.text("id"),
        keywords=keywords,
        priority=fields.parsed("priority", literals.whole, _SOFT_PRIORITY),
        effect=fields.one_of("effect", _EFFECTS, default="answer"),
        do=read_actions(replace(page, global_=True), fields.nodes("do")),
        call=called[0] if called else "",
    )
