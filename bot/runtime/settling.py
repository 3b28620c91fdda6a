"""The transaction after a send: what the platform said, or that nobody can tell. No I/O but the transaction's."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.core import departure, ledger, windows
from bot.core.effects import SendMessage
from bot.core.ids import CustomerId
from bot.core.messages import TemplateMessage
from bot.errors import (
    AlreadyDone,
    ChannelError,
    Forbidden,
    Refused,
    Spoilt,
    TryLater,
    Unauthorised,
    Unknown,
    Unreachable,
)
from bot.runtime.dispatch import Begun, Circumstances, Standing
from bot.runtime.ports import Accepted
from bot.runtime.receipts import Fate, ReceiptType, tell_lane
from bot.storage import Leased, OutboxLine, Outcome, Transaction

REPEAT_AFTER = timedelta(seconds=5)
"""A request that got no answer is not repeated into the same trouble."""
PARKED_RETRY = timedelta(seconds=30)
"""How long an account rests whose token or rights were refused; then one send probes it (delivery.md 3.11)."""
TEMPLATE_KEY_LIVES = timedelta(minutes=10)
"""How long the platform recognises a template message by our key (delivery.md 3.4)."""


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
            fate = Fate(kind="send.refused", reason=reason, vendor_code=code, heard_at=heard_at)
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


def _refused(tx: Transaction, begun: Begun, fate: Fate, *, now: datetime) -> Standing:
    row, effect = begun.row, begun.row.effect
    outcome = Outcome(effect_id=effect.effect_id, verdict="refused", reason=fate.reason, vendor_code=fate.vendor_code)
    tx.outbox.settle([outcome])
    if effect.send_class != "staff":
        customer = tx.customers.load([row.customer_id])[row.customer_id]
        after = ledger.record_refused(customer, effect.conversation_id, _refusal(begun, fate.reason))
        tx.customers.save([(customer, after)])
    return Standing(state="refused", lane_told=tell_lane(tx, row, fate, now=now))


def give_up(tx: Transaction, row: Leased, at: Circumstances) -> Standing:
    """A bug of ours kept the message from leaving, and would again: refuse it, so that its journey hears of it."""
    tx.outbox.settle([Outcome(effect_id=row.effect.effect_id, verdict="refused", reason="bug")])
    told = tell_lane(tx, row, Fate(kind="send.refused", reason="bug"), now=at.now)
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
    told = tell_lane(tx, attempt, Fate(kind="send.unknown", reason="no_verdict"), now=at.now)
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
        tell_lane(tx, row, Fate(kind=kind, reason="expired"), now=now)
    return len(rows)
