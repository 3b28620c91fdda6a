"""The two transactions around a send: the last check with its reservation, and the settling.

No I/O but the transaction's.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.core import policy, windows
from bot.core.customer import Customer, Unsent
from bot.core.effects import SendMessage, Trace
from bot.core.events import Json
from bot.core.ids import CustomerId, EventId
from bot.core.library import GlobalRules
from bot.core.messages import Card, TemplateMessage
from bot.errors import AlreadyDone, ChannelError, Forbidden, Refused, TryLater, Unauthorised, Unknown, Unreachable
from bot.runtime.ports import Accepted
from bot.runtime.receipts import ReceiptType, receipt
from bot.storage import JournalLine, Leased, OutboxLine, Outcome, SendState, Transaction

REPEAT_AFTER = timedelta(seconds=5)
"""A request that got no answer is not repeated into the same trouble."""
PARKED_RETRY = timedelta(seconds=30)
"""How long an account rests whose token or rights were refused; then one send probes it (delivery.md 3.11)."""
TEMPLATE_KEY_LIVES = timedelta(minutes=10)
"""How long the platform recognises a template message by our key (delivery.md 3.4)."""
WITHHELD_FOR_GOOD = frozenset({"opted_out", "no_consent", "cap", "left_state", "repeat_not_wanted"})
"""Refusals of the policy that no fallback may go around."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """`sending` is committed: the request may start. `bucket_id`: what was reserved."""

    row: Leased
    bucket_id: EventId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """Where a row stands after a transaction of ours. `lane_told`: its lane has an event to step now."""

    state: SendState
    lane_told: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What every dispatch transaction knows: the rules, the moment, and which process this is."""

    rules: GlobalRules
    now: datetime
    worker: str
    epoch: int


TAKEN_BACK = Settled(state="suppressed")
"""It was suppressed, or expired, or its lease was over, before it could begin."""


def begin(tx: Transaction, row: Leased, at: Desk) -> Begun | Settled:
    """Ask the policy once more, reserve, and mark the row as sending. Settled: it does not leave now."""
    effect = row.effect
    if effect.send_class == "staff" or row.customer_id < 0:
        return Begun(row=row, bucket_id=None) if _mark_sending(tx, effect, at) else TAKEN_BACK
    customer = tx.customers.load([row.customer_id])[row.customer_id]
    stale = _overtaken(row, customer)
    if stale:
        _journal(tx, row, "not_sent", at.now, reason=stale, values={})
        return _withhold(tx, row, customer, reason=stale, now=at.now)
    request = request_of(effect)
    if _opted_out_since(customer, row.planned_at):
        request = replace(request, reply=False)
    verdict = policy.judge(request, customer=customer, rules=at.rules, now=at.now)
    match verdict:
        case policy.Defer(until=until, reason=reason, values=values):
            tx.outbox.defer(effect.effect_id, not_before=until)
            _journal(tx, row, "deferred", at.now, reason=reason, until=until.isoformat(), values=dict(values))
            return Settled(state="ready")
        case policy.Refuse(reason=reason, values=values):
            _journal(tx, row, "not_sent", at.now, reason=reason, values=dict(values))
            return _withhold(tx, row, customer, reason=reason, now=at.now)
        case policy.Allow(bucket_id=bucket_id):
            if not _mark_sending(tx, effect, at):
                return TAKEN_BACK
            after = policy.record_sent(customer, request, bucket_id=bucket_id, now=at.now, rules=at.rules)
            tx.customers.save([(customer, after)])
            return Begun(row=row, bucket_id=bucket_id)


def _overtaken(row: Leased, customer: Customer) -> str:
    """Why the message comes too late for what has happened since it was planned; empty: it does not.

    A reminder belongs to the state that planned it; a repeat may leave only while it is still wanted (3.5).
    """
    attempt = attempt_of(row)
    if row.effect.send_class in ("reminder", "marketing") and not _visit_lives(customer, attempt):
        return "left_state"
    is_keyed = isinstance(row.effect.message, TemplateMessage)
    if attempt.is_repeat and not is_keyed and not _still_wanted(customer, attempt):
        return "repeat_not_wanted"
    return ""


def _opted_out_since(customer: Customer, planned_at: datetime) -> bool:
    """Whether she opted out after the message was planned: then it is no answer to her any more."""
    return any(at > planned_at for at in customer.opt_outs.values())


def _journal(tx: Transaction, row: Leased, kind: str, at: datetime, **detail: Json) -> None:
    """What was decided about a planned message just before it would have left."""
    effect = row.effect
    trace = Trace(
        kind=kind,
        journey=effect.journey,
        enrolment_id=effect.enrolment_id,
        state=effect.state,
        detail={"content": effect.content, "effect": effect.effect_id, **detail},
    )
    tx.journal.append([JournalLine(customer_id=row.customer_id, kind="dispatch", at=at, entries=(trace,))])


def _mark_sending(tx: Transaction, effect: SendMessage, at: Desk) -> bool:
    begun = tx.outbox.begin([effect.effect_id], worker=at.worker, started_at=at.now, epoch=at.epoch)
    return effect.effect_id in begun


def request_of(effect: SendMessage) -> policy.Request:
    """The question to the policy about this effect at dispatch."""
    return policy.Request(
        effect_id=effect.effect_id,
        send_class=effect.send_class,
        conversation_id=effect.conversation_id,
        channel=effect.channel,
        form="template" if isinstance(effect.message, TemplateMessage) else "free",
        reply=effect.reply,
        planning=False,
    )


def _withhold(tx: Transaction, row: Leased, customer: Customer, *, reason: str, now: datetime) -> Settled:
    """The policy says no at the last moment: suppress it, and let the lane plan a fallback where one may help."""
    effect = row.effect
    changed = tx.outbox.settle([Outcome(effect_id=effect.effect_id, verdict="suppressed", reason=reason)])
    tx.customers.save([(customer, policy.record_dropped(customer, effect.effect_id))])
    if effect.effect_id not in changed:
        return TAKEN_BACK
    if reason in WITHHELD_FOR_GOOD:
        return Settled(state="suppressed")
    return Settled(
        state="suppressed", lane_told=_tell_lane(tx, row, _Fate(kind="send.refused", reason=reason), now=now)
    )


def settle_accepted(tx: Transaction, begun: Begun, accepted: Accepted) -> Settled:
    """The platform took it."""
    effect = begun.row.effect
    outcome = Outcome(
        effect_id=effect.effect_id,
        verdict="sent",
        provider_id=accepted.provider_id,
        response_code=accepted.response_code,
    )
    tx.outbox.settle([outcome])
    # A report on a template message may have come before this answer, and waits in the lane for it.
    return Settled(state="sent", lane_told=isinstance(effect.message, TemplateMessage))


def settle_error(tx: Transaction, begun: Begun, error: ChannelError, at: Desk) -> Settled:
    """The platform did not take it, or nobody can tell."""
    match error:
        case AlreadyDone():
            return settle_accepted(tx, begun, Accepted())
        case TryLater(after_s=after_s):
            return _put_back(tx, begun, error, until=at.now + timedelta(seconds=after_s))
        case Unauthorised() | Forbidden():
            return _put_back(tx, begun, error, until=at.now + PARKED_RETRY)
        case Unknown():
            return settle_unknown(tx, attempt_of(begun.row), at, repeat_at=at.now + REPEAT_AFTER)
        case Refused() | Unreachable(reason="window") if _was_taken_before(begun.row):
            return settle_accepted(tx, begun, Accepted())
        case _:
            reason = error.reason if isinstance(error, Unreachable) else _rejection(error)
            fate = _Fate(kind="send.refused", reason=reason, vendor_code=error.vendor_code)
            return _refused(tx, begun, fate, now=at.now)


def _rejection(error: ChannelError) -> str:
    return str(error.vendor_code) if error.vendor_code is not None else error.code


def _put_back(tx: Transaction, begun: Begun, error: ChannelError, *, until: datetime) -> Settled:
    """Surely not taken: ready again later, with nothing reserved."""
    row, effect = begun.row, begun.row.effect
    tx.outbox.retry(effect.effect_id, not_before=until, reason=error.code, vendor_code=error.vendor_code)
    back = Settled(state="ready")
    if effect.send_class == "staff":
        return back
    customer = tx.customers.load([row.customer_id])[row.customer_id]
    unsent = Unsent(
        effect_id=effect.effect_id,
        enrolment_id=effect.enrolment_id,
        visit=effect.visit,
        send_class=effect.send_class,
    )
    after = policy.record_returned(customer, effect.conversation_id, unsent=unsent, bucket_id=begun.bucket_id)
    tx.customers.save([(customer, after)])
    return back


def _refused(tx: Transaction, begun: Begun, fate: "_Fate", *, now: datetime) -> Settled:
    row, effect = begun.row, begun.row.effect
    outcome = Outcome(effect_id=effect.effect_id, verdict="refused", reason=fate.reason, vendor_code=fate.vendor_code)
    tx.outbox.settle([outcome])
    if effect.send_class != "staff":
        customer = tx.customers.load([row.customer_id])[row.customer_id]
        after = policy.record_refused(
            customer,
            effect.conversation_id,
            effect_id=effect.effect_id,
            bucket_id=begun.bucket_id,
            reason=fate.reason,
        )
        tx.customers.save([(customer, after)])
    return Settled(state="refused", lane_told=_tell_lane(tx, row, fate, now=now))


def give_up(tx: Transaction, row: Leased, at: Desk) -> Settled:
    """A bug of ours kept the message from leaving, and would again: refuse it, so that its journey hears of it."""
    tx.outbox.settle([Outcome(effect_id=row.effect.effect_id, verdict="refused", reason="bug")])
    told = _tell_lane(tx, row, _Fate(kind="send.refused", reason="bug"), now=at.now)
    return Settled(state="refused", lane_told=told)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A send that was begun. `is_repeat`: its fate was unknown once before."""

    customer_id: CustomerId
    effect: SendMessage
    planned_at: datetime
    is_repeat: bool


def attempt_of(row: Leased | OutboxLine) -> Attempt:
    """The attempt that was just begun on a row, or that an earlier process left behind."""
    return Attempt(customer_id=row.customer_id, effect=row.effect, planned_at=row.planned_at, is_repeat=row.repeats > 0)


def _was_taken_before(row: Leased) -> bool:
    """Whether a refusal can only mean that our own earlier request arrived, whose answer we never got.

    A card's id is taken once and a response code is good for once (delivery.md 3.4).
    """
    return isinstance(row.effect.message, Card) and row.repeats > 0


def settle_unknown(tx: Transaction, attempt: Attempt, at: Desk, *, repeat_at: datetime) -> Settled:
    """Nobody can tell whether it arrived. Repeated at most once, and only where silence would be worse."""
    effect = attempt.effect
    tx.outbox.settle([Outcome(effect_id=effect.effect_id, verdict="unknown", reason="no_verdict")])
    repeatable = not attempt.is_repeat and _may_repeat(tx, attempt, at)
    if repeatable and tx.outbox.repeat(effect.effect_id, not_before=repeat_at):
        return Settled(state="ready")
    told = _tell_lane(tx, attempt, _Fate(kind="send.unknown", reason="no_verdict"), now=at.now)
    return Settled(state="unknown", lane_told=told)


def _may_repeat(tx: Transaction, attempt: Attempt, at: Desk) -> bool:
    """Source: delivery.md 3.4 and 3.5. Endpoints with a key of ours may always be asked again."""
    effect = attempt.effect
    if isinstance(effect.message, TemplateMessage):
        return at.now - attempt.planned_at < TEMPLATE_KEY_LIVES
    if effect.send_class == "staff":
        # A lost card is a lost lead, and the platform knows a card by its task id (DECISIONS.md).
        return True
    if effect.delivery == "at_most_once":
        return False
    customer = tx.customers.load([attempt.customer_id])[attempt.customer_id]
    conversation = customer.conversations.get(effect.conversation_id)
    if conversation is None or not windows.is_open(conversation, at.now, at.rules):
        return False
    return _still_wanted(customer, attempt)


def _still_wanted(customer: Customer, attempt: Attempt) -> bool:
    """Whether she has neither written nor moved on since the message was planned."""
    conversation = customer.conversations.get(attempt.effect.conversation_id)
    last_inbound_at = conversation.last_inbound_at if conversation else None
    wrote_since = last_inbound_at is not None and last_inbound_at > attempt.planned_at
    return not wrote_since and _visit_lives(customer, attempt)


def _visit_lives(customer: Customer, attempt: Attempt) -> bool:
    """Whether the journey rests where the step that planned the message left it.

    A state that only sends is left in the very step that planned the message, and an ended run is gone, so it is
    time that tells: nothing has moved since.
    """
    enrolment_id = attempt.effect.enrolment_id
    if enrolment_id is None:
        return True
    enrolment = customer.enrolments.get(enrolment_id)
    if enrolment is not None:
        return enrolment.state_entered_at <= attempt.planned_at
    return customer.caught_up_to is None or customer.caught_up_to <= attempt.planned_at


def expire(tx: Transaction, *, now: datetime) -> int:
    """Let rows that are too late die, and tell their lanes. How many died."""
    rows = tx.outbox.expire(now)
    for row in rows:
        if row.effect.send_class != "staff":
            customer = tx.customers.load([row.customer_id])[row.customer_id]
            tx.customers.save([(customer, policy.record_dropped(customer, row.effect.effect_id))])
        _tell_lane(tx, row, _Fate(kind="send.expired", reason="expired"), now=now)
    return len(rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fate:
    kind: ReceiptType
    reason: str
    vendor_code: int | None = None


def _tell_lane(tx: Transaction, row: Leased | OutboxLine | Attempt, fate: _Fate, *, now: datetime) -> bool:
    """Write the receipt into the customer's lane. False: the message was an account's own, nobody waits for it."""
    if row.customer_id < 0:
        return False
    event = receipt(row.effect, fate.kind, reason=fate.reason, at=now, vendor_code=fate.vendor_code)
    tx.lanes.ingest((), received_at=now, addressed=((row.customer_id, event),))
    return True
