"""Days in a customer's text: 明天, 下周三, 12月1号, 1号, 12/1. Appointments are for days to come.

What may be two days (周六 said on a Saturday, 月底, 周末) gives both, so that she is asked which. What lies behind us,
what she takes back (明天不行) and what only tells a story (12月1号买的) gives none.
Source: automotive.md 5, conventions.
"""

import re
from calendar import monthrange
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from bot.understanding.numerals import small, value_of

PASSED_MAX = timedelta(days=90)
"""A day without a year that is over for no longer is no day of next year: most likely a slip."""
_AHEAD_DAYS_MAX = 730
_NAMED_MAX = 20
"""Days of one text that are compared; whoever names more names none for certain."""
_AROUND_MAX = 8

NUMBER = r"(?:[0-9]{1,2}(?![0-9])|[零〇一二两三四五六七八九十廿]{1,3})"
_DIGITS = "零一二三四五六七八九"
_NEAR_DAYS = {"大后": (3,), "明后": (1, 2)} | {f"后{end}": (2,) for end in "天日晚"}
_NEAR_DAYS |= {f"明{end}": (1,) for end in "天日儿早晚"} | {f"今{end}": (0,) for end in "天日儿早晚夜"}
_NEAR = re.compile(r"大后天|明后天|(?<![今以之])后[天日晚]|明(?:天|日(?!之)|儿|早|晚)|今(?:天|日(?!头)|儿|早|晚|夜)")
_WEEKDAY = re.compile(
    r"(?P<which>(?:下 ?下个?|下个?|上上?个?|这个?|本)? ?)(?<![一两几每整二三四0-9])(?:周|星期|礼拜)"
    r"(?:(?P<day>[一二三四五六日天]|[1-7](?![0-9]))|(?P<end>末))"
)
_FULL = re.compile(
    r"(?<![0-9])(?P<year>20[0-9]{2}) ?(?:年|[-/.]) ?(?P<month>[0-9]{1,2}) ?(?:月|[-/.]) ?"
    r"(?P<day>[0-9]{1,2})(?![0-9]) ?[日号]?"
)
_MONTH_DAY = re.compile(
    rf"(?P<year>今年|明年|(?:20[0-9]{{2}}|二零[{_DIGITS}]{{2}}) ?年)? ?(?<![0-9],)(?<![0-9.:/{_DIGITS}])"
    rf"(?P<month>{NUMBER}) ?月 ?份? ?(?:的 ?)?"
    rf"(?:(?P<day>{NUMBER}) ?[号日]|(?P<bare>[0-9]{{1,2}}(?![0-9万千百个w%点.:月])))"
)
_SLASH = re.compile(r"(?<![0-9./:-])(?P<month>[0-9]{1,2})/(?P<day>[0-9]{1,2})(?![0-9./:%-])")
_DOT = re.compile(r"^ *(?P<month>[0-9]{1,2})\.(?P<day>[0-9]{1,2})[日号]? *$")
_DAY = re.compile(
    rf"(?:(?P<which>这个? ?月|本月|当月|下下个? ?月|下个? ?月) ?(?:的 ?)?|(?<![0-9],)(?<![0-9.:/月{_DIGITS}十第]))"
    rf"(?P<day>{NUMBER}) ?(?:号(?![线楼店院门厅馆车位码机油])|(?<=[0-9])日|(?<=[0-9] )日)"
)
_AFTER = re.compile(
    rf"(?<![0-9.{_DIGITS}十])(?P<count>{NUMBER}) ?(?P<unit>天|日|个?星期|周|个?礼拜) ?(?:之|以)?后(?!天)"
)
_MONTH_END = re.compile(rf"(?:(?P<month>{NUMBER}) ?|(?P<which>这个?|本|下个?) ?)?月[底末]")
_SEVERAL = re.compile(
    r"(?:周|星期|礼拜)(?P<first>[一二三四五六日天]) ?(?:(?<=六)(?=[日天])|到|至|-|~|/|和|跟|或者?|、|,) ?"
    r"(?:周|星期|礼拜)?(?P<last>[一二三四五六日天])(?! ?[点个人位时台辆刻分十号月])"
)

_TAKEN_BACK_BEFORE = re.compile(
    r"(?:不是|而非|并非|不要|别约?|除了|不约|原来是?|本来是?|原定|不想|生日是?|等|过了|最晚|最早) ?$"
)
_TAKEN_BACK_BEHIND = re.compile(
    r" ?(?:的?(?:话|时候)?)? ?(?:[上下]午|晚上|中午|早上)?"
    rf" ?(?:[0-9两{_DIGITS}十]{{1,3}} ?[点:] ?[0-9]{{0,2}}半?)? ?(?:都|也|就|我|可能|估计|恐怕|应该)? ?"
    r"(?:不行|不可以|不方便|没空|没时间|没有时间|不能|去不了|来不了|不去|不来|不了|要加班|加班|有事|不在|不约)"
)
_STORY_BEHIND = re.compile(
    r" ?(?:就|才|已经?|刚)? ?(?:[买提订签][的了过]|下[的了过单]|交[的了过付]|到期|出厂|上牌|出生|过?生日|发工资)"
)
_BOUND_BEHIND = re.compile(r" ?(?:[之以]?[前后](?![台院门])|开始|起|左右)")
_MOVED_TO = re.compile(r"(?:改|换|挪|推|延|移|调)(?:迟|期|后|整)?(?:到|成|为|至)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """What names a day at `start` to `end`: the `dates` that it may be, in order. None: it names none ahead of us.

    `weekday`: it only says which day of the week, 0 is Monday: that may be of any week when the text says which.
    """

    dates: tuple[date, ...]
    start: int
    end: int
    weekday: int | None = None


def days(chars: str, today: date, *, is_answer: bool = False) -> tuple[Day, ...]:
    """The days that folded `chars` names, in order of the text. `is_answer`: 12.1 is a day too when it is all there is.

    What an appointment is moved away from is among them: see `moved_to`.
    """
    found: list[Day] = []
    taken = 0
    for day in sorted(_named(chars, today, is_answer=is_answer), key=lambda one: (one.start, -one.end)):
        if day.start < taken:
            continue
        taken = day.end
        if not _is_no_answer(chars, day.start, day.end):
            found.append(day)
    return tuple(found[:_NAMED_MAX])


def moved_to(chars: str) -> int:
    """Where stands what an appointment is moved to, behind 改到 and the like; 0 when nothing is moved."""
    return max((match.end() for match in _MOVED_TO.finditer(chars)), default=0)


def settled(named: Sequence[Day]) -> tuple[Day, ...]:
    """`named` with what they say together: 周六 and 28号 are one day, when the 28th is a Saturday.

    One day for every date that is possible; empty when none is.
    """
    ahead = [day for day in named if day.dates]
    exact = [day for day in ahead if day.weekday is None]
    common = set(exact[0].dates).intersection(*(day.dates for day in exact[1:])) if len(ahead) > 1 and exact else set()
    if len(common) == 1 and all(day.weekday in (None, one.weekday()) for day in ahead for one in common):
        return (Day(dates=tuple(common), start=ahead[0].start, end=ahead[-1].end),)
    by_date: dict[date, Day] = {}
    for day in ahead:
        for one in day.dates:
            by_date.setdefault(one, Day(dates=(one,), start=day.start, end=day.end))
    return tuple(by_date.values())


def _named(chars: str, today: date, *, is_answer: bool) -> Iterator[Day]:
    for match in _NEAR.finditer(chars):
        yield _at(match, tuple(today + timedelta(days=ahead) for ahead in _NEAR_DAYS[match.group()[:2]]))
    if "周" in chars or "期" in chars or "拜" in chars:
        for match in _WEEKDAY.finditer(chars):
            yield _weekday(match, today)
        for match in _SEVERAL.finditer(chars):
            yield _at(match, tuple(_coming(_number_of(match[name]), today) for name in ("first", "last")))
    for sign, pattern, dates in _READERS:
        for match in pattern.finditer(chars) if sign in chars else ():
            yield _at(match, dates(match, today))
    for match in _SLASH.finditer(chars) if is_answer else ():
        yield _at(match, _month_day(match, today))
    dotted = _DOT.search(chars) if is_answer else None
    if dotted:
        yield _at(dotted, _month_day(dotted, today))


def _at(match: re.Match[str], dates: tuple[date, ...]) -> Day:
    return Day(dates=dates, start=match.start(), end=match.end())


def _weekday(match: re.Match[str], today: date) -> Day:
    which = match["which"].replace(" ", "").removesuffix("个")
    monday = today - timedelta(days=today.weekday())
    weeks = {"下下": 2, "下": 1, "这": 0, "本": 0}.get(which)
    if which.startswith("上"):
        return _at(match, ())
    if match["end"]:
        saturday = monday + timedelta(days=5, weeks=weeks or 0)
        return _at(match, tuple(day for day in (saturday, saturday + timedelta(days=1)) if day >= today))
    weekday = _number_of(match["day"])
    if weeks is not None:
        day = monday + timedelta(days=weekday, weeks=weeks)
        return _at(match, (day,) if day >= today else ())
    coming = _coming(weekday, today)
    # Said on that very day it may mean this one or the next.
    dates = (coming, coming + timedelta(weeks=1)) if coming == today else (coming,)
    return Day(dates=dates, start=match.start(), end=match.end(), weekday=weekday)


def _number_of(char: str) -> int:
    """The day of the week, 0 is Monday, that one character says: 一, 日, 天, 3."""
    return int(char) - 1 if char.isascii() else "一二三四五六日天".index(char) - (char == "天")


def _coming(weekday: int, today: date) -> date:
    """The next such day from today on."""
    return today + timedelta(days=(weekday - today.weekday()) % 7)


def _after(match: re.Match[str], today: date) -> tuple[date, ...]:
    count = small(match["count"])
    if count is None:
        return ()
    ahead = count if match["unit"] in "天日" else 7 * count
    return (today + timedelta(days=ahead),) if 0 < ahead <= _AHEAD_DAYS_MAX else ()


def _month_end(match: re.Match[str], today: date) -> tuple[date, ...]:
    """The last five days of the month, by their first and last: nobody knows which is meant."""
    year, month = _months_on(today, 1 if (match["which"] or "").startswith("下") else 0)
    if match["month"]:
        number = small(match["month"])
        if number is None or not 1 <= number <= 12:
            return ()
        year, month = today.year + (number < today.month), number
    last = date(year, month, monthrange(year, month)[1])
    first = max(today, last - timedelta(days=4))
    return (first, last) if first < last else (last,)


def _month_day(match: re.Match[str], today: date) -> tuple[date, ...]:
    groups = match.groupdict()
    written = groups.get("year")
    if written:
        year = _year(written, today)
        return _of_year(year, match, today) if year else ()
    month, day = small(match["month"]), small(match["day"] or match["bare"])
    this = _date(today.year, month, day)
    if this is not None and this >= today:
        return (this,)
    coming = _date(today.year + 1, month, day)
    if coming is None or (this is not None and today - this <= PASSED_MAX):
        return ()
    return (coming,)


def _year(written: str, today: date) -> int | None:
    if written in ("今年", "明年"):
        return today.year + (written == "明年")
    value = value_of(written.rstrip("年 "))
    return int(value) if value is not None else None


def _in_full(match: re.Match[str], today: date) -> tuple[date, ...]:
    return _of_year(int(match["year"]), match, today)


def _of_year(year: int, match: re.Match[str], today: date) -> tuple[date, ...]:
    found = _date(year, small(match["month"]), small(match["day"] or match["bare"]))
    return (found,) if found is not None and 0 <= (found - today).days <= _AHEAD_DAYS_MAX else ()


def _day(match: re.Match[str], today: date) -> tuple[date, ...]:
    """The next day of this number, in the month that was said or in the first that has it."""
    number, which = small(match["day"]), (match["which"] or "").replace(" ", "")
    if which:
        ahead = 2 if which.startswith("下下") else int(which.startswith("下"))
        found = _date(*_months_on(today, ahead), number)
        return (found,) if found is not None and found >= today else ()
    for ahead in range(3):
        found = _date(*_months_on(today, ahead), number)
        if found is not None and found >= today:
            return (found,)
    return ()


def _months_on(today: date, months: int) -> tuple[int, int]:
    passed = today.year * 12 + today.month - 1 + months
    return passed // 12, passed % 12 + 1


def _date(year: int, month: int | None, day: int | None) -> date | None:
    if month is None or day is None or not 1 <= month <= 12 or not 1 <= day <= monthrange(year, month)[1]:
        return None
    return date(year, month, day)


def _is_no_answer(chars: str, start: int, end: int) -> bool:
    behind = chars[end : end + 3 * _AROUND_MAX]
    return bool(
        _TAKEN_BACK_BEFORE.search(chars[max(0, start - _AROUND_MAX) : start])
        or _TAKEN_BACK_BEHIND.match(behind)
        or _STORY_BEHIND.match(behind)
        or _BOUND_BEHIND.match(behind)
    )


_READERS = (
    ("后", _AFTER, _after),
    ("月", _MONTH_END, _month_end),
    ("20", _FULL, _in_full),
    ("月", _MONTH_DAY, _month_day),
    ("号", _DAY, _day),
    ("日", _DAY, _day),
)
"""What names a day by itself: a sign without which it cannot stand there, its pattern, and how it is read."""
