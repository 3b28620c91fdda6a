"""What holds of every customer between two steps, whatever happened to her."""

from collections import Counter

from bot.core.customer import Conversation, Customer, Enrolment, Timer
from bot.core.ids import EnrolmentId
from bot.core.program import Program
from bot.core.states import Ask, Book, CallJourney, Handoff, Wait, Webhook
from bot.core.step.copies import HOLDOUT
from bot.core.step.entry import ENTRY_OWNER
from bot.core.step.floor import ASKS_LATER, FLOOR_OWNER, STACK_MAX
from bot.core.step.tasks import TASK_OWNER


def broken(customer: Customer, program: Program) -> list[str]:
    """Every rule that does not hold, in words; empty when all do."""
    return [
        *_queue(customer),
        *_enrolments(customer, program),
        *_ages(customer, program),
        *_timers(customer),
        *_floors(customer, program),
        *_people(customer),
    ]


def _ages(customer: Customer, program: Program) -> list[str]:
    """No run grows older than it may unseen: a step comes by then."""
    first = min((timer.due_at for timer in customer.timers), default=None)
    aging = [run for run in customer.enrolments.values() if run.status == "active" and not run.parent]
    old = [
        run for run in aging if first is None or run.entered_at + program.journey(run.journey).limits.max_age < first
    ]
    return [f"nobody ends {run.journey} when it is too old" for run in old]


def _enrolments(customer: Customer, program: Program) -> list[str]:
    found = [
        f"{run.journey}.{run.state} neither waits nor is stuck"
        for run in customer.enrolments.values()
        if run.status == "active" and not _rests(customer, program, run)
    ]
    orphans = [
        run.journey for run in customer.enrolments.values() if run.parent and run.parent not in customer.enrolments
    ]
    found += [f"{journey} was called by nobody who lives" for journey in orphans]
    active = Counter(
        (run.journey, run.key) for run in customer.enrolments.values() if run.status == "active" and not run.parent
    )
    found += [f"{identity} runs {count} times" for identity, count in active.items() if count > 1]
    stuck = [run for run in customer.enrolments.values() if run.status == "stuck"]
    found += [f"{run.journey} is stuck and still asks" for run in stuck if run.pending is not None]
    return found


def _rests(customer: Customer, program: Program, run: Enrolment) -> bool:
    """Whether something that can still happen will move the enrolment on."""
    timers = {timer.timer_id for timer in customer.timers if timer.owner == run.enrolment_id}
    if run.arm == HOLDOUT:
        return run.state == "" and run.visit == 0 and run.pending is None and run.conversation_id is None
    doing = program.journey(run.journey).states[run.state].doing
    match doing:
        case Ask(slot=slot):
            return run.pending is not None and run.pending.slot == slot and _is_heard(customer, program, run, timers)
        case Wait(span=None, until=None):
            return run.pending is None and "wait" not in timers
        case Wait():
            return run.pending is None and "wait" in timers
        case CallJourney():
            return any(child.parent == run.enrolment_id for child in customer.enrolments.values())
        case Handoff():
            here = (run.enrolment_id, run.visit)
            offers = [t for t in customer.tasks.values() if t.kind == "handoff" and (t.enrolment_id, t.visit) == here]
            return bool(offers) and ("accept" in timers or any(t.status == "accepted" for t in offers))
        case Book() | Webhook():
            return run.awaiting is not None and run.pending is None
        case _:
            return False


def _is_heard(customer: Customer, program: Program, run: Enrolment, timers: set[str]) -> bool:
    talk = customer.conversations.get(run.conversation_id) if run.conversation_id else None
    assert run.pending is not None, "only an open question is heard"
    if run.pending.phase in ("asked", "confirming"):
        on_top = talk is None or (talk.floor[-1:] == (run.enrolment_id,) and talk.human is None)
        return "timeout" in timers and (on_top or _is_shared(customer, program, run))
    standing = {*talk.floor, *talk.queue} if talk is not None else set()
    return "timeout" not in timers and bool(standing & {run.enrolment_id, *_repairs_of(customer, run)})


def _is_shared(customer: Customer, program: Program, run: Enrolment) -> bool:
    while run.parent is not None:
        run = customer.enrolments[run.parent]
    return program.journey(run.journey).focus.floor == "shared"


def _repairs_of(customer: Customer, run: Enrolment) -> set[EnrolmentId]:
    """Repair journeys that stand in the place of `run`, and those in theirs."""
    own = {one.enrolment_id for one in customer.enrolments.values() if one.parent == run.enrolment_id and one.repair}
    return own.union(*(_repairs_of(customer, customer.enrolments[one]) for one in own))


def _queue(customer: Customer) -> list[str]:
    """Whoever waits to enter is let in by the end of a run, or by a timer."""
    roots = [run for run in customer.enrolments.values() if run.status == "active" and not run.parent]
    active = {f"{run.journey}|{run.key}" for run in roots}
    alarms = {timer.timer_id for timer in customer.timers if timer.owner == ENTRY_OWNER}
    waiting = {place: place in (active if one.not_before is None else alarms) for place, one in customer.queued.items()}
    return [f"nobody lets {place} in" for place, is_awaited in waiting.items() if not is_awaited]


def _timers(customer: Customer) -> list[str]:
    return [
        f"timer {timer.timer_id} of {timer.owner} is dead" for timer in customer.timers if not _lives(customer, timer)
    ]


def _lives(customer: Customer, timer: Timer) -> bool:
    match timer.owner:
        case owner if owner == TASK_OWNER:
            return any(task.task_id == timer.timer_id for task in customer.tasks.values())
        case owner if owner == ENTRY_OWNER:
            return timer.timer_id in customer.queued and customer.queued[timer.timer_id].not_before == timer.due_at
        case owner if owner == FLOOR_OWNER:
            return any(key == timer.timer_id and talk.human for key, talk in customer.conversations.items())
        case owner:
            return any(
                run.enrolment_id == owner and run.visit == timer.visit and run.status == "active"
                for run in customer.enrolments.values()
            )


def _floors(customer: Customer, program: Program) -> list[str]:
    found = []
    for talk in customer.conversations.values():
        standing = [*talk.floor, *talk.queue]
        found += [f"{one} stands on the floor twice" for one, count in Counter(standing).items() if count > 1]
        found += [f"{one} stands on the floor and is gone" for one in standing if one not in customer.enrolments]
        if len(talk.floor) > STACK_MAX:
            found.append("too many stand on the floor")
        sharing = [one for one in talk.queue if _is_shared(customer, program, customer.enrolments[one])]
        if len(talk.queue) > len(sharing) and not talk.floor and talk.human is None:
            found.append("the floor is free and somebody waits for it")
        later = {timer.owner for timer in customer.timers if timer.timer_id == ASKS_LATER}
        found += [f"nobody asks {one} later" for one in sharing if one not in later and talk.human is None]
        standing_alone = [one for one in talk.floor if _is_shared(customer, program, customer.enrolments[one])]
        found += [f"{one} stands on the floor that it only shares" for one in standing_alone]
        found += _questions(customer, program, talk)
    return found


def _questions(customer: Customer, program: Program, talk: Conversation) -> list[str]:
    """One question at most stands open in a conversation, besides those of journeys that share the floor."""
    open_ = [
        run.journey
        for run in customer.enrolments.values()
        if run.conversation_id == talk.conversation_id
        and run.pending is not None
        and run.pending.phase in ("asked", "confirming")
        and not _is_shared(customer, program, run)
    ]
    return [f"{open_} ask in one conversation at once"] if len(open_) > 1 else []


def _people(customer: Customer) -> list[str]:
    held = [talk for talk in customer.conversations.values() if talk.human is not None]
    watched = {timer.timer_id for timer in customer.timers if timer.owner == FLOOR_OWNER}
    return [f"nobody ends the hold of {t.conversation_id}" for t in held if t.conversation_id not in watched]
