"""The transactions around an errand: what our own ledgers do at once, and the settling of what others were asked.

No I/O but the transaction's. Settling an errand and telling its customer's lane are one transaction.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import assert_never

from bot.core import bookings
from bot.core.errands import (
    BAD_ANSWER,
    COUPON_KNOWN,
    DONE,
    FAILED,
    FULL,
    NO_BOOKING,
    NO_SLOT,
    TIMEOUT,
    BookPlace,
    BookPoints,
    CallWebhook,
    GiveBack,
    HandOutCoupon,
)
from bot.core.events import Event, Json
from bot.core.ids import EventId
from bot.core.program import Program
from bot.runtime.ports import Answered, Unanswered
from bot.storage import Entry, ErrandLine, ErrandVerdict, Place, Transaction, Wanted

BACKOFF_FIRST_S, BACKOFF_MAX_S = 2, 60
"""Seconds before an errand is tried a second time, doubled each time up to the longest."""
_AGAIN = frozenset({408, 425, 429})
"""Of the 4xx those that say `not now` rather than `no`."""
NEVER_LEFT = 0
"""The status of a request that surely did not leave."""
CHANNEL = "errand"
"""Where events about errands come from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of an errand: `result` when done, `error` when failed. Both are told to the lane.

    `verdict` unknown: nobody can tell whether it was done, and to the journey it has failed.
    """

    verdict: ErrandVerdict
    result: Json = None
    error: str = ""
    status: int | None = None
    hold_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Later:
    """It is to be tried again at `at`. `status` None: there was no answer."""

    at: datetime
    reason: str
    status: int | None = None


def judge(line: ErrandLine, found: Answered | Unanswered, *, now: datetime) -> Outcome | Later:
    """What an answer, or none, means for an errand that was tried once more than `line.attempts`."""
    wait = timedelta(seconds=min(BACKOFF_MAX_S, BACKOFF_FIRST_S * 2 ** min(line.attempts, 10)))
    if isinstance(found, Unanswered):
        # What surely never left is as if it had been refused: nothing of it is unknown.
        reason, status = ("no_answer", None) if found.may_be_taken else ("unreachable", NEVER_LEFT)
        return Later(at=now + wait, reason=reason, status=status)
    status = found.status
    if 200 <= status < 300:
        if not found.readable:
            return Outcome(verdict="failed", error=BAD_ANSWER, status=status)
        return Outcome(verdict="done", result=found.body, status=status)
    if status >= 500 or status in _AGAIN:
        asked = timedelta(seconds=min(found.after_s, BACKOFF_MAX_S))
        return Later(at=now + max(wait, asked), reason=family(status), status=status)
    return Outcome(verdict="failed", error=family(status), status=status)


def family(status: int) -> str:
    """The name of the error that an HTTP status stands for: `webhook.5xx`."""
    return f"webhook.{status // 100}xx"


def settle(tx: Transaction, line: ErrandLine, outcome: Outcome) -> bool:
    """Write what became of the errand and tell its customer's lane. False: it was settled or withdrawn before."""
    effect_id = line.effect.effect_id
    if not tx.errands.settle(effect_id, outcome.verdict, reason=outcome.error, status=outcome.status):
        return False
    tell(tx, line, outcome)
    return True


def tell(tx: Transaction, line: ErrandLine, outcome: Outcome) -> None:
    """Put the result into the customer's lane, as an event that can come only once."""
    effect = line.effect
    kind = DONE if outcome.verdict == "done" else FAILED
    fields: dict[str, Json] = {
        "effect_id": effect.effect_id,
        "kind": effect.errand.kind,
        "name": effect.errand.name,
        "enrolment_id": effect.enrolment_id,
        "visit": effect.visit,
        "waited": effect.waited,
        "reply": effect.reply,
    }
    if kind == DONE:
        fields["result"] = outcome.result
    else:
        fields["error"] = outcome.error
    if outcome.hold_until is not None:
        fields["hold_until"] = outcome.hold_until.isoformat()
    if effect.cause:
        fields["cause"] = effect.cause
    if isinstance(effect.errand, BookPoints):
        fields["add"] = effect.errand.add
    if isinstance(effect.errand, BookPoints | HandOutCoupon) and effect.errand.written:
        fields["written"] = effect.errand.written
    event = Event(
        event_id=EventId(hashlib.sha256(f"{effect.effect_id}|{kind}".encode()).hexdigest()),
        type=kind,
        channel=CHANNEL,
        account=effect.errand.kind,
        sender="",
        occurred_at=tx.now,
        fields=fields,
    )
    tx.lanes.ingest((), received_at=tx.now, addressed=((line.customer_id, event),))


def expire(tx: Transaction, *, now: datetime) -> int:
    """Give up errands that were tried for too long, and tell their lanes. How many."""
    lines = tx.errands.expire(now)
    for line in lines:
        verdict: ErrandVerdict = "unknown" if line.state == "unknown" else "failed"
        tell(tx, line, Outcome(verdict=verdict, error=_given_up(line)))
    return len(lines)


def _given_up(line: ErrandLine) -> str:
    """What the journey hears of an errand that nobody did in time."""
    errand = line.effect.errand
    if not isinstance(errand, CallWebhook):
        return f"{errand.kind}.timeout" if errand.kind != "book" else "book.failed"
    return family(line.status) if line.status else TIMEOUT


def do_ours(tx: Transaction, line: ErrandLine, program: Program, *, now: datetime) -> Outcome:
    """Have a ledger of ours do it, in this very transaction."""
    errand = line.effect.errand
    entry = Entry(effect_id=line.effect.effect_id, customer_id=line.customer_id, journey=line.effect.journey, at=now)
    match errand:
        case BookPlace():
            return _book(tx, line, errand, program, now)
        case GiveBack(booking_id=booking_id):
            place = tx.bookings.of_booking(booking_id)
            if place is None or not tx.bookings.cancel(booking_id, line.customer_id, now=now):
                return Outcome(verdict="failed", error=NO_BOOKING)
            return Outcome(verdict="done", result={**record(place, what=""), "status": "cancelled"})
        case HandOutCoupon():
            if not tx.loyalty.give(errand, entry):
                return Outcome(verdict="failed", error=COUPON_KNOWN)
            return Outcome(verdict="done", result={"coupon": errand.coupon})
        case BookPoints():
            tx.loyalty.book(errand, entry)
            return Outcome(verdict="done", result={"balance": errand.balance})
        case CallWebhook():
            raise AssertionError("a webhook is no ledger of ours")
        case _:
            assert_never(errand)


def _book(tx: Transaction, line: ErrandLine, wanted: BookPlace, program: Program, now: datetime) -> Outcome:
    library, rules = program.library, program.rules
    resource = bookings.resource_of(library.resources, wanted.resource, wanted.dealer)
    hours = rules.working_hours.get(resource.hours) if resource else None
    if resource is None or hours is None or not bookings.in_time(resource, wanted.start_at, now):
        return Outcome(verdict="failed", error=NO_SLOT)
    if not bookings.is_slot(resource, wanted.start_at, hours=hours, zone=program.zone, holidays=rules.holidays):
        return Outcome(verdict="failed", error=NO_SLOT)
    place = tx.bookings.hold(
        Wanted(
            effect_id=line.effect.effect_id,
            customer_id=line.customer_id,
            resource=wanted.resource,
            dealer=wanted.dealer,
            start_at=wanted.start_at,
            hold_until=now + timedelta(seconds=wanted.hold_s),
            booking_id=wanted.booking_id,
        ),
        capacity=resource.capacity,
        now=now,
    )
    if place is None:
        return Outcome(verdict="failed", error=FULL)
    return Outcome(verdict="done", result=record(place, what=wanted.what), hold_until=place.hold_until)


def record(place: Place, *, what: str) -> dict[str, Json]:
    """A booking as journeys see it. `start` is ISO 8601 in UTC."""
    return {
        "id": place.booking_id,
        "resource": place.resource,
        "what": what,
        "start": place.start_at.astimezone(UTC).isoformat(),
        "dealer": place.dealer,
        "status": "booked",
    }
