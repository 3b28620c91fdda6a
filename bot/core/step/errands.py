"""Planning errands: what another system, or one of our ledgers, is to do for a journey.

The result comes back as an event (see `results`). Source: journey-language.md 2.3, 3.2 and 3.5 C6.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from bot.core.actions import AddPoints, CancelBooking, GrantCoupon
from bot.core.effects import RunErrand, WithdrawErrands
from bot.core.errands import (
    NO_BOOKING,
    SEVERAL_BOOKINGS,
    SHORT,
    BookPlace,
    BookPoints,
    CallWebhook,
    Errand,
    GiveBack,
    HandOutCoupon,
    open_name,
)
from bot.core.events import Json
from bot.core.expressions.tree import Expression
from bot.core.expressions.values import EvaluationFault, Scope
from bot.core.ids import EffectId
from bot.core.states import Book, Webhook
from bot.core.step import words
from bot.core.step.copies import Run
from bot.core.step.dealers import dealer_of
from bot.core.step.draft import Draft
from bot.core.step.limits import check_size
from bot.core.step.moments import begins_at, ends_at
from bot.core.step.questions import state_of
from bot.core.step.scope import plain, scope_of

WAITED_FOR = timedelta(minutes=10)
"""How long an errand is tried while a state waits for it, unless the state's own `timeout` says something else."""
AFTER_TIMEOUT = timedelta(seconds=1)
"""An errand is given up after the state's own `timeout`, so that this is what the journey hears of."""
TRIED_FOR = timedelta(days=1)
"""How long one is tried that nobody waits for."""
HOLD_DEFAULT = timedelta(minutes=10)
"""How long a place is held for a booking that does not say it."""
COUPONS_MAX = 200
"""Coupons remembered as given once; beyond, the oldest is forgotten here, and the ledger still refuses a second."""
WITHDRAWN = "left_state"


def call_webhook(draft: Draft, run: Run, webhook: Webhook) -> None:
    """Ask the target and wait. EvaluationFault: a value of the body cannot be worked out, or it is too large."""
    scope = scope_of(draft, run)
    body = {name: plain(draft.program.value(value, scope)) for name, value in webhook.body}
    check_size(body)
    _wait_for(draft, run, CallWebhook(target=webhook.target, operation=webhook.operation, body=body))


def book(draft: Draft, run: Run, wanted: Book) -> None:
    """Ask for the place and wait. EvaluationFault: `start` is no moment."""
    scope = scope_of(draft, run)
    what = plain(draft.program.value(wanted.what, scope))
    errand = BookPlace(
        resource=wanted.resource,
        dealer=dealer_of(draft),
        what="" if what is None else str(what),
        start_at=_moment(draft, wanted.start, scope),
        hold_s=int((wanted.hold or HOLD_DEFAULT).total_seconds()),
        booking_id=valid_booking(draft, run, wanted.save),
    )
    _wait_for(draft, run, errand)


def valid_booking(draft: Draft, run: Run, save: str) -> str:
    """The id of the booking kept under `save` that is still to come; empty when there is none."""
    kept = run.saved.get(save)
    if not isinstance(kept, dict) or kept.get("status") != "booked":
        return ""
    start = kept.get("start")
    starts_at = _read(start, draft) if isinstance(start, str) else None
    return str(kept.get("id") or "") if starts_at is not None and starts_at > draft.now else ""


def cancel_booking(draft: Draft, run: Run, action: CancelBooking) -> bool:
    """Give back what is kept under `save`; the record stays, as `cancelled`. False: there is nothing to give back."""
    booking_id = valid_booking(draft, run, action.save)
    if not booking_id:
        draft.fail(run, NO_BOOKING)
        return False
    _give_up(draft, run, action.save)
    _plan(draft, run, GiveBack(booking_id=booking_id), until=draft.now + TRIED_FOR)
    return True


def cancel_hers(draft: Draft, action: CancelBooking, *, near: Sequence[Run], all_: Sequence[Run], cause: str) -> str:
    """Give back a booking of hers for no journey; the error, empty when there is none.

    It is that of the journey she was talking with (`near`, the innermost first), else the only one that any of her
    journeys keeps under this name; of several none, for a wrong one cannot be had back.
    """
    own = [run for run in near if valid_booking(draft, run, action.save)][:1]
    found = own or [run for run in all_ if valid_booking(draft, run, action.save)]
    if len(found) != 1:
        return SEVERAL_BOOKINGS if found else NO_BOOKING
    booking_id = valid_booking(draft, found[0], action.save)
    _give_up(draft, found[0], action.save)
    _plan(draft, cause, GiveBack(booking_id=booking_id), until=draft.now + TRIED_FOR)
    return ""


def _give_up(draft: Draft, run: Run, save: str) -> None:
    kept = run.saved[save]
    assert isinstance(kept, dict), "a valid booking is a record"
    run.saved[save] = {**kept, "status": "cancelled"}
    draft.scopes.pop(run.enrolment_id, None)


def grant_coupon(
    draft: Draft, run: Run | None, action: GrantCoupon, *, cause: str = "", extra: words.Extra = None
) -> None:
    """Have the coupon handed out, unless she had it within `once_per` already; where no run stands behind it, that is
    every time or once for a customer. EvaluationFault: which one cannot be worked out."""
    coupon, written = words.word(draft, run, action.coupon, extra), words.as_written(action.coupon)
    run_id = run.enrolment_id if run is not None else ""
    once = {"": "", "customer": "customer", "journey": run_id}[action.once_per]
    key = coupon_key(coupon, once)
    if once and key in draft.coupons:
        draft.trace("coupon", run, coupon=written, outcome="had_already", once_per=action.once_per)
        return
    errand = HandOutCoupon(coupon=coupon, once=once, written=words.template_of(action.coupon))
    effect_id = _plan(draft, run or cause, errand, until=draft.now + TRIED_FOR)
    if once:
        draft.coupons[key] = effect_id
        while len(draft.coupons) > COUPONS_MAX:
            del draft.coupons[next(iter(draft.coupons))]


def coupon_key(coupon: str, once: str) -> str:
    """Under which a coupon is remembered."""
    return f"{coupon}|{once}"


def add_points(draft: Draft, run: Run | None, action: AddPoints, *, cause: str = "", extra: words.Extra = None) -> bool:
    """Book the points, which count at once. False: she has fewer than are to be taken, an error of `run`.

    EvaluationFault: how many, or why, cannot be worked out.
    """
    (add, reason), written = words.points_of(draft, run, action, extra), words.as_written(action.reason)
    if draft.points + add < 0:
        draft.trace("points", run, add=add, reason=written, points=draft.points, outcome="short")
        if run is not None:
            draft.fail(run, SHORT)
        return False
    draft.points += add
    draft.trace("points", run, add=add, reason=written, points=draft.points)
    template = words.template_of(action.reason)
    errand = BookPoints(add=add, reason=reason, balance=draft.points, written=template)
    _plan(draft, run or cause, errand, until=draft.now + TRIED_FOR)
    return True


def forsake(draft: Draft, run: Run) -> None:
    """The visit is left before its errand came back: what has not begun is not run any more."""
    if run.awaiting is not None:
        draft.effects.append(WithdrawErrands(effect_ids=(run.awaiting,), reason=WITHDRAWN))
        run.awaiting = None


def _wait_for(draft: Draft, run: Run, errand: Errand) -> None:
    state = state_of(draft, run)
    until = draft.now + WAITED_FOR
    if state.timeout is not None:
        until = ends_at(draft, state.timeout.after, begins_at(draft, run)) + AFTER_TIMEOUT
    run.awaiting = _plan(draft, run, errand, until=until, waited=True)


def _plan(draft: Draft, by: Run | str, errand: Errand, *, until: datetime, waited: bool = False) -> EffectId:
    """`by`: the run that wants it, or what of `_global.yaml` does."""
    run, cause = (None, by) if isinstance(by, str) else (by, "")
    owner = run.enrolment_id if run is not None else None
    effect_id = draft.new_effect_id(owner, f"{run.state if run is not None else cause}/{errand.kind}/{errand.name}")
    draft.effects.append(
        RunErrand(
            effect_id=effect_id,
            errand=errand,
            expires_at=until,
            enrolment_id=owner,
            journey=run.journey if run is not None else "",
            state=run.state if run is not None else "",
            visit=run.visit if run is not None else 0,
            waited=waited,
            reply=draft.replying,
            cause=cause,
        )
    )
    draft.trace("errand", run, errand=errand.kind, name=open_name(errand), effect=effect_id, **_shown(errand))
    return effect_id


def _shown(errand: Errand) -> dict[str, Json]:
    """What the journal tells of it beside its name; nothing of what a webhook is told."""
    if isinstance(errand, BookPlace):
        return {"start": errand.start_at.isoformat(), "dealer": errand.dealer, "moves": bool(errand.booking_id)}
    return {}


def _moment(draft: Draft, expression: Expression, scope: Scope) -> datetime:
    value = draft.program.value(expression, scope)
    found = value if isinstance(value, datetime) else _read(value, draft) if isinstance(value, str) else None
    if found is None:
        raise EvaluationFault("expr.null" if value is None else "expr.type", "预约需要一个时间")
    return found.astimezone(UTC)


def _read(text: str, draft: Draft) -> datetime | None:
    """The moment that `text` writes; one without a zone is the clock's where she lives."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=draft.zone)
