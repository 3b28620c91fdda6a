"""What is still free at a dealer's on a day: the slots of its hours without those that are taken."""

from datetime import datetime

from bot.core import bookings
from bot.core.arrival import OpenSlotsRead
from bot.core.program import Program
from bot.storage import Transaction


def open_slots(tx: Transaction, program: Program, read: OpenSlotsRead, *, now: datetime) -> tuple[datetime, ...]:
    """When slots begin that can be booked at `now` and have a place left, in order; empty: none, or nothing to book."""
    rules = program.rules
    resource = bookings.resource_of(program.library.resources, read.resource, read.dealer)
    hours = rules.working_hours.get(resource.hours) if resource else None
    if resource is None or hours is None:
        return ()
    slots = bookings.slots_on(resource, read.on, hours=hours, zone=program.zone, holidays=rules.holidays)
    bookable = [start for start in slots if bookings.in_time(resource, start, now)]
    if not bookable:
        return ()
    ends = bookable[-1] + resource.each
    taken = tx.bookings.taken(resource.resource, resource.dealer, begins=bookable[0], ends=ends, now=now)
    return tuple(start for start in bookable if taken.get(start, 0) < resource.capacity)
