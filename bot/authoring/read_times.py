"""How long, until when, and what when it is late. Source: journey-language.md 2.3 ("Time in files"), 3.3."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Literal, TypeAlias

from bot.authoring import literals
from bot.authoring.fields import Fields, as_expression
from bot.authoring.nodes import Scalar
from bot.authoring.page import Page
from bot.core.states import Late
from bot.core.times import Span, Until, WallClock, Working

WORKING_DAYS_MAX = 400
LATE_FOREVER = timedelta(0)
Lateness: TypeAlias = tuple[Late, timedelta]
"""`late`, and for `skip` how late is too late."""

_WEEKDAYS: Mapping[str, int] = {
    name: number for number, name in enumerate(("mon", "tue", "wed", "thu", "fri", "sat", "sun"))
}
_PHRASE = re.compile(r"(?:(today|tomorrow|month_end|next\s+\w+)\s+)?([01]?\d|2[0-3])[:：]([0-5]\d)", re.ASCII)
_PHRASE_LIKE = re.compile(r"\s*(?:tomorrow|month_end|next\s|\d{1,2}[:：])")
_LOCAL_PHRASE = re.compile(r"[\u4e00-\u9fff]{1,6}\s*\d{1,2}\s*(?:[:：]\d{2}|点\w{0,4})")
"""`明天 10:00`, `下周六10点`: what people write before they know the language."""
_HELP = "时刻：10:00、tomorrow 10:00、next sat 10:00、month_end 18:00；或一个算出时间的表达式"


def read_span(fields: Fields, key: str) -> Span | None:
    """Elapsed time (`2d`) or working time (`4h working`, `2d working`), None after a finding or when it is missing."""
    scalar = fields.scalar(key)
    if scalar is None:
        return None
    return fields.parsed(key, span, None)


def span(text: str) -> Span:
    """`30m`, `2天`, `4h working`, `2d working`. LiteralFault: it is neither."""
    length, _, word = text.strip().rpartition(" ")
    if word != literals.WORKING:
        return literals.duration(text)
    worked = literals.duration(length)
    days, rest = divmod(worked, timedelta(days=1))
    if not rest:
        if days > WORKING_DAYS_MAX:
            raise literals.LiteralFault(f"工作日最多 {WORKING_DAYS_MAX} 天")
        return Working(days=days)
    if days:
        raise literals.LiteralFault("工作时间要么写整天（2d working），要么写不到一天的时长（4h working）")
    return Working(hours=worked)


def read_until(page: Page, scalar: Scalar) -> Until | None:
    """A wall-clock phrase, or an expression that yields a time; None after a finding."""
    found = _PHRASE.fullmatch(scalar.text.strip())
    if found:
        phrase = _wall_clock(*found.groups())
        if phrase is None:
            page.say("J008", scalar, f"没有 “{found.group(1)}” 这一天", help=_HELP)
        return phrase
    if _PHRASE_LIKE.match(scalar.text):
        page.say("J008", scalar, f"时刻写得不对：“{scalar.text[:40]}”", help=_HELP)
        return None
    if _LOCAL_PHRASE.fullmatch(scalar.text.strip()):
        page.say("J008", scalar, f"时刻要用英文的写法：“{scalar.text[:40]}”", help=_HELP)
        return None
    return as_expression(page, scalar, "time")


def _wall_clock(day: str | None, hours: str, minutes: str) -> WallClock | None:
    at = literals.time_of_day(f"{hours}:{minutes}")
    if day is None:
        return WallClock(at=at)
    kinds: Mapping[str, Literal["tomorrow", "month_end"]] = {"tomorrow": "tomorrow", "month_end": "month_end"}
    if day in kinds:
        return WallClock(at=at, day=kinds[day])
    weekday = _WEEKDAYS.get(day.removeprefix("next").strip())
    return None if weekday is None else WallClock(at=at, day="weekday", weekday=weekday)


def read_late(fields: Fields, *, standard: Late = "fire_once") -> Lateness:
    """`fire`, `fire_once`, or `skip if later than 2h`."""
    scalar = fields.scalar("late")
    if scalar is None:
        return standard, LATE_FOREVER
    return fields.parsed("late", lateness, (standard, LATE_FOREVER))


def lateness(text: str) -> Lateness:
    """LiteralFault: it is none of the three."""
    plain = " ".join(text.split())
    if plain == "fire":
        return "fire", LATE_FOREVER
    if plain == "fire_once":
        return "fire_once", LATE_FOREVER
    after = plain.removeprefix("skip if later than ")
    if after == plain:
        raise literals.LiteralFault("需要 fire、fire_once 或 skip if later than 2h")
    return "skip", literals.duration(after)
