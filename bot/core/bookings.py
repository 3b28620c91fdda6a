"""What can be booked, and when: resources of dealers with their slots (journeys/_bookings.yaml)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.core.calendar import is_worked, stretch_on
from bot.core.rules import Holidays, WeeklyHours

SLOTS_A_DAY_MAX = 96
"""Slots of one day: one each quarter of an hour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """What a dealer has to lend: `capacity` at once, for `each` at a time, while `hours` are open.

    `hours` names working hours of `_global.yaml`. Bookable up to `ahead` before it begins.
    """

    resource: str
    dealer: str
    hours: str
    each: timedelta
    capacity: int
    ahead: timedelta = timedelta(days=30)


def resource_of(resources: Iterable[Resource], name: str, dealer: str) -> Resource | None:
    """The resource called `name` of `dealer`; None: it has none. An empty name: its first."""
    return next((one for one in resources if one.dealer == dealer and name in ("", one.resource)), None)


def slots_on(
    resource: Resource, day: date, *, hours: WeeklyHours, zone: ZoneInfo, holidays: Holidays
) -> Sequence[datetime]:
    """When slots begin on `day`, aware UTC, in order; each ends while it is still open. Empty: it is not open."""
    if not is_worked(hours, day, holidays):
        return ()
    opens_at, closes_at = stretch_on(hours, day, zone)
    starts = (opens_at + resource.each * number for number in range(SLOTS_A_DAY_MAX))
    return tuple(start for start in starts if start + resource.each <= closes_at)


def is_slot(resource: Resource, start_at: datetime, *, hours: WeeklyHours, zone: ZoneInfo, holidays: Holidays) -> bool:
    """Whether a slot begins at this moment."""
    day = start_at.astimezone(zone).date()
    days = (day - timedelta(days=1), day)
    return any(start_at in slots_on(resource, one, hours=hours, zone=zone, holidays=holidays) for one in days)


def in_time(resource: Resource, start_at: datetime, now: datetime) -> bool:
    """Whether a slot that begins then can be booked now: it lies ahead, and not too far."""
    return now < start_at <= now + resource.ahead
