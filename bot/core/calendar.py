"""Wall clocks and calendars: opening hours, quiet hours, working days and phrases, in a zone and across clock changes.

Every moment that goes in or comes out is aware UTC.
"""

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import assert_never
from zoneinfo import ZoneInfo

from bot.core.rules import Holidays, QuietHours, WeeklyHours
from bot.core.times import WallClock

INSTANTS_MAX = 256
"""Moments remembered: every step asks for those of today. Beyond, the longest unused are worked out anew."""
ZONES_MAX = 256
"""Names of zones remembered; beyond, the longest unused are looked up anew."""
DAYS_LOOKED_AHEAD_MAX = 60
"""No holidays last so long: hours that do not open within so many days never do."""
NO_HOLIDAYS = Holidays()
_MONTHS_LOOKED_AHEAD = 2


def is_open(hours: WeeklyHours, at: datetime, zone: ZoneInfo, *, holidays: Holidays = NO_HOLIDAYS) -> bool:
    """Whether `at` lies in the opening hours. The moment of opening counts, the moment of closing does not.

    `closes` not later than `opens` means the next morning; equal times mean the whole day and night.
    """
    today = at.astimezone(zone).date()
    return any(begins <= at < ends for begins, ends in _stretches(hours, today, zone, holidays))


def next_opening(hours: WeeklyHours, at: datetime, zone: ZoneInfo, *, holidays: Holidays = NO_HOLIDAYS) -> datetime:
    """The earliest moment from `at` on that lies in the opening hours: `at` itself when they are open.

    ValueError: they do not open within `DAYS_LOOKED_AHEAD_MAX` days, as they have no weekday.
    """
    if is_open(hours, at, zone, holidays=holidays):
        return at
    today = at.astimezone(zone).date()
    for ahead in range(DAYS_LOOKED_AHEAD_MAX):
        day = today + timedelta(days=ahead)
        opens_at = instant(day, hours.opens, zone)
        if opens_at >= at and is_worked(hours, day, holidays):
            return opens_at
    raise ValueError("opening hours without a weekday never open")


def is_worked(hours: WeeklyHours, day: date, holidays: Holidays) -> bool:
    """Whether `hours` open on `day`: by its weekday, unless they heed holidays and the day is one, or made up for."""
    if hours.holidays:
        return is_workday(day, holidays, weekdays=hours.weekdays)
    return day.weekday() in hours.weekdays


def is_workday(day: date, holidays: Holidays, *, weekdays: frozenset[int] = frozenset(range(5))) -> bool:
    """Whether `day` is a working day (工作日): one of `weekdays` and no holiday, or a make-up day."""
    return day in holidays.work or (day.weekday() in weekdays and day not in holidays.off)


def working_day_from(at: datetime, zone: ZoneInfo, holidays: Holidays) -> datetime:
    """The earliest moment from `at` on that lies in a working day: `at` itself, or the midnight that begins one.

    After `DAYS_LOOKED_AHEAD_MAX` days that are none, the next counts as one.
    """
    today = at.astimezone(zone).date()
    if is_workday(today, holidays):
        return at
    ahead = (today + timedelta(days=count) for count in range(1, DAYS_LOOKED_AHEAD_MAX))
    found = next((day for day in ahead if is_workday(day, holidays)), today + timedelta(days=DAYS_LOOKED_AHEAD_MAX))
    return instant(found, time(0), zone)


def quiet_until(quiet: QuietHours | None, at: datetime, zone: ZoneInfo) -> datetime | None:
    """The end of the quiet stretch that contains `at`, None when `at` is not quiet.

    The moment of beginning is quiet, the moment of ending is not. Equal times: never quiet. An hour that
    the clocks show twice belongs to the quiet stretch both times: better late than at night.
    """
    if quiet is None or quiet.begins == quiet.ends:
        return None
    today = at.astimezone(zone).date()
    for day in (today - timedelta(days=1), today):
        begins_at, ends_at = _quiet_stretch(quiet, day, zone)
        if begins_at <= at < ends_at:
            return ends_at
    return None


def next_showing(phrase: WallClock, at: datetime, zone: ZoneInfo) -> datetime:
    """The first moment after `at` that `phrase` names on the clocks of `zone`.

    A time that the clocks skip that day comes an hour later, one that they show twice is the first of the two.
    `month_end` whose time is over names the end of the next month.
    """
    today = at.astimezone(zone).date()
    return next(moment for day in _days_named(phrase, today) if (moment := instant(day, phrase.at, zone)) > at)


def _days_named(phrase: WallClock, today: date) -> list[date]:
    """The days that `phrase` may mean, the nearest first; the last always lies ahead."""
    tomorrow = today + timedelta(days=1)
    match phrase.day:
        case "any":
            return [today, tomorrow, tomorrow + timedelta(days=1)]
        case "tomorrow":
            return [tomorrow]
        case "weekday":
            return [today + timedelta(days=(phrase.weekday - today.weekday() - 1) % 7 + 1)]
        case "month_end":
            return [_month_end(today, months) for months in range(_MONTHS_LOOKED_AHEAD)]
        case _:
            assert_never(phrase.day)


def _month_end(day: date, months: int) -> date:
    """The last day of the month that begins `months` months after that of `day`."""
    year, month = day.year + (day.month - 1 + months) // 12, (day.month - 1 + months) % 12 + 1
    return date(year, month, monthrange(year, month)[1])


def zone_named(name: object, default: ZoneInfo) -> ZoneInfo:
    """The zone of that name; `default` when it is no name of one: what a customer's attribute holds may be anything."""
    return (_zone(name) or default) if isinstance(name, str) and name else default


@lru_cache(maxsize=ZONES_MAX)
def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (ValueError, KeyError, OSError):
        # By turns, depending on what the text looks like: no such key, no legal key, a folder of zones.
        return None


def stretch_on(hours: WeeklyHours, day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """When `hours` open and close on `day`, whether or not it is worked."""
    last_day = day if hours.closes > hours.opens else day + timedelta(days=1)
    return instant(day, hours.opens, zone), instant(last_day, hours.closes, zone)


def _stretches(hours: WeeklyHours, today: date, zone: ZoneInfo, holidays: Holidays) -> list[tuple[datetime, datetime]]:
    days = (today - timedelta(days=1), today)
    return [stretch_on(hours, day, zone) for day in days if is_worked(hours, day, holidays)]


def _quiet_stretch(quiet: QuietHours, day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    last_day = day if quiet.ends > quiet.begins else day + timedelta(days=1)
    begins_at = min(instant(day, quiet.begins, zone, fold=fold) for fold in (0, 1))
    ends_at = max(instant(last_day, quiet.ends, zone, fold=fold) for fold in (0, 1))
    return begins_at, ends_at


@lru_cache(maxsize=INSTANTS_MAX)
def instant(day: date, at: time, zone: ZoneInfo, *, fold: int = 0) -> datetime:
    """The moment when the clocks of `zone` show `at`; a time that they skip becomes the same one an hour on."""
    return datetime.combine(day, at.replace(fold=fold), tzinfo=zone).astimezone(UTC)
