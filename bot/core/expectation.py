"""What the next text of a customer may answer; the shell reads the text with this in hand."""

from collections.abc import Iterator

from bot.core.customer import Customer
from bot.core.ids import ConversationId
from bot.core.program import Program, expected
from bot.core.understood import Expectation, Expected

EXPECTED_MAX = 40
"""Slots that one text is read for; the asked one comes first, the rest in order of the journeys."""


def expectation(customer: Customer, program: Program, conversation_id: ConversationId) -> Expectation:
    """The slots that a text in this conversation may fill: the open question, then those still to come.

    Those to come are of journeys that she is in, that these may call or start, and that the text may begin. A slot
    of free text is expected only while its question stands open. What is no longer in the library is passed over.
    """
    found: dict[str, Expected] = {}
    confirming = False
    for asked, is_confirming in _asked(customer, program, conversation_id):
        found[asked.slot] = asked
        confirming = is_confirming
    for later in _to_come(customer, program, conversation_id):
        found.setdefault(later.slot, later)
    return Expectation(expected=tuple(found.values())[:EXPECTED_MAX], confirming=confirming)


def _asked(customer: Customer, program: Program, conversation_id: ConversationId) -> Iterator[tuple[Expected, bool]]:
    """The open question, and whether a proposed value waits for yes or no; nothing when none is open."""
    conversation = customer.conversations.get(conversation_id)
    holder = customer.enrolments.get(conversation.floor[-1]) if conversation and conversation.floor else None
    journey = program.library.journeys.get(holder.journey) if holder else None
    if holder is None or holder.pending is None or journey is None:
        return
    slot = journey.slots.get(holder.pending.slot)
    if slot is not None:
        yield expected(journey, slot, asked=True), holder.pending.phase == "confirming"


def _to_come(customer: Customer, program: Program, conversation_id: ConversationId) -> Iterator[Expected]:
    for enrolment in customer.enrolments.values():
        if enrolment.status == "active":
            yield from program.to_come(enrolment.journey)
    yield from program.opening(conversation_id.partition(":")[0])
