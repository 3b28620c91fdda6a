"""Callbacks that were turned away, and what is found out about their people afterwards: delivery.md 1.8."""

from dataclasses import replace
from pathlib import Path

import pytest

from bot.core.program import Program
from bot.errors import BotError
from bot.runtime.care import Upkeep
from bot.runtime.retry import close_gaps
from bot.storage import Storage
from tests.storage.engine_rig import Machine, Platform, follow, running
from tests.storage.makers import NOON, TurnedClock, customer_of, later, write
from tests.storage.why_stage import brand


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return brand(tmp_path)


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
        assert book.asked == ["oAnna"]
        clock.at = later(91)
        engine.wake()
        await engine.quiesce()
        assert await arrived(storage, "oAnna") == [("oa.follow", False), ("oa.unfollow", True)]


async def test_what_she_does_while_others_are_asked_about_counts_more_than_what_was_found_out(
    storage: Storage, clock: TurnedClock, program: Program
) -> None:
    class Returning(Followers):
        async def subscribed(self, openid: str) -> bool | None:
            if openid == "oBert":
                clock.at = later(200)
                await engine.lanes.accept([follow("oAnna", at=200)])
            return await super().subscribed(openid)

    upkeep = Upkeep(followers={("oa", "main"): Returning(oAnna=False, oBert=True)}, clocks=Machine().clocks())
    async with running(storage, clock, program, sender=Platform(), upkeep=upkeep) as engine:
        await engine.lanes.accept([follow("oAnna"), follow("oBert")])
        await engine.quiesce()
        clock.at = later(100)
        engine.lanes.turned_away("oa", "main", reason="storage")
        await engine.quiesce()
        clock.at = later(190)
        engine.wake()
        await engine.quiesce()
        kinds = [kind for kind, _ in await arrived(storage, "oAnna")]
        assert kinds == ["oa.follow", "oa.unfollow", "oa.follow"]
        assert await reachable(storage, "oAnna")


async def test_a_finding_that_arrives_behind_her_own_word_is_passed_over(
    storage: Storage, clock: TurnedClock, program: Program
) -> None:
    async with running(storage, clock, program, sender=Platform()) as engine:
        await engine.lanes.accept([follow("oAnna", at=50)])
        found = replace(follow("oAnna", at=49), type="oa.unfollow", fields={"reconciled": True})
        clock.at = later(60)
        await engine.lanes.accept([found])
        await engine.quiesce()
        assert await reachable(storage, "oAnna")


async def reachable(storage: Storage, sender: str) -> bool:
    customer_id = await customer_of(storage, sender)
    customer = (await storage.read(lambda t: t.customers.load([customer_id])))[customer_id]
    return all(talk.reachable for talk in customer.conversations.values())


async def test_an_account_that_tells_nothing_does_not_keep_the_others_waiting(
    storage: Storage, clock: TurnedClock, program: Program
) -> None:
    silent, telling = Followers(oAnna=None), Followers(oBert=False)
    followers = {("oa", "main"): silent, ("oa", "second"): telling}
    upkeep = Upkeep(followers=followers, clocks=Machine().clocks())
    async with running(storage, clock, program, sender=Platform(), upkeep=upkeep) as engine:
        await engine.lanes.accept([follow("oAnna"), replace(follow("oBert"), account="second")])
        await engine.quiesce()
        for account in ("main", "second"):
            engine.lanes.turned_away("oa", account, reason="storage")
            await engine.quiesce()
        clock.at = later(61)
        for _ in range(3):
            engine.wake()
            await engine.quiesce()
        assert (silent.asked, telling.asked) == (["oAnna"], ["oBert"])
        assert list(engine.degraded()) == ["oa:main:gap"]


async def test_a_gap_that_nobody_can_be_asked_about_is_told_for_a_week_or_until_it_is_closed(
    storage: Storage, clock: TurnedClock, program: Program
) -> None:
    async with running(storage, clock, program, sender=Platform(), upkeep=Upkeep(clocks=Machine().clocks())) as engine:
        for at, closes in ((0, False), (6 * 86_400, False), (8 * 86_400, True)):
            clock.at = later(at)
            if at == 0:
                engine.lanes.turned_away("app", "main", reason="storage")
            engine.wake()
            await engine.quiesce()
            assert ("app:main:gap" in engine.degraded()) != closes
        engine.lanes.turned_away("app", "main", reason="storage")
        await engine.quiesce()
        assert "app:main:gap" in engine.degraded()
        assert await write(storage, lambda t: close_gaps(t, "app:main")) == 1
        engine.wake()
        await engine.quiesce()
        assert engine.degraded() == {}
        with pytest.raises(BotError):
            await write(storage, lambda t: close_gaps(t, "oa:main"))


async def test_a_gap_noted_by_a_clock_that_was_ahead_is_gone_through_when_the_clock_is_right_again(
    storage: Storage, clock: TurnedClock, program: Program
) -> None:
    upkeep = Upkeep(followers={("oa", "main"): Followers(oAnna=False)}, clocks=Machine().clocks())
    async with running(storage, clock, program, sender=Platform(), upkeep=upkeep) as engine:
        await engine.lanes.accept([follow("oAnna")])
        clock.at = later(365 * 86_400)
        engine.lanes.turned_away("oa", "main", reason="clock")
        await engine.quiesce()
        clock.at = later(10)
        engine.wake()
        await engine.quiesce()
        assert (await arrived(storage, "oAnna"))[-1] == ("oa.unfollow", True)


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
