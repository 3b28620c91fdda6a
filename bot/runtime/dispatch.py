"""The transaction before a send: the last check with its reservation. No I/O but the transaction's."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bot.core import departure, ledger, policy
from bot.core.customer import Customer
from bot.core.effects import Trace
from bot.core.events import Json
from bot.core.ids import CustomerId, EffectId, EventId
from bot.core.program import Program
from bot.core.rules import GlobalRules
from bot.core.step import exits
from bot.errors import (
    Conflict,
)
from bot.runtime.rates import limits_of
from bot.runtime.receipts import Fate, tell_lane
from bot.storage import JournalLine, Leased, Outcome, SendState, Transaction, Verdict

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
        told = tell_lane(tx, row, Fate(kind="send.unknown", reason=reason), now=now)
        return Standing(state="unknown", lane_told=told, objection=reason)
    if reason == exits.EXIT:
        event = exits.check_event(effect, now)
        tx.lanes.ingest((), received_at=now, addressed=((row.customer_id, event),))
        return Standing(state="suppressed", lane_told=True, objection=reason)
    if reason in departure.WITHHELD_FOR_GOOD:
        return Standing(state="suppressed", objection=reason)
    heard_at = departure.last_heard(customer, effect.conversation_id)
    told = tell_lane(tx, row, Fate(kind="send.refused", reason=reason, heard_at=heard_at), now=now)
    return Standing(state="suppressed", lane_told=told, objection=reason)
