"""The engine when its surroundings fail: leases, limits, clocks, gaps, and a database that does not take its rows."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.channels.wire import CALL_TIMEOUT_S
from bot.core.effects import SendMessage
from bot.core.events import Event
from bot.core.ids import ConversationId, EffectId
from bot.core.program import Program
from bot.runtime.care import Upkeep
from bot.runtime.clocks import Clocks, MachinePair
from bot.runtime.engine import Engine
from bot.runtime.live import Live
from bot.runtime.metrics import Metrics
from bot.runtime.outbox import BEGIN_WITHIN_S, LEASE_FOR
from bot.runtime.ports import Accepted
from bot.storage import Storage
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

HELLO = ["welcome", "ask-need"]


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return brand(tmp_path)


class Platform:
    """A sending half whose requests wait while its gate is shut. `preparing` is called before each."""

    in_flight_max = 4
    trouble: str | None = None

    def __init__(self, channel: str = "oa") -> None:
        self.channel, self.account = channel, "main"
        self.asked: list[str] = []
        self.preparing: Callable[[], None] = lambda: None
        self.gate, self.reached = asyncio.Event(), asyncio.Event()
        self.gate.set()

    async def prepare(self) -> None:
        self.preparing()

    async def send(self, effect: SendMessage) -> Accepted:
        self.asked.append(effect.content)
        self.reached.set()
        await self.gate.wait()
        return Accepted()


def engine_of(storage: Storage, clock: TurnedClock, program: Program, *, sender: Platform) -> Engine:
    senders = {(sender.channel, sender.account): sender}
    return Engine(storage, live=Live(program=program), clock=clock, senders=senders, metrics=Metrics())


@asynccontextmanager
async def running(
    storage: Storage, clock: TurnedClock, program: Program, *, sender: Platform, upkeep: Upkeep | None = None
) -> AsyncIterator[Engine]:
    engine = engine_of(storage, clock, program, sender=sender)
    await engine.start(upkeep)
    try:
        yield engine
    finally:
        sender.gate.set()
        await engine.stop()


def follow(sender: str = "oAnna", *, at: float = 0) -> Event:
    return replace(event(f"{sender} follows at {at}", sender=sender, at=at), type="oa.follow", fields={"scene": None})


async def states(storage: Storage) -> dict[str, int]:
    found = await storage.read(lambda tx: tx.outbox.states())
    return {str(name): count for name, count in found.items()}


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


class Machine:
    """The machine's real clocks, the wall clock set wrong by as much as a test likes."""

    def __init__(self) -> None:
        self.off = timedelta(0)

    def clocks(self) -> Clocks:
        return Clocks(MachinePair(wall=lambda: datetime.now(UTC) + self.off))


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


# Gaps: delivery.md 1.8


class Followers:
    """What the platform knows of people; None: it tells nothing now."""

    def __init__(self, **known: bool | None) -> None:
        self.known = known
        self.asked: list[str] = []

    async def subscribed(self, openid: str) -> bool | None:
        self.asked.append(openid)
        return self.known[openid]


async def arrived(storage: Storage, sender: str) -> list[tuple[str, bool]]:
    """The events of a customer: kinds, and whether they were found out afterwards."""
    customer_id = await customer_of(storage, sender)
    lines = await storage.read(lambda t: t.reading.inbox_of(customer_id))
    return [(line.event.type, line.event.is_reconciled) for line in lines]


async def test_after_a_gap_people_are_asked_about_and_what_was_missed_arrives_without_a_welcome(
    storage: Storage, clock: TurnedClock, program: Program
) -> None:
    platform, book = Platform(), Followers(oAnna=True, oBert=True, oClara=False)
    upkeep = Upkeep(followers={("oa", "main"): book}, clocks=Machine().clocks())
    async with running(storage, clock, program, sender=platform, upkeep=upkeep) as engine:
        await engine.lanes.accept([follow("oAnna"), follow("oBert"), follow("oClara")])
        await engine.lanes.accept([replace(follow("oBert", at=1), type="oa.unfollow", fields={})])
        await engine.quiesce()
        said = len(platform.asked)
        clock.at = later(100)
        engine.lanes.turned_away("oa", "main", reason="storage")
        clock.at = later(110)
        engine.lanes.turned_away("oa", "main", reason="storage")
        await engine.quiesce()
        (gap,) = await storage.read(lambda t: t.gaps.unreconciled())
        assert (gap.since, gap.until, gap.reason, gap.turned_away) == (later(100), later(110), "storage", 2)
        assert "2 callbacks turned away" in engine.degraded()["oa:main:gap"]
        assert book.asked == []
        clock.at = later(171)
        engine.wake()
        await engine.quiesce()
        assert sorted(book.asked) == ["oAnna", "oBert", "oClara"]
        assert await arrived(storage, "oAnna") == [("oa.follow", False)]
        assert (await arrived(storage, "oBert"))[-1] == ("oa.follow", True)
        assert (await arrived(storage, "oClara"))[-1] == ("oa.unfollow", True)
        assert len(platform.asked) == said
        assert await storage.read(lambda t: t.gaps.unreconciled()) == ()
        assert engine.degraded() == {}
        (mended,) = await storage.read(lambda t: t.gaps.since(NOON))
        assert mended.reconciled_at == later(171)


async def test_a_gap_waits_while_the_platform_tells_nothing(
    storage: Storage, clock: TurnedClock, program: Program
) -> None:
    book = Followers(oAnna=None)
    upkeep = Upkeep(followers={("oa", "main"): book}, clocks=Machine().clocks())
    async with running(storage, clock, program, sender=Platform(), upkeep=upkeep) as engine:
        await engine.lanes.accept([follow("oAnna")])
        engine.lanes.turned_away("oa", "main", reason="full")
        await engine.quiesce()
        clock.at = later(61)
        engine.wake()
        await engine.quiesce()
        assert len(await storage.read(lambda t: t.gaps.unreconciled())) == 1
        book.known["oAnna"] = False
        engine.wake()
        await engine.quiesce()
        assert await arrived(storage, "oAnna") == [("oa.follow", False), ("oa.unfollow", True)]


async def test_a_gap_of_an_earlier_process_is_still_told_and_made_up_for(
    storage: Storage, clock: TurnedClock, program: Program
) -> None:
    async with running(storage, clock, program, sender=Platform()) as engine:
        await engine.lanes.accept([follow("oAnna")])
        engine.lanes.turned_away("oa", "main", reason="full")
        await engine.quiesce()
    upkeep = Upkeep(followers={("oa", "main"): Followers(oAnna=False)}, clocks=Machine().clocks())
    async with running(storage, clock, program, sender=Platform(), upkeep=upkeep) as engine:
        assert "oa:main:gap" in engine.degraded()
        clock.at = later(61)
        engine.wake()
        await engine.quiesce()
        assert (await arrived(storage, "oAnna"))[-1] == ("oa.unfollow", True)
