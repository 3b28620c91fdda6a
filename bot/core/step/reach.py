"""Losing a customer: what talks in a conversation ends when she cannot be reached there any more."""

from bot.core import cards
from bot.core.events import Event
from bot.core.step import entry, people, routing
from bot.core.step.copies import Talk
from bot.core.step.draft import Draft
from bot.core.step.leaving import close
from bot.core.step.withholding import suppress

UNREACHABLE = "unreachable"


def is_overtaken(talk: Talk, event: Event) -> bool:
    """Whether she did something herself since the platform was asked: then what it said then is no longer true.

    Platforms tell whole seconds; in doubt she is believed.
    """
    return talk.last_inbound_at is not None and talk.last_inbound_at >= event.occurred_at.replace(microsecond=0)


def lost(draft: Draft, talk: Talk, event: Event) -> None:
    """What waits for this conversation is held back; who talks there ends, unless its state handles `event`.

    A colleague in the conversation is told. Source: journey-language.md 3.11, "Losing an identity".
    """
    talk.reachable = False
    talk.buckets = ()
    suppress(draft, [unsent.effect_id for unsent in talk.unsent], UNREACHABLE)
    # First what the states themselves want: that a colleague's part is over moves a waiting handoff on as well.
    handled = routing.tell_waiting(draft, event, talk)
    people.send_away(draft, talk, cards.CUSTOMER_GONE, path="customer_gone")
    entry.forget_queued(draft, conversation_id=talk.conversation_id)
    talking = [run for run in draft.runs.values() if run.conversation_id == talk.conversation_id and not run.parent]
    for run in talking:
        if run.enrolment_id not in handled and run.enrolment_id not in draft.left_now:
            close(draft, run, UNREACHABLE)
