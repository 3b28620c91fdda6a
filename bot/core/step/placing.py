"""Beginning a run in the middle of its journey: for tests of journeys (`given: {state: …}`), never for customers.

The state is entered by the machine that enters every other one: its guard is asked, its actions are done, its
question is put, its timers are armed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot.core.arrival import Facts, Needs, Step, TimerDue
from bot.core.customer import Customer, Timer
from bot.core.events import Json
from bot.core.ids import ConversationId
from bot.core.program import Program
from bot.core.step import aging, anchors, entry, exits
from bot.core.step import draft as drafts
from bot.core.step.draft import ReadMissing

CAUSE = "given"
"""What the journal names as the cause of such a run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Where to begin, and with what. `saved`: what calls are said to have brought back."""

    journey: str
    state: str
    conversation_id: ConversationId | None = None
    values: Mapping[str, Json] = field(default_factory=dict)
    slots: Mapping[str, Json] = field(default_factory=dict)
    saved: Mapping[str, Json] = field(default_factory=dict)


def place(program: Program, customer: Customer, placement: Placement, now: datetime, facts: Facts) -> Step | Needs:
    """The customer with a run of the journey that enters the state now. KeyError: there is no such journey."""
    alarm = Timer(owner="_given", visit=0, timer_id=placement.journey, due_at=now, set_at=now)
    draft = drafts.begin(program, customer, TimerDue(timer=alarm), now, facts)
    opening = entry.Opening(
        journey=program.journey(placement.journey),
        conversation_id=placement.conversation_id,
        cause=CAUSE,
        placed=True,
    )
    try:
        run = entry.begin_run(draft, opening, key="")
        draft.moves.clear()
        run.values.update(placement.values)
        run.slots.update(placement.slots)
        run.saved.update(placement.saved)
        draft.go(run, placement.state)
        anchors.come_to_rest(draft)
        exits.look_back(draft)
        aging.watch(draft)
    except ReadMissing as missing:
        return Needs(reads=frozenset({missing.read}))
    finally:
        draft.scopes.clear()
    return Step(customer=drafts.finish(draft), effects=tuple(draft.effects), journal=tuple(draft.journal))
