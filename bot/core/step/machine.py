"""The macro-step: moves are made one after the other until every enrolment rests.

Source: journey-language.md 3.2. The queue of moves is the draft's; whoever decides that an enrolment goes
on puts a move there, and nothing but this module makes moves.
"""

from typing import assert_never

from bot.core.effects import SendMessage
from bot.core.events import Json
from bot.core.expressions.values import EvaluationFault
from bot.core.journey import Ask, Branch, CallJourney, End, Handoff, OnError, State, Wait
from bot.core.step import asking, doing, entry, floor, handoff, tasks
from bot.core.step.copies import Run
from bot.core.step.draft import Draft, Move
from bot.core.step.limits import check_room
from bot.core.step.questions import journey_of, state_of
from bot.core.step.scope import faulted, guard_holds, plain, scope_of

MICROSTEPS_MAX = 50
"""Moves of an enrolment, and of all that it calls, in one step; beyond, it is stuck (`loop`)."""
MACROSTEPS_A_DAY_MAX = 200
"""Steps a day in which an enrolment moves; beyond, it is stuck (`too_many_steps_today`)."""
CALL_DEPTH_MAX = 3
OPERATORS = "role:运营值班"
"""Who gets a task when an enrolment is stuck."""


def come_to_rest(draft: Draft) -> None:
    """Make all moves that wait and those that follow from them, then let the floor settle, until nothing moves.

    It ends because every enrolment may move `MICROSTEPS_MAX` times.
    """
    while True:
        while draft.moves:
            _make(draft, draft.moves.popleft())
        floor.settle(draft)
        if not draft.moves:
            return


def _make(draft: Draft, move: Move) -> None:
    run = draft.runs.get(move.enrolment_id)
    if run is None or run.status == "stuck" or run.visit != move.visit:
        if move.error:
            draft.trace("error", run, error=move.error, outcome="overtaken", enrolment=move.enrolment_id)
        return
    if not _allowed(draft, run):
        return
    try:
        if move.error:
            _handle(draft, run, move)
        else:
            _enter(draft, run, move.target)
    except EvaluationFault as fault:
        faulted(draft, run, fault)


def _allowed(draft: Draft, run: Run) -> bool:
    """Count the micro-step; beyond a limit the enrolment is stuck, with all that belongs to the same call."""
    root = draft.root_of(run)
    made = draft.stepped.get(root.enrolment_id, 0)
    if made == 0:
        today = draft.today.isoformat()
        root.day_count = root.day_count + 1 if root.day == today else 1
        root.day = today
    draft.stepped[root.enrolment_id] = made + 1
    if made >= MICROSTEPS_MAX:
        _stick(draft, root, "loop")
        return False
    if root.day_count > MACROSTEPS_A_DAY_MAX:
        _stick(draft, root, "too_many_steps_today")
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
    if state.when is not None:
        visit = (run.enrolment_id, run.visit)
        draft.passed.add(visit)
        if not guard_holds(draft, run, state.when):
            _go_on(draft, run, state.otherwise)
            return
        draft.passed.discard(visit)
    if doing.perform(draft, run, state.do):
        begin(draft, run, state)


def begin(draft: Draft, run: Run, state: State) -> None:
    """What the state does once its actions are done. EvaluationFault: a guard of its branch is no condition."""
    match state.doing:
        case None:
            _go_on(draft, run, state.then)
        case Ask() as ask:
            asking.enter(draft, run, ask)
        case Wait(duration=duration):
            begins = draft.put_off.get(run.enrolment_id, draft.now)
            draft.set_timer(run.enrolment_id, "wait", begins + duration, visit=run.visit)
            floor.release(draft, run)
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
    if draft.depth_of(run) >= CALL_DEPTH_MAX:
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
    give_back(draft, run, end.label, returned)


def give_back(draft: Draft, run: Run, end: str, returned: dict[str, Json]) -> None:
    """End `run`; whoever called it gets `returned` and the label, and goes on."""
    close(draft, run, end)
    parent = draft.runs.get(run.parent) if run.parent else None
    if parent is None:
        return
    state = state_of(draft, parent)
    if isinstance(state.doing, CallJourney):
        if state.doing.save and not _save(draft, parent, state.doing.save, {**returned, "end": end}):
            return
        draft.go(parent, state.then)


def _save(draft: Draft, run: Run, name: str, returned: dict[str, Json]) -> bool:
    """Keep what a called journey gave back. False: it is more than the enrolment may carry, an error of its journey."""
    try:
        check_room(run, {name: returned})
    except EvaluationFault as fault:
        faulted(draft, run, fault, place=name)
        return False
    run.saved[name] = returned
    draft.scopes.pop(run.enrolment_id, None)
    return True


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
        floor.release(draft, run)
    if run.parent is None:
        draft.remember_end(run, end)


def leave(draft: Draft, run: Run) -> None:
    """Leave the state: timers die, children end, reminders and marketing of this visit are held back."""
    if run.state and (run.enrolment_id, run.visit) not in draft.passed:
        run.counts[run.state] = run.counts.get(run.state, 0) + 1
    draft.drop_timer(run.enrolment_id)
    run.pending = None
    floor.unqueue(draft, run)
    for child in draft.children_of(run):
        close(draft, child, "cancelled")
    if draft.tasks:
        handoff.withdraw(draft, run)
    _hold_back(draft, run)


def _hold_back(draft: Draft, run: Run) -> None:
    """Reminders and marketing that this visit planned in an earlier step and that have not left shall not leave."""
    waiting = [
        unsent.effect_id
        for talk in draft.talks.values()
        for unsent in talk.unsent
        if unsent.send_class in ("reminder", "marketing")
        and unsent.enrolment_id == run.enrolment_id
        and unsent.visit == run.visit
    ]
    if waiting:
        planned_now = {effect.effect_id for effect in draft.effects if isinstance(effect, SendMessage)}
        doing.suppress(draft, [effect for effect in waiting if effect not in planned_now], "left_state")


def _handle(draft: Draft, run: Run, move: Move) -> None:
    """Search who handles the error: the journey, then whoever called it; nobody: the enrolment is stuck.

    An error that comes back in the same state in the same step counts as unhandled.
    """
    rule = _rule(journey_of(draft, run).errors, move.error)
    parent = draft.runs.get(run.parent) if run.parent else None
    known = (run.enrolment_id, run.state, move.error)
    if rule is not None and known not in draft.handled:
        draft.handled.add(known)
        _trace_error(draft, run, move, outcome="handled")
        doing.perform(draft, run, rule.do, {"error": {"code": move.error}})
        _go_on(draft, run, rule.goto)
    elif parent is not None:
        _trace_error(draft, run, move, outcome="raised_in_caller")
        close(draft, run, f"error:{move.error}")
        draft.fail(parent, move.error)
    else:
        _stick(draft, run, move.error, place=move.place)


def _trace_error(draft: Draft, run: Run, move: Move, *, outcome: str) -> None:
    place = {"guard": move.place} if move.place else {}
    draft.trace("error", run, error=move.error, outcome=outcome, **place)


def _rule(rules: tuple[OnError, ...], error: str) -> OnError | None:
    """The rule that names the error most closely: itself, its family, everything; ties by the order of the file."""
    families = [rule for rule in rules if rule.error != "*" and _belongs(error, rule.error.removesuffix(".*"))]
    if families:
        return max(families, key=lambda rule: len(rule.error.removesuffix(".*")))
    return next((rule for rule in rules if rule.error == "*"), None)


def _belongs(error: str, family: str) -> bool:
    return error == family or error.startswith(f"{family}.")


def _stick(draft: Draft, run: Run, error: str, *, place: str = "") -> None:
    """Park the enrolment, let go of the floor, and tell the people who operate the journeys."""
    leave(draft, run)
    run.status = "stuck"
    detail = {"guard": place} if place else {}
    draft.trace("error", run, error=error, outcome="stuck", **detail)
    floor.release(draft, run)
    title = f"旅程 {run.journey} 卡在 {run.state}：{error}"
    tasks.give(draft, run, tasks.Order(to=OPERATORS, title=title))


def check_goal(draft: Draft, run: Run) -> None:
    """Count the goal once, when its condition has turned true since entry, or its event came, in time.

    A condition that cannot be evaluated counts nothing, and the journal says so: a goal only measures.
    """
    journey = draft.program.library.journeys.get(run.journey)
    goal = journey.goal if journey else None
    if goal is None or run.goal_reached or run.goal_held_at_entry:
        return
    if goal.within is not None and draft.now - run.entered_at > goal.within:
        return
    event = draft.event
    came = event is not None and event.type == goal.event and run.enrolment_id not in draft.begun
    if came or (goal.when is not None and entry.goal_holds(draft, run, goal.when)):
        run.goal_reached = True
        draft.trace("goal", run, goal=goal.name)
