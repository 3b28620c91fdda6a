"""What is left of the reason for a planned message when it is about to leave. Source: delivery.md 3.5 and 3.7."""

from dataclasses import replace
from datetime import datetime, timedelta

from bot.core import policy
from bot.core.customer import Customer, Unsent
from bot.core.effects import Form, SendMessage
from bot.core.ids import ConversationId, CustomerId, EnrolmentId
from bot.core.making import maker
from bot.core.messages import Message, TemplateMessage
from bot.core.times import part_of

SPREAD = timedelta(minutes=10)
"""Over this time messages leave that waited for the end of quiet hours or of days off (journey-language.md 3.11)."""
_make_unsent = maker(Unsent)
WITHHELD_FOR_GOOD = frozenset({"opted_out", "no_consent", "cap", "left_state", "repeat_not_wanted"})
"""Reasons at the last moment that no fallback may go around."""


def form_of(message: Message) -> Form:
    """How the platform counts this message."""
    return "template" if isinstance(message, TemplateMessage) else "free"


def request_of(effect: SendMessage, customer: Customer, planned_at: datetime) -> policy.Request:
    """The question to the policy when the message is about to leave.

    Whoever has opted out since it was planned gets no answer any more: then it is no reply.
    """
    request = policy.Request(
        effect_id=effect.effect_id,
        send_class=effect.send_class,
        conversation_id=effect.conversation_id,
        channel=effect.channel,
        form=form_of(effect.message),
        reply=effect.reply,
        planning=False,
        window=effect.window,
        journey=effect.journey,
    )
    opted_out = any(at > planned_at for at in customer.opt_outs.values())
    return replace(request, reply=False) if opted_out else request


def leaves_from(verdict: policy.Defer, customer_id: CustomerId) -> datetime:
    """The moment to which `verdict` puts a message off. When many wait for the same, customer comes after customer.

    All messages of one customer come equally late, so that they keep their order.
    """
    if verdict.reason not in ("quiet_hours", "day_off"):
        return verdict.until
    return verdict.until + part_of(SPREAD, customer_id)


def unsent_of(effect: SendMessage, *, not_before: datetime | None = None) -> Unsent:
    """The message as the customer's ledger keeps it until it leaves."""
    return _make_unsent(
        effect_id=effect.effect_id,
        enrolment_id=effect.enrolment_id,
        visit=effect.visit,
        send_class=effect.send_class,
        form=form_of(effect.message),
        not_before=not_before,
        journey=effect.journey,
    )


def overtaken(customer: Customer, effect: SendMessage, planned_at: datetime, *, is_repeat: bool) -> str:
    """Why the message comes too late for what has happened since it was planned; empty: it does not.

    A reminder belongs to the state that planned it; a repeat may leave only while it is still wanted (3.5).
    """
    if effect.send_class in ("reminder", "marketing") and not visit_lives(customer, effect.enrolment_id, planned_at):
        return "left_state"
    is_keyed = isinstance(effect.message, TemplateMessage)
    if is_repeat and not is_keyed and not still_wanted(customer, effect, planned_at):
        return "repeat_not_wanted"
    return ""


def still_wanted(customer: Customer, effect: SendMessage, planned_at: datetime) -> bool:
    """Whether she has neither written nor moved on since the message was planned."""
    heard_at = last_heard(customer, effect.conversation_id)
    wrote_since = heard_at is not None and heard_at > planned_at
    return not wrote_since and visit_lives(customer, effect.enrolment_id, planned_at)


def last_heard(customer: Customer, conversation_id: ConversationId) -> datetime | None:
    """Her latest act in this conversation, by the platform's time; None: there was none."""
    conversation = customer.conversations.get(conversation_id)
    return conversation.last_inbound_at if conversation else None


def visit_lives(customer: Customer, enrolment_id: EnrolmentId | None, planned_at: datetime) -> bool:
    """Whether the journey rests where the step that planned the message left it.

    A state that only sends is left in the very step that planned the message, and an ended run is gone: it cannot
    move any more, and only what the customer has done since makes its last words stale. Receipts of ours do not.
    """
    if enrolment_id is None:
        return True
    enrolment = customer.enrolments.get(enrolment_id)
    if enrolment is not None:
        return enrolment.state_entered_at <= planned_at
    heard = (talk.last_inbound_at for talk in customer.conversations.values())
    return all(at is None or at <= planned_at for at in heard)
