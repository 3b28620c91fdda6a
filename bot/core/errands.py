"""Errands: what a journey has done outside the conversation, and whose result comes back as an event.

Plain values, kept in the errand's row and read by whoever carries it out. Source: journey-language.md 2.3, 3.2.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeAlias

from bot.core.events import Json

ErrandKind = Literal["webhook", "book", "cancel_booking", "coupon", "points"]

DONE, FAILED = "effect.done", "effect.failed"
"""The two events that an errand may end in."""
FULL, LAPSED, NO_SLOT, NO_BOOKING = "book.full", "book.lapsed", "book.no_slot", "book.no_booking"
SEVERAL_BOOKINGS, SHORT = "book.several", "points.short"
TIMEOUT, NO_TARGET, BAD_ANSWER = "webhook.timeout", "webhook.no_target", "webhook.bad_answer"
COUPON_KNOWN = "coupon.already"
"""Names of the errors that an errand may fail with; `webhook.4xx` and its kin are made of the status."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallWebhook:
    """Ask another system. `body` becomes the JSON object that it gets."""

    target: str
    operation: str
    body: Mapping[str, Json] = field(default_factory=dict)
    kind: Literal["webhook"] = "webhook"

    @property
    def name(self) -> str:
        """How journeys, tests and people call it: `crm.create_lead`."""
        return f"{self.target}.{self.operation}"


@dataclass(frozen=True, slots=True, kw_only=True)
class BookPlace:
    """Hold a place of `resource` at `start_at`, for `hold_s` seconds until the journey has taken it.

    `booking_id`: the valid booking that it replaces once it is sure; empty: a new one.
    """

    resource: str
    dealer: str
    what: str
    start_at: datetime
    hold_s: int
    booking_id: str = ""
    kind: Literal["book"] = "book"

    @property
    def name(self) -> str:
        return self.resource


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveBack:
    """Cancel a booking."""

    booking_id: str
    kind: Literal["cancel_booking"] = "cancel_booking"

    @property
    def name(self) -> str:
        return self.booking_id


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOutCoupon:
    """`once`: within what she gets it only once (`customer`, or the id of a run); empty: every time.

    `written`: the template that `coupon` was made of; empty: of none.
    """

    coupon: str
    once: str = ""
    written: str = ""
    kind: Literal["coupon"] = "coupon"

    @property
    def name(self) -> str:
        return self.coupon


@dataclass(frozen=True, slots=True, kw_only=True)
class BookPoints:
    """`balance`: what she has afterwards, by her own row. `written`: the template that `reason` was made of; empty: of
    none.
    """

    add: int
    reason: str
    balance: int
    written: str = ""
    kind: Literal["points"] = "points"

    @property
    def name(self) -> str:
        return self.reason


Errand: TypeAlias = CallWebhook | BookPlace | GiveBack | HandOutCoupon | BookPoints


def open_name(errand: Errand) -> str:
    """How the journal, which is not sealed, calls it: a name that was made of a template by the template."""
    match errand:
        case HandOutCoupon(written=written) | BookPoints(written=written) if written:
            return written
        case _:
            return errand.name
