"""May this message go to this customer now? Asked when a step plans it, and again just before it leaves.

The order of the checks is fixed: reachable, opt-out, consent, a human on the floor, quiet hours and days off, caps,
window. The first that objects gives the verdict. What a journey limits its own messages to is asked with what holds
for everybody. Sources: journey-language.md 2.5 and 3.11, delivery.md 3.7.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol, TypeAlias, assert_never
from zoneinfo import ZoneInfo

from bot.core import windows
from bot.core.calendar import quiet_until, working_day_from, zone_named
from bot.core.customer import Bucket, Consent, Human, Sent, Unsent
from bot.core.effects import Form, SendClass, WindowNeed
from bot.core.events import Json
from bot.core.ids import ConversationId, EffectId, EventId
from bot.core.making import maker, quickly_made
from bot.core.rules import Cap, ClassRule, GlobalRules, JourneyRules, QuietHours

Reason = Literal[
    "unreachable",
    "opted_out",
    "no_consent",
    "human_has_floor",
    "quiet_hours",
    "day_off",
    "cap",
    "window_closed",
    "window_used",
]
"""Stable identifiers: they stand in the journal and `why` explains them."""

_TURNS_MAX = 3
"""A quiet night before days off, the quiet morning after them, and once more to see that nothing else objects."""


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A message about to be planned or sent.

    `form` template: the platform asks for no window. `reply`: the customer's own act caused it in its step.
    `planning`: planned messages ahead of it, which will spend window and caps first, are counted as well.
    `window` ignore: send it even when no window is known to be open. `journey`: whose limits it keeps to, if any.
    """

    effect_id: EffectId
    send_class: SendClass
    conversation_id: ConversationId
    channel: str
    form: Form = "free"
    reply: bool = False
    planning: bool = False
    window: WindowNeed = "auto"
    journey: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Allow:
    """It may go. `bucket_id`: what to reserve with `record_sent`, None: nothing."""

    bucket_id: EventId | None = None
    trace: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Defer:
    """Not now: ask again at `until`, which is later than the moment it was asked at."""

    until: datetime
    reason: Reason
    values: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuse:
    """Not this message, not this way. `values` are what the check looked at, for `why`."""

    reason: Reason
    values: Mapping[str, Json] = field(default_factory=dict)


Verdict: TypeAlias = Allow | Defer | Refuse


class Talking(windows.Ledger, Protocol):
    """As much of a conversation as the policy reads."""

    @property
    def conversation_id(self) -> ConversationId: ...
    @property
    def reachable(self) -> bool: ...
    @property
    def human(self) -> Human | None: ...


class Judged(Protocol):
    """As much of a customer as the policy reads: a customer, or one whom a step is changing."""

    @property
    def attributes(self) -> Mapping[str, Json]: ...
    @property
    def consents(self) -> Mapping[str, Consent]: ...
    @property
    def opt_outs(self) -> Mapping[str, datetime]: ...
    @property
    def conversations(self) -> Mapping[ConversationId, Talking]: ...
    @property
    def sent(self) -> tuple[Sent, ...]: ...


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    request: Request
    customer: Judged
    conversation: Talking
    rules: GlobalRules
    rule: ClassRule
    own: JourneyRules | None
    now: datetime


_make_case, _make_allow = maker(_Case), maker(Allow)
_Objection: TypeAlias = Defer | Refuse | None


def judge(request: Request, *, customer: Judged, rules: GlobalRules, now: datetime) -> Verdict:
    """The verdict on `request` at `now`, with the values that led to it.

    What we send to our own people (`staff`) is always allowed. Same arguments, same verdict.
    """
    if request.send_class == "staff":
        return Allow()
    conversation = customer.conversations.get(request.conversation_id)
    if conversation is None or not conversation.reachable:
        return Refuse(reason="unreachable", values={"known": conversation is not None})
    case = _make_case(
        request=request,
        customer=customer,
        conversation=conversation,
        rules=rules,
        rule=rules.class_rules[request.send_class],
        own=rules.journeys.get(request.journey),
        now=now,
    )
    rule = case.rule
    return (
        (_opt_out(case) if customer.opt_outs else None)
        or (_consent(case) if rule.consent else None)
        or _human(case)
        or (_quiet(case) if rule.quiet != "ignore" or case.own is not None else None)
        or (_caps(case) if rule.cap != "ignore" else None)
        or _windowed(case)
    )


def _opt_out(case: _Case) -> _Objection:
    scope = next((s for s in ("all", case.request.send_class) if s in case.customer.opt_outs), None)
    match case.rule.opt_out:
        case "ignore":
            blocked = False
        case "reply_only":
            blocked = not case.request.reply
        case "block":
            blocked = True
    if scope is None or not blocked:
        return None
    return Refuse(reason="opted_out", values={"scope": scope, "since": case.customer.opt_outs[scope].isoformat()})


def _consent(case: _Case) -> _Objection:
    purpose = case.rule.consent
    consent = case.customer.consents.get(purpose)
    if consent is not None and consent.granted:
        return None
    return Refuse(reason="no_consent", values={"purpose": purpose, "withdrawn": consent is not None})


def _human(case: _Case) -> _Objection:
    """Reminders and marketing wait for any colleague of ours; service is silent where she is talking."""
    humans: dict[ConversationId, Human] = {}
    for talk in case.customer.conversations.values():
        if talk.human is not None and talk.human.until > case.now:
            humans[talk.conversation_id] = talk.human
    if not humans:
        return None
    staff_ids: list[Json] = [*sorted({human.staff_id for human in humans.values()})]
    values: dict[str, Json] = {"staff_ids": staff_ids}
    match case.request.send_class:
        case "reminder" | "marketing":
            until = max(human.until for human in humans.values())
            return Defer(until=until, reason="human_has_floor", values=values)
        case "service" if case.request.conversation_id in humans and not case.request.reply:
            return Refuse(reason="human_has_floor", values=values)
        case _:
            return None


def _quiet(case: _Case) -> _Objection:
    """Quiet hours where she lives, and days off: put off to the first moment that is neither."""
    own, rules = case.own, case.rules
    quiet = rules.quiet if own is None or own.quiet is None else own.quiet
    if case.rule.quiet == "ignore":
        quiet = None
    by_day = own is not None and own.working_days and case.request.send_class in ("reminder", "marketing")
    if quiet is None and not by_day:
        return None
    zone = zone_named(case.customer.attributes.get("timezone"), ZoneInfo(rules.timezone))
    ends_at = quiet_until(quiet, case.now, zone)
    until = _allowed_from(case, quiet, zone) if by_day else ends_at
    if until is None or until == case.now:
        return None
    values: dict[str, Json] = {"until": until.isoformat(), "zone": zone.key}
    if own is not None and (ends_at is None or own.quiet is not None):
        values["journey"] = case.request.journey
    return Defer(until=until, reason="day_off" if ends_at is None else "quiet_hours", values=values)


def _allowed_from(case: _Case, quiet: QuietHours | None, zone: ZoneInfo) -> datetime:
    """The earliest moment from now on that lies in a working day and is not quiet."""
    moment = case.now
    for _ in range(_TURNS_MAX):
        moment = quiet_until(quiet, moment, zone) or moment
        moment = working_day_from(moment, zone, case.rules.holidays)
    return moment


def _caps(case: _Case) -> _Objection:
    own = case.own.cap if case.own is not None else None
    for cap in case.rules.caps if own is None else (*case.rules.caps, own):
        counted = _counted(case, cap) if case.request.send_class in cap.classes else 0
        if counted < cap.max:
            continue
        values: dict[str, Json] = {
            "cap": cap.name,
            "counted": counted,
            "max": cap.max,
            "per_s": int(cap.per.total_seconds()),
        }
        if case.rule.cap == "drop":
            return Refuse(reason="cap", values=values)
        assert case.rule.cap_defer is not None, "a class whose cap defers says by how much"
        return Defer(until=case.now + case.rule.cap_defer, reason="cap", values=values)
    return None


def _counted(case: _Case, cap: Cap) -> int:
    since = case.now - cap.per
    # A repeat of a message is the same message: it does not count against itself.
    own = case.request.effect_id
    sent = sum(1 for s in case.customer.sent if s.at > since and s.effect_id != own and _counts(case, cap, s))
    return sent + sum(1 for u in _planned(case) if _counts(case, cap, u))


def _counts(case: _Case, cap: Cap, message: Sent | Unsent) -> bool:
    """Whether `message` is one of those of which there may be so many."""
    match cap.scope:
        case "all":
            return message.send_class in cap.counted
        case "class":
            return message.send_class == case.request.send_class
        case "journey":
            return message.journey == case.request.journey and message.send_class in cap.counted
        case _:
            assert_never(cap.scope)


def _windowed(case: _Case) -> Allow | Refuse:
    """The last check: the platform's window, and what to reserve in it."""
    request = case.request
    if request.form == "template" or not case.rules.windows.get(request.channel):
        return _allow(request, None)
    objection = _window(case) if request.window != "ignore" else None
    return objection or _allow(request, windows.spendable(case.conversation, case.now))


def _window(case: _Case) -> Refuse | None:
    left = windows.left(case.conversation, case.now)
    if left > 0 and not case.conversation.unsent:
        return None
    ahead = len(windows.ahead(case.conversation, case.now)) if case.request.planning else 0
    if left - ahead >= 1:
        return None
    values: dict[str, Json] = {"left": left, "ahead": ahead, "closed_at": _last_closing(case.conversation)}
    is_closed = not any(b.closes_at > case.now for b in case.conversation.buckets)
    return Refuse(reason="window_closed" if is_closed else "window_used", values=values)


def _planned(case: _Case) -> Iterator[Unsent]:
    """Planned messages that will count as sent before this one. At dispatch there are none: they queue again."""
    if not case.request.planning:
        return
    for conversation in case.customer.conversations.values():
        yield from conversation.unsent


def _last_closing(conversation: Talking) -> str | None:
    last = max((b.closes_at for b in conversation.buckets), default=None)
    return last.isoformat() if last else None


def _allow(request: Request, bucket: Bucket | None) -> Allow:
    trace: dict[str, Json] = {"send_class": request.send_class, "form": request.form, "reply": request.reply}
    if bucket is None:
        return _make_allow(trace=trace)
    trace["bucket"], trace["used"], trace["max"] = bucket.kind, bucket.used, bucket.max
    trace["closes_at"] = bucket.closes_at.isoformat()
    return _make_allow(bucket_id=bucket.bucket_id, trace=trace)
