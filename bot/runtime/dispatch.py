"""The two transactions around a send: the last check with its reservation, and the settling. Pure of I/O but theirs."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.core import policy, windows
from bot.core.customer import Customer, Unsent
from bot.core.effects import SendMessage
from bot.core.ids import CustomerId, EventId
from bot.core.library import GlobalRules
from bot.core.messages import Card, TemplateMessage
from bot.errors import AlreadyDone, ChannelError, Forbidden, TryLater, Unauthorised, Unknown, Unreachable
from bot.runtime.ports import Accepted
from bot.runtime.receipts import ReceiptType, receipt
from bot.storage import Leased, OutboxLine, Outcome, Transaction

REPEATS_MAX = 1
"""Repeats of a send whose fate is unknown, at most (delivery.md 3.5)."""
PARKED_RETRY = timedelta(seconds=30)
"""How long an account rests whose token or rights were refused; then one send probes it (delivery.md 3.11)."""
WITHHELD_FOR_GOOD = frozenset({"opted_out", "no_consent", "cap"})
"""Refusals of the policy that no fallback may go around."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """`sending` is committed: the request may start. `bucket_id`: what was reserved."""

    row: Leased
    bucket_id: EventId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What every dispatch transaction knows: the rules, the moment, and which process this is."""

    rules: GlobalRules
    now: datetime
    worker: str
    epoch: int


def begin(tx: Transaction, row: Leased, at: Desk) -> Begun | None:
    """Ask the policy once more, reserve, and mark the row as sending. None: it does not leave now."""
    effect = row.effect
    if effect.send_class == "staff" or row.customer_id < 0:
        return Begun(row=row, bucket_id=None) if _mark_sending(tx, effect, at) else None
    customer = tx.customers.load([row.customer_id])[row.customer_id]
    request = request_of(effect)
    verdict = policy.judge(request, customer=customer, rules=at.rules, now=at.now)
    match verdict:
        case policy.Defer(until=until):
            tx.outbox.defer(effect.effect_id, not_before=until)
            return None
        case policy.Refuse(reason=reason):
            _withhold(tx, row, customer, reason=reason, now=at.now)
            return None
        case policy.Allow(bucket_id=bucket_id):
            if not _mark_sending(tx, effect, at):
                return None
            after = policy.record_sent(customer, request, bucket_id=bucket_id, now=at.now, rules=at.rules)
            tx.customers.save([(customer, after)])
            return Begun(row=row, bucket_id=bucket_id)


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


def _withhold(tx: Transaction, row: Leased, customer: Customer, *, reason: str, now: datetime) -> None:
    """The policy says no at the last moment: suppress it, and let the lane plan a fallback where one may help."""
    effect = row.effect
    tx.outbox.settle([Outcome(effect_id=effect.effect_id, verdict="suppressed", reason=reason)])
    tx.customers.save([(customer, policy.record_dropped(customer, effect.effect_id))])
    if reason not in WITHHELD_FOR_GOOD:
        _tell_lane(tx, row, "send.refused", reason=reason, now=now)


def settle_accepted(tx: Transaction, begun: Begun, accepted: Accepted) -> None:
    """The platform took it."""
    effect = begun.row.effect
    outcome = Outcome(
        effect_id=effect.effect_id,
        verdict="sent",
        provider_id=accepted.provider_id,
        response_code=accepted.response_code,
    )
    tx.outbox.settle([outcome])


def settle_error(tx: Transaction, begun: Begun, error: ChannelError, at: Desk) -> None:
    """The platform did not take it, or nobody can tell."""
    match error:
        case AlreadyDone():
            settle_accepted(tx, begun, Accepted())
        case TryLater(after_s=after_s):
            _put_back(tx, begun, until=at.now + timedelta(seconds=after_s))
        case Unauthorised() | Forbidden():
            _put_back(tx, begun, until=at.now + PARKED_RETRY)
        case Unknown():
            settle_unknown(tx, attempt_before(begun.row), at)
        case _:
            reason = error.reason if isinstance(error, Unreachable) else _rejection(error)
            _refused(tx, begun, reason=reason, vendor_code=error.vendor_code, now=at.now)


def _rejection(error: ChannelError) -> str:
    return str(error.vendor_code) if error.vendor_code is not None else error.code


def _put_back(tx: Transaction, begun: Begun, *, until: datetime) -> None:
    """Surely not taken: ready again later, with nothing reserved."""
    row, effect = begun.row, begun.row.effect
    tx.outbox.retry(effect.effect_id, not_before=until)
    if effect.send_class == "staff":
        return
    customer = tx.customers.load([row.customer_id])[row.customer_id]
    unsent = Unsent(
        effect_id=effect.effect_id,
        enrolment_id=effect.enrolment_id,
        visit=effect.visit,
        send_class=effect.send_class,
    )
    after = policy.record_returned(customer, effect.conversation_id, unsent=unsent, bucket_id=begun.bucket_id)
    tx.customers.save([(customer, after)])


def _refused(tx: Transaction, begun: Begun, *, reason: str, vendor_code: int | None, now: datetime) -> None:
    row, effect = begun.row, begun.row.effect
    outcome = Outcome(effect_id=effect.effect_id, verdict="refused", reason=reason, vendor_code=vendor_code)
    tx.outbox.settle([outcome])
    if effect.send_class != "staff":
        customer = tx.customers.load([row.customer_id])[row.customer_id]
        after = policy.record_refused(
            customer,
            effect.conversation_id,
            effect_id=effect.effect_id,
            bucket_id=begun.bucket_id,
            reason=reason,
        )
        tx.customers.save([(customer, after)])
    _tell_lane(tx, row, "send.refused", reason=reason, now=now, vendor_code=vendor_code)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A send that was begun. `attempts`: how often, this time included."""

    customer_id: CustomerId
    effect: SendMessage
    planned_at: datetime
    attempts: int


def attempt_before(row: Leased) -> Attempt:
    """The attempt that was just begun on a leased row."""
    return Attempt(customer_id=row.customer_id, effect=row.effect, planned_at=row.planned_at, attempts=row.attempts + 1)


def attempt_of(line: OutboxLine) -> Attempt:
    """The attempt that an outbox row tells of."""
    return Attempt(customer_id=line.customer_id, effect=line.effect, planned_at=line.planned_at, attempts=line.attempts)


def settle_unknown(tx: Transaction, attempt: Attempt, at: Desk) -> None:
    """Nobody can tell whether it arrived. Repeated at most once, and only where silence would be worse."""
    effect = attempt.effect
    tx.outbox.settle([Outcome(effect_id=effect.effect_id, verdict="unknown", reason="no_verdict")])
    repeatable = attempt.attempts <= REPEATS_MAX and _may_repeat(tx, attempt, at)
    if repeatable and tx.outbox.repeat(effect.effect_id, not_before=at.now):
        return
    _tell_lane(tx, attempt, "send.unknown", reason="no_verdict", now=at.now)


def _may_repeat(tx: Transaction, attempt: Attempt, at: Desk) -> bool:
    """Source: delivery.md 3.4 and 3.5. Endpoints with a key of ours may always be asked again."""
    effect = attempt.effect
    if isinstance(effect.message, TemplateMessage):
        return True
    if isinstance(effect.message, Card) and effect.message.response_code:
        return True
    if effect.delivery == "at_most_once":
        return False
    if effect.send_class == "staff":
        return True
    customer = tx.customers.load([attempt.customer_id])[attempt.customer_id]
    conversation = customer.conversations.get(effect.conversation_id)
    if conversation is None or not windows.is_open(conversation, at.now, at.rules):
        return False
    wrote_since = conversation.last_inbound_at is not None and conversation.last_inbound_at > attempt.planned_at
    return not wrote_since and _visit_lives(customer, effect)


def _visit_lives(customer: Customer, effect: SendMessage) -> bool:
    if effect.enrolment_id is None:
        return True
    enrolment = customer.enrolments.get(effect.enrolment_id)
    return enrolment is not None and enrolment.visit == effect.visit


def expire(tx: Transaction, *, now: datetime) -> int:
    """Let rows that are too late die, and tell their lanes. How many died."""
    rows = tx.outbox.expire(now)
    for row in rows:
        if row.effect.send_class != "staff":
            customer = tx.customers.load([row.customer_id])[row.customer_id]
            tx.customers.save([(customer, policy.record_dropped(customer, row.effect.effect_id))])
        _tell_lane(tx, row, "send.expired", reason="expired", now=now)
    return len(rows)


def _tell_lane(
    tx: Transaction,
    row: Leased | OutboxLine | Attempt,
    kind: ReceiptType,
    *,
    reason: str,
    now: datetime,
    vendor_code: int | None = None,
) -> None:
    if row.customer_id < 0:
        return
    event = receipt(row.effect, kind, reason=reason, at=now, vendor_code=vendor_code)
    tx.lanes.ingest((), received_at=now, addressed=((row.customer_id, event),))
