"""Groups of states: entered by their name, remembered when they are left, left by their exits.

Source: journey-language.md 2.3 and 3.2. What a group hears stands in the outline of each of its states.
"""

from bot.core.journey import Journey
from bot.core.step.copies import Run
from bot.core.step.draft import Draft
from bot.core.step.goals import condition_holds


def state_named(journey: Journey, run: Run, target: str) -> str:
    """The state that `target` names: itself, or of a group its first, or the one in which `run` left it last."""
    group = journey.groups.get(target)
    if group is None or target in journey.states:
        return target
    last = journey.states.get(run.resumes.get(target, "")) if group.resume == "last" else None
    return last.name if last is not None and last.group == target else group.initial


def remember_place(draft: Draft, journey: Journey, run: Run) -> None:
    """Before a state is left: its group goes on here, if it goes on where it was left.

    One whose `when` did not hold was passed by, and nobody was ever there.
    """
    state = journey.states.get(run.state) if (run.enrolment_id, run.visit) not in draft.passed else None
    group = journey.groups.get(state.group) if state is not None else None
    if group is not None and group.resume == "last":
        run.resumes[group.name] = run.state


def leave_by_exits(draft: Draft) -> None:
    """Have every run go whose group has an exit that holds, before it hears what came."""
    if not draft.program.with_exits:
        return
    for run in draft.runs.values():
        if run.status == "active" and (run.journey, run.state) in draft.program.with_exits:
            _leave(draft, run)


def _leave(draft: Draft, run: Run) -> None:
    journey = draft.program.journey(run.journey)
    for exit in draft.program.outline(journey, journey.states[run.state]).exits:
        # One that leads to where the run is would be taken again and again.
        if state_named(journey, run, exit.goto) != run.state and condition_holds(draft, run, exit.when):
            draft.trace("guard", run, guard=exit.when.source, holds=True)
            draft.go(run, exit.goto)
            return
