"""The engine when its surroundings fail: leases, limits, clocks, gaps, and a database that does not take its rows."""

import asyncio
import threading
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot.channels.wire import CALL_TIMEOUT_S
from bot.core.ids import ConversationId, EffectId
from bot.core.program import Program
from bot.runtime.care import Upkeep
from bot.runtime.door import PATIENT_UP_TO, PRESSED_AT, Door, Signs
from bot.runtime.gaps import Gaps
from bot.runtime.outbox import BEGIN_WITHIN_S, LEASE_FOR
from bot.storage import Priority, Storage
from bot.web.body import Limits
from tests.storage.engine_rig import HELLO, Machine, Platform, engine_of, follow, running, states
from tests.storage.makers import (
    NOON,
    TurnedClock,
    begin,
    carry_out,
    customer_of,
    event,
    later,
    lease,
    newcomer,
    send,
    write,
)
from tests.storage.why_stage import brand


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return brand(tmp_path)


# Leases: delivery.md 3.1


class Monotonic:
    """A clock that jumps by two leases at its nth reading, and the database's lease clock with it."""

    def __init__(self, clock: TurnedClock, *, at_reading: int) -> None:
        self._clock, self._left, self._now_s = clock, at_reading, 0.0

    def __call__(self) -> float:
        self._left -= 1
        if self._left == 0:
            self._now_s += 120
            self._clock.ticked_s += 120
        return self._now_s


@pytest.mark.parametrize("reading", [2, 3], ids=["before sending is committed", "before the request begins"])
async def test_a_process_that_stood_still_for_two_leases_does_not_send_what_it_had_in_hand_and_sends_it_once(
    storage: Storage, clock: TurnedClock, program: Program, reading: int
) -> None:
    platform = Platform()
    async with running(storage, clock, program, sender=platform) as engine:
        engine._accounts.monotonic = Monotonic(clock, at_reading=reading)
        await engine.lanes.accept([follow()])
        await engine.quiesce()
        assert platform.asked == HELLO
        assert await states(storage) == {"sent": 2}


async def test_a_request_that_is_under_way_when_its_lease_ends_is_left_to_its_task(
    storage: Storage, clock: TurnedClock, program: Program
) -> None:
    platform = Platform()
    platform.gate.clear()
    async with running(storage, clock, program, sender=platform) as engine:
        await engine.lanes.accept([follow()])
        await platform.reached.wait()
        clock.ticked_s += 120
        await engine.outbox.tick()
        assert (await states(storage))["sending"] == 1
        platform.gate.set()
        await engine.quiesce()
        assert platform.asked == HELLO


async def test_a_send_whose_task_died_is_unknown_when_its_lease_is_over(
    storage: Storage, clock: TurnedClock, program: Program
) -> None:
    engine = engine_of(storage, clock, program, sender=Platform())
    customer = await newcomer(storage)
    await carry_out(storage, customer.customer_id, send("A"))
    await lease(storage, worker="dead")
    await begin(storage, "A", worker="dead", epoch=9)
    clock.ticked_s = 59
    await engine.outbox.tick()
    assert await states(storage) == {"sending": 1}
    clock.ticked_s = 61
    await engine.outbox.tick()
    assert await states(storage) == {"unknown": 1}


async def test_a_message_that_expires_while_its_account_gets_ready_is_expired_at_once(
    storage: Storage, clock: TurnedClock, program: Program
) -> None:
    platform = Platform()
    prepared: list[datetime] = []

    def prepare() -> None:
        # The first time is the greeting at the start, the second the message's.
        prepared.append(clock.at)
        if len(prepared) == 2:
            clock.at = later(30)

    platform.preparing = prepare
    customer = await newcomer(storage)
    async with running(storage, clock, program, sender=platform) as engine:
        card = replace(send("A", expires_at=later(20)), send_class="staff")
        await carry_out(storage, customer.customer_id, card)
        engine.wake()
        await engine.quiesce()
        assert (platform.asked, await states(storage)) == ([], {"expired": 1})
        assert prepared == [NOON, NOON]


async def test_a_stop_does_not_wait_for_ever_and_the_send_it_broke_off_is_unknown_afterwards(
    storage: Storage, clock: TurnedClock, program: Program
) -> None:
    platform = Platform()
    platform.gate.clear()
    async with running(storage, clock, program, sender=platform) as engine:
        await engine.lanes.accept([follow()])
        await platform.reached.wait()
        with pytest.raises(TimeoutError):
            await engine.quiesce(within_s=0.01)
        await engine.stop(within_s=0.01)
        assert (await states(storage))["sending"] == 1
    async with running(storage, clock, program, sender=Platform()):
        assert (await states(storage))["unknown"] == 1


def test_a_request_that_starts_in_the_first_half_of_its_lease_ends_within_it() -> None:
    assert LEASE_FOR.total_seconds() >= BEGIN_WITHIN_S + CALL_TIMEOUT_S
    assert LEASE_FOR.total_seconds() >= 2 * CALL_TIMEOUT_S


# Limits that a platform enforces silently: delivery.md 3.9


async def test_the_31st_message_to_a_member_waits_for_the_next_minute_and_none_is_lost(
    storage: Storage, clock: TurnedClock, program: Program
) -> None:
    platform = Platform("app")
    customer = await newcomer(storage)
    async with running(storage, clock, program, sender=platform) as engine:
        cards = [
            replace(
                send(f"card {n:02}", to="zhangmin"),
                channel="app",
                send_class="staff",
                conversation_id=ConversationId("app:main:zhangmin"),
                content=f"{n}",
            )
            for n in range(31)
        ]
        await carry_out(storage, customer.customer_id, *cards)
        engine.wake()
        await engine.quiesce()
        assert len(platform.asked) == 30
        row = await storage.read(lambda t: t.outbox.of(EffectId("card 30")))
        assert row is not None
        assert (row.state, row.reason, row.not_before) == ("ready", "rate", later(70))
        told = await storage.read(lambda t: t.reading.journal_of(customer.customer_id))
        assert [line.entries[0].detail["reason"] for line in told] == ["rate"]
        clock.at = later(70)
        engine.wake()
        await engine.quiesce()
        assert platform.asked == [str(n) for n in range(31)]


# Clocks: delivery.md 2.6


async def timer_fired(storage: Storage) -> bool:
    customer_id = await customer_of(storage)
    return any(line.kind == "timer" for line in await storage.read(lambda t: t.reading.journal_of(customer_id)))


@pytest.mark.parametrize("mended_by", ["the clock", "an operator"])
async def test_while_the_clocks_disagree_no_timer_fires_and_readiness_fails(
    storage: Storage, clock: TurnedClock, program: Program, mended_by: str
) -> None:
    machine = Machine()
    async with running(storage, clock, program, sender=Platform(), upkeep=Upkeep(clocks=machine.clocks())) as engine:
        await engine.lanes.accept([follow()])
        await engine.quiesce()
        machine.off = timedelta(hours=1)
        clock.at = later(2 * 3600)
        engine.wake()
        await engine.quiesce()
        assert not await timer_fired(storage)
        assert not engine.accepting()
        assert "jumped" in engine.degraded()["clocks"]
        if mended_by == "the clock":
            machine.off = timedelta(0)
        else:
            await write(storage, lambda t: t.confirm_clock())
            engine.wake()
            await engine.quiesce()
        engine.wake()
        await engine.quiesce()
        assert await timer_fired(storage)
        assert (engine.accepting(), engine.degraded()) == (True, {})


async def test_turning_the_applications_clock_holds_nothing(
    storage: Storage, clock: TurnedClock, program: Program
) -> None:
    async with running(storage, clock, program, sender=Platform(), upkeep=Upkeep(clocks=Machine().clocks())) as engine:
        await engine.lanes.accept([follow()])
        await engine.quiesce()
        clock.at = later(2 * 3600)
        engine.wake()
        await engine.quiesce()
        assert await timer_fired(storage)


async def test_a_wall_clock_that_differs_from_the_servers_is_found_out(
    storage: Storage, clock: TurnedClock, program: Program, url: str
) -> None:
    machine = Machine()
    machine.off = timedelta(minutes=10)
    async with running(storage, clock, program, sender=Platform(), upkeep=Upkeep(clocks=machine.clocks())) as engine:
        await engine.quiesce()
        assert ("clocks" in engine.degraded()) == url.startswith("postgresql")


@pytest.mark.parametrize("is_wrong", [False, True])
async def test_nothing_expires_and_nothing_is_forgotten_while_the_clock_is_wrong(
    storage: Storage, clock: TurnedClock, program: Program, is_wrong: bool
) -> None:
    machine, platform = Machine(), Platform()
    customer = await newcomer(storage)
    upkeep = Upkeep(clocks=machine.clocks())
    machine.off = timedelta(days=365) if is_wrong else timedelta(0)
    card = replace(send("A", expires_at=later(20)), send_class="staff")
    await carry_out(storage, customer.customer_id, card)
    await write(storage, lambda t: t.lanes.quarantine(channel="oa", account="main", body=b"<xml/>", why="x"))
    clock.at = later(365 * 86_400)
    async with running(storage, clock, program, sender=platform, upkeep=upkeep) as engine:
        await engine.quiesce()
        assert (await states(storage)).get("expired", 0) == (0 if is_wrong else 1)
        assert len(await storage.read(lambda t: t.deciding.quarantined(9))) == (1 if is_wrong else 0)


async def test_a_confirmation_counts_only_for_trouble_that_was_seen_before_it(
    storage: Storage, clock: TurnedClock, program: Program
) -> None:
    machine = Machine()
    async with running(storage, clock, program, sender=Platform(), upkeep=Upkeep(clocks=machine.clocks())) as engine:
        await engine.quiesce()
        await write(storage, lambda t: t.confirm_clock())
        machine.off = timedelta(hours=5)
        engine.wake()
        await engine.quiesce()
        assert "jumped" in engine.degraded()["clocks"]


# Overload: delivery.md 1.8


async def test_ordinary_messages_stand_back_before_callbacks_are_turned_away(
    storage: Storage, clock: TurnedClock, program: Program
) -> None:
    assert Limits().commits_waiting_max > PRESSED_AT
    door, go = Door(storage, clock, arrived=lambda: None, gaps=Gaps(storage, clock)), threading.Event()
    busy = asyncio.create_task(storage.write(Priority.INGEST, lambda _: go.wait(60)))
    came = [asyncio.create_task(door.accept([event("first")]))]
    for _ in range(5):
        await asyncio.sleep(0)  # the first is on its way to the writer, and those behind it wait
    came += [asyncio.create_task(door.accept([event(f"{n}")])) for n in range(PRESSED_AT)]
    assert not door.pressed
    await asyncio.sleep(0)
    pressed = door.pressed
    go.set()
    await asyncio.gather(busy, *came)
    assert pressed
    assert not door.pressed


class Behind:
    """Steps that are behind until somebody says that they are not."""

    def __init__(self, storage: Storage, clock: TurnedClock, *, patience_s: float) -> None:
        self.is_so = True
        self.door = Door(
            storage,
            clock,
            arrived=lambda: None,
            gaps=Gaps(storage, clock),
            signs=Signs(behind=lambda: self.is_so, patience_s=patience_s),
        )


async def test_a_callback_lets_the_steps_go_first_while_they_are_behind(storage: Storage, clock: TurnedClock) -> None:
    steps = Behind(storage, clock, patience_s=600)
    came = asyncio.create_task(steps.door.accept([event("patient")]))
    for _ in range(20):
        await asyncio.sleep(0)
        steps.door.stepped()
    assert not came.done()
    steps.is_so = False
    steps.door.stepped()
    await came
    assert len(await storage.read(lambda tx: tx.claims.claim(2))) == 1


async def test_no_callback_waits_for_the_steps_longer_than_its_patience(storage: Storage, clock: TurnedClock) -> None:
    steps = Behind(storage, clock, patience_s=0)
    await steps.door.accept([event("hasty")])
    assert len(await storage.read(lambda tx: tx.claims.claim(2))) == 1


async def test_so_many_callbacks_wait_that_none_may_wait_longer(storage: Storage, clock: TurnedClock) -> None:
    steps = Behind(storage, clock, patience_s=600)
    await asyncio.gather(*(steps.door.accept([event(f"{n}")]) for n in range(PATIENT_UP_TO)))
    assert Limits().commits_waiting_max > PATIENT_UP_TO


async def test_no_timer_fires_just_after_a_callback_was_turned_away(
    storage: Storage, clock: TurnedClock, program: Program
) -> None:
    async with running(storage, clock, program, sender=Platform(), upkeep=Upkeep(clocks=Machine().clocks())) as engine:
        await engine.lanes.accept([follow()])
        await engine.quiesce()
        clock.at = later(2 * 3600 - 1)
        engine.lanes.turned_away("oa", "main", reason="full")
        clock.at = later(2 * 3600)
        engine.wake()
        await engine.quiesce()
        assert not await timer_fired(storage)
        clock.at = later(2 * 3600 + 60)
        engine.wake()
        await engine.quiesce()
        assert await timer_fired(storage)
