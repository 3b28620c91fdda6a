"""Our own ledger of coupons and points, until an outside system keeps them."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from bot.core.errands import BookPoints, HandOutCoupon
from bot.core.ids import CustomerId, EffectId
from bot.storage.moments import micros

_give = text(
    "INSERT INTO coupons (effect_id, customer_id, coupon, once, journey, given_at)"
    " VALUES (:effect_id, :customer_id, :coupon, :once, :journey, :now) ON CONFLICT DO NOTHING"
)
_given = text("SELECT 1 FROM coupons WHERE effect_id = :effect_id")
_book = text(
    "INSERT INTO points (effect_id, customer_id, change, balance, reason, journey, changed_at)"
    " VALUES (:effect_id, :customer_id, :change, :balance, :reason, :journey, :now) ON CONFLICT DO NOTHING"
)
_coupons = text("SELECT coupon, count(*) AS given FROM coupons WHERE customer_id = :of GROUP BY coupon")
_points = text("SELECT COALESCE(SUM(change), 0) FROM points WHERE customer_id = :of")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """For whom something is entered, and by which errand of which journey."""

    effect_id: EffectId
    customer_id: CustomerId
    journey: str
    at: datetime


@dataclass(frozen=True, slots=True)
class LoyaltyRows:
    """Writes the ledger, inside one transaction. The same errand again changes nothing."""

    connection: Connection

    def give(self, coupon: HandOutCoupon, entry: Entry) -> bool:
        """Hand the coupon out. False: she has had it already, within what she may get it once."""
        values = {**_values(entry), "coupon": coupon.coupon, "once": coupon.once or None}
        if self.connection.execute(_give, values).rowcount > 0:
            return True
        return self.connection.execute(_given, {"effect_id": entry.effect_id}).first() is not None

    def book(self, points: BookPoints, entry: Entry) -> None:
        """Enter a change of points."""
        values = {"change": points.add, "balance": points.balance, "reason": points.reason}
        self.connection.execute(_book, _values(entry) | values)

    def coupons_of(self, customer_id: CustomerId) -> dict[str, int]:
        """How many of each coupon this customer was given."""
        return {row.coupon: row.given for row in self.connection.execute(_coupons, {"of": customer_id})}

    def points_of(self, customer_id: CustomerId) -> int:
        """The sum of all changes of this customer's points."""
        total: int = self.connection.execute(_points, {"of": customer_id}).scalar_one()
        return int(total)


def _values(entry: Entry) -> dict[str, object]:
    return {
        "effect_id": entry.effect_id,
        "customer_id": entry.customer_id,
        "journey": entry.journey,
        "now": micros(entry.at),
    }
