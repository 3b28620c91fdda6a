"""Working time: when so much of it is over. Source: journey-language.md 2.3, "Time in files"."""

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.core.calendar import instant, is_worked, next_opening, stretch_on
from bot.core.rules import Holidays, WeeklyHours
from bot.core.times import Working

WORKING_MAX = timedelta(days=5 * 366)
"""The longest wait. What would take longer is over then, and so is what hours that never open would take."""
BRAND_HOURS = WeeklyHours(weekdays=frozenset(range(5)), opens=time(9), closes=time(18), holidays=True)
"""Of a brand that names no working hours: every working day from nine to six."""


def working_until(
    span: Working, begins: datetime, *, hours: WeeklyHours, zone: ZoneInfo, holidays: Holidays
) -> datetime:
    """The moment at which `span` of working time has passed since `begins`.

    Off hours nothing passes: it begins with the next opening. Hours end in the moment in which they are worked off,
    which may be a closing; days come to the same time of day so many worked days on.
    """
    at_most = begins + WORKING_MAX
    moment: datetime | None
    try:
        moment = next_opening(hours, begins, zone, holidays=holidays)
    except ValueError:
        return at_most
    if span.days:
        moment = _days_on(span.days, moment, hours=hours, zone=zone, holidays=holidays)
    if span.hours and moment is not None:
        moment = _hours_on(span.hours, moment, hours=hours, zone=zone, holidays=holidays)
    return at_most if moment is None else min(moment, at_most)


def _days_on(days: int, begins: datetime, *, hours: WeeklyHours, zone: ZoneInfo, holidays: Holidays) -> datetime | None:
    """None: it takes longer than `WORKING_MAX`."""
    local = begins.astimezone(zone)
    # After midnight of hours that cross it, the worked day is that on which they opened.
    early = local.time() < hours.opens and hours.closes <= hours.opens
    first = local.date() - timedelta(days=int(early))
    left = days
    for ahead in range(1, WORKING_MAX.days + 1):
        day = first + timedelta(days=ahead)
        left -= is_worked(hours, day, holidays)
        if left == 0:
            return instant(day + timedelta(days=int(early)), local.time().replace(fold=0), zone)
    return None


def _hours_on(
    length: timedelta, begins: datetime, *, hours: WeeklyHours, zone: ZoneInfo, holidays: Holidays
) -> datetime | None:
    """None: it takes longer than `WORKING_MAX`."""
    left = length
    for opens_at, closes_at in _stretches_from(begins, hours=hours, zone=zone, holidays=holidays):
        if left <= closes_at - opens_at:
            return opens_at + left
        left -= closes_at - opens_at
    return None


def _stretches_from(
    begins: datetime, *, hours: WeeklyHours, zone: ZoneInfo, holidays: Holidays
) -> Iterator[tuple[datetime, datetime]]:
    """When it is open from `begins` on, within `WORKING_MAX`; no moment lies in two stretches."""
    first = begins.astimezone(zone).date()
    done = begins
    for ahead in range(-1, WORKING_MAX.days + 1):
        day = first + timedelta(days=ahead)
        if not is_worked(hours, day, holidays):
            continue
        opens_at, closes_at = stretch_on(hours, day, zone)
        if closes_at > done:
            yield max(opens_at, done), closes_at
            done = closes_at
