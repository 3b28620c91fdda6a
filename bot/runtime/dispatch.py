"""The two transactions around a send: the last check with its reservation, and the settling.

No I/O but the transaction's.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.core import departure, ledger, policy, windows
from bot.core.customer import Customer
from bot.core.effects import SendMessage, Trace
from bot.core.events import Json
from bot.core.ids import CustomerId, EffectId, EventId
from bot.core.messages import TemplateMessage
from bot.core.program import Program
from bot.core.rules import GlobalRules
from bot.core.step import exits
from bot.core.step.receipts import receipt_fields
from bot.errors import (
    AlreadyDone,
    ChannelError,
    Conflict,
    Forbidden,
    Refused,
    Spoilt,
    TryLater,
    Unauthorised,
    Unknown,
    Unreachable,
)
from bot.runtime.ports import Accepted
from bot.runtime.rates import limits_of
from bot.runtime.receipts import ReceiptType, receipt
from bot.storage import JournalLine, Leased, OutboxLine, Outcome, SendState, Transaction, Verdict

REPEAT_AFTER = timedelta(seconds=5)
"""A request that got no answer is not repeated into the same trouble."""
PARKED_RETRY = timedelta(seconds=30)
"""How long an account rests whose token or rights were refused; then one send probes it (delivery.md 3.11)."""
TEMPLATE_KEY_LIVES = timedelta(minutes=10)
"""How long the platform recognises a template message by our key (delivery.md 3.4)."""
OVER_RATE = "rate"
"""Why a message waits that would be over a limit of the platform."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """`sending` is committed: the request may start.

    `bucket_id`: what was reserved. `heard_at`: the customer's latest act by then, None: none, or it is one of ours.
    """

    row: Leased
    started_at: datetime
    bucket_id: EventId | None = None
    heard_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a row stands after a transaction of ours. `lane_told`: its lane has an event to step now.

    `objection`: why the policy did not let it leave; empty: it was not asked, or did.
    """

    state: SendState
    lane_told: bool = False
    objection: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What every dispatch transaction knows: the journeys with their rules, the moment, and which process this is."""

    program: Program
    now: datetime
    worker: str
    epoch: int

    @property
    def rules(self) -> GlobalRules:
        return self.program.rules


TAKEN_BACK = Standing(state="suppressed")
"""It was suppressed, or expired, or its lease was over, before it could begin."""


@dataclass(frozen=True, slots=True)
class Hand:
    """What is begun in one transaction: customers are read together and written together.

    `free`: rows that may begin. Two messages of one customer see each other's reservations.
    """

    at: Circumstances
    free: frozenset[EffectId]
    before: dict[CustomerId, Customer]
    after: dict[CustomerId, Customer] = field(default_factory=dict)
    begun: list[EffectId] = field(default_factory=list)

    def customer(self, customer_id: CustomerId) -> Customer:
        return self.after.get(customer_id, self.before[customer_id])


def begin_all(tx: Transaction, rows: Sequence[Leased], at: Circumstances) -> list[Begun | Standing]:
    """Begin these rows, each as `begin` says, in order."""
    free = tx.outbox.beginnable([row.effect.effect_id for row in rows], worker=at.worker, now=at.now)
    asked = {row.customer_id for row in rows if row.customer_id > 0 and row.effect.send_class != "staff"}
    hand = Hand(at, free, tx.customers.load(sorted(asked)))
    found = [begin(tx, row, hand) for row in rows]
    tx.customers.save([(hand.before[key], customer) for key, customer in hand.after.items()])
    begun = tx.outbox.begin(hand.begun, worker=at.worker, started_at=at.now, epoch=at.epoch)
    if len(begun) != len(hand.begun):
        # They were locked since `beginnable`; only a lease that ends between the two can leave one out.
        raise Conflict("a lease ended while its messages were begun")
    return found


def begin(tx: Transaction, row: Leased, hand: Hand) -> Begun | Standing:
    """Ask the policy once more, reserve, and note the row as sending. Standing: it does not leave now."""
    effect, at = row.effect, hand.at
    if effect.effect_id not in hand.free:
        return TAKEN_BACK
    if effect.send_class == "staff" or row.customer_id < 0:
        full = _counted(tx, row, hand)
        if full is None:
            hand.begun.append(effect.effect_id)
        return full or Begun(row=row, started_at=at.now)
    customer = hand.customer(row.customer_id)
    stale = departure.overtaken(customer, effect, row.planned_at, is_repeat=row.repeats > 0 and not row.by_operator)
    if stale:
        _journal(tx, row, "not_sent", at.now, reason=stale, values={})
        return _withhold(tx, row, hand, reason=stale)
    if exits.stands_in_the_way(at.program, customer, effect, now=at.now):
        _journal(tx, row, "not_sent", at.now, reason=exits.EXIT, values={})
        return _withhold(tx, row, hand, reason=exits.EXIT)
    request = departure.request_of(effect, customer, row.planned_at)
    verdict = policy.judge(request, customer=customer, rules=at.rules, now=at.now)
    match verdict:
        case policy.Defer(reason=reason, values=values):
            until = departure.leaves_from(verdict, row.customer_id)
            tx.outbox.defer(effect.effect_id, worker=at.worker, not_before=until)
            unsent = departure.unsent_of(effect, not_before=until)
            hand.after[row.customer_id] = ledger.record_deferred(customer, effect.conversation_id, unsent)
            _journal(tx, row, "deferred", at.now, reason=reason, until=until.isoformat(), values=dict(values))
            return Standing(state="ready", objection=reason)
        case policy.Refuse(reason=reason, values=values):
            _journal(tx, row, "not_sent", at.now, reason=reason, values=dict(values))
            return _withhold(tx, row, hand, reason=reason)
        case policy.Allow(bucket_id=bucket_id):
            full = _counted(tx, row, hand)
            if full is not None:
                return full
            after = ledger.record_sent(customer, request, bucket_id=bucket_id, now=at.now, rules=at.rules)
            hand.after[row.customer_id] = after
            hand.begun.append(effect.effect_id)
            heard_at = departure.last_heard(customer, effect.conversation_id)
            return Begun(row=row, started_at=at.now, bucket_id=bucket_id, heard_at=heard_at)


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


def _counted(tx: Transaction, row: Leased, hand: Hand) -> Standing | None:
    """Count a message that leaves, where the platform drops silently what is too much. Standing: it waits for room.

    Staff cards keep their order. A template may wait until midnight, and lets its conversation go on meanwhile.
    """
    effect, at = row.effect, hand.at
    free_at = tx.rates.take(limits_of(effect), at.now)
    if free_at is None:
        return None
    if row.customer_id > 0:
        _journal(tx, row, "deferred", at.now, reason=OVER_RATE, until=free_at.isoformat(), values={})
    if effect.send_class == "staff" or row.customer_id < 0:
        tx.outbox.retry(effect.effect_id, worker=at.worker, not_before=free_at, reason=OVER_RATE)
        return Standing(state="ready")
    tx.outbox.defer(effect.effect_id, worker=at.worker, not_before=free_at, reason=OVER_RATE)
    unsent = departure.unsent_of(effect, not_before=free_at)
    customer = hand.customer(row.customer_id)
    hand.after[row.customer_id] = ledger.record_deferred(customer, effect.conversation_id, unsent)
    return Standing(state="ready")


def _withhold(tx: Transaction, row: Leased, hand: Hand, *, reason: str) -> Standing:
    """The policy says no at the last moment: suppress it, and let the lane plan a fallback where one may help.

    Of a repeat it stays unknown whether the first attempt arrived, and nothing stands in for that.
    """
    effect, is_repeat, now = row.effect, row.repeats > 0, hand.at.now
    customer = hand.customer(row.customer_id)
    verdict: Verdict = "unknown" if is_repeat else "suppressed"
    changed = tx.outbox.settle([Outcome(effect_id=effect.effect_id, verdict=verdict, reason=reason)])
    hand.after[row.customer_id] = ledger.record_dropped(customer, effect.effect_id)
    if effect.effect_id not in changed:
        return TAKEN_BACK
    if is_repeat:
        told = _tell_lane(tx, row, _Fate(kind="send.unknown", reason=reason), now=now)
        return Standing(state="unknown", lane_told=told, objection=reason)
    if reason == exits.EXIT:
        event = exits.check_event(effect, now)
        tx.lanes.ingest((), received_at=now, addressed=((row.customer_id, event),))
        return Standing(state="suppressed", lane_told=True, objection=reason)
    if reason in departure.WITHHELD_FOR_GOOD:
        return Standing(state="suppressed", objection=reason)
    heard_at = departure.last_heard(customer, effect.conversation_id)
    told = _tell_lane(tx, row, _Fate(kind="send.refused", reason=reason, heard_at=heard_at), now=now)
    return Standing(state="suppressed", lane_told=told, objection=reason)


def settle_accepted(tx: Transaction, begun: Begun, accepted: Accepted) -> Standing:
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
    return Standing(state="sent", lane_told=isinstance(effect.message, TemplateMessage))


def settle_error(tx: Transaction, begun: Begun, error: ChannelError, at: Circumstances) -> Standing:
    """The platform did not take it, or nobody can tell."""
    match error:
        case AlreadyDone():
            return settle_accepted(tx, begun, Accepted())
        case TryLater(after_s=after_s):
            return _put_back(tx, begun, error, at, until=at.now + timedelta(seconds=after_s))
        case Unauthorised() | Forbidden():
            return _put_back(tx, begun, error, at, until=at.now + PARKED_RETRY)
        case Unknown():
            attempt = attempt_of(begun.row, started_at=begun.started_at)
            return settle_unknown(tx, attempt, at, repeat_at=at.now + REPEAT_AFTER)
        case Refused() | Unreachable() if error.used_up and begun.row.repeats > 0:
            # Only our own earlier request can have used it up, whose answer we never got (delivery.md 3.4).
            return settle_accepted(tx, begun, Accepted())
        case _:
            reason = error.reason if isinstance(error, Unreachable) else _rejection(error)
            code, heard_at = error.vendor_code, begun.heard_at
            fate = _Fate(kind="send.refused", reason=reason, vendor_code=code, heard_at=heard_at)
            return _refused(tx, begun, fate, now=at.now)


def _rejection(error: ChannelError) -> str:
    return str(error.vendor_code) if error.vendor_code is not None else error.code


def _put_back(tx: Transaction, begun: Begun, error: ChannelError, at: Circumstances, *, until: datetime) -> Standing:
    """Surely not taken: ready again later, with nothing reserved."""
    row, effect = begun.row, begun.row.effect
    tx.outbox.retry(
        effect.effect_id, worker=at.worker, not_before=until, reason=error.code, vendor_code=error.vendor_code
    )
    back = Standing(state="ready")
    if effect.send_class == "staff":
        return back
    customer = tx.customers.load([row.customer_id])[row.customer_id]
    refusal, unsent = _refusal(begun, "try_later"), departure.unsent_of(effect)
    after = ledger.record_returned(customer, effect.conversation_id, refusal, unsent)
    tx.customers.save([(customer, after)])
    return back


def _refusal(begun: Begun, reason: str) -> ledger.Refusal:
    return ledger.Refusal(
        effect_id=begun.row.effect.effect_id,
        reason=reason,
        bucket_id=begun.bucket_id,
        heard_at=begun.heard_at,
        is_repeat=begun.row.repeats > 0,
    )


def _refused(tx: Transaction, begun: Begun, fate: "_Fate", *, now: datetime) -> Standing:
    row, effect = begun.row, begun.row.effect
    outcome = Outcome(effect_id=effect.effect_id, verdict="refused", reason=fate.reason, vendor_code=fate.vendor_code)
    tx.outbox.settle([outcome])
    if effect.send_class != "staff":
        customer = tx.customers.load([row.customer_id])[row.customer_id]
        after = ledger.record_refused(customer, effect.conversation_id, _refusal(begun, fate.reason))
        tx.customers.save([(customer, after)])
    return Standing(state="refused", lane_told=_tell_lane(tx, row, fate, now=now))


def give_up(tx: Transaction, row: Leased, at: Circumstances) -> Standing:
    """A bug of ours kept the message from leaving, and would again: refuse it, so that its journey hears of it."""
    tx.outbox.settle([Outcome(effect_id=row.effect.effect_id, verdict="refused", reason="bug")])
    told = _tell_lane(tx, row, _Fate(kind="send.refused", reason="bug"), now=at.now)
    return Standing(state="refused", lane_told=told)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A send that was begun. `is_repeat`: its fate was unknown once before."""

    customer_id: CustomerId
    effect: SendMessage
    planned_at: datetime
    started_at: datetime
    is_repeat: bool


def attempt_of(row: Leased | OutboxLine, *, started_at: datetime | None = None) -> Attempt:
    """The attempt that was just begun on a row, or that an earlier process left behind.

    `started_at`: when, if it is known; otherwise the row tells, or it counts as begun when it was planned.
    """
    told = row.started_at if isinstance(row, OutboxLine) else started_at
    return Attempt(
        customer_id=row.customer_id,
        effect=row.effect,
        planned_at=row.planned_at,
        started_at=told or row.planned_at,
        is_repeat=row.repeats > 0,
    )


def settle_unknown(tx: Transaction, attempt: Attempt, at: Circumstances, *, repeat_at: datetime) -> Standing:
    """Nobody can tell whether it arrived. Repeated at most once, and only where silence would be worse."""
    effect = attempt.effect
    tx.outbox.settle([Outcome(effect_id=effect.effect_id, verdict="unknown", reason="no_verdict")])
    if not attempt.is_repeat and _may_repeat(tx, attempt, at) and _plan_repeat(tx, attempt, repeat_at):
        return Standing(state="ready")
    told = _tell_lane(tx, attempt, _Fate(kind="send.unknown", reason="no_verdict"), now=at.now)
    return Standing(state="unknown", lane_told=told)


def _plan_repeat(tx: Transaction, attempt: Attempt, repeat_at: datetime) -> bool:
    """The repeat stands in the customer's ledger as any message that waits: an opt-out takes it back.

    False: its fate is not unknown any more. Spoilt: the customer does not open, and no repeat was planned.
    """
    effect, owner = attempt.effect, attempt.customer_id
    customer = tx.customers.load([owner])[owner] if effect.send_class != "staff" and owner > 0 else None
    if not tx.outbox.repeat(effect.effect_id, not_before=repeat_at, until=_key_ends(attempt)):
        return False
    if customer is not None:
        after = ledger.record_repeating(customer, effect.conversation_id, departure.unsent_of(effect))
        tx.customers.save([(customer, after)])
    return True


def _key_ends(attempt: Attempt) -> datetime | None:
    """Until when the platform knows the message by our key, or its plan's end if that comes first; None: no key."""
    effect = attempt.effect
    if not isinstance(effect.message, TemplateMessage):
        return None
    ends = attempt.started_at + TEMPLATE_KEY_LIVES
    return min(ends, effect.expires_at) if effect.expires_at else ends


def _may_repeat(tx: Transaction, attempt: Attempt, at: Circumstances) -> bool:
    """Source: delivery.md 3.4 and 3.5. Endpoints with a key of ours may always be asked again."""
    effect = attempt.effect
    if isinstance(effect.message, TemplateMessage):
        return at.now - attempt.started_at < TEMPLATE_KEY_LIVES
    if effect.send_class == "staff":
        # A lost card is a lost lead, and the platform knows a card by its task id (DECISIONS.md).
        return True
    if effect.delivery == "at_most_once":
        return False
    customer = tx.customers.load([attempt.customer_id])[attempt.customer_id]
    conversation = customer.conversations.get(effect.conversation_id)
    if conversation is None or not windows.is_open(conversation, at.now, at.rules):
        return False
    return departure.still_wanted(customer, effect, attempt.planned_at)


def expire(tx: Transaction, *, now: datetime) -> int:
    """Let rows that are too late die, and tell their lanes. How many died."""
    rows = tx.outbox.expire(now)
    for row in rows:
        if row.effect.send_class != "staff":
            try:
                customer = tx.customers.load([row.customer_id])[row.customer_id]
            except Spoilt as error:
                tx.spoilt.note("outbox", row.seq, error, met="ready")
                continue
            tx.customers.save([(customer, ledger.record_dropped(customer, row.effect.effect_id))])
        kind: ReceiptType = "send.unknown" if row.state == "unknown" else "send.expired"
        _tell_lane(tx, row, _Fate(kind=kind, reason="expired"), now=now)
    return len(rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fate:
    kind: ReceiptType
    reason: str
    vendor_code: int | None = None
    heard_at: datetime | None = None


def _tell_lane(tx: Transaction, row: Leased | OutboxLine | Attempt, fate: _Fate, *, now: datetime) -> bool:
    """Write the receipt into the customer's lane. False: the message was an account's own, nobody waits for it."""
    if row.customer_id < 0:
        return False
    fields = receipt_fields(
        row.effect,
        reason=fate.reason,
        planned_at=row.planned_at,
        vendor_code=fate.vendor_code,
        heard_at=fate.heard_at,
    )
    event = receipt(row.effect, fate.kind, at=now, fields=fields)
    tx.lanes.ingest((), received_at=now, addressed=((row.customer_id, event),))
    return True
