"""Places of slots: held, booked, moved, given back. The index `places_taken` keeps two customers from one place.

A place is held until the customer's own step has taken it (`keep`); one whose hold is over may be taken by
whoever asks next. Until an outside calendar stands behind it, these rows are the calendar.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from bot.core.ids import CustomerId, EffectId
from bot.errors import Conflict
from bot.storage.moments import micros, moment
from bot.storage.tables import AnyRow

_taken = text(
    "SELECT effect_id, place, state, hold_until FROM places WHERE resource = :resource AND dealer = :dealer"
    " AND start_at = :start_at AND state IN ('held', 'booked')"
)
_counted = text(
    "SELECT start_at, count(*) AS places FROM places WHERE resource = :resource AND dealer = :dealer"
    " AND start_at >= :begins AND start_at < :ends AND state IN ('held', 'booked')"
    " AND (state = 'booked' OR hold_until > :now) GROUP BY start_at"
)
_lapse = text(
    "UPDATE places SET state = 'lapsed', changed_at = :now"
    " WHERE effect_id = :effect_id AND state = 'held' AND hold_until <= :now"
)
_hold = text(
    "INSERT INTO places (effect_id, booking_id, customer_id, resource, dealer, start_at, place, state, hold_until,"
    " made_at, changed_at)"
    " VALUES (:effect_id, :booking_id, :customer_id, :resource, :dealer, :start_at, :place, 'held', :hold_until,"
    " :now, :now) ON CONFLICT DO NOTHING"
)
_keep = text("UPDATE places SET state = 'booked', changed_at = :now WHERE effect_id = :effect_id AND state = 'held'")
# What a booking had before it moved here.
_moved = text(
    "UPDATE places SET state = 'moved', changed_at = :now WHERE booking_id = :booking_id AND effect_id <> :effect_id"
    " AND state IN ('held', 'booked')"
)
_let_go = text(
    "UPDATE places SET state = 'cancelled', changed_at = :now WHERE effect_id = :effect_id"
    " AND state IN ('held', 'booked')"
)
_cancel = text(
    "UPDATE places SET state = 'cancelled', changed_at = :now WHERE booking_id = :booking_id"
    " AND customer_id = :customer_id AND state = 'booked'"
)
_known = text("SELECT * FROM places WHERE effect_id = :effect_id")
_of_booking = text("SELECT * FROM places WHERE booking_id = :booking_id AND state = 'booked' ORDER BY made_at DESC")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A place that is wanted. `booking_id`: the booking that it will replace; empty: a new one."""

    effect_id: EffectId
    customer_id: CustomerId
    resource: str
    dealer: str
    start_at: datetime
    hold_until: datetime
    booking_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A place that somebody has, or had."""

    effect_id: EffectId
    booking_id: str
    customer_id: CustomerId
    resource: str
    dealer: str
    start_at: datetime
    place: int
    state: str
    hold_until: datetime


@dataclass(frozen=True, slots=True)
class BookingRows:
    """Takes and gives places, inside one transaction."""

    connection: Connection

    def taken(
        self, resource: str, dealer: str, *, begins: datetime, ends: datetime, now: datetime
    ) -> Mapping[datetime, int]:
        """How many places are held or booked at `now`, of the slots that start in this time and have any."""
        values = {"resource": resource, "dealer": dealer, "begins": micros(begins), "ends": micros(ends)}
        rows = self.connection.execute(_counted, values | {"now": micros(now)})
        return {moment(row.start_at): row.places for row in rows}

    def hold(self, wanted: Wanted, *, capacity: int, now: datetime) -> Place | None:
        """The place that is held from now on, the same again for the same errand; None: all of them are taken."""
        known = self.of(wanted.effect_id)
        if known is not None:
            return known
        free = self._free_places(wanted, capacity=capacity, now=now)
        for place in free:
            if self.connection.execute(_hold, self._row(wanted, place, now)).rowcount > 0:
                return self.of(wanted.effect_id)
        return None

    def keep(self, effect_id: EffectId, *, now: datetime) -> None:
        """The customer's step took the place: it is booked, and what it replaces is free.

        Conflict: somebody else got it a moment ago, as the hold was over; the step has to look again.
        """
        if self.connection.execute(_keep, {"effect_id": effect_id, "now": micros(now)}).rowcount == 0:
            place = self.of(effect_id)
            if place is None or place.state != "booked":
                raise Conflict("a place that was held is another's by now")
            return
        place = self.of(effect_id)
        if place is not None:
            values = {"booking_id": place.booking_id, "effect_id": effect_id, "now": micros(now)}
            self.connection.execute(_moved, values)

    def let_go(self, effect_id: EffectId, *, now: datetime) -> bool:
        """Nobody wants the place that this errand got. False: it is free already."""
        return self.connection.execute(_let_go, {"effect_id": effect_id, "now": micros(now)}).rowcount > 0

    def cancel(self, booking_id: str, customer_id: CustomerId, *, now: datetime) -> bool:
        """Give the booking back. False: this customer has no such booking (any more).

        A place that is only held for it, as it is about to move, stays with the step that waits for it.
        """
        values = {"booking_id": booking_id, "customer_id": customer_id, "now": micros(now)}
        return self.connection.execute(_cancel, values).rowcount > 0

    def of(self, effect_id: EffectId) -> Place | None:
        """What this errand got, None: nothing."""
        row = self.connection.execute(_known, {"effect_id": effect_id}).one_or_none()
        return _place(row) if row is not None else None

    def of_booking(self, booking_id: str) -> Place | None:
        """The place that a booking has now, None: none that is sure."""
        row = self.connection.execute(_of_booking, {"booking_id": booking_id}).first()
        return _place(row) if row is not None else None

    def _free_places(self, wanted: Wanted, *, capacity: int, now: datetime) -> Collection[int]:
        """Places that nobody has; those whose hold is over are taken back first."""
        slot = {"resource": wanted.resource, "dealer": wanted.dealer, "start_at": micros(wanted.start_at)}
        taken: set[int] = set()
        for row in self.connection.execute(_taken, slot).all():
            is_over = row.state == "held" and row.hold_until <= micros(now)
            lapsed = (
                is_over and self.connection.execute(_lapse, {"effect_id": row.effect_id, "now": micros(now)}).rowcount
            )
            if not lapsed:
                taken.add(row.place)
        return [place for place in range(capacity) if place not in taken]

    def _row(self, wanted: Wanted, place: int, now: datetime) -> dict[str, object]:
        return {
            "effect_id": wanted.effect_id,
            "booking_id": wanted.booking_id or wanted.effect_id,
            "customer_id": wanted.customer_id,
            "resource": wanted.resource,
            "dealer": wanted.dealer,
            "start_at": micros(wanted.start_at),
            "place": place,
            "hold_until": micros(wanted.hold_until),
            "now": micros(now),
        }


def _place(row: AnyRow) -> Place:
    return Place(
        effect_id=EffectId(row.effect_id),
        booking_id=row.booking_id,
        customer_id=CustomerId(row.customer_id),
        resource=row.resource,
        dealer=row.dealer,
        start_at=moment(row.start_at),
        place=row.place,
        state=row.state,
        hold_until=moment(row.hold_until),
    )
