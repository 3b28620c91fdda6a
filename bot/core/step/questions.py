"""Putting a question to the customer, again or for the first time, and starting its clock."""

from typing import Literal

from bot.core.customer import Pending
from bot.core.effects import SendClass
from bot.core.expressions.values import EvaluationFault
from bot.core.journey import Journey
from bot.core.making import changer, maker
from bot.core.messages import MenuChoice
from bot.core.slots import Slot
from bot.core.states import Ask, State
from bot.core.step import offering
from bot.core.step.answers import read_back
from bot.core.step.catching import NO_OPTIONS
from bot.core.step.copies import Run
from bot.core.step.draft import Draft
from bot.core.step.moments import ends_at
from bot.core.step.scope import faulted
from bot.core.step.sending import Plan, Wish, make_wish, plan
from bot.core.step.tasks import fallback_task

YES_CHOICE, NO_CHOICE = "y", "n"
CONFIRM = "confirm"
change_pending = changer(Pending)
_make_choice, _make_pending = maker(MenuChoice), maker(Pending)


def state_of(draft: Draft, run: Run) -> State:
    """The state in which `run` is."""
    return draft.program.library.journeys[run.journey].states[run.state]


def slot_of(draft: Draft, run: Run) -> Slot:
    """The slot that is being asked for. ValueError: nothing is."""
    return _asked(draft, run)[0]


def _asked(draft: Draft, run: Run) -> tuple[Slot, Ask]:
    journey = draft.program.library.journeys[run.journey]
    doing = journey.states[run.state].doing
    if not isinstance(doing, Ask):
        raise ValueError(f"state `{run.state}` of `{run.journey}` asks nothing")
    return journey.slots[doing.slot], doing


def menu_choices(run: Run, slot: Slot) -> tuple[MenuChoice, ...]:
    """What the question offers, to tap; the id carries enrolment and visit, so that a tap is addressed."""
    place = f"{run.enrolment_id}.{run.visit}."
    lines = enumerate(offering.texts(slot, run.pending))
    return tuple([_make_choice(choice_id=f"{place}{position}", text=text) for position, text in lines])


def pose(draft: Draft, run: Run, *, variant: str = "normal", content: str = "") -> None:
    """Ask. The timeout counts from this question on.

    With nothing to choose, the error `slot.no_options` is raised; without consent, `consent.missing`.
    """
    slot = slot_of(draft, run)
    if not may_ask(draft, run, slot) or (slot.options_from is not None and not _offers(draft, run, slot)):
        return
    _say(draft, run, question(draft, run, variant=variant, content=content))
    _settle_phase(draft, run, "asked")


def question(draft: Draft, run: Run, *, variant: str = "normal", content: str = "") -> Wish:
    """What is said to put the question that stands open, with what there is to choose."""
    slot, ask = _asked(draft, run)
    return make_wish(
        content=content or slot.ask,
        variant=variant,
        send_class=_class_of(draft, ask, repeated=variant != "normal"),
        outside=ask.outside,
        choices=menu_choices(run, slot),
        numbered=slot.options_from is not None,
        templates_of=slot.ask,
    )


def _class_of(draft: Draft, ask: Ask, *, repeated: bool) -> SendClass:
    """The class by which a question is put. Source: journey-language.md 3.11, "Class of a send".

    What repeats or reads back in the step in which she wrote answers her, whatever class her first question had: caps
    and quiet hours are not for that. A question that nobody gave a class and that comes by itself, because the floor
    is free or its turn has come, is as unasked-for as a reminder.
    """
    if draft.replying and (repeated or ask.send_class is None):
        return "service"
    return ask.send_class or "reminder"


def may_ask(draft: Draft, run: Run, slot: Slot) -> bool:
    """Whether she may be asked for the slot now; without the consent that it needs it is the error `consent.missing`.

    Asked before every question: consent may be withdrawn while one waits for the floor.
    """
    if not slot.consent:
        return True
    consent = draft.consents.get(slot.consent)
    if consent is not None and consent.granted:
        return True
    draft.trace("not_sent", run, content=slot.ask, reason="no_consent", purpose=slot.consent)
    draft.fail(run, "consent.missing")
    return False


def _offers(draft: Draft, run: Run, slot: Slot) -> bool:
    """Work out what may be chosen. False: nothing, or it cannot be worked out; the journey's error says which."""
    try:
        options = offering.work_out(draft, run, slot)
    except EvaluationFault as fault:
        faulted(draft, run, fault, place=slot.options_from.source if slot.options_from else "")
        return False
    if not options:
        draft.fail(run, NO_OPTIONS)
        return False
    assert run.pending is not None, "only an open question offers anything"
    run.pending = change_pending(run.pending, options=options)
    return True


def confirm_choices(run: Run) -> tuple[MenuChoice, ...]:
    """Yes and no, to tap."""
    return (
        MenuChoice(choice_id=f"{run.enrolment_id}.{run.visit}.{YES_CHOICE}", text="对"),
        MenuChoice(choice_id=f"{run.enrolment_id}.{run.visit}.{NO_CHOICE}", text="不对，改一下"),
    )


def pose_confirm(draft: Draft, run: Run, *, variant: str = "normal") -> None:
    """Show the proposed value, masked where it is personal, and ask whether it is right."""
    (slot, ask), pending = _asked(draft, run), run.pending
    wish = Wish(
        content=CONFIRM,
        variant=variant,
        send_class=_class_of(draft, ask, repeated=True),
        outside=ask.outside,
        choices=confirm_choices(run),
        templates_of=slot.ask,
        extra={"value": _proposed(draft, slot, pending)},
    )
    _say(draft, run, wish)
    _settle_phase(draft, run, "confirming")


def _proposed(draft: Draft, slot: Slot, pending: Pending | None) -> str:
    if pending is None:
        return ""
    option = offering.chosen(pending, pending.proposal)
    return option.text if option is not None else read_back(slot, pending.proposal, draft.zone)


def _say(draft: Draft, run: Run, wish: Wish) -> None:
    try:
        found = plan(draft, run, wish)
    except EvaluationFault as fault:
        faulted(draft, run, fault)
        found = Plan(fate="failed")
    if found.fate == "replaced":
        fallback_task(draft, run, found.task_title)
    _start_clock(draft, run, found)


def _start_clock(draft: Draft, run: Run, found: Plan) -> None:
    """The timeout counts from the moment at which everything said in this visit has left."""
    timeout = state_of(draft, run).timeout
    if timeout is not None:
        begins = max(found.not_before or draft.now, draft.put_off.get(run.enrolment_id, draft.now))
        draft.set_timer(run.enrolment_id, "timeout", ends_at(draft, timeout.after, begins), visit=run.visit)


def _settle_phase(draft: Draft, run: Run, phase: Literal["asked", "confirming"]) -> None:
    if run.pending is not None:
        run.pending = change_pending(run.pending, phase=phase, since=draft.now, left_s=None, whole_s=None)


def new_pending(slot: str) -> Pending:
    """A question that waits for its turn."""
    return _make_pending(slot=slot, phase="queued")


def journey_of(draft: Draft, run: Run) -> Journey:
    """The journey that `run` runs."""
    return draft.program.library.journeys[run.journey]
