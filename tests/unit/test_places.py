"""Who may have a request under way, and when."""

import asyncio
from dataclasses import dataclass, field

from bot.runtime.accounts import Account
from bot.runtime.places import SLOW_S, Place, Places
from bot.storage import Room

OURS: Account = ("oa", "main")


@dataclass(slots=True)
class Stage:
    """Places of one account, with a clock that is turned by hand."""

    room: Room
    now_s: float = 0.0
    places: Places = field(init=False)

    def __post_init__(self) -> None:
        self.places = Places(lambda _: self.room, seconds=lambda: self.now_s)

    async def ask(self, *, urgent: bool = False) -> "asyncio.Task[Place | None]":
        """One who waits for a place, or has it already."""
        task = asyncio.create_task(self.places.take(OURS, urgent=urgent))
        await settled()
        return task

    async def taken(self, count: int) -> list[Place]:
        """So many ordinary places."""
        tasks = [await self.ask() for _ in range(count)]
        return [place for task in tasks if task.done() and (place := task.result()) is not None]


async def settled() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


async def test_while_requests_are_quick_ordinary_ones_take_all_places_and_an_urgent_one_the_next_that_is_left() -> None:
    stage = Stage(Room(slots=4, for_urgent=1))
    places = await stage.taken(4)
    assert len(places) == 4
    ordinary, urgent = await stage.ask(), await stage.ask(urgent=True)
    places[0].leave()
    await settled()
    assert (ordinary.done(), urgent.done()) == (False, True)
    places[1].leave()
    await settled()
    assert ordinary.done()


async def test_while_a_request_is_slow_a_place_is_kept_for_urgent_ones() -> None:
    stage = Stage(Room(slots=4, for_urgent=1))
    assert len(await stage.taken(3)) == 3
    stage.now_s = SLOW_S + 0.1
    ordinary, urgent = await stage.ask(), await stage.ask(urgent=True)
    assert (ordinary.done(), urgent.done()) == (False, True)
    ordinary.cancel()


async def test_after_a_slow_request_a_place_is_kept_until_a_quick_one() -> None:
    stage = Stage(Room(slots=2, for_urgent=1))
    (slow,) = await stage.taken(1)
    stage.now_s = SLOW_S + 0.1
    slow.leave()
    first, second = await stage.ask(), await stage.ask()
    assert (first.done(), second.done()) == (True, False)
    stage.now_s += 0.01
    quick = first.result()
    assert quick is not None
    quick.leave()
    assert (await stage.ask()).done()
    assert second.done()


async def test_who_waits_for_an_account_that_begins_to_rest_gets_no_place() -> None:
    stage = Stage(Room(slots=1))
    (place,) = await stage.taken(1)
    waits = await stage.ask()
    stage.room = Room(slots=0)
    place.leave()
    assert await waits is None


async def test_who_waits_when_all_is_closed_gets_no_place() -> None:
    stage = Stage(Room(slots=1))
    assert len(await stage.taken(1)) == 1
    waits = await stage.ask(urgent=True)
    stage.places.close()
    assert await waits is None
    assert await stage.places.take(OURS, urgent=True) is None


async def test_a_place_is_left_only_once_and_none_is_lost_with_who_waited_for_it() -> None:
    stage = Stage(Room(slots=1))
    (place,) = await stage.taken(1)
    gone, waits, last = await stage.ask(), await stage.ask(), await stage.ask()
    gone.cancel()
    place.leave()
    place.leave()
    # It was given to the second, who goes away before she hears of it.
    waits.cancel()
    await settled()
    assert last.done()
    assert last.result() is not None
