"""What random journeys have done outside the conversation, and what becomes of it: at once, late, twice or never."""

from collections.abc import Callable, Sequence
from datetime import timedelta

from bot.authoring.expressions import parse_expression
from bot.core import actions as say
from bot.core.actions import Action
from bot.core.effects import RunErrand
from bot.core.errands import FULL, TIMEOUT, BookPlace, BookPoints
from bot.core.events import Json
from bot.core.states import Book, Webhook
from tests.unit.step.dice import Dice
from tests.unit.step.play import Play

BOOKING = "booking"
_WHAT = parse_expression("'E6'")
_STARTS = tuple(
    parse_expression(source) for source in ("now + hours(26)", "now + hours(vars.n)", "vars.why", "booking.start")
)
_BODY = (("who", parse_expression("customer.id")), ("word", parse_expression("slots.a")))
HEARD = (
    "booking.moved",
    "booking.created",
    "booking.cancelled",
    "effect.done",
    "effect.failed",
    "lead.opened",
    "task.done",
)
ACTIONS: tuple[Action, ...] = (
    say.GrantCoupon(coupon="五十元", once_per="customer"),
    say.GrantCoupon(coupon="五十元", once_per="journey"),
    say.GrantCoupon(coupon="五十元"),
    say.CancelBooking(save=BOOKING),
    say.SetStage(stage="contacted"),
    say.AddPoints(add=-1, reason="兑换"),
)


def book(dice: Dice, to: Sequence[str]) -> Book:
    return Book(
        resource="试驾车",
        what=_WHAT,
        start=dice.pick(_STARTS),
        save=BOOKING,
        full=dice.pick(to),
        fail=dice.pick(to),
        hold=dice.perhaps([timedelta(minutes=30)], one_in=2),
    )


def webhook(dice: Dice, to: Sequence[str]) -> Webhook:
    body = _BODY if dice.throw() % 2 else ()
    return Webhook(target="crm", operation="ask", fail=dice.pick(to), body=body, save=dice.pick(["", "opened"]))


def comes_back(dice: Dice) -> Callable[[Play], object]:
    """One of the errands begun so far comes back, mostly the latest."""
    older, how = max(0, dice.throw() % 8 - 4), dice.throw()
    return lambda play: _come_back(play, older, how)


def _come_back(play: Play, older: int, how: int) -> None:
    begun = [effect for step in play.steps for effect in step.effects if isinstance(effect, RunErrand)]
    if not begun:
        return
    errand = begun[-1 - older % len(begun)]
    told: dict[str, Json] = {
        "effect_id": errand.effect_id,
        "kind": errand.errand.kind,
        "name": errand.errand.name,
        "enrolment_id": errand.enrolment_id,
        "visit": errand.visit,
        "waited": errand.waited,
        "reply": errand.reply,
        **({"cause": errand.cause} if errand.cause else {}),
    }
    if isinstance(errand.errand, BookPoints):
        told["add"] = errand.errand.add
    if how % 3 == 2:
        play.event("effect.failed", **told, error=[FULL, TIMEOUT, "webhook.5xx"][how // 3 % 3])
    elif isinstance(errand.errand, BookPlace):
        hold_until = (play.now + timedelta(minutes=10 * (how // 3 % 3) - 5)).isoformat()
        play.event("effect.done", **told, result=_place(errand.errand), hold_until=hold_until)
    else:
        results: list[Json] = [{"end": "good"}, {"end": 3, "more": ["x"]}, None, "x", {}]
        play.event("effect.done", **told, result=results[how // 3 % len(results)])


def _place(wanted: BookPlace) -> Json:
    return {
        "id": wanted.booking_id or "B1",
        "resource": wanted.resource,
        "what": wanted.what,
        "start": wanted.start_at.isoformat(),
        "dealer": wanted.dealer,
        "status": "booked",
    }
