"""Times of day in a customer's text: 下午3点, 晚上七点半, 15:30, 三点一刻, 中午, 半小时后.

Shops are open by day: 3点 is 15:00. 7点 and 8点 may be either, and what begins or ends a stretch (八点以后, 三点之前)
is no time of its own.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from bot.understanding.days import NUMBER
from bot.understanding.numerals import small

MASK = "\0"
"""Stands where a day was named, so that the 六 of 周六 is no part of 十点. Folded texts hold no such character."""
_AROUND_MAX = 8
_AHEAD_MAX = timedelta(days=7)
_NAMED_MAX = 20
"""Times of one text that are compared; whoever names more names none for certain."""

_PART = r"凌晨|半夜|清晨|早上|早晨|早|上午|中午|正午|下午|午后|傍晚|晚上|夜里|夜晚|晚|夜|am|pm"
_DIGITS = "0-9零一二三四五六七八九十"
_BARE_MINUTES = (
    r"(?P<bare>[0-5][0-9]|[一二三四五]?十[一二三四五六七八九]?|零[一二三四五六七八九])"
    rf"(?! ?[{_DIGITS}个位人台辆号月日天万千块元%点.:年岁公])"
)
_COLON = re.compile(
    rf"(?:(?P<part>{_PART})的?)? ?(?<![0-9:/.])(?P<hour>[0-9]{{1,2}}) ?: ?(?P<minute>[0-9]{{2}})(?![0-9:])"
    r" ?(?P<suffix>am|pm)?"
)
_SPOKEN = re.compile(
    rf"(?:(?P<part>{_PART})的?)? ?(?<![{_DIGITS}:/.第差])(?P<hour>{NUMBER}) ?(?:点钟?|时(?![间候代常尚速效差段]))"
    rf" ?(?:(?P<half>半)|(?P<quarter>[一三1-3]) ?刻钟?"
    rf"|过? ?(?:(?P<minute>{NUMBER}) ?分(?!钟?[前后])|{_BARE_MINUTES})|整)?(?![{_DIGITS}])"
)
_SUFFIXED = re.compile(r"(?<![0-9:/.a-z])(?P<hour>[0-9]{1,2}) ?(?P<suffix>am|pm)(?![a-z])")
_NOON = re.compile(r"(?:中午|正午)(?! ?(?:[0-9零一二两三四五六七八九十]{1,3} ?[点:时]|以?[前后]|之[前后]|有|不|休|没))")
_LATER = re.compile(
    rf"(?<![{_DIGITS}.])(?:(?P<halfhour>半 ?个? ?(?:小时|钟头))"
    rf"|(?P<hours>{NUMBER}) ?个? ?(?P<and>半)? ?(?:小时|钟头)(?P<more>半)?"
    rf"|(?P<quarter>[一1]) ?刻钟|(?P<minutes>{NUMBER}) ?分钟?) ?(?:以|之)?后"
)
_PATTERNS = ((":", _COLON), ("点", _SPOKEN), ("时", _SPOKEN), ("m", _SUFFIXED))
"""Each with a sign without which it cannot stand in a text."""

_BOUND_BEHIND = re.compile(
    rf" ?(?:多|差|以[前后]|之[前后]|[前后](?!台|门|院)|起|(?:到|至|-|~|—) ?(?:{_PART})? ?[0-9零一二两三四五六七八九十])"
)
_BOUND_BEFORE = re.compile(r"(?:(?<![改换挪推延移调期迟后约排定订])[到至]|[-~—]|差[^,。 ]{1,3}|(?:约|说)好?的|不是) ?$")
_LITTLE = re.compile(r" ?(?:都|也|不|没|儿|就|贵|快|慢|多|少|大|小)")
_PAST_BEHIND = re.compile(r"(?:就|才|已经)?(?:到了|等|来过|去过|了)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """What names a time at `start` to `end`: the `times` that it may be; none when it is a bound or makes no sense.

    `at`: a moment counted from now (半小时后), which names its day as well.
    """

    times: tuple[time, ...]
    start: int
    end: int
    at: datetime | None = None


def clocks(chars: str, now: datetime) -> tuple[Clock, ...]:
    """The times that folded `chars` names, in order of the text. `now`: on the customer's clock.

    Where a day is named, `chars` holds `MASK`, but for the 早 and 晚 of 明早 and 今晚.
    """
    found: list[Clock] = []
    taken = 0
    for clock in sorted(_named(chars, now), key=lambda one: (one.start, -one.end)):
        if clock.start >= taken:
            found.append(clock)
            taken = clock.end
    return tuple(found[:_NAMED_MAX])


def _named(chars: str, now: datetime) -> Iterator[Clock]:
    for match in _LATER.finditer(chars) if "后" in chars else ():
        yield _later(match, now)
    for sign, pattern in _PATTERNS:
        for match in pattern.finditer(chars) if sign in chars else ():
            if not _is_little(chars, match):
                times = () if _is_bound(chars, match) else _times(match)
                yield Clock(times=times, start=match.start(), end=match.end())
    for match in _NOON.finditer(chars) if "午" in chars else ():
        yield Clock(times=(time(12),), start=match.start(), end=match.end())


def _later(match: re.Match[str], now: datetime) -> Clock:
    if match["halfhour"]:
        ahead: timedelta | None = timedelta(minutes=30)
    elif match["quarter"]:
        ahead = timedelta(minutes=15)
    elif match["hours"]:
        hours = small(match["hours"])
        half = timedelta(minutes=30 if match["and"] or match["more"] else 0)
        ahead = timedelta(hours=hours) + half if hours is not None else None
    else:
        minutes = small(match["minutes"])
        ahead = timedelta(minutes=minutes) if minutes is not None else None
    if ahead is None or not timedelta(0) < ahead <= _AHEAD_MAX:
        return Clock(times=(), start=match.start(), end=match.end())
    at = _ahead(now, ahead)
    return Clock(times=(at.time(),), start=match.start(), end=match.end(), at=at)


def _ahead(now: datetime, ahead: timedelta) -> datetime:
    """`ahead` of `now` in elapsed time, to the minute, on the same clock."""
    zone = now.tzinfo
    moment = datetime.fromtimestamp(now.timestamp() + ahead.total_seconds(), tz=zone)
    return moment.replace(second=0, microsecond=0)


def _is_little(chars: str, match: re.Match[str]) -> bool:
    """Whether 一点 only means a little: 贵一点, 一点都不."""
    groups = match.groupdict()
    if groups["hour"] != "一" or groups.get("part") or ":" in match.group() or match.group()[-1] != "点":
        return False
    begins = match.start() == 0 or chars[match.start() - 1] == MASK
    return not begins or _LITTLE.match(chars, match.end()) is not None


def _is_bound(chars: str, match: re.Match[str]) -> bool:
    behind = chars[match.end() : match.end() + _AROUND_MAX]
    before = chars[max(0, match.start() - _AROUND_MAX) : match.start()]
    return bool(_BOUND_BEHIND.match(behind) or _BOUND_BEFORE.search(before) or _PAST_BEHIND.match(behind))


def _times(match: re.Match[str]) -> tuple[time, ...]:
    groups = match.groupdict()
    hour, minute = small(groups["hour"]), _minute(groups)
    if hour is None or minute is None or hour > 23 or minute > 59:
        return ()
    part = (groups.get("part") or "") + (groups.get("suffix") or "")
    written_in_full = ":" in match.group() and (groups["hour"].startswith("0") or hour >= 7)
    hours = (hour,) if written_in_full and not part else _hours(hour, part)
    return tuple(time(one, minute) for one in hours)


def _minute(groups: dict[str, str | None]) -> int | None:
    if groups.get("half"):
        return 30
    quarter = groups.get("quarter")
    if quarter:
        return {"一": 15, "1": 15, "2": 30, "三": 45, "3": 45}[quarter]
    minute = groups.get("minute") or groups.get("bare")
    return small(minute) if minute else 0


def _hours(hour: int, part: str) -> tuple[int, ...]:
    """The hours of 24 that `hour` may be in this part of the day; none when it cannot be in it."""
    match part:
        case "":
            if hour in (7, 8):
                return (hour, hour + 12)
            return (hour + 12,) if 1 <= hour <= 6 else (hour,)
        case "凌晨" | "半夜":
            return (hour,) if hour <= 5 else ()
        case "清晨" | "早上" | "早晨" | "早" | "上午" | "am":
            return (hour,) if 5 <= hour <= 12 else ()
        case "中午" | "正午":
            return ({11: (11,), 12: (12,), 1: (13,), 2: (14,), 13: (13,), 14: (14,)}).get(hour, ())
        case "下午" | "午后":
            return (hour + 12,) if 1 <= hour <= 7 else (hour,) if 12 <= hour <= 19 else ()
        case "傍晚":
            return (hour + 12,) if 4 <= hour <= 8 else (hour,) if 16 <= hour <= 20 else ()
        case "pm":
            return (hour + 12,) if 1 <= hour <= 11 else (hour,) if hour >= 12 else ()
        case _:  # 晚上, 夜里
            return (hour + 12,) if 5 <= hour <= 11 else (hour,) if hour >= 17 else ()
