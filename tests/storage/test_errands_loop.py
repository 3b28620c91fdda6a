"""The errands loop in a running engine: planned, run, told to the lane, and what a death in between leaves behind."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.core.customer import Customer
from bot.core.errands import CallWebhook
from bot.core.ids import EffectId
from bot.core.program import Program
from bot.runtime import retry, retry_errands, why
from bot.runtime.engine import Engine
from bot.runtime.ports import Answered, Unanswered
from bot.storage import Storage
from tests.storage.engine_rig import Platform, engine_of, follow
from tests.storage.errand_makers import states
from tests.storage.makers import TurnedClock, customer_of, later, write
from tests.unit.step.test_bookings import CALENDAR, DRIVE
from tests.unit.step.test_errands import ASKING, GIFTS, PATIENT
from tests.unit.step.worlds import world

NO_ANSWER = Unanswered(why="TimeoutError", may_be_taken=True)


class Partner:
    """Another system: gives the next of `answers`, the last one for ever; waits while its gate is shut."""

    targets = frozenset({"crm"})

    def __init__(self, *answers: Answered | Unanswered) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, EffectId, datetime]] = []
        self.gate, self.reached = asyncio.Event(), asyncio.Event()
        self.gate.set()

    async def call(self, request: CallWebhook, *, key: EffectId, at: datetime) -> Answered | Unanswered:
        self.asked.append((request.name, key, at))
        self.reached.set()
        await self.gate.wait()
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    @property
    def keys(self) -> set[EffectId]:
        return {key for _, key, _ in self.asked}


@pytest.fixture(scope="module")
def asking() -> Program:
    return world(ASKING)


@pytest.fixture(scope="module")
def driving() -> Program:
    return world(DRIVE, files=CALENDAR)


@asynccontextmanager
async def at_work(storage: Storage, clock: TurnedClock, program: Program, partner: Partner) -> AsyncIterator[Engine]:
    engine = engine_of(storage, clock, program, sender=Platform())
    await engine.start(caller=partner)
    try:
        yield engine
    finally:
        partner.gate.set()
        await engine.stop()


async def she_follows(engine: Engine, sender: str = "oAnna") -> None:
    await engine.lanes.accept([follow(sender)])
    await engine.quiesce()


async def anna(storage: Storage, sender: str = "oAnna") -> Customer:
    customer_id = await customer_of(storage, sender)
    return (await storage.read(lambda t: t.customers.load([customer_id])))[customer_id]


async def turn(engine: Engine, clock: TurnedClock, seconds: float) -> None:
    clock.at += timedelta(seconds=seconds)
    engine.wake()
    await engine.quiesce()


async def test_a_webhook_is_asked_and_its_answer_leads_on(
    storage: Storage, clock: TurnedClock, asking: Program
) -> None:
    partner = Partner(Answered(status=200, body={"id": "L1"}))
    async with at_work(storage, clock, asking, partner) as engine:
        await she_follows(engine)
        assert [name for name, _, _ in partner.asked] == ["crm.create_lead"]
        assert (await anna(storage)).notes == ("L1",)
    assert await states(storage) == {"done": 1}


async def test_a_server_in_trouble_is_asked_again_under_the_same_key(
    storage: Storage, clock: TurnedClock, asking: Program
) -> None:
    partner = Partner(Answered(status=500), NO_ANSWER, Answered(status=200, body={"id": "L1"}))
    async with at_work(storage, clock, asking, partner) as engine:
        await she_follows(engine)
        assert await engine.next_due() == clock.at + timedelta(seconds=2)
        await turn(engine, clock, 2)
        await turn(engine, clock, 4)
        assert (await anna(storage)).notes == ("L1",)
    assert len(partner.asked) == 3 and len(partner.keys) == 1


@pytest.mark.parametrize(
    ("answer", "error", "state"),
    [(Answered(status=404), "webhook.4xx", "failed")],
)
async def test_a_refusal_fails_at_once(
    storage: Storage, clock: TurnedClock, asking: Program, answer: Answered, error: str, state: str
) -> None:
    partner = Partner(answer)
    async with at_work(storage, clock, asking, partner) as engine:
        await she_follows(engine)
        ended = await anna(storage)
        line = (await storage.read(lambda t: t.errands.of_customer(ended.customer_id)))[0]
    assert ended.past["asking|"].end == "sorry"
    assert (line.state, line.reason, len(partner.asked)) == (state, error, 1)


@pytest.mark.parametrize(
    ("answer", "error", "state"),
    [
        (NO_ANSWER, "webhook.timeout", "unknown"),
        (Answered(status=503), "webhook.5xx", "failed"),
    ],
)
async def test_what_is_never_answered_fails_when_its_time_is_over(
    storage: Storage, clock: TurnedClock, answer: Answered | Unanswered, error: str, state: str
) -> None:
    partner = Partner(answer)
    patient = world(PATIENT)
    async with at_work(storage, clock, patient, partner) as engine:
        await she_follows(engine)
        await turn(engine, clock, 601)
        ended = await anna(storage)
        traced = await storage.read(lambda t: t.reading.journal_of(ended.customer_id))
    results = [one.detail["error"] for line in traced for one in line.entries if one.kind == "result"]
    assert results == [error]
    assert [one.detail["to"] for line in traced for one in line.entries if one.kind == "moved"] == ["ask", "sorry"]
    assert await states(storage) == {state: 1}
    assert len(partner.keys) == 1


async def test_the_states_own_timeout_comes_first(storage: Storage, clock: TurnedClock, asking: Program) -> None:
    partner = Partner(NO_ANSWER)
    async with at_work(storage, clock, asking, partner) as engine:
        await she_follows(engine)
        await turn(engine, clock, 300)
        assert (await anna(storage)).past["asking|"].end == "late"
    assert await states(storage) == {"unknown": 1}


async def test_a_process_that_dies_while_it_asks_leaves_it_to_the_next(
    storage: Storage, clock: TurnedClock, asking: Program
) -> None:
    """C3 and C4: `sending` is committed; whether the request left, nobody knows."""
    dying = Partner(Answered(status=200, body={"id": "lost"}))
    dying.gate.clear()
    engine = engine_of(storage, clock, asking, sender=Platform())
    await engine.start(caller=dying)
    await engine.lanes.accept([follow()])
    await dying.reached.wait()
    await engine.stop(within_s=0.01)
    assert await states(storage) == {"sending": 1}
    living = Partner(Answered(status=200, body={"id": "L1"}))
    async with at_work(storage, clock, asking, living) as second:
        await second.quiesce()
        assert (await anna(storage)).notes == ("L1",)
    assert living.keys == dying.keys
    assert await states(storage) == {"done": 1}


async def test_a_verdict_and_its_event_are_written_together_or_not_at_all(
    storage: Storage, clock: TurnedClock, asking: Program
) -> None:
    """C5: after the settling there is the event, however often everything is looked at again."""
    partner = Partner(Answered(status=200, body={"id": "L1"}))
    async with at_work(storage, clock, asking, partner) as engine:
        await she_follows(engine)
    async with at_work(storage, clock, asking, partner) as engine:
        await engine.quiesce()
    customer_id = await customer_of(storage)
    types = [line.event.type for line in await storage.read(lambda t: t.reading.inbox_of(customer_id))]
    assert types.count("effect.done") == 1
    assert len(partner.asked) == 1


async def test_one_slow_target_has_at_most_eight_requests_under_way(storage: Storage, clock: TurnedClock) -> None:
    partner = Partner(Answered(status=200, body={}))
    partner.gate.clear()
    async with at_work(storage, clock, world(ASKING), partner) as engine:
        await engine.lanes.accept([follow(f"o{n}") for n in range(12)])
        async with asyncio.timeout(30):
            while len(partner.asked) < 8:
                partner.reached.clear()
                await partner.reached.wait()
        assert (await states(storage)) == {"sending": 8, "ready": 4}
        partner.gate.set()
        await engine.quiesce()
        assert len(partner.asked) == 12


async def test_a_target_that_is_not_configured_fails_at_once(
    storage: Storage, clock: TurnedClock, asking: Program
) -> None:
    partner = Partner(Answered(status=200))
    partner.targets = frozenset({"erp"})
    async with at_work(storage, clock, asking, partner) as engine:
        await she_follows(engine)
        assert (await anna(storage)).past["asking|"].end == "sorry"
    assert partner.asked == []


async def test_an_operator_has_an_unknown_one_asked_again(storage: Storage, clock: TurnedClock) -> None:
    partner = Partner(NO_ANSWER)
    patient = world(PATIENT)
    async with at_work(storage, clock, patient, partner) as engine:
        await she_follows(engine)
        await turn(engine, clock, 601)
        (line,) = (await storage.read(retry.survey)).errands
        partner.answers[:] = [Answered(status=200, body={})]
        await write(storage, lambda t: retry_errands.run_again(t, line))
        await turn(engine, clock, 1)
        assert (await storage.read(retry.survey)).is_empty
    assert await states(storage) == {"done": 1}
    assert len(partner.keys) == 1


async def test_coupons_and_points_stand_in_the_ledger(storage: Storage, clock: TurnedClock) -> None:
    async with at_work(storage, clock, world(GIFTS.replace("ONCE", "customer")), Partner(NO_ANSWER)) as engine:
        await she_follows(engine)
        customer_id = await customer_of(storage)
        assert await storage.read(lambda t: t.loyalty.coupons_of(customer_id)) == {"礼券": 1}
        assert await storage.read(lambda t: t.loyalty.points_of(customer_id)) == 50
    assert await states(storage) == {"done": 2}


async def test_a_place_is_held_taken_and_given_back(storage: Storage, clock: TurnedClock, driving: Program) -> None:
    clock.at = later(-7 * 3600)  # 13:00 in Shanghai, so that 26 hours on is a slot
    async with at_work(storage, clock, driving, Partner(NO_ANSWER)) as engine:
        await she_follows(engine)
        customer = await anna(storage)
        (run,) = customer.enrolments.values()
        booking = run.saved["booking"]
        assert isinstance(booking, dict)
        place = await storage.read(lambda t: t.bookings.of_booking(str(booking["id"])))
        assert place is not None and (place.state, place.customer_id) == ("booked", customer.customer_id)
        word = replace(follow(at=1), type="message", fields={"kind": "text", "text": "取消"})
        await engine.lanes.accept([word])
        await engine.quiesce()
        assert await storage.read(lambda t: t.bookings.of_booking(str(booking["id"]))) is None


async def test_of_two_customers_one_gets_the_last_place(storage: Storage, clock: TurnedClock, driving: Program) -> None:
    clock.at = later(-7 * 3600)
    async with at_work(storage, clock, driving, Partner(NO_ANSWER)) as engine:
        await engine.lanes.accept([follow("oAnna"), follow("oBert")])
        await engine.quiesce()
        anna_s, bert_s = await anna(storage, "oAnna"), await anna(storage, "oBert")
    assert [run.state for one in (anna_s, bert_s) for run in one.enrolments.values()] == ["booked"]
    assert {past.end for one in (anna_s, bert_s) for past in one.past.values()} == {"full"}


async def test_without_errands_the_loop_writes_nothing(storage: Storage, clock: TurnedClock, asking: Program) -> None:
    """A ring of the alarm looks once, by reading."""
    partner = Partner(Answered(status=200))
    async with at_work(storage, clock, asking, partner) as engine:
        await engine.quiesce()
        before = storage.strain().groups
        engine.wake()
        await engine.quiesce()
        assert storage.strain().groups == before


async def test_why_tells_what_was_asked_what_waits_and_what_nobody_knows(storage: Storage, clock: TurnedClock) -> None:
    partner = Partner(Answered(status=503), NO_ANSWER)
    async with at_work(storage, clock, world(PATIENT), partner) as engine:
        await she_follows(engine)
        customer_id = await customer_of(storage)
        waiting = await storage.read(lambda t: why.as_text(why.tell(t, customer_id)))
        await turn(engine, clock, 2)
        await turn(engine, clock, 601)
        over = await storage.read(lambda t: why.as_text(why.tell(t, customer_id)))
    assert "请求 crm.create_lead，等结果" in waiting
    assert "请求 crm.create_lead：试了 1 次（外部系统出错（webhook.5xx））" in waiting
    assert "结果：请求 crm.create_lead" in over
    assert "请求 crm.create_lead 没有成功：外部系统一直没有答复（webhook.timeout）" in over
    assert "zhitu retry send" in "".join(over.split("\n"))
