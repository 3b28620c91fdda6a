"""Defects of the outbox, of the contact policy, and of access tokens."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy import text

from bot.channels.tokens import Tokens
from bot.core import ledger, policy
from bot.core.customer import Customer
from bot.core.ids import EffectId, EventId
from bot.core.rules import GlobalRules
from bot.core.step import doing, withholding
from bot.core.step.draft import Draft
from bot.runtime import dispatch, settling
from bot.runtime.outbox import Outbox
from bot.runtime.ports import Accepted, Sender
from bot.storage import Leased, OutboxLine, Transaction, outbox
from bot.storage.outbox import OutboxSends
from tests.defects.patches import Patch

_judge = policy.judge
_settle_unknown = settling.settle_unknown
_begin = dispatch.begin
_suppress = withholding.suppress


def _back_to_ready(self: OutboxSends, epoch: int) -> tuple[OutboxLine, ...]:
    back = "UPDATE outbox SET state = 'ready', leased_by = '', leased_until = NULL"
    self.connection.execute(text(f"{back} WHERE state IN ('leased', 'sending')"))
    return ()


def _whole_conversation() -> dict[int, object]:
    free = "o.state = 'ready' AND o.not_before <= :now AND (o.expires_at IS NULL OR o.expires_at > :now)"
    return {urgent: text(str(free_one).replace(outbox.FREE_SEND, free)) for urgent, free_one in outbox._FREE.items()}


def _never(case: object) -> None:
    return None


def _unreserved(
    customer: Customer, request: policy.Request, *, bucket_id: EventId | None, now: datetime, rules: GlobalRules
) -> Customer:
    return ledger.record_dropped(customer, request.effect_id)


def _planned_only(request: policy.Request, *, customer: Customer, rules: GlobalRules, now: datetime) -> policy.Verdict:
    known = customer if request.planning else replace(customer, opt_outs={})
    return _judge(request, customer=known, rules=rules, now=now)


def _left_waiting(draft: Draft, effect_ids: list[EffectId], reason: str) -> None:
    if reason != "opted_out":
        _suppress(draft, effect_ids, reason)


def _unheard(tx: Transaction, row: object, fate: object, *, now: datetime) -> bool:
    return False


def _always(tx: Transaction, attempt: object, at: object) -> bool:
    return True


async def _first_settled(self: Outbox, begun: dispatch.Begun, sender: Sender, flight: object) -> None:
    await self._settle(begun.row, lambda tx: settling.settle_accepted(tx, begun, Accepted()))
    await sender.send(begun.row.effect)


async def _same_again(self: Tokens, refused: str) -> object:
    return (await self._renewed()) if self._kept is None else _Kept(token=refused)


class _Kept:
    def __init__(self, *, token: str) -> None:
        self.token = token
        self.is_new = False


def _given_back(
    tx: Transaction, attempt: settling.Attempt, at: dispatch.Circumstances, *, repeat_at: datetime
) -> dispatch.Standing:
    found = _settle_unknown(tx, attempt, at, repeat_at=repeat_at)
    if attempt.customer_id > 0 and attempt.effect.send_class != "staff":
        customer = tx.customers.load([attempt.customer_id])[attempt.customer_id]
        talk = customer.conversations[attempt.effect.conversation_id]
        emptied = tuple(replace(bucket, used=max(0, bucket.used - 1)) for bucket in talk.buckets)
        talks = {**customer.conversations, talk.conversation_id: replace(talk, buckets=emptied)}
        tx.customers.save([(customer, replace(customer, conversations=talks))])
    return found


def _unasked(tx: Transaction, row: Leased, hand: dispatch.Hand) -> dispatch.Begun | dispatch.Standing:
    return dispatch.Begun(row=row, started_at=hand.at.now)


DEFECTS = {
    "ready-after-restart": (
        "What an earlier process was sending is sent again, as if it had never begun.",
        [Patch(OutboxSends, "recover", _back_to_ready)],
    ),
    "no-conversation-order": (
        "Messages of one conversation leave side by side.",
        [Patch(outbox, "_FREE", _whole_conversation())],
    ),
    "cap-without-reservation": (
        "A message that leaves is not counted against window and caps.",
        [Patch(ledger, "record_sent", _unreserved)],
    ),
    "opt-out-read-at-plan-only": (
        "An opt-out that comes after a message was planned does not stop it.",
        [Patch(policy, "judge", _planned_only), Patch(doing, "suppress", _left_waiting)],
    ),
    "human-not-asked-for": (
        "The bot goes on talking while a colleague has the floor.",
        [Patch(policy, "_human", _never)],
    ),
    "receipt-outside-the-transaction": (
        "What became of a message is settled, and its journey does not hear of it.",
        [Patch(module, "tell_lane", _unheard) for module in (dispatch, settling)],
    ),
    "repeat-whatever-the-class": (
        "An unknown message is repeated though its class forbids that.",
        [Patch(settling, "_may_repeat", _always)],
    ),
    "settled-before-the-answer": (
        "A message counts as sent before the platform was asked.",
        [Patch(Outbox, "_send", _first_settled)],
    ),
    "stale-token-loop": (
        "A token that was refused is used again and again.",
        [Patch(Tokens, "replace", _same_again)],
    ),
    "reservation-released-on-unknown": (
        "A message whose fate nobody knows gives its place in the window back.",
        [Patch(settling, "settle_unknown", _given_back)],
    ),
    "sent-without-beginning": (
        "A request starts though `sending` was never committed.",
        [Patch(dispatch, "begin", _unasked)],
    ),
}
