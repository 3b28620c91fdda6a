"""Places: nobody ever gets somebody else's, whoever asks at the same moment."""

import asyncio
from datetime import datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.core.effects import SettlePlace
from bot.core.errands import BookPoints, HandOutCoupon
from bot.core.ids import CustomerId, EffectId
from bot.errors import Conflict
from bot.storage import Entry, KeyRing, Place, Storage
from tests.storage.errand_makers import SLOT, wanted
from tests.storage.makers import TurnedClock, carry_out, later, write

ANNA, BERT = CustomerId(1), CustomerId(2)


async def hold(
    storage: Storage, name: str, customer: int = ANNA, *, now: float = 0, capacity: int = 1, booking_id: str = ""
) -> Place | None:
    want = wanted(name, customer, booking_id=booking_id, until=now + 600)
    return await write(storage, lambda t: t.bookings.hold(want, capacity=capacity, now=later(now)))


async def keep(storage: Storage, name: str, *, now: float = 1) -> None:
    await carry_out(storage, ANNA, SettlePlace(effect_id=EffectId(name), keep=True), at=later(now))


async def state(storage: Storage, name: str) -> str:
    found = await storage.read(lambda t: t.bookings.of(EffectId(name)))
    assert found is not None
    return found.state


async def test_a_slot_has_as_many_places_as_it_holds(storage: Storage) -> None:
    places = [await hold(storage, f"A{n}", n + 1, capacity=2) for n in range(3)]
    assert [place.place if place else None for place in places] == [0, 1, None]


async def test_the_same_errand_gets_the_same_place_again(storage: Storage) -> None:
    assert await hold(storage, "A") == await hold(storage, "A")


async def test_a_hold_that_is_over_is_the_next_ones_place(storage: Storage) -> None:
    await hold(storage, "A")
    assert await hold(storage, "B", BERT, now=599) is None
    second = await hold(storage, "B", BERT, now=600)
    assert second is not None and second.place == 0
    assert await state(storage, "A") == "lapsed"


async def test_a_place_that_was_taken_stays_after_its_hold(storage: Storage) -> None:
    await hold(storage, "A")
    await keep(storage, "A")
    assert await hold(storage, "B", BERT, now=10_000) is None
    assert await state(storage, "A") == "booked"


async def test_whoever_takes_a_place_that_became_anothers_has_to_look_again(storage: Storage) -> None:
    await hold(storage, "A")
    await hold(storage, "B", BERT, now=600)
    with pytest.raises(Conflict):
        await keep(storage, "A", now=601)


async def test_a_booking_that_moves_keeps_its_old_place_until_the_new_one_is_taken(storage: Storage) -> None:
    await hold(storage, "A")
    await keep(storage, "A")
    other = wanted("B", ANNA, booking_id="A", at=later(7200))
    moved = await write(storage, lambda t: t.bookings.hold(other, capacity=1, now=later(2)))
    assert moved is not None and moved.booking_id == "A"
    assert await state(storage, "A") == "booked"
    await keep(storage, "B")
    assert [await state(storage, name) for name in "AB"] == ["moved", "booked"]
    assert await hold(storage, "C", BERT) is not None


async def test_a_move_that_nobody_wants_any_more_leaves_the_old_place(storage: Storage) -> None:
    await hold(storage, "A")
    await keep(storage, "A")
    other = wanted("B", ANNA, booking_id="A", at=later(7200))
    await write(storage, lambda t: t.bookings.hold(other, capacity=1, now=later(2)))
    await carry_out(storage, ANNA, SettlePlace(effect_id=EffectId("B"), keep=False))
    assert [await state(storage, name) for name in "AB"] == ["booked", "cancelled"]


async def test_a_booking_can_be_cancelled_only_by_whose_it_is(storage: Storage) -> None:
    await hold(storage, "A")
    await keep(storage, "A")
    assert not await write(storage, lambda t: t.bookings.cancel("A", BERT, now=later()))
    assert await write(storage, lambda t: t.bookings.cancel("A", ANNA, now=later()))
    assert not await write(storage, lambda t: t.bookings.cancel("A", ANNA, now=later()))
    assert await hold(storage, "B", BERT) is not None


async def test_what_is_taken_is_counted_by_slot_without_holds_that_are_over(storage: Storage) -> None:
    await hold(storage, "A", capacity=3)
    await hold(storage, "B", BERT, capacity=3)
    await keep(storage, "B")

    async def taken(now: float) -> dict[datetime, int]:
        counted = await storage.read(
            lambda t: t.bookings.taken("试驾车", "one", begins=later(), ends=later(86_400), now=later(now))
        )
        return dict(counted)

    assert await taken(0) == {SLOT: 2}
    assert await taken(600) == {SLOT: 1}


async def test_two_servers_never_give_one_place_to_two_customers(url: str, keys: KeyRing, clock: TurnedClock) -> None:
    opened = [await Storage.open(url, keys=keys, clock_now=clock.now) for _ in range(2)]
    try:
        asked = [hold(opened[n % 2], f"A{n}", n + 1, capacity=3) for n in range(12)]
        found = await asyncio.gather(*asked)
    finally:
        for one in opened:
            await one.close()
    places = [place.place for place in found if place is not None]
    assert sorted(places) == [0, 1, 2]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=st.lists(st.sampled_from(["hold", "keep", "let_go", "wait"]), max_size=20), capacity=st.integers(1, 2))
async def test_whatever_happens_no_place_is_anybodys_twice(storage: Storage, acts: list[str], capacity: int) -> None:
    now, held = 0.0, list[str]()
    await write(storage, lambda t: t._connection.exec_driver_sql("DELETE FROM places"))
    for number, act in enumerate(acts):
        match act:
            case "hold" if await hold(storage, f"H{number}", number + 1, now=now, capacity=capacity):
                held.append(f"H{number}")
            case "keep" if held:
                name = held.pop()
                if await state(storage, name) == "held":
                    await keep(storage, name, now=now)
            case "let_go" if held:
                effect = SettlePlace(effect_id=EffectId(held.pop(0)), keep=False)
                await carry_out(storage, ANNA, effect, at=later(now))
            case _:
                now += 300
        query = "SELECT place FROM places WHERE state IN ('held', 'booked')"
        rows = await storage.read(lambda t: t._connection.exec_driver_sql(query).scalars().all())  # noqa: B023
        assert len(rows) == len(set(rows)) <= capacity


async def test_a_coupon_that_she_may_have_once_is_given_once(storage: Storage) -> None:
    async def give(name: str, customer: CustomerId = ANNA, once: str = "customer") -> bool:
        entry = Entry(effect_id=EffectId(name), customer_id=customer, journey="j", at=later())
        return await write(storage, lambda t: t.loyalty.give(HandOutCoupon(coupon="礼券", once=once), entry))

    assert [await give("A"), await give("A"), await give("B")] == [True, True, False]
    assert await give("C", BERT)
    assert [await give("D", once=""), await give("E", once="")] == [True, True]
    assert await storage.read(lambda t: t.loyalty.coupons_of(ANNA)) == {"礼券": 3}


async def test_giving_back_a_booking_that_is_about_to_move_leaves_the_new_place_to_its_step(storage: Storage) -> None:
    """Otherwise the step could never keep it, and would be tried again and again until the hold is over."""
    await hold(storage, "A")
    await keep(storage, "A")
    await hold(storage, "B", now=2, booking_id="A", capacity=2)
    assert await write(storage, lambda t: t.bookings.cancel("A", ANNA, now=later(3)))
    await keep(storage, "B", now=4)
    assert [await state(storage, name) for name in "AB"] == ["cancelled", "booked"]


async def test_points_add_up_beyond_what_fits_into_32_bits(storage: Storage) -> None:
    for number in (1, 2, 3):
        entry = Entry(effect_id=EffectId(f"P{number}"), customer_id=ANNA, journey="j", at=later())
        points = BookPoints(add=10**9, reason="年终", balance=number * 10**9)
        await write(storage, lambda t, p=points, e=entry: t.loyalty.book(p, e))  # type: ignore[misc] # bound at once
    assert await storage.read(lambda t: t.loyalty.points_of(ANNA)) == 3 * 10**9
