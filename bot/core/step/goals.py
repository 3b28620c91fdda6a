"""Goals: counted once, when what they ask for turns true after entry. Source: journey-language.md 2.2."""

from bot.core.entries import Goal
from bot.core.expressions.tree import Expression
from bot.core.expressions.values import EvaluationFault
from bot.core.step.copies import Run
from bot.core.step.draft import Draft
from bot.core.step.scope import scope_of


def condition_holds(draft: Draft, run: Run, condition: Expression) -> bool:
    """Whether what only measures, or leads out, holds. One that cannot be evaluated does not; the journal says so."""
    try:
        return draft.program.guard(condition, scope_of(draft, run))
    except EvaluationFault as fault:
        draft.trace("error", run, error=fault.code, guard=condition.source)
        return False


def check_goal(draft: Draft, run: Run) -> None:
    """Count the goal once, when its condition has turned true since entry, or its event came, in time."""
    journey = draft.program.library.journeys.get(run.journey)
    goal = journey.goal if journey is not None else None
    if goal is None or run.goal_reached or run.goal_held_at_entry:
        return
    if goal.within is not None and draft.now - run.entered_at > goal.within:
        return
    if _came(draft, run, goal) if goal.event else goal.when is not None and condition_holds(draft, run, goal.when):
        run.goal_reached = True
        draft.trace("goal", run, goal=goal.name)


def _came(draft: Draft, run: Run, goal: Goal) -> bool:
    """Whether its event came. The event that began the run is none that came since."""
    event = draft.event
    if event is None or event.type != goal.event:
        return False
    if run.enrolment_id in draft.begun and event is draft.external:
        return False
    return goal.when is None or condition_holds(draft, run, goal.when)
