"""What holds of every customer between two steps, whatever happened to her."""

from collections import Counter

from bot.core.customer import Customer, Enrolment, Timer
from bot.core.journey import Ask, CallJourney, Handoff, Wait
from bot.core.program import Program
from bot.core.step.floor import FLOOR_OWNER, STACK_MAX
from bot.core.step.tasks import TASK_OWNER


def broken(customer: Customer, program: Program) -> list[str]:
    """Every rule that does not hold, in words; empty when all do."""
    return [*_enrolments(customer, program), *_timers(customer), *_floors(customer), *_people(customer)]


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
    doing = program.journey(run.journey).states[run.state].doing
    match doing:
        case Ask(slot=slot):
            return run.pending is not None and run.pending.slot == slot and _is_heard(customer, run, timers)
        case Wait():
            return run.pending is None and timers == {"wait"}
        case CallJourney():
            return any(child.parent == run.enrolment_id for child in customer.enrolments.values())
        case Handoff():
            here = (run.enrolment_id, run.visit)
            offers = [t for t in customer.tasks.values() if t.kind == "handoff" and (t.enrolment_id, t.visit) == here]
            return bool(offers) and (timers == {"accept"} or any(t.status == "accepted" for t in offers))
        case _:
            return False


def _is_heard(customer: Customer, run: Enrolment, timers: set[str]) -> bool:
    talk = customer.conversations.get(run.conversation_id) if run.conversation_id else None
    assert run.pending is not None, "only an open question is heard"
    if run.pending.phase in ("asked", "confirming"):
        return timers == {"timeout"} and (
            talk is None or (talk.floor[-1:] == (run.enrolment_id,) and talk.human is None)
        )
    waits = talk is not None and run.enrolment_id in (*talk.floor, *talk.queue)
    return not timers and waits


def _timers(customer: Customer) -> list[str]:
    return [
        f"timer {timer.timer_id} of {timer.owner} is dead" for timer in customer.timers if not _lives(customer, timer)
    ]


def _lives(customer: Customer, timer: Timer) -> bool:
    match timer.owner:
        case owner if owner == TASK_OWNER:
            return any(task.task_id == timer.timer_id for task in customer.tasks.values())
        case owner if owner == FLOOR_OWNER:
            return any(key == timer.timer_id and talk.human for key, talk in customer.conversations.items())
        case owner:
            return any(
                run.enrolment_id == owner and run.visit == timer.visit and run.status == "active"
                for run in customer.enrolments.values()
            )


def _floors(customer: Customer) -> list[str]:
    found = []
    for talk in customer.conversations.values():
        standing = [*talk.floor, *talk.queue]
        found += [f"{one} stands on the floor twice" for one, count in Counter(standing).items() if count > 1]
        found += [f"{one} stands on the floor and is gone" for one in standing if one not in customer.enrolments]
        if len(talk.floor) > STACK_MAX:
            found.append("too many stand on the floor")
        if talk.queue and not talk.floor and talk.human is None:
            found.append("the floor is free and somebody waits for it")
    return found


def _people(customer: Customer) -> list[str]:
    held = [talk for talk in customer.conversations.values() if talk.human is not None]
    watched = {timer.timer_id for timer in customer.timers if timer.owner == FLOOR_OWNER}
    return [f"nobody ends the hold of {t.conversation_id}" for t in held if t.conversation_id not in watched]
