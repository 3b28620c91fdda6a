"""Handing a waiting customer to a colleague: offered, passed on, accepted, closed."""

from bot.core.customer import Task
from bot.core.events import Json
from bot.core.expressions.values import EvaluationFault
from bot.core.ids import StaffId
from bot.core.states import Handoff
from bot.core.step import emitting, floor, tasks
from bot.core.step.copies import Run
from bot.core.step.draft import Draft
from bot.core.step.questions import state_of
from bot.core.step.scope import faulted, scope_of


def enter(draft: Draft, run: Run, wanted: Handoff) -> bool:
    """Offer the customer to somebody on duty. False: off hours, or nobody is there; take the fallback."""
    hours = draft.program.rules.working_hours.get(wanted.hours)
    if hours is not None and not tasks.is_open(draft, hours):
        draft.trace("handoff", run, outcome="off_hours", hours=wanted.hours)
        return False
    if not _offer(draft, run, wanted, ()):
        return False
    floor.take_if_free(draft, run)
    return True


def _offer(draft: Draft, run: Run, wanted: Handoff, tried: tuple[StaffId, ...]) -> bool:
    title = draft.program.text(wanted.note, scope_of(draft, run)).strip()
    order = tasks.Order(to=wanted.to, title=title, kind="handoff", on_duty=True, tried=tried)
    task = tasks.give(draft, run, order)
    if task is None:
        draft.trace("handoff", run, outcome="nobody_on_duty")
        return False
    draft.set_timer(run.enrolment_id, "accept", draft.now + wanted.accept_within, visit=run.visit)
    draft.trace("handoff", run, outcome="offered", staff_id=task.staff_id)
    return True


def pass_on(draft: Draft, task: Task) -> None:
    """She is busy, or cannot be reached: offer it to the next; nobody left: take the fallback."""
    run = run_of(draft, task)
    tasks.drop(draft, task, "withdrawn")
    wanted = state_of(draft, run).doing if run is not None else None
    if run is None or not isinstance(wanted, Handoff):
        return
    tried = (*task.tried, task.staff_id) if task.staff_id else task.tried
    try:
        is_offered = _offer(draft, run, wanted, tried)
    except EvaluationFault as fault:
        faulted(draft, run, fault)
        return
    if not is_offered:
        fall_back(draft, run, wanted)


def finish(draft: Draft, task: Task) -> None:
    """The customer was talked to: the task is done, and the enrolment that waited for it goes on."""
    run = run_of(draft, task)
    tasks.drop(draft, task, "done")
    told: dict[str, Json] = {"journey": task.journey, "staff_id": task.staff_id, "title": task.title}
    emitting.tell(draft, "handoff.closed" if task.kind == "handoff" else "task.done", told)
    if run is not None:
        draft.go(run, state_of(draft, run).then)


def unaccepted(draft: Draft, run: Run) -> None:
    """Nobody accepted in time."""
    wanted = state_of(draft, run).doing
    if isinstance(wanted, Handoff):
        draft.trace("handoff", run, outcome="not_accepted_in_time")
        fall_back(draft, run, wanted)


def fall_back(draft: Draft, run: Run, wanted: Handoff) -> None:
    """Nobody can take her: go where the state says, or else it is the error `handoff.nobody`."""
    if wanted.fallback:
        draft.go_at_once(run, wanted.fallback)
    else:
        draft.fail(run, "handoff.nobody")


def withdraw(draft: Draft, run: Run) -> None:
    """The enrolment leaves the state: an offer that nobody accepted is void."""
    for task in list(draft.tasks.values()):
        if task.kind == "handoff" and task.enrolment_id == run.enrolment_id and task.status == "open":
            tasks.drop(draft, task, "withdrawn")


def run_of(draft: Draft, task: Task) -> Run | None:
    """The enrolment that waits in the handoff of `task`, None when it went on, or the task is none."""
    run = draft.runs.get(task.enrolment_id) if task.enrolment_id and task.kind == "handoff" else None
    if run is None or run.visit != task.visit or not isinstance(state_of(draft, run).doing, Handoff):
        return None
    return run


def is_waiting(draft: Draft, run: Run) -> bool:
    """Whether the customer waits here for a colleague, so that the bot has nothing to say."""
    return run.status == "active" and run.state != "" and isinstance(state_of(draft, run).doing, Handoff)
