"""Ways out that are looked for before every macro-step: exits, and a goal that leads somewhere.

Source: journey-language.md 2.2, 3.2. What is only measured (a holdout) is looked at here too: it ends when there is
nothing more to measure.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from bot.core.arrival import EventArrived, Facts
from bot.core.customer import Customer
from bot.core.effects import SendMessage
from bot.core.entries import Exit, Goal
from bot.core.events import Event
from bot.core.ids import EnrolmentId, EventId
from bot.core.journey import Journey
from bot.core.library import Library
from bot.core.program import Program
from bot.core.step import draft as drafts
from bot.core.step.copies import Run
from bot.core.step.draft import Draft, ReadMissing
from bot.core.step.goals import check_goal, condition_holds
from bot.core.step.leaving import close
from bot.core.step.withholding import suppress

CHECK = "exit.check"
"""The event that has a customer's exits looked at, because one kept a message from leaving."""
EXIT = "exit"
"""Why such a message did not leave."""
_GOAL = "goal"
GOAL_REACHED, GOAL_MISSED, LEFT = "goal_reached", "goal_missed", "exit"
"""How a run ends that is only measured."""


@dataclass(frozen=True, slots=True)
class Watched:
    """The journeys that have a goal or an exit: the others are not looked at."""

    names: frozenset[str]


def watched(library: Library) -> Watched:
    return Watched(frozenset(name for name, one in library.journeys.items() if one.goal or one.exits or one.holdout))


def look(draft: Draft) -> None:
    """Before a macro-step: count the goals that are reached, and have those leave whose way out is open.

    Callers come before those they called, which end with them.
    """
    for run in _watched_runs(draft):
        if run.is_measured_only:
            _measure(draft, run)
        elif run.state:
            check_goal(draft, run)
            _take_way_out(draft, run)


def look_back(draft: Draft) -> None:
    """After a macro-step: count the goals that are reached now. Whoever leaves by one leaves at the next."""
    for run in _watched_runs(draft):
        if run.is_measured_only:
            _measure(draft, run)
        else:
            check_goal(draft, run)


def _watched_runs(draft: Draft) -> list[Run]:
    names = draft.program.kept(Watched, watched).names
    if not names or not draft.runs:
        return []
    found = [run for run in draft.runs.values() if run.journey in names and run.status == "active"]
    return sorted(found, key=draft.depth_of) if len(found) > 1 else found


def _measure(draft: Draft, run: Run) -> None:
    check_goal(draft, run)
    if run.goal_reached:
        close(draft, run, GOAL_REACHED)
    elif any(_is_open(draft, run, one) for one in _journey(draft, run).exits):
        close(draft, run, LEFT)


def nothing_more_to_measure(draft: Draft, run: Run) -> None:
    """The time for the goal of a run that is only measured is over."""
    close(draft, run, GOAL_MISSED)


@dataclass(frozen=True, slots=True, kw_only=True)
class _WayOut:
    goto: str
    by: str


def _take_way_out(draft: Draft, run: Run) -> None:
    found = _way_out(draft, run)
    if found is None:
        return
    draft.trace("exit", run, by=found.by, goto=found.goto)
    conditions = [one.when for one in _journey(draft, run).exits if one.when is not None and not one.event]
    held = [when.source for when in conditions if condition_holds(draft, run, when)]
    run.left_by = (*dict.fromkeys([*run.left_by, *held, *([_GOAL] if found.by == _GOAL else [])]),)
    if found.by != _GOAL:
        _take_back(draft, run)
    draft.left_now.add(run.enrolment_id)
    draft.go(run, found.goto)


def _take_back(draft: Draft, run: Run) -> None:
    """What it, and what it called, planned before and has not left shall not leave any more."""
    line = [run]
    for one in line:
        line += draft.children_of(one)
    names = {one.enrolment_id for one in line}
    waiting = [unsent for talk in draft.talks.values() for unsent in talk.unsent]
    suppress(draft, [unsent.effect_id for unsent in waiting if unsent.enrolment_id in names], EXIT)


def _way_out(draft: Draft, run: Run) -> _WayOut | None:
    """The first exit that is open, else that of a goal that was reached; None: it stays.

    A condition leads out once, and again only after it has not held for a while.
    """
    journey = _journey(draft, run)
    for one in journey.exits:
        holds = _is_open(draft, run, one)
        source = one.when.source if one.when is not None and not one.event else ""
        if holds and source not in run.left_by:
            return _WayOut(goto=one.goto, by=one.event or source)
        if not holds and source in run.left_by:
            run.left_by = tuple(known for known in run.left_by if known != source)
    if _leads_out(journey.goal) and run.goal_reached and _GOAL not in run.left_by:
        return _WayOut(goto=journey.goal.exit if journey.goal else "", by=_GOAL)
    return None


def _leads_out(goal: Goal | None) -> bool:
    return goal is not None and goal.exit != ""


def _is_open(draft: Draft, run: Run, exit_: Exit) -> bool:
    """Whether its condition holds, or its event has come after the one that began the run."""
    if exit_.event:
        event = draft.event
        if event is None or event.type != exit_.event:
            return False
        if run.enrolment_id in draft.begun and event is draft.external:
            return False
    return exit_.when is None or condition_holds(draft, run, exit_.when)


def _journey(draft: Draft, run: Run) -> Journey:
    return draft.program.library.journeys[run.journey]


def stands_in_the_way(program: Program, customer: Customer, effect: SendMessage, *, now: datetime) -> bool:
    """Whether the run that planned `effect`, or one that called it, has a way out open and so wants nothing sent.

    Costs nothing for journeys without a way out. What needs a read (`count`, `last`) is asked by the next step only.
    """
    line = _line(program, customer, effect.enrolment_id)
    if not line:
        return False
    draft = drafts.begin(program, customer, EventArrived(event=check_event(effect, now)), now, Facts())
    try:
        found = [_way_out(draft, draft.runs[one]) for one in line]
        # Reaching a goal takes nobody the answer to what she did.
        return any(one is not None and not (one.by == _GOAL and effect.reply) for one in found)
    except ReadMissing:
        return False
    finally:
        draft.scopes.clear()


def _line(program: Program, customer: Customer, enrolment_id: EnrolmentId | None) -> list[EnrolmentId]:
    """The enrolment and those that called it, as far as they go on and have a way out."""
    found: list[EnrolmentId] = []
    enrolment = customer.enrolments.get(enrolment_id) if enrolment_id else None
    while enrolment is not None:
        journey = program.library.journeys.get(enrolment.journey)
        if journey is not None and enrolment.status == "active" and (journey.exits or _leads_out(journey.goal)):
            found.append(enrolment.enrolment_id)
        enrolment = customer.enrolments.get(enrolment.parent) if enrolment.parent else None
    return found


def check_event(effect: SendMessage, now: datetime) -> Event:
    """The event that has the exits of this customer looked at, as `effect` was kept from leaving."""
    return Event(
        event_id=EventId(hashlib.sha256(f"{effect.effect_id}|{CHECK}".encode()).hexdigest()),
        type=CHECK,
        channel=effect.channel,
        account=effect.account,
        sender="",
        occurred_at=now,
        fields={"effect_id": effect.effect_id, "enrolment_id": effect.enrolment_id},
    )
