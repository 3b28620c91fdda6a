"""Waiting, and the timers of a waiting state: its wait, its timeout, and those that the journey named.

Source: journey-language.md 2.3, 3.3, 3.4 and 3.11. A timer belongs to a visit and dies with it.
`past` is about moments that are over when they are armed, `late` about an engine that was away when one came.
"""

from datetime import datetime, timedelta

from bot.core.customer import Timer
from bot.core.outline import NAMED, WAIT
from bot.core.states import Ask, Book, CallJourney, Doing, Handoff, Late, NamedTimer, State, Wait, Webhook
from bot.core.step import doing, floor
from bot.core.step.copies import Run
from bot.core.step.draft import Draft
from bot.core.step.moments import begins_at, ends_at, moment_of
from bot.core.step.scope import guard_holds_safely
from bot.core.times import WallClock, part_of

TIMEOUT = "timeout"
RESTING = (Ask, Wait, CallJourney, Handoff, Book, Webhook)


def rests(does: Doing | None) -> bool:
    """Whether a state that does this stays where it is, at least for a moment."""
    return isinstance(does, RESTING)


def arm(draft: Draft, run: Run, state: State) -> None:
    """Arm what counts while `run` waits in `state`: its named timers, and its timeout.

    That of a question counts from the question instead (`questions`). EvaluationFault: a moment cannot be worked out.
    """
    for timer in state.timers:
        _arm_named(draft, run, timer)
    if state.timeout is not None and not isinstance(state.doing, Ask):
        due_at = ends_at(draft, state.timeout.after, begins_at(draft, run))
        draft.set_timer(run.enrolment_id, TIMEOUT, due_at, visit=run.visit)


def begin(draft: Draft, run: Run, wait: Wait) -> None:
    """Wait as `wait` says; one for ever has no timer. Meanwhile the floor is free. EvaluationFault as in `arm`."""
    due_at = release_at(draft, run, wait)
    if due_at is not None:
        draft.set_timer(run.enrolment_id, WAIT, max(due_at, draft.now), visit=run.visit)
    floor.release(draft, run)


def release_at(draft: Draft, run: Run, wait: Wait) -> datetime | None:
    """When `wait` is over, which may be past; None: never of itself. EvaluationFault as in `arm`."""
    if wait.span is not None:
        due_at = ends_at(draft, wait.span, begins_at(draft, run))
    elif wait.until is not None:
        due_at = moment_of(draft, run, wait.until)
    else:
        return None
    return due_at + part_of(wait.spread, run.enrolment_id, run.visit) if wait.spread else due_at


def _arm_named(draft: Draft, run: Run, timer: NamedTimer) -> None:
    due_at = due_at_of(draft, run, timer)
    if due_at > draft.now:
        draft.set_timer(run.enrolment_id, NAMED + timer.timer_id, due_at, visit=run.visit)
    else:
        over_already(draft, run, timer, due_at)


def due_at_of(draft: Draft, run: Run, timer: NamedTimer) -> datetime:
    """When `timer` comes, which may be past. EvaluationFault as in `arm`."""
    if timer.after is not None:
        return ends_at(draft, timer.after, run.state_entered_at)
    assert timer.at is not None, "a timer has a moment, or a time after entry"
    return moment_of(draft, run, timer.at)


def over_already(draft: Draft, run: Run, timer: NamedTimer, due_at: datetime) -> None:
    """Its moment had passed before it could be armed."""
    if timer.past == "fire":
        draft.set_timer(run.enrolment_id, NAMED + timer.timer_id, draft.now, visit=run.visit)
    else:
        draft.trace("skipped", run, timer=timer.timer_id, why="past", due_at=due_at.isoformat())


def fire(draft: Draft, run: Run, state: State, timer: Timer) -> None:
    """A timer of the state in which `run` is has come. One that the state does not have (any more) does nothing."""
    if timer.timer_id == WAIT:
        _fire_wait(draft, run, state, timer)
    elif timer.timer_id == TIMEOUT and state.timeout is not None:
        draft.go(run, state.timeout.goto)
    elif timer.timer_id.startswith(NAMED):
        _fire_named(draft, run, state, timer)


def _fire_wait(draft: Draft, run: Run, state: State, timer: Timer) -> None:
    """The wait is over. One that shall not end so late waits for the next such time, if it waits for a time of day."""
    wait = state.doing
    if not isinstance(wait, Wait) or not state.then:
        return
    if isinstance(wait.until, WallClock) and _too_late(draft, timer, wait.late, wait.skip_after):
        draft.trace("skipped", run, timer=WAIT, why="late", due_at=timer.due_at.isoformat())
        begin(draft, run, wait)
        return
    draft.go(run, state.then)


def _fire_named(draft: Draft, run: Run, state: State, timer: Timer) -> None:
    """A timer that the journey named: do what it says, and stay or go."""
    name = timer.timer_id.removeprefix(NAMED)
    found = next((one for one in state.timers if one.timer_id == name), None)
    if found is None:
        return
    if _too_late(draft, timer, found.late, found.skip_after):
        draft.trace("skipped", run, timer=name, why="late", due_at=timer.due_at.isoformat())
        return
    if found.when is not None and not guard_holds_safely(draft, run, found.when):
        return
    draft.reminding[run.enrolment_id] = _wait_ends_at(draft, run)
    done = doing.perform(draft, run, found.do)
    del draft.reminding[run.enrolment_id]
    if done and found.goto:
        draft.go(run, found.goto)


def _too_late(draft: Draft, timer: Timer, late: Late, skip_after: timedelta) -> bool:
    return late == "skip" and draft.now - timer.due_at > skip_after


def _wait_ends_at(draft: Draft, run: Run) -> datetime | None:
    """When the wait of the state is over, or its timeout: of use until then. None: nobody knows."""
    own = {timer.timer_id: timer.due_at for timer in draft.timers if timer.owner == run.enrolment_id}
    return own.get(WAIT) or own.get(TIMEOUT)
