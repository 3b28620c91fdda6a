"""What becomes of a customer's ledger as her messages leave: reserved, counted, given back, put off.

`bot.core.policy` asks the ledger; here it is written, in the transactions around each send. Source: delivery.md 3.7.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.core import windows
from bot.core.customer import Conversation, Customer, Sent, Unsent
from bot.core.ids import ConversationId, EffectId, EventId
from bot.core.policy import Request
from bot.core.rules import GlobalRules

SENT_MAX = 1000
"""Capped messages remembered of one customer; beyond, the oldest are forgotten: her caps are full long before."""


def record_sent(
    customer: Customer, request: Request, *, bucket_id: EventId | None, now: datetime, rules: GlobalRules
) -> Customer:
    """`customer` when the message is about to leave: reserved in its window, counted by the caps, planned no more.

    Only classes that some cap counts are remembered, for the longest `per` of all caps and at most `SENT_MAX`.
    A message to our own people changes nothing.
    """
    if request.send_class == "staff":
        return customer
    customer = record_dropped(customer, request.effect_id)
    customer = replace(customer, sent=_remembered(customer.sent, request, now=now, rules=rules))
    if bucket_id is None:
        return customer
    return _with_conversation(customer, request.conversation_id, lambda c: windows.reserved(c, bucket_id, at=now))


def record_dropped(customer: Customer, effect_id: EffectId) -> Customer:
    """`customer` without this message among the planned ones."""
    planned = {
        key: replace(talk, unsent=tuple(u for u in talk.unsent if u.effect_id != effect_id))
        for key, talk in customer.conversations.items()
        if any(u.effect_id == effect_id for u in talk.unsent)
    }
    return replace(customer, conversations={**customer.conversations, **planned}) if planned else customer


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """The platform surely did not take a message. `bucket_id`: what was reserved for it.

    `reason` as in `Unreachable`. `heard_at`: her latest act that was known when the attempt began, None: none was.
    `is_repeat`: an earlier attempt may have arrived, and counts in the caps all the same.
    """

    effect_id: EffectId
    reason: str
    bucket_id: EventId | None = None
    heard_at: datetime | None = None
    is_repeat: bool = False


def record_refused(customer: Customer, conversation_id: ConversationId, refusal: Refusal) -> Customer:
    """`customer` after a refusal: the message's reservation and its count come back.

    `count` leaves nothing in the windows that were open at the attempt, `window` closes them (delivery.md 3.7).
    """
    if not refusal.is_repeat:
        customer = replace(customer, sent=tuple(s for s in customer.sent if s.effect_id != refusal.effect_id))

    def settle(conversation: Conversation) -> Conversation:
        if refusal.bucket_id:
            conversation = windows.released(conversation, refusal.bucket_id)
        match refusal.reason:
            case "count":
                return windows.emptied(conversation, refusal.heard_at)
            case "window":
                return windows.shut(conversation, refusal.heard_at)
            case _:
                return conversation

    return _with_conversation(customer, conversation_id, settle)


def record_returned(customer: Customer, conversation_id: ConversationId, refusal: Refusal, unsent: Unsent) -> Customer:
    """`customer` after a send that will be tried again: nothing reserved, and planned as the next to leave."""
    return record_repeating(record_refused(customer, conversation_id, refusal), conversation_id, unsent)


def record_repeating(customer: Customer, conversation_id: ConversationId, unsent: Unsent) -> Customer:
    """`customer` with this message as the next to leave, beside what its earlier attempt has reserved."""
    return _with_conversation(customer, conversation_id, lambda c: replace(c, unsent=(unsent, *c.unsent)))


def record_deferred(customer: Customer, conversation_id: ConversationId, unsent: Unsent) -> Customer:
    """`customer` with this planned message put off until its `not_before`, in its place."""

    def put_off(conversation: Conversation) -> Conversation:
        waiting = tuple(unsent if u.effect_id == unsent.effect_id else u for u in conversation.unsent)
        return replace(conversation, unsent=waiting)

    return _with_conversation(customer, conversation_id, put_off)


def _remembered(sent: tuple[Sent, ...], request: Request, *, now: datetime, rules: GlobalRules) -> tuple[Sent, ...]:
    caps = [*rules.caps, *(own.cap for own in rules.journeys.values() if own.cap is not None)]
    since = now - max((cap.per for cap in caps), default=timedelta(0))
    kept = tuple(s for s in sent if s.at > since and s.effect_id != request.effect_id)
    if not any(request.send_class in cap.counted or request.send_class in cap.classes for cap in caps):
        return kept
    left = Sent(effect_id=request.effect_id, at=now, send_class=request.send_class, journey=request.journey)
    return (*kept, left)[-SENT_MAX:]


def _with_conversation(
    customer: Customer, conversation_id: ConversationId, change: Callable[[Conversation], Conversation]
) -> Customer:
    conversation = customer.conversations.get(conversation_id)
    if conversation is None:
        return customer
    return replace(customer, conversations={**customer.conversations, conversation_id: change(conversation)})
