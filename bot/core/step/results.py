"""What became of errands: the state that waits goes on, or its way out of the error is taken.

A result counts only while the visit that asked lives; a late one is journalled, and a place that came too late is
given back. Source: journey-language.md 3.2, 3.11 "Errors of old sends".
"""

from dataclasses import dataclass
from datetime import datetime

from bot.core.effects import SettlePlace
from bot.core.errands import COUPON_KNOWN, DONE, LAPSED
from bot.core.events import Event, Json
from bot.core.expressions.values import EvaluationFault
from bot.core.ids import EffectId, EnrolmentId
from bot.core.states import Book, Webhook
from bot.core.step import emitting, global_actions, reactions, tasks
from bot.core.step.copies import Run
from bot.core.step.draft import Draft
from bot.core.step.errands import valid_booking
from bot.core.step.limits import check_room
from bot.core.step.questions import state_of
from bot.core.step.scope import faulted

_WHAT = {"coupon": "优惠券", "points": "积分", "cancel_booking": "取消预约"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Result:
    """`error` empty: it is done, and `answer` is what came back. `hold_until` None: nothing is held. `cause`: what of
    `_global.yaml` wanted it, empty: a journey. `shown`: its name as the journal may have it.
    """

    effect_id: EffectId
    kind: str
    name: str
    shown: str
    error: str
    answer: Json
    waited: bool
    hold_until: datetime | None
    cause: str


def received(draft: Draft, event: Event) -> None:
    """An errand is done, or has failed for good."""
    result = _read(event)
    run = _asked_by(draft, event)
    is_awaited = run is not None and run.awaiting == result.effect_id
    draft.trace(
        "result",
        run,
        errand=result.kind,
        name=result.shown,
        effect=result.effect_id,
        error=result.error or None,
        late=result.waited and not is_awaited,
    )
    if run is not None and is_awaited:
        run.awaiting = None
        _go_on(draft, run, result)
        return
    if result.kind == "book" and not result.error:
        draft.effects.append(SettlePlace(effect_id=result.effect_id, keep=False))
    elif result.kind == "cancel_booking" and not result.error:
        _tell_others(draft, run, "booking.cancelled", result.answer)
    if result.error and not result.waited:
        _take_back(draft, event, result)
    if run is None and result.cause and result.error and result.error != COUPON_KNOWN:
        _nobodys(draft, result)
    if run is None or result.waited or reactions.react(draft, run, event):
        return
    if result.error and result.error != COUPON_KNOWN:
        draft.fail(run, result.error)


def _read(event: Event) -> _Result:
    fields = event.fields
    hold_until = fields.get("hold_until")
    return _Result(
        effect_id=EffectId(str(fields.get("effect_id") or "")),
        kind=str(fields.get("kind") or ""),
        name=str(fields.get("name") or ""),
        shown=str(fields.get("written") or fields.get("name") or ""),
        error="" if event.type == DONE else str(fields.get("error") or "errand.failed"),
        answer=fields.get("result"),
        waited=fields.get("waited") is True,
        hold_until=datetime.fromisoformat(hold_until) if isinstance(hold_until, str) else None,
        cause=str(fields.get("cause") or ""),
    )


def _asked_by(draft: Draft, event: Event) -> Run | None:
    """The enrolment that planned it, as long as it is still in that visit."""
    run = draft.runs.get(EnrolmentId(str(event.fields.get("enrolment_id") or "")))
    alive = run is not None and run.status == "active" and run.visit == event.fields.get("visit")
    return run if alive else None


def _go_on(draft: Draft, run: Run, result: _Result) -> None:
    """The state that waited for this goes on."""
    doing = state_of(draft, run).doing
    match doing:
        case _ if result.error:
            draft.fail(run, result.error)
        case Book() if result.kind == "book":
            _take_place(draft, run, doing, result)
        case Webhook() if result.kind == "webhook":
            if not doing.save or _save(draft, run, doing.save, result.answer):
                draft.go(run, state_of(draft, run).then)
        case _:
            _not_what_it_waits_for(draft, run, result)


def _not_what_it_waits_for(draft: Draft, run: Run, result: _Result) -> None:
    """Since a release the state wants something else: what came is no answer to that, and it has failed."""
    if result.kind == "book":
        draft.effects.append(SettlePlace(effect_id=result.effect_id, keep=False))
    draft.fail(run, "errand.failed")


def _take_place(draft: Draft, run: Run, wanted: Book, result: _Result) -> None:
    """Confirm the place that is held, in the very transaction of this step; one held for too long is gone."""
    lapsed = result.hold_until is not None and result.hold_until <= draft.now
    moved = bool(valid_booking(draft, run, wanted.save))
    keep = not lapsed and (not wanted.save or _save(draft, run, wanted.save, result.answer))
    draft.effects.append(SettlePlace(effect_id=result.effect_id, keep=keep))
    if lapsed:
        draft.fail(run, LAPSED)
    elif keep:
        _tell_others(draft, run, "booking.moved" if moved else "booking.created", result.answer)
        draft.go(run, state_of(draft, run).then)


def _save(draft: Draft, run: Run, name: str, answer: Json) -> bool:
    """Keep what came back. False: it is more than the enrolment may carry, an error of its journey."""
    try:
        check_room(run, {name: answer})
    except EvaluationFault as fault:
        faulted(draft, run, fault, place=name)
        return False
    run.saved[name] = answer
    draft.scopes.pop(run.enrolment_id, None)
    return True


def _nobodys(draft: Draft, result: _Result) -> None:
    """No journey stands behind it: a rule of everybody's takes care of the error, or else the operators hear of it."""
    cause = global_actions.later(draft, result.cause, draft.latest_talk())
    if not global_actions.raised(draft, cause, result.error):
        what = _WHAT.get(result.kind, result.kind)
        title = f"{what} {result.name} 没有办成（{result.cause}）：{result.error}"
        tasks.give(draft, None, tasks.Order(to=tasks.OPERATORS, title=title))


def _take_back(draft: Draft, event: Event, result: _Result) -> None:
    """What counted at once did not happen after all."""
    if result.kind == "coupon" and result.error != COUPON_KNOWN:
        draft.coupons = {key: effect for key, effect in draft.coupons.items() if effect != result.effect_id}
    add = event.fields.get("add")
    if result.kind == "points" and isinstance(add, int):
        draft.points -= add
        draft.trace("points", add=-add, reason=result.shown, points=draft.points)


def _tell_others(draft: Draft, run: Run | None, kind: str, answer: Json) -> None:
    """Let this customer's other journeys hear of a booking; whoever asked knows already."""
    emitting.tell(draft, kind, {"booking": answer}, but=run.enrolment_id if run else None)
