"""Journeys that call, take back, and are called. Source: journey-language.md 2.3 and 3.11, "Calls"."""

from bot.core.actions import CancelJourney
from bot.core.states import CallJourney
from bot.core.step import entry
from bot.core.step.copies import Run
from bot.core.step.draft import Draft
from bot.core.step.fitting import fitting
from bot.core.step.leaving import CANCELLED, give_back, take_result

CALL_DEPTH_MAX = 3
"""Enrolments that may stand above one another in a call; a deeper one is the error `call.depth` of its caller."""
HELD_OUT = "holdout"
"""What a call of a journey ends in that the customer is held out of."""


def begin(draft: Draft, run: Run, call: CallJourney) -> None:
    """Begin the called journey in the place of `run`, which goes on once it has ended.

    EvaluationFault: an argument cannot be worked out.
    """
    if draft.depth_of(run) >= CALL_DEPTH_MAX:
        draft.fail(run, "call.depth")
        return
    journey = draft.program.journey(call.journey)
    arguments = fitting(journey, entry.arguments_of(draft, run, call.arguments))
    child = entry.begin_run(
        draft,
        entry.Opening(
            journey=journey,
            conversation_id=run.conversation_id,
            arguments=arguments,
            parent=run,
            cause=f"call:{run.journey}",
        ),
        key="",
    )
    if child.is_measured_only:
        # Nobody waits for a journey that visits no state: its caller goes on without it.
        del draft.runs[child.enrolment_id]
        draft.drop_timer(child.enrolment_id)
        draft.trace("ended", child, end=HELD_OUT)
        take_result(draft, run, {"end": HELD_OUT})
    elif run.enrolment_id in draft.interrupting:
        draft.interrupting.add(child.enrolment_id)


def cancel(draft: Draft, run: Run | None, action: CancelJourney) -> None:
    """End the customer's runs of a journey, and the wish to enter it. Whoever called one of them goes on.

    Not the run that says so, nor those that called it: what it stands in cannot be taken from under it.
    """
    entry.forget_queued(draft, journey=action.journey)
    own = _line_of(draft, run) if run is not None else set()
    for other in [one for one in draft.runs.values() if one.journey == action.journey]:
        if other.enrolment_id in own:
            draft.trace("cancel_refused", run, journey=action.journey, reason="own")
        elif other.enrolment_id in draft.runs:
            give_back(draft, other, CANCELLED, {})


def _line_of(draft: Draft, run: Run) -> set[str]:
    """`run` and all that called it."""
    line = {str(run.enrolment_id)}
    while run.parent is not None and run.parent in draft.runs:
        run = draft.runs[run.parent]
        line.add(str(run.enrolment_id))
    return line
