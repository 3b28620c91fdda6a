"""What the next text of a customer may answer; the shell reads the text with this in hand."""

from collections.abc import Iterator
from dataclasses import replace

from bot.core.customer import Customer, Enrolment, Option
from bot.core.ids import ConversationId
from bot.core.journey import Journey
from bot.core.program import Program, expected
from bot.core.understood import Expectation, Expected

EXPECTED_MAX = 40
"""Slots that one text is read for; the asked one comes first, the rest in order of the journeys."""


def expectation(customer: Customer, program: Program, conversation_id: ConversationId) -> Expectation:
    """The slots that a text in this conversation may fill: the open question, then those still to come.

    Those to come are of journeys that she is in, that these may call or start, and that the text may begin. A slot
    of free text is expected only while its question stands open, or when the holder of the floor has an answer that
    may be corrected. What is no longer in the library is passed over.
    """
    found: dict[str, Expected] = {}
    confirming = False
    holder = _holder(customer, conversation_id)
    journey = program.library.journeys.get(holder.journey) if holder else None
    if holder is not None and journey is not None:
        for asked, is_confirming in _asked(holder, journey):
            found[asked.slot] = asked
            confirming = is_confirming
        for answered in _answered(holder, journey):
            found.setdefault(answered.slot, answered)
    for asked in _asked_beside(customer, program, conversation_id, holder):
        found.setdefault(asked.slot, asked)
    for later in _to_come(customer, program, conversation_id):
        found.setdefault(later.slot, later)
    return Expectation(expected=tuple(found.values())[:EXPECTED_MAX], confirming=confirming)


def _holder(customer: Customer, conversation_id: ConversationId) -> Enrolment | None:
    conversation = customer.conversations.get(conversation_id)
    return customer.enrolments.get(conversation.floor[-1]) if conversation and conversation.floor else None


def _asked(holder: Enrolment, journey: Journey) -> Iterator[tuple[Expected, bool]]:
    """The open question, and whether a proposed value waits for yes or no; nothing when none is open."""
    pending = holder.pending
    slot = journey.slots.get(pending.slot) if pending is not None else None
    if pending is None or slot is None:
        return
    asked = expected(journey, slot, asked=True)
    if pending.options:
        asked = replace(asked, options=dict(map(_spelled, pending.options)), listed=True)
    yield asked, pending.phase == "confirming"


def _spelled(option: Option) -> tuple[str, tuple[str, ...]]:
    """What is shown of an option, and what else means it: its value among others, which may name a day and a time."""
    value = option.value
    return option.text, (*option.spellings, value) if isinstance(value, str) else option.spellings


def _asked_beside(
    customer: Customer, program: Program, conversation_id: ConversationId, holder: Enrolment | None
) -> Iterator[Expected]:
    """The open questions of journeys that ask beside the holder of the floor."""
    for enrolment in customer.enrolments.values():
        pending = enrolment.pending
        if pending is None or pending.phase not in ("asked", "confirming") or enrolment is holder:
            continue
        journey = program.library.journeys.get(enrolment.journey)
        if journey is not None and enrolment.conversation_id == conversation_id:
            yield from (asked for asked, _ in _asked(enrolment, journey))


def _answered(holder: Enrolment, journey: Journey) -> Iterator[Expected]:
    """What the holder of the floor has been told already."""
    for name, value in holder.slots.items():
        slot = journey.slots.get(name)
        if slot is not None and value is not None:
            yield replace(expected(journey, slot, asked=False), answered=True)


def _to_come(customer: Customer, program: Program, conversation_id: ConversationId) -> Iterator[Expected]:
    for enrolment in customer.enrolments.values():
        if enrolment.status == "active":
            yield from program.to_come(enrolment.journey)
    yield from program.opening(conversation_id.partition(":")[0])
