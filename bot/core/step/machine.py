"""The macro-step: moves are made one after the other until every enrolment rests.

Source: journey-language.md 3.2. The queue of moves is the draft's; whoever decides that an enrolment goes
on puts a move there, and nothing but this module makes moves.
"""

from typing import assert_never

from bot.core.effects import SendMessage
from bot.core.expressions.values import EvaluationFault
from bot.core.journey import Ask, Branch, CallJourney, End, Handoff, OnError, State, Wait
from bot.core.step import asking, doing, entry, floor, handoff, tasks
from bot.core.step.draft import Draft, Move, Run
from bot.core.step.questions import journey_of, state_of
from bot.core.step.scope import guard_holds, plain, scope_of

MICROSTEPS_MAX = 50
MACROSTEPS_A_DAY_MAX = 200
CALL_DEPTH_MAX = 3
OPERATORS = "role:运营值班"
"""Who gets a task when an enrolment is stuck."""


def drain(draft: Draft) -> None:
    """Make all moves that wait, and those that follow from them."""
    while draft.moves:
        move = draft.moves.popleft()
        run = draft.runs.get(move.enrolment_id)
        if run is None or run.status == "stuck" or run.visit != move.visit:
            continue
        if not _allowed(draft, run):
            continue
        try:
            if move.error:
                _handle(draft, run, move.error)
            else:
                _enter(draft, run, move.target)
        except EvaluationFault as fault:
            draft.fail(run, fault.code)


def _allowed(draft: Draft, run: Run) -> bool:
    """Count the micro-step; beyond a limit the run is stuck."""
    made = draft.stepped.get(run.enrolment_id, 0)
    if made == 0:
        today = draft.now.astimezone(draft.program.zone).date().isoformat()
        run.day_count = run.day_count + 1 if run.day == today else 1
        run.day = today
    draft.stepped[run.enrolment_id] = made + 1
    if made >= MICROSTEPS_MAX:
        _stick(draft, run, "loop")
        return False
    if run.day_count > MACROSTEPS_A_DAY_MAX:
        _stick(draft, run, "too_many_steps_today")
        return False
    return True


def _go_on(draft: Draft, run: Run, target: str) -> None:
    """Move on at once, before anything else that waits."""
    draft.moves.appendleft(Move(enrolment_id=run.enrolment_id, visit=run.visit, target=target))


def _enter(draft: Draft, run: Run, target: str) -> None:
    state = journey_of(draft, run).states[target]
    leave(draft, run)
    draft.trace("moved", run, to=target)
    run.previous, run.state = run.state, target
    run.visit += 1
    run.state_entered_at = draft.now
    if state.when is not None and not guard_holds(draft, run, state.when):
        _go_on(draft, run, state.otherwise)
        return
    run.counts[target] = run.counts.get(target, 0) + 1
    if doing.perform(draft, run, state.do):
        _begin(draft, run, state)
    if run.enrolment_id in draft.runs and not isinstance(state.doing, Ask | CallJourney | Handoff):
        floor.release(draft, run)


def _begin(draft: Draft, run: Run, state: State) -> None:
    match state.doing:
        case None:
            _go_on(draft, run, state.then)
        case Ask() as ask:
            asking.enter(draft, run, ask)
        case Wait(duration=duration):
            begins = draft.put_off.get(run.enrolment_id, draft.now)
            draft.set_timer(run.enrolment_id, "wait", begins + duration, visit=run.visit)
        case Branch(arms=arms):
            _go_on(draft, run, next(a.goto for a in arms if a.when is None or guard_holds(draft, run, a.when)))
        case CallJourney() as call:
            _call(draft, run, call)
        case Handoff() as wanted:
            if not handoff.enter(draft, run, wanted):
                _go_on(draft, run, wanted.fallback)
        case End() as end:
            _end(draft, run, end)
        case _:
            assert_never(state.doing)


def _call(draft: Draft, run: Run, call: CallJourney) -> None:
    depth, above = 1, run
    while above.parent is not None and above.parent in draft.runs:
        depth, above = depth + 1, draft.runs[above.parent]
    if depth > CALL_DEPTH_MAX:
        draft.fail(run, "call.depth")
        return
    child = entry.begin_run(
        draft,
        entry.Opening(
            journey=draft.program.journey(call.journey),
            conversation_id=run.conversation_id,
            arguments=entry.arguments_of(draft, run, call.arguments),
            parent=run,
            cause=f"call:{run.journey}",
        ),
        key="",
    )
    if run.enrolment_id in draft.interrupting:
        draft.interrupting.add(child.enrolment_id)


def _end(draft: Draft, run: Run, end: End) -> None:
    scope = scope_of(draft, run)
    returned = {name: plain(draft.program.value(value, scope)) for name, value in end.returns}
    close(draft, run, end.label)
    parent = draft.runs.get(run.parent) if run.parent else None
    if parent is None:
        return
    call = state_of(draft, parent).doing
    if isinstance(call, CallJourney):
        if call.save:
            parent.saved[call.save] = {**returned, "end": end.label}
        draft.go(parent, state_of(draft, parent).then)


def close(draft: Draft, run: Run, end: str) -> None:
    """End `run`: its timers, questions and children go with it; what it planned for now still leaves."""
    check_goal(draft, run)
    leave(draft, run)
    draft.trace("ended", run, end=end)
    del draft.runs[run.enrolment_id]
    parent = draft.runs.get(run.parent) if run.parent else None
    if parent is not None:
        floor.give_back(draft, run, parent)
    else:
        draft.remember_end(run, end)
        floor.release(draft, run)


def leave(draft: Draft, run: Run) -> None:
    """Leave the state: timers die, children end, reminders and marketing of this visit are held back."""
    draft.drop_timer(run.enrolment_id)
    run.pending = None
    for child in [child for child in draft.runs.values() if child.parent == run.enrolment_id]:
        close(draft, child, "cancelled")
    handoff.withdraw(draft, run)
    planned_now = {effect.effect_id for effect in draft.effects if isinstance(effect, SendMessage)}
    stale = [
        unsent.effect_id
        for talk in draft.talks.values()
        for unsent in talk.unsent
        if unsent.enrolment_id == run.enrolment_id
        and unsent.visit == run.visit
        and unsent.send_class in ("reminder", "marketing")
        and unsent.effect_id not in planned_now
    ]
    doing.suppress(draft, stale, "left_state")


def _handle(draft: Draft, run: Run, error: str) -> None:
    """Search who handles `error`: the journey, then whoever called it; nobody: the run is stuck."""
    draft.trace("error", run, error=error)
    if run.enrolment_id in draft.failing:
        _stick(draft, run, error)
        return
    draft.failing.add(run.enrolment_id)
    rule = next((rule for rule in journey_of(draft, run).errors if _covers(rule, error)), None)
    parent = draft.runs.get(run.parent) if run.parent else None
    if rule is not None and rule.goto:
        doing.perform(draft, run, rule.do, {"error": {"code": error}})
        _go_on(draft, run, rule.goto)
    elif parent is not None:
        close(draft, run, f"error:{error}")
        draft.fail(parent, error)
    else:
        _stick(draft, run, error)


def _covers(rule: OnError, error: str) -> bool:
    return rule.error in ("*", error) or (rule.error.endswith(".*") and error.startswith(rule.error[:-1]))


def _stick(draft: Draft, run: Run, error: str) -> None:
    """Park the enrolment, let go of the floor, and tell the people who operate the journeys."""
    run.status = "stuck"
    run.pending = None
    draft.drop_timer(run.enrolment_id)
    draft.trace("error", run, error=error, outcome="stuck")
    floor.release(draft, run)
    title = f"旅程 {run.journey} 卡在 {run.state}：{error}"
    tasks.give(draft, run, tasks.Order(to=OPERATORS, title=title))


def check_goal(draft: Draft, run: Run) -> None:
    """Count the goal once, when its condition has turned true since entry, or its event came, in time."""
    goal = journey_of(draft, run).goal
    if goal is None or run.goal_reached or run.goal_held_at_entry:
        return
    if goal.within is not None and draft.now - run.entered_at > goal.within:
        return
    event = draft.event
    came = bool(goal.event) and event is not None and event.type == goal.event
    if came or (goal.when is not None and draft.program.guard(goal.when, scope_of(draft, run))):
        run.goal_reached = True
        draft.trace("goal", run, goal=goal.name)
