"""`_global.yaml` to the rules that hold for every journey. Source: journey-language.md 2.5."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Literal

from bot.authoring import literals, vocabulary
from bot.authoring.fields import Fields, chosen, fields_of, parsed
from bot.authoring.nodes import Node, Scalar, Table
from bot.authoring.page import Page
from bot.authoring.read_actions import read_actions
from bot.authoring.read_entries import zone_name
from bot.authoring.read_interrupts import read_interrupts
from bot.authoring.read_journey import MIGRATES, check_dsl
from bot.authoring.read_limits import SCOPES, read_most, read_quiet, read_range
from bot.authoring.read_sends import CLASSES, read_classes
from bot.core.customer import BucketKind
from bot.core.effects import Delivery, SendClass
from bot.core.rules import BURST_MAX, Cap, ClassRule, GlobalRules, OnError, WeeklyHours, WindowRule

_KINDS: Mapping[str, BucketKind] = {
    "message": "message",
    "menu_click": "menu_click",
    "follow": "follow",
    "scan": "scan",
}
_CODES = frozenset({"welcome", "queue", "taken", "ended"})
"""The codes by which a message of 微信客服 may be answered out of turn, once each."""
_OPT_OUT: Mapping[str, Literal["ignore", "reply_only", "block"]] = {
    "ignore": "ignore",
    "reply_only": "reply_only",
    "block": "block",
}
_QUIET: Mapping[str, Literal["ignore", "defer"]] = {"ignore": "ignore", "defer": "defer"}
_CAP: Mapping[str, Literal["ignore", "drop"]] = {"ignore": "ignore", "drop": "drop"}
_DELIVERY: Mapping[str, Delivery] = {"at_least_once": "at_least_once", "at_most_once": "at_most_once"}
_HOLIDAYS = {"cn": True, "none": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesDraft:
    """`holidays_at`: where working hours say that they follow the statutory holidays.

    `migrate`: what journeys do that say nothing about it.
    """

    rules: GlobalRules
    page: Page
    holidays_at: tuple[Scalar, ...] = ()
    migrate: Literal["follow", "pin"] = "follow"


def read_rules(page: Page, root: Node) -> RulesDraft | None:
    """The global rules, None (after findings) when the file holds no table."""
    fields = fields_of(page, root, vocabulary.GLOBAL)
    if fields is None:
        return None
    check_dsl(fields)
    defaults = fields.inner("defaults", vocabulary.DEFAULTS)
    rules = GlobalRules(
        timezone=_timezone(defaults),
        quiet=read_quiet(defaults) if defaults else None,
        human_hold=_human_hold(defaults),
        working_hours=_working_hours(fields),
        caps=tuple(cap for cap in (_cap(page, node) for node in fields.nodes("caps")) if cap),
        class_rules=_class_rules(fields),
        windows=_windows(fields),
        interrupts=read_interrupts(fields),
        errors=tuple(one for one in (_on_error(page, node) for node in fields.nodes("errors")) if one),
        burst=fields.parsed("burst", _burst, BURST_MAX),
    )
    migrate = defaults.one_of("migrate", MIGRATES, default="follow", later=("pin",)) if defaults else "follow"
    return RulesDraft(rules=rules, page=page, holidays_at=_holidays_at(fields), migrate=migrate)


def _burst(text: str) -> int:
    """How many messages one step may say in a conversation."""
    burst = literals.whole(text)
    if not 1 <= burst <= BURST_MAX:
        cure = f"不写就是 {BURST_MAX}；要说的更多，分到客户回话之后再说"
        raise literals.LiteralFault(f"需要 1 到 {BURST_MAX} 的整数（一次推进在同一会话里最多发几条）", cure=cure)
    return burst


def _timezone(defaults: Fields | None) -> str:
    scalar = defaults.scalar("timezone") if defaults else None
    return (parsed(defaults.page, scalar, zone_name) if defaults and scalar else None) or "Asia/Shanghai"


def _human_hold(defaults: Fields | None) -> timedelta:
    standard = timedelta(minutes=30)
    return defaults.parsed("human_hold", literals.duration, standard) if defaults else standard


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
    holidays = fields.one_of("holidays", _HOLIDAYS, default=False)
    if span is None or scalar is None:
        return None
    if span[1] <= span[0]:
        fields.page.say("J008", scalar, "营业时间的结束要晚于开始，不能跨过午夜")
        return None
    weekdays = frozenset[int]().union(*(day for day in days if day))
    return WeeklyHours(weekdays=weekdays, opens=span[0], closes=span[1], holidays=holidays)


def _holidays_at(fields: Fields) -> tuple[Scalar, ...]:
    found: list[Scalar] = []
    for entry in fields.entries("working_hours"):
        written = entry.value.entry("holidays") if isinstance(entry.value, Table) else None
        if written and isinstance(written.value, Scalar) and _HOLIDAYS.get(written.value.text):
            found.append(written.value)
    return tuple(found)


def _cap(page: Page, node: Node) -> Cap | None:
    fields = fields_of(page, node, vocabulary.CAP)
    if fields is None:
        return None
    most, per = read_most(fields), fields.parsed("per", literals.duration, None)
    scope, counts = fields.one_of("scope", SCOPES, default="all"), read_classes(fields, "count")
    name, classes = fields.text("name"), read_classes(fields, "class")
    if most is None or per is None:
        return None
    return Cap(name=name, classes=classes, max=most, per=per, scope=scope, counts=counts)


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
    """What each channel allows after which act. The codes of `kf` and the welcome of `wecom` are looked at here and
    kept by nobody yet: those channels have no account."""
    found: dict[str, dict[BucketKind, WindowRule]] = {}
    for entry in fields.entries("platform_windows"):
        channel = entry.key.text
        if channel == "wecom_welcome":
            inner = fields_of(fields.page, entry.value, vocabulary.WINDOW)
            if inner:
                _window(inner)
            continue
        known = chosen(fields.page, entry.key, {one: one for one in vocabulary.JOURNEY_CHANNELS}, default="")
        kinds = _kind_fields(fields.page, entry.value, channel)
        if known and kinds:
            found[known] = _kinds(kinds)
    return found


def _kind_fields(page: Page, node: Node, channel: str) -> Fields | None:
    names = frozenset({*_KINDS, "codes"} if channel == "kf" else _KINDS)
    return fields_of(page, node, replace(vocabulary.WINDOW, built=names, required=()))


def _kinds(fields: Fields) -> dict[BucketKind, WindowRule]:
    found: dict[BucketKind, WindowRule] = {}
    for name, kind in _KINDS.items():
        inner = fields.inner(name, vocabulary.WINDOW)
        window = _window(inner) if inner else None
        if window:
            found[kind] = window
    codes = fields.inner("codes", replace(vocabulary.CODE, built=_CODES, required=())) if fields.has("codes") else None
    for code in sorted(_CODES) if codes else ():
        once = codes.inner(code, vocabulary.CODE) if codes else None
        if once:
            once.parsed("once", literals.duration, None)
    return found


def _window(fields: Fields) -> WindowRule | None:
    most, length = fields.parsed("max", literals.whole, None), fields.parsed("for", literals.duration, None)
    return WindowRule(max=most, duration=length) if most is not None and length is not None else None


def _on_error(page: Page, node: Node) -> OnError | None:
    """What is done about an error that no journey takes care of; the run is over then."""
    fields = fields_of(page, node, vocabulary.ERROR_EVERYWHERE)
    error = fields.scalar("error") if fields else None
    if fields is None or error is None:
        return None
    named = page.refer("error", error.text, error, key="error")
    actions = read_actions(replace(page, global_=True), fields.nodes("do"), vocabulary.ERROR_ACTION)
    return OnError(error=named, do=actions)
