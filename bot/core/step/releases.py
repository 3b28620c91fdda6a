"""Bringing enrolments on to another release of the library: what they stood in may be gone.

Source: journey-language.md 3.7, as far as version 1 goes: a state of the same name is the same state; what
has no successor ends as `workflow_changed`, which is a fact to count and no error.
"""

from bot.core.expressions.values import EvaluationFault
from bot.core.journey import Journey
from bot.core.outline import WAIT
from bot.core.states import Ask, Book, Branch, CallJourney, Doing, End, Handoff, Split, State, Wait, Webhook
from bot.core.step import floor, handoff, leaving, machine
from bot.core.step.copies import Run
from bot.core.step.draft import Draft
from bot.core.step.scope import faulted

WORKFLOW_CHANGED = "workflow_changed"


def adopt(draft: Draft) -> None:
    """Have every enrolment of an older release live on in the one that runs now.

    First all go that have no place any more, callers before those they called: what is left can be asked where it is.
    """
    release = draft.program.library.release
    older = [run for run in draft.runs.values() if run.release != release and not _only_measured(draft, run)]
    if not older:
        return
    for run in sorted(older, key=draft.depth_of):
        if run.enrolment_id in draft.runs and _state(draft, run) is None:
            leaving.give_back(draft, run, WORKFLOW_CHANGED, {})
    for run in older:
        state = _state(draft, run) if run.enrolment_id in draft.runs else None
        if state is not None:
            _adopt(draft, run, state)


def _only_measured(draft: Draft, run: Run) -> bool:
    """Whether it is held out of a journey that there still is: it stands in no state that could be gone."""
    if not run.is_measured_only or run.journey not in draft.program.library.journeys:
        return False
    run.release = draft.program.library.release
    return True


def _state(draft: Draft, run: Run) -> State | None:
    journey = draft.program.library.journeys.get(run.journey)
    return journey.states.get(run.state) if journey else None


def _adopt(draft: Draft, run: Run, state: State) -> None:
    run.release = draft.program.library.release
    _fill_up(run, draft.program.journey(run.journey))
    moves_anyway = any(move.enrolment_id == run.enrolment_id for move in draft.moves)
    if run.status == "active" and not moves_anyway and not _rests(draft, run, state.doing):
        _begin_again(draft, run, state)
    floor.rejoin(draft, run)


def _fill_up(run: Run, journey: Journey) -> None:
    """Variables and slots that are new begin as they do for everybody."""
    for name, var in journey.vars.items():
        run.values.setdefault(name, var.default)
    for name in journey.slots:
        run.slots.setdefault(name, None)


def _rests(draft: Draft, run: Run, doing: Doing | None) -> bool:
    """Whether what the enrolment carries is what one waits with in such a state."""
    if run.awaiting is not None:
        # Asked once: to ask again would call the partner, or take the place, twice.
        return isinstance(doing, Book | Webhook)
    if isinstance(doing, Ask):
        return run.pending is not None and run.pending.slot == doing.slot
    if run.pending is not None:
        return False
    match doing:
        case Wait(span=None, until=None):
            return not _waits_for_a_time(draft, run)
        case Wait():
            return _waits_for_a_time(draft, run)
        case CallJourney(journey=journey):
            return any(child.journey == journey for child in draft.children_of(run))
        case Handoff():
            return any(handoff.run_of(draft, task) is run for task in draft.tasks.values())
        case Branch() | Split() | Book() | Webhook() | End() | None:
            return False


def _waits_for_a_time(draft: Draft, run: Run) -> bool:
    return any(timer.owner == run.enrolment_id and timer.timer_id == WAIT for timer in draft.timers)


def _begin_again(draft: Draft, run: Run, state: State) -> None:
    """The state waits for something else now: wait for that, in a new visit. Its actions are not done again."""
    draft.trace("moved", run, to=run.state, why=WORKFLOW_CHANGED)
    leaving.leave(draft, run)
    run.visit += 1
    try:
        machine.begin(draft, run, state)
    except EvaluationFault as fault:
        faulted(draft, run, fault)
