"""Waits, timers, groups and limits of random journeys."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import time, timedelta
from typing import Literal

from bot.authoring.expressions import parse_expression
from bot.core.actions import Action
from bot.core.entries import JourneyCap, Limits
from bot.core.expressions.tree import Expression
from bot.core.rules import QuietHours
from bot.core.states import Group, GroupExit, NamedTimer, On, Wait
from bot.core.times import Span, Until, WallClock, Working
from tests.unit.step.dice import Dice

LENGTHS = (timedelta(minutes=30), timedelta(hours=3), timedelta(days=3))
SPANS: tuple[Span, ...] = (*LENGTHS, Working(hours=timedelta(hours=4)), Working(days=2))
NIGHT, MORNING = time(22, 30), time(9, 30)
PHRASES = (
    WallClock(at=MORNING),
    WallClock(at=NIGHT),
    WallClock(at=MORNING, day="tomorrow"),
    WallClock(at=NIGHT, day="weekday", weekday=1),
    WallClock(at=MORNING, day="month_end"),
)
MOMENTS = tuple(
    parse_expression(source)
    for source in (
        "state.entered_at + hours(vars.n)",
        "now + hours(customer.visits)",
        "journey.entered_at + days(1)",
        "state.entered_at + minutes(customer.score) - minutes(30)",
        "now - days(1)",
        "state.entered_at + hours(length(slots.a))",
        "booking.start - hours(2)",
    )
)
UNTILS: tuple[Until, ...] = (*PHRASES, *MOMENTS)
GROUP = "g"
LATE = timedelta(hours=2)
LIMITS = (
    Limits(),
    Limits(max_age=timedelta(days=2)),
    Limits(quiet=QuietHours(begins=time(12), ends=time(14)), days="working"),
    Limits(cap=JourneyCap(max=1, per=timedelta(days=1))),
    Limits(cap=JourneyCap(max=2, per=timedelta(days=1), scope="all", classes=frozenset({"reminder"}))),
)
_RESUMES: tuple[Literal["first", "last"], ...] = ("first", "last")
_PASTS: tuple[Literal["skip", "fire"], ...] = ("skip", "fire")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stuff:
    """What journeys of a library are made of. `to`: where one may go. `events`: what may happen."""

    guards: Sequence[Expression]
    actions: Sequence[Action]
    to: Sequence[str]
    events: Sequence[str]


def wait(dice: Dice) -> Wait:
    spread, late = dice.perhaps([timedelta(minutes=20)], one_in=4), dice.throw() % 4 == 3
    match dice.throw() % 5:
        case 0 | 1:
            found = Wait(span=dice.pick(SPANS), spread=spread)
        case 2 | 3:
            found = Wait(until=dice.pick(UNTILS), spread=spread)
        case _:
            return Wait()
    return replace(found, late="skip", skip_after=LATE) if late else found


def timer(dice: Dice, name: str, of: Stuff) -> NamedTimer:
    late = dice.throw() % 2 == 1
    found = NamedTimer(
        timer_id=name,
        at=dice.pick(UNTILS),
        when=dice.perhaps(of.guards, one_in=3),
        past=dice.pick(_PASTS),
        late="skip" if late else "fire_once",
        skip_after=LATE if late else timedelta(0),
        do=dice.some(of.actions, 2),
        goto=dice.pick(["", *of.to]),
    )
    return replace(found, at=None, after=dice.pick(SPANS)) if dice.throw() % 3 == 0 else found


def group(dice: Dice, initial: str, of: Stuff) -> Group:
    exits = tuple(GroupExit(when=dice.pick(of.guards), goto=dice.pick(of.to)) for _ in range(dice.throw() % 2))
    events = tuple(reaction(dice, of) for _ in range(dice.throw() % 3))
    resume, fail = dice.pick(_RESUMES), dice.pick(["", *of.to])
    return Group(name=GROUP, initial=initial, resume=resume, events=events, exits=exits, fail=fail)


def reaction(dice: Dice, of: Stuff) -> On:
    found = On(
        event=dice.pick(of.events),
        when=dice.perhaps(of.guards, one_in=2),
        do=dice.some(of.actions, 1),
        goto=dice.pick(["", *of.to]),
        since=dice.perhaps([timedelta(minutes=5), timedelta(hours=6)], one_in=3),
    )
    return replace(found, goto="", reenter=True) if dice.throw() % 6 == 5 else found
