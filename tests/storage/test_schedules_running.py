"""Schedules and segments in a running engine: the alarm rings, the round is made, and everything comes to rest."""

from datetime import timedelta

from bot.runtime.live import Live
from bot.runtime.schedules import Schedules
from bot.storage import Storage
from tests.storage.audience_stage import brand_with, entered_by
from tests.storage.engine_rig import Platform, running
from tests.storage.makers import TurnedClock, customer_of, event
from tests.storage.test_schedules import AUDIENCE, TUESDAY, WEEKLY

PROGRAM = brand_with(
    entered_by(WEEKLY, extra=AUDIENCE),
    entered_by("segment: 久未来", name="again"),
    久未来="last('shop.visit') < now - days(1)",
)


async def journeys(storage: Storage) -> set[str]:
    customer_id = await customer_of(storage)
    customer = await storage.read(lambda tx: tx.customers.load([customer_id])[customer_id])
    return {run.journey for run in customer.enrolments.values()}


async def test_a_running_engine_works_schedules_off_and_knows_when_the_next_comes(
    storage: Storage, clock: TurnedClock
) -> None:
    async with running(storage, clock, PROGRAM, sender=Platform()) as engine:
        await engine.quiesce()
        await engine.lanes.accept([event("上海")])
        await engine.quiesce()
        assert await journeys(storage) == set()
        clock.at = TUESDAY
        assert await engine.next_due() == TUESDAY
        await engine.quiesce()
        assert await journeys(storage) == {"nurture"}
        due = await engine.next_due()
        assert due is not None
        assert clock.at < due <= clock.at + timedelta(hours=1)


async def test_a_moment_that_is_new_counts_as_work_so_that_the_alarm_is_set_to_it(
    storage: Storage, clock: TurnedClock
) -> None:
    """Before: nobody asked when it comes, and the alarm heard of it at the next poll, up to half a minute later."""
    live = Live(brand_with(entered_by(WEEKLY)))
    rounds = Schedules(storage, live=live, clock=clock)
    assert [await rounds.tick(), await rounds.tick()] == [True, False]
    live.program = brand_with()
    assert [await rounds.tick(), await rounds.tick()] == [True, False]
