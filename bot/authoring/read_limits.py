"""What bounds a journey: `limits`, `holdout`, `goal`, `exit`. Source: journey-language.md 2.2."""

from collections.abc import Mapping
from datetime import time, timedelta
from typing import Literal

from bot.authoring import literals, vocabulary
from bot.authoring.fields import Fields, fields_of, parsed
from bot.authoring.nodes import Node, Scalar
from bot.authoring.page import Page
from bot.authoring.read_doing import read_unit
from bot.authoring.read_reactions import read_goto
from bot.authoring.read_sends import read_classes
from bot.core.entries import Exit, Goal, Holdout, JourneyCap, Limits
from bot.core.rules import QuietHours

_DAYS: Mapping[str, Literal["every", "working"]] = {"每天": "every", "工作日": "working"}
SCOPES: Mapping[str, Literal["journey", "class", "all"]] = {"journey": "journey", "class": "class", "all": "all"}


def read_range(page: Page, scalar: Scalar) -> tuple[time, time] | None:
    """A time range; J009 when its hours are not padded."""
    span = parsed(page, scalar, literals.time_range)
    if span and scalar.text.strip() != literals.padded(span):
        usual = literals.padded(span)
        page.say("J009", scalar, f"“{scalar.text}” 已按 {usual} 理解，建议补零", help=usual)
    return span


def read_quiet(fields: Fields) -> QuietHours | None:
    """The `quiet` hours, None when there are none."""
    scalar = fields.scalar("quiet")
    span = read_range(fields.page, scalar) if scalar else None
    return QuietHours(begins=span[0], ends=span[1]) if span else None


def read_limits(fields: Fields) -> Limits:
    """The `limits` of a journey."""
    inner = fields.inner("limits", vocabulary.LIMITS)
    if inner is None:
        return Limits()
    standard = Limits()
    return Limits(
        quiet=read_quiet(inner),
        days=inner.one_of("days", _DAYS, default="every"),
        cap=_cap(inner),
        max_age=inner.parsed("max_age", literals.duration, standard.max_age),
    )


def _cap(fields: Fields) -> JourneyCap | None:
    inner = fields.inner("cap", vocabulary.JOURNEY_CAP)
    if inner is None:
        return None
    most, per = read_most(inner), inner.parsed("per", literals.duration, None)
    if most is None or per is None:
        return None
    scope = inner.one_of("scope", SCOPES, default="journey")
    return JourneyCap(max=most, per=per, scope=scope, classes=read_classes(inner, "count"))


def read_most(fields: Fields) -> int | None:
    """`max` of a cap: at least 1. None after a finding."""
    most = fields.parsed("max", literals.whole, None)
    if most is not None and most < 1:
        fields.page.say("J008", fields.key("max"), "max 至少是 1")
        return None
    return most


def read_holdout(fields: Fields) -> Holdout | None:
    """Who is measured and never contacted."""
    inner = fields.inner("holdout", vocabulary.HOLDOUT)
    if inner is None:
        return None
    percent, salt, unit = inner.parsed("percent", literals.percent, None), inner.text("salt"), read_unit(inner)
    return Holdout(percent=percent, salt=salt, unit=unit) if percent is not None and salt else None


def read_goal(fields: Fields) -> Goal | None:
    """What counts as success."""
    inner = fields.inner("goal", vocabulary.GOAL)
    if inner is None:
        return None
    event = inner.scalar("event")
    leads_to = read_goto(fields.page, inner.scalar("exit"), "exit")
    within: timedelta | None = inner.parsed("within", literals.duration, None)
    if inner.has("when") == inner.has("event"):
        fields.page.say("J016", inner.key("name"), "goal 要写 when 或 event 其中一个", help="when: has(customer.phone)")
        return None
    return Goal(
        name=inner.text("name"),
        when=inner.expression("when", "guard"),
        event=fields.page.refer("event", event.text, event, key="goal") if event else "",
        within=within,
        exit=leads_to,
    )


def read_exits(fields: Fields) -> tuple[Exit, ...]:
    """What takes a customer out before anything else is done."""
    return tuple(one for one in (_exit(fields.page, node) for node in fields.nodes("exit")) if one)


def _exit(page: Page, node: Node) -> Exit | None:
    fields = fields_of(page, node, vocabulary.EXIT)
    if fields is None:
        return None
    if not fields.has("when") and not fields.has("event"):
        page.say(
            "J014",
            fields.key("goto"),
            "exit 的一项缺少 “when” 或 “event”：进来就会立刻离开",
            help="when: customer.opted_out",
        )
    event = fields.scalar("event")
    when, goto = fields.expression("when", "guard"), read_goto(page, fields.scalar("goto"), "exit")
    named = page.refer("event", event.text, event, key="exit") if event else ""
    return Exit(goto=goto, when=when, event=named) if goto and (when or named) else None
