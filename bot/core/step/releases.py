"""Bringing enrolments on to another release of the library: what they stood in may be gone.

Source: journey-language.md 3.7, as far as version 1 goes: a state of the same name is the same state; what
has no successor ends as `workflow_changed`, which is a fact to count and no error.
"""

from bot.core.expressions.values import EvaluationFault
from bot.core.journey import Ask, Branch, CallJourney, Doing, End, Handoff, Journey, State, Wait
from bot.core.step import handoff, machine
from bot.core.step.copies import Run
from bot.core.step.draft import Draft
from bot.core.step.scope import faulted

WORKFLOW_CHANGED = "workflow_changed"


def adopt(draft: Draft) -> None:
    """Have every enrolment of an older release live on in the one that runs now.

    First all go that have no place any more, callers before those they called: what is left can be asked where it is.
    """
    release = draft.program.library.release
    older = [run for run in draft.runs.values() if run.release != release]
    if not older:
        return
    for run in sorted(older, key=draft.depth_of):
        if run.enrolment_id in draft.runs and _state(draft, run) is None:
            machine.give_back(draft, run, WORKFLOW_CHANGED, {})
    for run in older:
        state = _state(draft, run) if run.enrolment_id in draft.runs else None
        if state is not None:
            _adopt(draft, run, state)


def _state(draft: Draft, run: Run) -> State | None:
    journey = draft.program.library.journeys.get(run.journey)
    return journey.states.get(run.state) if journey else None


def _adopt(draft: Draft, run: Run, state: State) -> None:
    run.release = draft.program.library.release
    _fill_up(run, draft.program.journey(run.journey))
    moves_anyway = any(move.enrolment_id == run.enrolment_id for move in draft.moves)
    if run.status == "active" and not moves_anyway and not _rests(draft, run, state.doing):
        _begin_again(draft, run, state)


def _fill_up(run: Run, journey: Journey) -> None:
    """Variables and slots that are new begin as they do for everybody."""
    for name, var in journey.vars.items():
        run.values.setdefault(name, var.default)
    for name in journey.slots:
        run.slots.setdefault(name, None)


def _rests(draft: Draft, run: Run, doing: Doing | None) -> bool:
    """Whether what the enrolment carries is what one waits with in such a state."""
    if isinstance(doing, Ask):
        return run.pending is not None and run.pending.slot == doing.slot
    if run.pending is not None:
        return False
    match doing:
        case Wait():
            return any(timer.owner == run.enrolment_id and timer.timer_id == "wait" for timer in draft.timers)
        case CallJourney(journey=journey):
            return any(child.journey == journey for child in draft.children_of(run))
        case Handoff():
            return any(handoff.run_of(draft, task) is run for task in draft.tasks.values())
        case Branch() | End() | None:
            return False


def _begin_again(draft: Draft, run: Run, state: State) -> None:
    """The state waits for something else now: wait for that, in a new visit. Its actions are not done again."""
    draft.trace("moved", run, to=run.state, why=WORKFLOW_CHANGED)
    machine.leave(draft, run)
    run.visit += 1
    try:
        machine.begin(draft, run, state)
    except EvaluationFault as fault:
        faulted(draft, run, fault)
