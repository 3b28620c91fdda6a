"""The macro-step: moves are made one after the other until every enrolment rests.

Source: journey-language.md 3.2. The queue of moves is the draft's; whoever decides that an enrolment goes
on puts a move there, and nothing but this module makes moves.
"""

from typing import assert_never

from bot.core.expressions.values import EvaluationFault
from bot.core.states import Ask, Book, Branch, CallJourney, End, Handoff, Split, State, Wait, Webhook
from bot.core.step import (
    asking,
    calls,
    doing,
    entry,
    errands,
    errors,
    floor,
    groups,
    handoff,
    lookback,
    repairs,
    splitting,
    waiting,
)
from bot.core.step.copies import Run
from bot.core.step.draft import Draft, Move, make_move
from bot.core.step.leaving import give_back, leave
from bot.core.step.questions import journey_of
from bot.core.step.scope import faulted, guard_holds, plain, scope_of

MICROSTEPS_MAX = 50
"""Moves of an enrolment, and of all that it calls, in one step; beyond, it is the error `loop`, caught once."""
WAY_OUT_MAX = 10
"""Moves that a rule for `loop` has for its way out in the same step; beyond, the enrolment is stuck."""
MOVES_MAX = 600
"""Moves of all enrolments in one step; beyond, whoever would move is stuck (`loop`), and no rule is asked: what one
step costs is bounded."""
MACROSTEPS_A_DAY_MAX = 200
"""Steps a day in which an enrolment moves; beyond, it is stuck (`too_many_steps_today`)."""


def come_to_rest(draft: Draft) -> None:
    """Make all moves that wait and those that follow from them, then let the floor settle, until nothing moves.

    It ends because every enrolment may move `MICROSTEPS_MAX` times, and all together `MOVES_MAX`.
    """
    while True:
        while draft.moves:
            _make(draft, draft.moves.popleft())
        floor.settle(draft)
        if draft.queued:
            entry.let_in(draft)
        if not draft.moves:
            return


def _make(draft: Draft, move: Move) -> None:
    run = draft.runs.get(move.enrolment_id)
    if run is None or run.status == "stuck" or run.visit != move.visit:
        if move.error:
            draft.trace("error", run, error=move.error, outcome="overtaken", enrolment=move.enrolment_id)
        return
    try:
        if not _allowed(draft, run):
            return
        if move.error:
            errors.handle(draft, run, move)
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
    draft.moved += 1
    if root.day_count > MACROSTEPS_A_DAY_MAX:
        errors.stick(draft, root, "too_many_steps_today")
        return False
    if made < MICROSTEPS_MAX and draft.moved <= MOVES_MAX:
        return True
    return _may_lead_out(draft, root, run, made)


def _may_lead_out(draft: Draft, root: Run, run: Run, made: int) -> bool:
    """Break a loop: once in a step whoever takes care of the error `loop` may, with few moves left; then it is stuck.

    True: this move belongs to a way out that began before.
    """
    if draft.moved > MOVES_MAX or made >= MICROSTEPS_MAX + WAY_OUT_MAX:
        errors.stick(draft, root, "loop")
        return False
    if root.enrolment_id in draft.broken:
        return True
    draft.broken.add(root.enrolment_id)
    errors.handle(draft, run, make_move(enrolment_id=run.enrolment_id, visit=run.visit, error="loop"))
    return False


def _enter(draft: Draft, run: Run, target: str) -> None:
    journey = journey_of(draft, run)
    if journey.groups:
        groups.remember_place(draft, journey, run)
        target = groups.state_named(journey, run, target)
    state = journey.states[target]
    if run.state:
        leave(draft, run)
    draft.trace("moved", run, to=target)
    run.previous, run.state = run.state, target
    run.visit += 1
    run.state_entered_at = draft.now
    if run.conversation_id is None:
        run.conversation_id = entry.latest_conversation(draft, journey_of(draft, run).channel)
    if state.when is not None:
        visit = (run.enrolment_id, run.visit)
        draft.passed.add(visit)
        if not guard_holds(draft, run, state.when):
            draft.go_at_once(run, state.otherwise)
            return
        draft.passed.discard(visit)
    if not state.do or doing.perform(draft, run, state.do):
        begin(draft, run, state)


def begin(draft: Draft, run: Run, state: State) -> None:
    """What the state does once its actions are done. EvaluationFault: a guard or a moment cannot be worked out."""
    if waiting.rests(state.doing):
        waiting.arm(draft, run, state)
        if lookback.catch_up(draft, run):
            return
    match state.doing:
        case None:
            draft.go_at_once(run, state.then)
        case Ask() as ask:
            asking.enter(draft, run, ask)
        case Wait() as wait:
            waiting.begin(draft, run, wait)
        case Branch(arms=arms):
            draft.go_at_once(run, next(a.goto for a in arms if a.when is None or guard_holds(draft, run, a.when)))
        case CallJourney() as call:
            calls.begin(draft, run, call)
        case Handoff() as wanted:
            if not handoff.enter(draft, run, wanted):
                handoff.fall_back(draft, run, wanted)
        case End() as end:
            _end(draft, run, end)
        case Split() as split:
            draft.go_at_once(run, splitting.choose(draft, run, split))
        case Book() as wanted_place:
            errands.book(draft, run, wanted_place)
        case Webhook() as webhook:
            errands.call_webhook(draft, run, webhook)
        case _:
            assert_never(state.doing)


def _end(draft: Draft, run: Run, end: End) -> None:
    scope = scope_of(draft, run)
    returned = {name: plain(draft.program.value(value, scope)) for name, value in end.returns}
    if run.repair is not None:
        repairs.ended(draft, run, end.label, returned)
    else:
        give_back(draft, run, end.label, returned)
