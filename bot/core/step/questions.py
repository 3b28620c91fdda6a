"""Putting a question to the customer, again or for the first time, and starting its clock."""

from typing import Literal

from bot.core.customer import Pending
from bot.core.expressions.values import EvaluationFault
from bot.core.journey import Ask, Journey, Slot, State
from bot.core.messages import MenuChoice
from bot.core.step.copies import Run
from bot.core.step.draft import Draft
from bot.core.step.scope import faulted
from bot.core.step.sending import Plan, Wish, plan
from bot.core.step.tasks import fallback_task, mask

YES_CHOICE, NO_CHOICE = "y", "n"
CONFIRM = "confirm"


def state_of(draft: Draft, run: Run) -> State:
    """The state in which `run` is."""
    return draft.program.journey(run.journey).states[run.state]


def slot_of(draft: Draft, run: Run) -> Slot:
    """The slot that is being asked for. ValueError: nothing is."""
    return draft.program.journey(run.journey).slots[_ask_of(draft, run).slot]


def _ask_of(draft: Draft, run: Run) -> Ask:
    doing = state_of(draft, run).doing
    if not isinstance(doing, Ask):
        raise ValueError(f"state `{run.state}` of `{run.journey}` asks nothing")
    return doing


def menu_choices(run: Run, slot: Slot) -> tuple[MenuChoice, ...]:
    """The options of `slot` to tap; the id carries enrolment and visit, so that a tap is addressed."""
    return tuple(
        MenuChoice(choice_id=f"{run.enrolment_id}.{run.visit}.{position}", text=option)
        for position, option in enumerate(slot.options)
    )


def pose(draft: Draft, run: Run, *, variant: str = "normal", content: str = "") -> None:
    """Ask. The timeout counts from this question on."""
    slot, ask = slot_of(draft, run), _ask_of(draft, run)
    question = Wish(
        content=content or slot.ask,
        variant=variant,
        send_class=ask.send_class,
        outside=ask.outside,
        choices=menu_choices(run, slot),
        templates_of=slot.ask,
    )
    _say(draft, run, question)
    _settle_phase(draft, run, "asked")


def pose_confirm(draft: Draft, run: Run, *, variant: str = "normal") -> None:
    """Show the proposed value, masked, and ask whether it is right."""
    slot, ask, pending = slot_of(draft, run), _ask_of(draft, run), run.pending
    shown = "" if pending is None else str(pending.proposal)
    if slot.type == "phone_cn":
        shown = mask(shown)
    choices = (
        MenuChoice(choice_id=f"{run.enrolment_id}.{run.visit}.{YES_CHOICE}", text="对"),
        MenuChoice(choice_id=f"{run.enrolment_id}.{run.visit}.{NO_CHOICE}", text="不对，改一下"),
    )
    question = Wish(
        content=CONFIRM,
        variant=variant,
        send_class=ask.send_class,
        outside=ask.outside,
        choices=choices,
        templates_of=slot.ask,
        extra={"value": shown},
    )
    _say(draft, run, question)
    _settle_phase(draft, run, "confirming")


def _say(draft: Draft, run: Run, question: Wish) -> None:
    try:
        found = plan(draft, run, question)
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
        draft.set_timer(run.enrolment_id, "timeout", begins + timeout.after, visit=run.visit)


def _settle_phase(draft: Draft, run: Run, phase: Literal["asked", "confirming"]) -> None:
    pending = run.pending
    if pending is not None:
        run.pending = Pending(
            slot=pending.slot, phase=phase, since=draft.now, failures=pending.failures, proposal=pending.proposal
        )


def new_pending(slot: str) -> Pending:
    """A question that waits for its turn."""
    return Pending(slot=slot, phase="queued")


def journey_of(draft: Draft, run: Run) -> Journey:
    """The journey that `run` runs."""
    return draft.program.journey(run.journey)
