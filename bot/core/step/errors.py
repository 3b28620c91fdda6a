"""What is done about an error of a run. Source: journey-language.md 3.10."""

from bot.core.states import CallJourney
from bot.core.step import doing, floor, global_actions, tasks
from bot.core.step.catching import ONLY_WHERE_NAMED, Catch, catcher, everybodys
from bot.core.step.copies import Run
from bot.core.step.draft import Draft, Move
from bot.core.step.leaving import close, leave
from bot.core.step.questions import journey_of


def handle(draft: Draft, run: Run, move: Move) -> None:
    """Let whoever takes care of the error do so: in the journey, in the one that called it, for all of them.

    Nobody: the enrolment is stuck. An error that comes back in the same state in the same step counts as unhandled.
    """
    parent = draft.runs.get(run.parent) if run.parent else None
    found = catcher(draft, run, move.error)
    if found is None and parent is None:
        found = everybodys(draft, move.error)
    known = (run.enrolment_id, run.state, move.error)
    if found is None and move.error in ONLY_WHERE_NAMED and not _has_lost_its_call(draft, run):
        _trace(draft, run, move, outcome="passed_over")
    elif found is not None and known not in draft.handled:
        draft.handled.add(known)
        _catch(draft, run, move, found)
    elif run.repair is not None:
        _end_repair(draft, run, move)
    elif parent is not None:
        _trace(draft, run, move, outcome="raised_in_caller")
        close(draft, run, f"error:{move.error}")
        draft.fail(parent, move.error)
    else:
        stick(draft, run, move.error, place=move.place)


def _has_lost_its_call(draft: Draft, run: Run) -> bool:
    """Whether it waits for a journey that has ended with the error: then it cannot stay where it is."""
    state = journey_of(draft, run).states.get(run.state)
    return state is not None and isinstance(state.doing, CallJourney) and not draft.children_of(run)


def _catch(draft: Draft, run: Run, move: Move, found: Catch) -> None:
    """Do what the rule says and go where it leads; from now on the run may read `error.code`.

    A rule for all journeys knows no state of any: what it says is done, for the customer and as an interrupt would do
    it, whatever fails of it, and the run is over.
    """
    _trace(draft, run, move, outcome="handled")
    run.error = move.error
    if found.for_all:
        global_actions.perform(draft, global_actions.of_error(draft, run, move.error), found.do)
    else:
        doing.perform(draft, run, found.do)
    if found.goto:
        draft.go_at_once(run, found.goto)
    elif run.enrolment_id in draft.runs:
        close(draft, run, f"error:{move.error}")


def _end_repair(draft: Draft, run: Run, move: Move) -> None:
    """What went wrong in a repair journey is none of the journey it was called for, whose question stands."""
    _trace(draft, run, move, outcome="repair_ended")
    tasks.give(draft, run, tasks.Order(to=tasks.OPERATORS, title=f"修复旅程 {run.journey} 出错：{move.error}"))
    close(draft, run, f"error:{move.error}")


def _trace(draft: Draft, run: Run, move: Move, *, outcome: str) -> None:
    place = {"guard": move.place} if move.place else {}
    draft.trace("error", run, error=move.error, outcome=outcome, **place)


def stick(draft: Draft, run: Run, error: str, *, place: str = "") -> None:
    """Park the enrolment, let go of the floor, and tell the people who operate the journeys."""
    leave(draft, run)
    run.status = "stuck"
    detail = {"guard": place} if place else {}
    draft.trace("error", run, error=error, outcome="stuck", **detail)
    floor.release(draft, run)
    title = f"旅程 {run.journey} 卡在 {run.state}：{error}"
    tasks.give(draft, run, tasks.Order(to=tasks.OPERATORS, title=title))
