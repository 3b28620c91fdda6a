"""Wall clocks: opening hours and quiet hours in a zone, across midnight and clock changes.

Every moment that goes in or comes out is aware UTC.
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from bot.core.library import QuietHours, WeeklyHours

INSTANTS_MAX = 256
"""Moments remembered: every step asks for those of today. Beyond, the longest unused are worked out anew."""
_DAYS_LOOKED_AHEAD_MAX = 8
"""A week of openings, and one day for an opening that lies earlier today."""


def is_open(hours: WeeklyHours, at: datetime, zone: ZoneInfo) -> bool:
    """Whether `at` lies in the opening hours. The moment of opening counts, the moment of closing does not.

    `closes` not later than `opens` means the next morning; equal times mean the whole day and night.
    """
    return _opening_around(hours, at, zone) is not None


def next_opening(hours: WeeklyHours, at: datetime, zone: ZoneInfo) -> datetime:
    """The earliest moment from `at` on that lies in the opening hours: `at` itself when they are open.

    ValueError: `hours` has no weekday.
    """
    if is_open(hours, at, zone):
        return at
    today = at.astimezone(zone).date()
    for ahead in range(_DAYS_LOOKED_AHEAD_MAX):
        day = today + timedelta(days=ahead)
        opens_at = _instant(day, hours.opens, zone)
        if day.weekday() in hours.weekdays and opens_at >= at:
            return opens_at
    raise ValueError("opening hours without a weekday never open")


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


def _quiet_stretch(quiet: QuietHours, day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    last_day = day if quiet.ends > quiet.begins else day + timedelta(days=1)
    begins_at = min(_instant(day, quiet.begins, zone, fold=fold) for fold in (0, 1))
    ends_at = max(_instant(last_day, quiet.ends, zone, fold=fold) for fold in (0, 1))
    return begins_at, ends_at


def _opening_around(hours: WeeklyHours, at: datetime, zone: ZoneInfo) -> datetime | None:
    today = at.astimezone(zone).date()
    for day in (today - timedelta(days=1), today):
        if day.weekday() not in hours.weekdays:
            continue
        last_day = day if hours.closes > hours.opens else day + timedelta(days=1)
        opens_at = _instant(day, hours.opens, zone)
        if opens_at <= at < _instant(last_day, hours.closes, zone):
            return opens_at
    return None


@lru_cache(maxsize=INSTANTS_MAX)
def _instant(day: date, at: time, zone: ZoneInfo, *, fold: int = 0) -> datetime:
    """The moment when the clocks of `zone` show `at`; a time that they skip becomes the same one an hour on."""
    return datetime.combine(day, at.replace(fold=fold), tzinfo=zone).astimezone(UTC)
