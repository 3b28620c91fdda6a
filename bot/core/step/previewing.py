"""One wording of a content as a step would send it to some customer: for marketers, never for customers.

Nothing is planned and nobody asks whether it may go; the message is made by the functions that make every other one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal, TypeAlias

from bot.core.arrival import Facts, TimerDue
from bot.core.customer import Conversation, Customer, Enrolment, Timer
from bot.core.events import Json
from bot.core.expressions.analyse import names
from bot.core.expressions.evaluate import compile_node
from bot.core.expressions.tree import Name
from bot.core.expressions.values import EvaluationFault, Scope
from bot.core.ids import ConversationId, EnrolmentId
from bot.core.journey import Journey
from bot.core.library import Content
from bot.core.messages import Message, TemplateMessage
from bot.core.program import Program
from bot.core.slots import Slot
from bot.core.states import Ask
from bot.core.step import draft as drafts
from bot.core.step import offering
from bot.core.step.copies import Run
from bot.core.step.draft import Draft, ReadMissing
from bot.core.step.questions import CONFIRM, confirm_choices, new_pending, question
from bot.core.step.scope import scope_of
from bot.core.step.sending import Wish, render, template_message

_RUN, _TALK = EnrolmentId("preview"), ConversationId("preview")
Lines: TypeAlias = Literal["known", "empty", "unknown"]
UNKNOWN_FACTS = "facts"
"""The fault of what asks for facts that only a database knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sitting:
    """What is looked at, and where the customer stands. `value`: what the content `confirm` reads back."""

    content: str
    channel: str
    variant: str
    journey: str
    values: Mapping[str, Json] = field(default_factory=dict)
    slots: Mapping[str, Json] = field(default_factory=dict)
    saved: Mapping[str, Json] = field(default_factory=dict)
    value: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """`message` None: it cannot be made, `fault` says why. `nulls`: names in its text that had no value.

    `templates`: the template messages that may stand in for it. `lines`: what became of the answers that are worked
    out when the question is asked: `empty` when there are none, `unknown` when only a database knows them.
    """

    message: Message | None
    fault: str = ""
    lines: Lines = "known"
    nulls: tuple[str, ...] = ()
    templates: tuple[TemplateMessage, ...] = ()


def preview(program: Program, customer: Customer, sitting: Sitting, now: datetime) -> Seen:
    """What the customer would see. KeyError: there is no such content or journey, or it is not said on the channel."""
    content, journey = program.content(sitting.content), program.journey(sitting.journey)
    draft, run = _begin(program, customer, sitting, now)
    talk = draft.talks[_TALK]
    nulls: tuple[str, ...] = ()
    lines: Lines = "known"
    try:
        lines = _work_out(draft, run, asking(journey, sitting.content))
        wish = _wish(draft, run, sitting, asking(journey, sitting.content))
        nulls = _nulls(content, sitting, scope_of(draft, run, wish.extra))
        message = render(draft, run, content, talk=talk, wish=wish)
        templates = tuple(template_message(draft, run, content, name) for name in content.templates)
    except EvaluationFault as fault:
        return Seen(message=None, fault=fault.message, nulls=nulls)
    except ReadMissing:
        return Seen(message=None, fault=UNKNOWN_FACTS, nulls=nulls)
    finally:
        draft.scopes.clear()
    return Seen(message=message, nulls=nulls, templates=templates, lines=lines)


def asking(journey: Journey, content: str) -> tuple[str, Slot] | None:
    """The first state of `journey` that asks with `content`, and for which slot. None: it is no question of it."""
    for name, state in journey.states.items():
        slot = journey.slots.get(state.doing.slot) if isinstance(state.doing, Ask) else None
        if slot is not None and content in (slot.ask, slot.retry_say):
            return name, slot
    return None


def _begin(program: Program, customer: Customer, sitting: Sitting, now: datetime) -> tuple[Draft, Run]:
    journey = program.journey(sitting.journey)
    asked = asking(journey, sitting.content)
    enrolment = Enrolment(
        enrolment_id=_RUN,
        journey=journey.journey,
        key="",
        release=program.library.release,
        state=asked[0] if asked else journey.initial,
        visit=1,
        entered_at=now,
        state_entered_at=now,
        conversation_id=_TALK,
        values={**{name: variable.default for name, variable in journey.vars.items()}, **sitting.values},
        slots=sitting.slots,
        saved=sitting.saved,
    )
    talk = Conversation(conversation_id=_TALK, channel=sitting.channel, account="", external_id="")
    seated = replace(customer, enrolments={_RUN: enrolment}, conversations={_TALK: talk})
    alarm = Timer(owner="_preview", visit=0, timer_id="", due_at=now, set_at=now)
    draft = drafts.begin(program, seated, TimerDue(timer=alarm), now, Facts())
    return draft, draft.runs[_RUN]


def _work_out(draft: Draft, run: Run, asked: tuple[str, Slot] | None) -> Lines:
    """Open the question, if it is one, with what it offers."""
    if asked is None:
        return "known"
    _, slot = asked
    run.pending = new_pending(slot.name)
    if slot.options_from is None:
        return "known"
    try:
        run.pending = replace(run.pending, options=offering.work_out(draft, run, slot))
    except ReadMissing:
        return "unknown"
    return "known" if run.pending.options else "empty"


def _wish(draft: Draft, run: Run, sitting: Sitting, asked: tuple[str, Slot] | None) -> Wish:
    if sitting.content == CONFIRM:
        choices, extra = confirm_choices(run), {"value": sitting.value or None}
        return Wish(content=CONFIRM, variant=sitting.variant, choices=choices, extra=extra)
    if asked is None:
        return Wish(content=sitting.content, variant=sitting.variant)
    return question(draft, run, variant=sitting.variant, content=sitting.content)


def _nulls(content: Content, sitting: Sitting, scope: Scope) -> tuple[str, ...]:
    template = content.wording(sitting.variant, sitting.channel)
    return tuple(sorted(".".join(path) for path in names(template) if compile_node(Name(path=path))(scope) is None))
