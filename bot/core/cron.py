"""Moments that come again and again: the five fields of `schedule:`. Source: journey-language.md 2.2, 4.2 (J410)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from bot.core.calendar import instant

DAYS_AHEAD_MAX = 366 * 9
"""The 29th of February may be eight years away; what does not come in nine never does."""
PARTS_MAX = 60
"""Values and ranges of one field, divided by commas."""
KEPT_MAX = 256
"""Schedules that are kept taken apart."""

_FIELDS: tuple[tuple[str, int, int], ...] = (
    ("分钟", 0, 59),
    ("小时", 0, 23),
    ("日", 1, 31),
    ("月", 1, 12),
    ("星期", 0, 7),
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_NAMES: Mapping[str, Mapping[str, int]] = {
    "月": {name: number for number, name in enumerate(_MONTHS, start=1)},
    "星期": {name: number for number, name in enumerate(_WEEKDAYS)},
}
_PART = re.compile(r"(?:\*|(\w{1,3})(?:-(\w{1,3}))?)(?:/(\d{1,2}))?", re.ASCII)
_SUNDAY = 7
_LONGEST_MONTHS = {1: 31, 2: 29, 3: 31, 4: 30, 5: 31, 6: 30, 7: 31, 8: 31, 9: 30, 10: 31, 11: 30, 12: 31}


class CronFault(Exception):
    """It is no schedule; the message says which field is wrong, in Chinese."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cron:
    """The wall clock times of a schedule. `weekdays` as Python counts them: 0 is Monday.

    `either`: both the day of the month and the weekday are restricted, and either is enough.
    """

    times: tuple[time, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either: bool

    @property
    def minutes(self) -> frozenset[int]:
        """The minutes of an hour at which it comes."""
        return frozenset(clock.minute for clock in self.times)

    def comes_on(self, day: date) -> bool:
        """Whether it comes on this day."""
        if day.month not in self.months:
            return False
        of_month, of_week = day.day in self.days, day.weekday() in self.weekdays
        return of_month or of_week if self.either else of_month and of_week

    def next_after(self, at: datetime, zone: ZoneInfo) -> datetime | None:
        """The first moment after `at` (aware UTC) that it names on the clocks of `zone`; None: it never comes.

        A time that the clocks skip that day comes an hour later, one that they show twice is the first of the two.
        """
        today = at.astimezone(zone).date()
        for ahead in range(DAYS_AHEAD_MAX):
            day = today + timedelta(days=ahead)
            if self.comes_on(day):
                found = min((m for clock in self.times if (m := instant(day, clock, zone)) > at), default=None)
                if found is not None:
                    return found.astimezone(UTC)
        return None


@lru_cache(maxsize=KEPT_MAX)
def parse_cron(text: str) -> Cron:
    """The schedule of five fields: minute, hour, day, month, weekday (`tue`, or a number with 0 and 7 for Sunday).

    CronFault: another number of fields, a value out of its range, or a day that none of the months has.
    """
    written = text.lower().split()
    if len(written) != len(_FIELDS):
        raise CronFault(f"要有五段：分 时 日 月 星期，得到 {len(written)} 段")
    minutes, hours, days, months, weekdays = (
        _field(part, *field) for part, field in zip(written, _FIELDS, strict=True)
    )
    of_month, of_week = written[2] != "*", written[4] != "*"
    if not of_week and all(min(days) > _LONGEST_MONTHS[month] for month in months):
        raise CronFault("这些月份里没有这一天")
    return Cron(
        times=tuple(time(hour, minute) for hour in sorted(hours) for minute in sorted(minutes)),
        days=days,
        months=months,
        weekdays=frozenset((number - 1) % _SUNDAY for number in weekdays),
        either=of_month and of_week,
    )


def _field(text: str, name: str, least: int, most: int) -> frozenset[int]:
    parts = text.split(",")
    if len(parts) > PARTS_MAX:
        raise CronFault(f"{name}最多 {PARTS_MAX} 项")
    return frozenset[int]().union(*(_values(part, name, least, most) for part in parts))


def _values(part: str, name: str, least: int, most: int) -> range:
    found = _PART.fullmatch(part)
    fault = CronFault(f"{name} “{part[:20]}” 不对，要在 {least} 到 {most} 之间")
    if not found:
        raise fault
    first, last, step = found.groups()
    begins = _number(first, name, least)
    ends = _number(last, name, -1) if last else (most if first is None or step else begins)
    stride = int(step) if step else 1
    if name == "星期" and last and ends == 0:
        ends = _SUNDAY  # fri-sun
    if not (least <= begins <= ends <= most and 1 <= stride <= most):
        raise fault
    return range(begins, ends + 1, stride)


def _number(text: str | None, name: str, absent: int) -> int:
    """A number or the name of a month or weekday; `absent` when nothing is written, -1 when it is neither."""
    if text is None:
        return absent
    if text.isdigit():
        return int(text)
    return _NAMES.get(name, {}).get(text, -1)
