"""Another system that journeys ask: it takes a request, refuses it, takes its time, or its answer is lost.

Whatever it has taken it takes only once, whoever asks it again under the same key.
"""

import hashlib
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bot.authoring.expressions import parse_expression
from bot.core.actions import Action, AddPoints, GrantCoupon
from bot.core.bookings import Resource
from bot.core.entries import EventEntry
from bot.core.errands import DONE, FAILED, CallWebhook
from bot.core.events import Json
from bot.core.ids import EffectId
from bot.core.journey import Journey
from bot.core.program import Program, compile_library
from bot.core.states import Book, End, State, Webhook
from bot.core.step.errands import WITHDRAWN
from bot.runtime.ports import Answered, Unanswered
from tests.simulation.disk import Disk
from tests.simulation.loop import VirtualLoop
from tests.simulation.wire import SLOW_S, TRAVEL_S

TIMEOUT_S = 10.0
REFUSED_RATE = 0.1
FIRST_RATE, ERRAND_RATE = 0.85, 0.4
"""First and other states of random journeys that ask for something, beside those that do anyway: stories are short."""
BOOK_RATE, HOLD_RATE = 0.6, 0.3
GIFTS: tuple[Action, ...] = (
    GrantCoupon(coupon="五十元", once_per="journey"),
    GrantCoupon(coupon="五十元"),
    AddPoints(add=2, reason="测试"),
    AddPoints(add=-1, reason="兑换"),
)
"""What our own ledgers are asked for on the way into the first state."""
GIFTS_MAX = 2
FOLLOWED = "oa.follow"
ANSWERS: tuple[Json, ...] = ({"end": "good"}, {"end": 3, "more": ["x"]}, None, "x", {})
FAULTS: Mapping[str, int] = {"error_before": 502, "quota_code": 429, "busy_code": 503, "error_after": 504}
"""Faults of calls, and the status that one such is answered with."""
OTHER_FAULTS = ("unreachable", "slow", "reply_lost", "malformed")
PLACES = Resource(resource="试驾车", dealer="one", hours="工作时间", each=timedelta(hours=1), capacity=1)
"""What the random journeys book."""
STARTS = tuple(parse_expression(f"'{start}'") for start in ("2026-12-01T11:00", "2026-12-02T10:00", "2026-12-05T17:00"))
"""Slots of it, so few that customers want the same one."""
OWN = ("j0", "j1", "j2")
"""The random journeys; those beside them are shipped."""
_DONE = "done"
"""The state in which random journeys end: one that goes on with what failed would ask for it for ever."""
WHAT = parse_expression("'E6'")
BODY = (("who", parse_expression("customer.id")), ("word", parse_expression("slots.a")))
_OVERBOOKED = (
    "SELECT count(*) FROM places WHERE state IN ('held', 'booked') GROUP BY resource, dealer, start_at"
    f" HAVING count(*) > {PLACES.capacity}"
)


@dataclass(slots=True, kw_only=True)
class Partner:
    """Implements the product's `Caller`, for one life after the other. `found` hears of what must not be."""

    loop: VirtualLoop
    dice: random.Random
    disk: Disk
    rate: Callable[[str], float]
    struck: Callable[[str, str], None]
    found: Callable[[str], None]
    taken: dict[str, Json] = field(default_factory=dict)
    asked: dict[str, tuple[str, Mapping[str, Json]]] = field(default_factory=dict)

    @property
    def targets(self) -> frozenset[str]:
        return frozenset({"crm"})

    async def call(self, request: CallWebhook, *, key: EffectId, at: datetime) -> Answered | Unanswered:
        """What the product hears, if it still lives then."""
        self._look(request, key)
        fault = next((name for name in (*FAULTS, *OTHER_FAULTS) if self._has(name)), "")
        if fault:
            self.struck(fault, f"webhook {key[:8]}")
        await self.loop.pause(self.dice.uniform(*TRAVEL_S))
        if fault == "unreachable":
            return Unanswered(why="ConnectionRefusedError", may_be_taken=False)
        if fault in FAULTS and fault != "error_after":
            return Answered(status=FAULTS[fault], after_s=5.0)
        if key not in self.taken and self.dice.random() < REFUSED_RATE:
            return Answered(status=422)
        answer = self.taken.setdefault(key, self.dice.choice(ANSWERS))
        return await self._answered(fault, answer)

    async def _answered(self, fault: str, answer: Json) -> Answered | Unanswered:
        slow_s = self.dice.uniform(*SLOW_S) if fault == "slow" else self.dice.uniform(*TRAVEL_S)
        await self.loop.pause(min(slow_s, TIMEOUT_S))
        if fault == "reply_lost" or slow_s > TIMEOUT_S:
            return Unanswered(why="TimeoutError", may_be_taken=True)
        if fault == "error_after":
            return Answered(status=FAULTS[fault])
        return Answered(status=200, body=answer, readable=fault != "malformed")

    def _has(self, fault: str) -> bool:
        rate = self.rate(fault)
        return bool(rate) and self.dice.random() < rate

    def _look(self, request: CallWebhook, key: EffectId) -> None:
        """A request leaves only when it is committed that it does, and is the same whenever it is repeated."""
        rows = self.disk.rows("SELECT state FROM errands WHERE effect_id = ?", key)
        if rows != [("sending",)]:
            self.found(f"webhook {key[:8]} is asked while its errand is {rows}")
        known = self.asked.setdefault(key, (request.name, request.body))
        if known != (request.name, request.body):
            self.found(f"webhook {key[:8]} is asked for something else than before")


def bookable(program: Program, dice: random.Random) -> Program:
    """`program` with places of one dealer, and journeys that want them and ask the partner more often."""
    own = {name: program.library.journeys[name] for name in OWN}
    journeys = {name: _wanting(one, dice, greets=name == OWN[0]) for name, one in own.items()}
    return compile_library(
        replace(program.library, journeys={**program.library.journeys, **journeys}, resources=(PLACES,))
    )


def _wanting(journey: Journey, dice: random.Random, *, greets: bool) -> Journey:
    """`journey` with states that ask for more. `greets`: whoever follows comes into it, so that somebody does."""
    first, second, *_ = journey.states
    states = {name: _asking(state, dice, first=first) for name, state in journey.states.items()}
    if isinstance(states[first].doing, Book) and not isinstance(states[second].doing, End):
        states[first] = replace(states[first], then=second)
        states[second] = replace(states[second], doing=_webhook(), when=None)
    known = any(isinstance(one, EventEntry) and one.event == FOLLOWED for one in journey.enter)
    enter = (*journey.enter, EventEntry(event=FOLLOWED)) if greets and not known else journey.enter
    return replace(journey, states=states, enter=enter, holdout=None if greets else journey.holdout)


def _asking(state: State, dice: random.Random, *, first: str) -> State:
    is_first = state.name == first
    if isinstance(state.doing, End) or dice.random() > (FIRST_RATE if is_first else ERRAND_RATE):
        return state
    gifts = tuple(dice.sample(GIFTS, GIFTS_MAX)) if is_first else ()
    doing = _book(dice) if dice.random() < BOOK_RATE else _webhook()
    return replace(state, do=(*state.do, *gifts), doing=doing, when=None if is_first else state.when)


def _book(dice: random.Random) -> Book:
    hold = timedelta(minutes=30) if dice.random() < HOLD_RATE else None
    start = dice.choice(STARTS)
    return Book(resource=PLACES.resource, what=WHAT, start=start, save="booking", full=_DONE, fail=_DONE, hold=hold)


def _webhook() -> Webhook:
    return Webhook(target="crm", operation="ask", fail=_DONE, body=BODY, save="opened")


def unbalanced(disk: Disk, partner: Partner) -> Iterator[str]:
    """Errands without an end, or of which product, partner and journeys do not know the same; places given twice."""
    for key, state, target, reason in disk.rows("SELECT effect_id, state, target, reason FROM errands"):
        if state in ("leased", "sending"):
            yield f"errand {key[:8]} is {state} at the end"
        if target and state == "done" and key not in partner.taken:
            yield f"webhook {key[:8]} is done, and was never taken"
        told = disk.rows("SELECT 1 FROM inbox WHERE event_id IN (?, ?)", *_verdicts(key))
        # Whoever left the state that waited for it took it back, and is not told of what was tried in vain before.
        taken_back = state == "withdrawn" or (state, reason) == ("unknown", WITHDRAWN)
        if state in ("done", "failed", "unknown", "withdrawn") and len(told) != (0 if taken_back else 1):
            yield f"errand {key[:8]} is {state}, and its lane was told {len(told)} times"
    for (count,) in disk.rows(_OVERBOOKED):
        yield f"{count} places of a slot are taken that has {PLACES.capacity}"


def _verdicts(effect_id: str) -> list[str]:
    """The ids of the events that tell how an errand went."""
    return [hashlib.sha256(f"{effect_id}|{kind}".encode()).hexdigest() for kind in (DONE, FAILED)]
