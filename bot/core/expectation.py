"""What the next text of a customer may answer; the shell reads the text with this in hand."""

from bot.core.customer import Customer
from bot.core.ids import ConversationId
from bot.core.journey import Journey, Slot
from bot.core.program import Program
from bot.core.understood import Expectation, Expected

EXPECTED_MAX = 40
"""Slots that one text is read for; the asked one comes first, the rest in order of the journeys."""


def expectation(customer: Customer, program: Program, conversation_id: ConversationId) -> Expectation:
    """The slots that a text in this conversation may fill: the open question, then those still to come.

    A slot of free text is expected only while its question stands open.
    """
    conversation = customer.conversations.get(conversation_id)
    found: dict[str, Expected] = {}
    confirming = False
    holder = customer.enrolments.get(conversation.floor[-1]) if conversation and conversation.floor else None
    if holder is not None and holder.pending is not None and holder.journey in program.library.journeys:
        journey = program.journey(holder.journey)
        asked = _expected(journey, journey.slots[holder.pending.slot], asked=True)
        found[asked.slot] = asked
        confirming = holder.pending.phase == "confirming"
    for enrolment in customer.enrolments.values():
        for journey in program.related(enrolment.journey):
            for slot in journey.slots.values():
                if slot.type != "text":
                    expected = _expected(journey, slot, asked=False)
                    found.setdefault(expected.slot, expected)
    return Expectation(expected=tuple(found.values())[:EXPECTED_MAX], confirming=confirming)


def _expected(journey: Journey, slot: Slot, *, asked: bool) -> Expected:
    return Expected(slot=f"{journey.journey}.{slot.name}", type=slot.type, options=slot.options, asked=asked)
