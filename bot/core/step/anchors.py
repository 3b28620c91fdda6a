"""Timers whose moment is an expression: worked out again whenever a value it reads changes.

Source: journey-language.md 3.4. Nothing is looked at but states that have such timers, whenever a step comes to rest.
"""

from collections.abc import Mapping
from datetime import datetime

from bot.core.customer import Enrolment
from bot.core.events import Json
from bot.core.expressions.types import Path
from bot.core.expressions.values import EvaluationFault
from bot.core.outline import NAMED, WAIT, Anchor
from bot.core.states import NamedTimer, State, Wait
from bot.core.step import hearing, waiting
from bot.core.step.copies import Run
from bot.core.step.draft import Draft
from bot.core.step.questions import journey_of
from bot.core.step.scope import faulted

_KEPT_BY_ENGINE = frozenset({"score", "points", "source", "advisor"})


def come_to_rest(draft: Draft) -> None:
    """Make all moves as `hearing.come_to_rest` does, until every such timer is where its expression says too."""
    hearing.come_to_rest(draft)
    while _plan_anew(draft):
        hearing.come_to_rest(draft)


def _plan_anew(draft: Draft) -> bool:
    """Move the timers of states that rest to where their expressions say now.

    One that cannot be worked out any more is an error of its journey. True: there was one, and its run moves.
    """
    if not draft.program.anchored:
        return False
    for run in draft.runs.values():
        if run.status == "active" and (run.journey, run.state) in draft.program.anchored:
            try:
                _plan(draft, run)
            except EvaluationFault as fault:
                faulted(draft, run, fault)
    return bool(draft.moves)


def _plan(draft: Draft, run: Run) -> None:
    journey = journey_of(draft, run)
    state = journey.states[run.state]
    before = draft.base.enrolments.get(run.enrolment_id)
    entered_now = before is None or before.visit != run.visit
    for anchor in draft.program.outline(journey, state).anchors:
        if entered_now or any(_changed(draft, run, before, path) for path in anchor.paths):
            _move(draft, run, state, anchor)


def _changed(draft: Draft, run: Run, before: Enrolment | None, path: Path) -> bool:
    """Whether this step has written what stands at `path`."""
    assert before is not None, "only a run that was there before can have changed"
    root, name = path[0], path[1] if len(path) > 1 else ""
    match root:
        case "vars":
            return _differ(before.values, run.values, name)
        case "slots":
            return _differ(before.slots, run.slots, name)
        case "customer" if name in _KEPT_BY_ENGINE:
            return bool(getattr(draft.base, name) != getattr(draft, name))
        case "customer":
            return _differ(draft.base.attributes, draft.attributes, name)
        case _:
            return _differ(before.saved, run.saved, root)


def _differ(before: Mapping[str, Json], after: Mapping[str, Json], name: str) -> bool:
    return before.get(name) != after.get(name) if name else before != after


def _move(draft: Draft, run: Run, state: State, anchor: Anchor) -> None:
    """Arm it for its new moment. One that has fired comes again when that lies ahead."""
    owner = run.enrolment_id
    armed = next((t for t in draft.timers if t.owner == owner and t.timer_id == anchor.timer_id), None)
    named = next((one for one in state.timers if NAMED + one.timer_id == anchor.timer_id), None)
    if named is not None:
        due_at = waiting.due_at_of(draft, run, named)
    elif isinstance(state.doing, Wait):
        due_at = waiting.release_at(draft, run, state.doing) or draft.now
    else:
        return
    comes_at = max(due_at, draft.now)
    if armed is not None and armed.due_at == comes_at:
        return
    if due_at > draft.now:
        draft.set_timer(owner, anchor.timer_id, due_at, visit=run.visit)
        draft.trace("rearmed", run, timer=anchor.timer_id.removeprefix(NAMED), due_at=due_at.isoformat())
    elif armed is not None and armed.due_at > draft.now:
        _now_past(draft, run, named, due_at)


def _now_past(draft: Draft, run: Run, named: NamedTimer | None, due_at: datetime) -> None:
    """What lay ahead has moved into the past: a wait is over, a timer does what it says of such a moment."""
    if named is None:
        draft.set_timer(run.enrolment_id, WAIT, draft.now, visit=run.visit)
        return
    draft.drop_timer(run.enrolment_id, NAMED + named.timer_id)
    waiting.over_already(draft, run, named, due_at)
