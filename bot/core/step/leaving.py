"""Leaving a state, and ending a run: what goes with them, and what stays. Source: journey-language.md 3.2, 3.11."""

from bot.core.events import Json
from bot.core.expressions.values import EvaluationFault
from bot.core.states import CallJourney
from bot.core.step import errands, floor, handoff
from bot.core.step.copies import Run
from bot.core.step.draft import Draft
from bot.core.step.goals import check_goal
from bot.core.step.limits import check_room
from bot.core.step.questions import state_of
from bot.core.step.scope import faulted
from bot.core.step.withholding import hold_back

CANCELLED = "cancelled"
"""How a run ends that whoever called it has left behind, or that a journey took back."""


def leave(draft: Draft, run: Run) -> None:
    """Leave the state: timers die, children end, reminders and marketing of this visit are held back."""
    if run.state and (run.enrolment_id, run.visit) not in draft.passed:
        run.counts[run.state] = run.counts.get(run.state, 0) + 1
    draft.drop_timer(run.enrolment_id)
    run.pending = None
    floor.unqueue(draft, run)
    if run.awaiting is not None:
        errands.forsake(draft, run)
    for child in draft.children_of(run):
        close(draft, child, CANCELLED)
    if draft.tasks:
        handoff.withdraw(draft, run)
    hold_back(draft, run)


def close(draft: Draft, run: Run, end: str) -> None:
    """End `run`: its timers, questions and children go with it; what it planned for now still leaves.

    Who waits to enter the same journey is let in when everything rests.
    """
    check_goal(draft, run)
    leave(draft, run)
    draft.trace("ended", run, end=end)
    del draft.runs[run.enrolment_id]
    parent = draft.runs.get(run.parent) if run.parent else None
    if parent is not None:
        floor.give_back(draft, run, parent)
    else:
        floor.release(draft, run)
    if run.parent is None:
        draft.remember_end(run, end)


def give_back(draft: Draft, run: Run, end: str, returned: dict[str, Json]) -> None:
    """End `run`; whoever called it gets `returned` and the label, and goes on."""
    close(draft, run, end)
    parent = draft.runs.get(run.parent) if run.parent else None
    if parent is not None:
        take_result(draft, parent, {**returned, "end": end})


def take_result(draft: Draft, caller: Run, result: dict[str, Json]) -> None:
    """What a called journey gave back: kept where `save` says, and the caller goes on."""
    state = state_of(draft, caller)
    if not isinstance(state.doing, CallJourney):
        return
    if state.doing.save and not _save(draft, caller, state.doing.save, result):
        return
    draft.go(caller, state.then)


def _save(draft: Draft, run: Run, name: str, result: dict[str, Json]) -> bool:
    """Keep what a called journey gave back. False: it is more than the enrolment may carry, an error of its journey."""
    try:
        check_room(run, {name: result})
    except EvaluationFault as fault:
        faulted(draft, run, fault, place=name)
        return False
    run.saved[name] = result
    draft.scopes.pop(run.enrolment_id, None)
    return True
