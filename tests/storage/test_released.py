"""What a lane that is let go on sends, and what an operator gives up, goes by what she has written meanwhile."""

from dataclasses import replace

import pytest

from bot.core.ids import CustomerId
from bot.core.program import Program
from bot.runtime.parking import Parking, park
from bot.storage import Lane, Priority, Storage
from tests.storage.engine_rig import Platform, engine_of, running
from tests.storage.makers import TurnedClock, carry_out, consume_all, event, ingest, later, lease, newcomer, send, write
from tests.storage.spoiling import QUIET, mend, release, run, spoil, told
from tests.storage.test_spoilt_sends import parked, state_of, two
from tests.unit.step.worlds import world


@pytest.fixture(scope="module")
def quiet() -> Program:
    return world(QUIET)


async def _reminder(storage: Storage, customer_id: CustomerId) -> None:
    await carry_out(storage, customer_id, replace(send("BAD"), send_class="reminder", enrolment_id=None, visit=0))


async def _opts_out(storage: Storage, backlog: int) -> None:
    """Her 退订 behind much that others wrote, so that it is not stepped in the first batch."""
    await ingest(storage, *[event(f"x{n}", sender=f"o{n % 50}", at=1) for n in range(backlog)])
    await ingest(storage, event("td", at=2, fields={"kind": "text", "text": "退订"}))


async def test_a_message_given_back_does_not_leave_before_her_opt_out_is_stepped(
    storage: Storage, clock: TurnedClock, quiet: Program
) -> None:
    anna, _ = await two(storage, clock, quiet)
    await _reminder(storage, anna)
    sealed = await spoil(storage, "outbox", "BAD")
    platform = Platform()
    async with running(storage, clock, quiet, sender=platform) as engine:
        await run(engine)
    assert await parked(storage) == [anna]
    await _opts_out(storage, backlog=1)
    await mend(storage, "outbox", "BAD", sealed)
    await release(storage, "oAnna")
    engine = engine_of(storage, clock, quiet, sender=platform)
    await engine.outbox.tick()
    await engine.outbox.drain(within_s=120)
    assert platform.asked == []
    assert "先处理完客户之前的来信" in await told(storage, anna)
    async with running(storage, clock, quiet, sender=platform) as engine:
        await run(engine)
    assert await state_of(storage, "BAD") == "suppressed"
    assert ("hello" in platform.asked, platform.asked[-1]) == (False, "optout-ok")


async def test_neither_does_one_that_waited_in_a_lane_parked_by_a_bug(
    storage: Storage, clock: TurnedClock, quiet: Program
) -> None:
    anna, _ = await two(storage, clock, quiet)
    await _reminder(storage, anna)
    await write(storage, lambda tx: park(tx, Parking(lane=Lane(anna), seq=None, bug=ValueError("x"))))
    await _opts_out(storage, backlog=400)
    await release(storage, "oAnna")
    platform = Platform()
    async with running(storage, clock, quiet, sender=platform) as engine:
        await run(engine)
    assert (await state_of(storage, "BAD"), "hello" in platform.asked) == ("suppressed", False)


async def test_it_leaves_once_what_she_wrote_before_is_stepped(
    storage: Storage, clock: TurnedClock, quiet: Program
) -> None:
    anna, _ = await two(storage, clock, quiet)
    await _reminder(storage, anna)
    await write(storage, lambda tx: park(tx, Parking(lane=Lane(anna), seq=None, bug=ValueError("x"))))
    await ingest(storage, event("before", at=1))
    await release(storage, "oAnna")
    platform = Platform()
    async with running(storage, clock, quiet, sender=platform) as engine:
        await run(engine)
    assert platform.asked.count("hello") == 1


async def test_what_she_writes_after_it_was_let_go_on_keeps_nothing_back(storage: Storage, clock: TurnedClock) -> None:
    anna = (await newcomer(storage)).customer_id
    await carry_out(storage, anna, send("A"))
    await write(storage, lambda tx: tx.lanes.park(anna, seq=None, reason="ValueError"))
    await ingest(storage, event("before", at=1))
    await release(storage, "oAnna")
    assert await lease(storage, now=9) == ()
    await consume_all(storage)
    await storage.write(Priority.INGEST, lambda tx: tx.lanes.ingest([event("after", at=2)], received_at=later(1)))
    assert [row.effect.effect_id for row in await lease(storage, now=9)] == ["A"]
