"""How sends go to the writer: what is urgent and what is over wait for nothing ordinary, and the rest go together."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest

from bot.core.effects import SendMessage
from bot.core.ids import EffectId
from bot.core.program import Program
from bot.errors import Unavailable
from bot.runtime.outbox import Outbox
from bot.runtime.ports import Accepted
from bot.storage import KeyRing, Priority, Storage, Transaction
from tests.storage.engine_rig import Platform, engine_of, states
from tests.storage.makers import TurnedClock, carry_out, newcomer, send
from tests.storage.why_stage import brand

T = TypeVar("T")
WITHIN_S = 120.0
"""Far longer than anything here takes: what waits in vain fails, and does not hang."""

pytestmark = pytest.mark.parametrize("url", ["sqlite"], indirect=True)


class Crowded(Storage):
    """A storage whose ordinary work waits for its turn while `steps_wait`, and which does not take `hated` as sent."""

    steps_wait = False
    hated = ""

    def watch(self) -> None:
        self.asked: list[Priority] = []
        self.came, self.turn, self.settled = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def write(self, priority: Priority, job: Callable[[Transaction], T]) -> T:
        def run(tx: Transaction) -> T:
            done = job(tx)
            line = tx.outbox.of(EffectId(self.hated)) if self.hated else None
            if line is not None and line.state == "sent":
                raise Unavailable("the disk is full")
            return done

        self.asked.append(priority)
        if priority is Priority.LEASE and self.steps_wait:
            self.came.set()
            await self.turn.wait()
        done = await super().write(priority, run)
        if priority is Priority.SETTLE:
            self.settled.set()
        return done


class Counting(Platform):
    """Notes how many requests were under way at most."""

    def __init__(self, *, places: int) -> None:
        super().__init__()
        self.in_flight_max, self.under_way, self.most = places, 0, 0

    async def send(self, effect: SendMessage) -> Accepted:
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            return await super().send(effect)
        finally:
            self.under_way -= 1


@pytest.fixture
async def storage(url: str, keys: KeyRing, clock: TurnedClock) -> AsyncIterator[Crowded]:
    opened = await Crowded.open(url, keys=keys, clock_now=clock.now, ticks=clock.ticks)
    opened.watch()
    yield opened
    opened.turn.set()
    await opened.close()


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return brand(tmp_path)


async def plan(storage: Storage, name: str, *, to: str, urgent: bool = False) -> None:
    """A message in a conversation of its own with `to`, told apart on the platform by its name."""
    customer = await newcomer(storage, to)
    await carry_out(
        storage, customer.customer_id, replace(send(name, to=to, urgent=urgent), content=name, send_class="staff")
    )


async def begin_behind_steps(storage: Crowded, outbox: Outbox) -> None:
    """Lease what is planned; what begins of it waits for steps until `storage.turn`, and later jobs do not."""
    await outbox.tick()
    storage.steps_wait = True
    await storage.came.wait()
    storage.steps_wait = False


async def test_an_urgent_message_begins_before_an_ordinary_one_that_waits_for_the_writer(
    storage: Crowded, clock: TurnedClock, program: Program
) -> None:
    """Before: it stood behind the ordinary one, and with it behind steps, for up to half a second."""
    platform = Platform()
    outbox = engine_of(storage, clock, program, sender=platform).outbox
    await plan(storage, "ordinary", to="oAnna")
    await begin_behind_steps(storage, outbox)
    await plan(storage, "urgent", to="oBert", urgent=True)
    async with asyncio.timeout(WITHIN_S):
        await outbox.tick()
        await platform.reached.wait()
    assert platform.asked == ["urgent"]
    storage.turn.set()
    await outbox.drain(within_s=WITHIN_S)
    assert platform.asked == ["urgent", "ordinary"]
    assert await states(storage) == {"sent": 2}


async def test_a_verdict_is_written_before_an_ordinary_message_that_waits_for_the_writer(
    storage: Crowded, clock: TurnedClock, program: Program
) -> None:
    platform = Platform()
    platform.gate.clear()
    outbox = engine_of(storage, clock, program, sender=platform).outbox
    await plan(storage, "first", to="oAnna")
    await outbox.tick()
    await platform.reached.wait()
    await plan(storage, "second", to="oBert")
    await begin_behind_steps(storage, outbox)
    platform.gate.set()
    async with asyncio.timeout(WITHIN_S):
        await storage.settled.wait()
    assert await states(storage) == {"leased": 1, "sent": 1}
    storage.turn.set()
    await outbox.drain(within_s=WITHIN_S)
    assert platform.asked == ["first", "second"]


async def test_an_urgent_message_never_overtakes_an_earlier_one_of_its_own_conversation(
    storage: Crowded, clock: TurnedClock, program: Program
) -> None:
    platform = Platform()
    outbox = engine_of(storage, clock, program, sender=platform).outbox
    await plan(storage, "ordinary", to="oAnna")
    await begin_behind_steps(storage, outbox)
    await plan(storage, "urgent", to="oAnna", urgent=True)
    assert await outbox.tick() == 0
    assert (platform.asked, await states(storage)) == ([], {"leased": 1, "ready": 1})
    storage.turn.set()
    await outbox.drain(within_s=WITHIN_S)
    assert await outbox.tick() == 1
    await outbox.drain(within_s=WITHIN_S)
    assert platform.asked == ["ordinary", "urgent"]


async def test_each_message_begins_in_the_transaction_that_settles_the_one_whose_place_it_takes(
    storage: Crowded, clock: TurnedClock, program: Program
) -> None:
    platform = Counting(places=1)
    outbox = engine_of(storage, clock, program, sender=platform).outbox
    for name in ("A", "B", "C"):
        await plan(storage, name, to=f"o{name}")
    storage.asked.clear()
    assert await outbox.tick() == 3
    await outbox.drain(within_s=WITHIN_S)
    assert platform.asked == ["A", "B", "C"]
    # Leased, the first begun, and from then on one job for each.
    assert storage.asked == [Priority.LEASE, Priority.LEASE, *[Priority.SETTLE] * 3]


async def test_a_verdict_that_the_database_does_not_take_stops_no_other_message(
    storage: Crowded, clock: TurnedClock, program: Program
) -> None:
    platform = Counting(places=1)
    outbox = engine_of(storage, clock, program, sender=platform).outbox
    await plan(storage, "first", to="oAnna")
    await plan(storage, "second", to="oBert")
    platform.gate.clear()
    assert await outbox.tick() == 2
    await platform.reached.wait()
    storage.hated = "first"
    platform.reached.clear()
    platform.gate.set()
    platform.gate.clear()
    async with asyncio.timeout(WITHIN_S):
        await platform.reached.wait()
    assert (platform.asked, await states(storage)) == (["first", "second"], {"sending": 2})
    storage.hated = ""
    platform.gate.set()
    await outbox.drain(within_s=WITHIN_S)
    assert (platform.most, await states(storage)) == (1, {"sent": 2})
