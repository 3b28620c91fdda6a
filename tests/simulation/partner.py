"""Another system that journeys ask: it takes a request, refuses it, takes its time, or its answer is lost.

Whatever it has taken it takes only once, whoever asks it again under the same key.
"""

import hashlib
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bot.authoring.expressions import parse_expression
from bot.core.bookings import Resource
from bot.core.errands import DONE, FAILED, CallWebhook
from bot.core.events import Json
from bot.core.ids import EffectId
from bot.core.program import Program, compile_library
from bot.core.states import Book, End, State, Webhook
from bot.runtime.ports import Answered, Unanswered
from tests.simulation.disk import Disk
from tests.simulation.loop import VirtualLoop
from tests.simulation.wire import SLOW_S, TRAVEL_S

TIMEOUT_S = 10.0
REFUSED_RATE = 0.1
ERRAND_RATE = 0.4
"""States of random journeys that ask for something, beside those that do anyway: stories are short."""
ANSWERS: tuple[Json, ...] = ({"end": "good"}, {"end": 3, "more": ["x"]}, None, "x", {})
FAULTS: Mapping[str, int] = {"error_before": 502, "quota_code": 429, "busy_code": 503, "error_after": 504}
"""Faults of calls, and the status that one such is answered with."""
OTHER_FAULTS = ("unreachable", "slow", "reply_lost", "malformed")
PLACES = Resource(resource="试驾车", dealer="one", hours="工作时间", each=timedelta(hours=1), capacity=1)
"""What the random journeys book."""
STARTS = tuple(parse_expression(f"'{start}'") for start in ("2026-12-01T11:00", "2026-12-02T10:00", "2026-12-05T17:00"))
"""Slots of it, so few that customers want the same one."""
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
    journeys = {
        name: replace(one, states={key: _asking(state, dice) for key, state in one.states.items()})
        for name, one in program.library.journeys.items()
        if _DONE in one.states
    }
    return compile_library(
        replace(program.library, journeys={**program.library.journeys, **journeys}, resources=(PLACES,))
    )


def _asking(state: State, dice: random.Random) -> State:
    if isinstance(state.doing, End) or dice.random() > ERRAND_RATE:
        return state
    if dice.random() < 0.5:
        return replace(state, doing=Webhook(target="crm", operation="ask", fail=_DONE, body=BODY, save="opened"))
    start = dice.choice(STARTS)
    book = Book(resource=PLACES.resource, what=WHAT, start=start, save="booking", full=_DONE, fail=_DONE)
    return replace(state, doing=book)


def unbalanced(disk: Disk, partner: Partner) -> Iterator[str]:
    """Errands without an end, or of which product, partner and journeys do not know the same; places given twice."""
    for key, state, target in disk.rows("SELECT effect_id, state, target FROM errands"):
        if state in ("leased", "sending"):
            yield f"errand {key[:8]} is {state} at the end"
        if target and state == "done" and key not in partner.taken:
            yield f"webhook {key[:8]} is done, and was never taken"
        told = disk.rows("SELECT 1 FROM inbox WHERE event_id IN (?, ?)", *_verdicts(key))
        if state in ("done", "failed", "unknown") and len(told) != 1:
            yield f"errand {key[:8]} is {state}, and its lane was told {len(told)} times"
    for (count,) in disk.rows(_OVERBOOKED):
        yield f"{count} places of a slot are taken that has {PLACES.capacity}"


def _verdicts(effect_id: str) -> list[str]:
    """The ids of the events that tell how an errand went."""
    return [hashlib.sha256(f"{effect_id}|{kind}".encode()).hexdigest() for kind in (DONE, FAILED)]
