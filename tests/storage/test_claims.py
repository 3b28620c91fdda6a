"""What is stepped next, and in which order."""

from bot.storage import Storage
from tests.storage.makers import (
    NOON,
    carry_out,
    claimed,
    consume_all,
    customer_of,
    event,
    ingest,
    lane_of,
    later,
    newcomer,
    send,
    staff_event,
    timer,
    write,
)
from tests.storage.test_customers import with_timers


async def test_the_oldest_goes_first(storage: Storage) -> None:
    for name in ("a", "b", "c"):
        await ingest(storage, event(name, sender=f"o{name}"))
    assert await claimed(storage, 2) == ["a", "b"]


async def test_urgent_events_overtake_other_customers(storage: Storage) -> None:
    await ingest(storage, event("slow 1", sender="oBert"))
    await ingest(storage, event("slow 2", sender="oCarl"))
    await ingest(storage, event("welcome", urgent=True))
    assert await claimed(storage) == ["welcome", "slow 1", "slow 2"]


async def test_an_urgent_event_is_preceded_by_everything_earlier_of_its_own_customer(storage: Storage) -> None:
    await ingest(storage, event("slow", sender="oBert"))
    await ingest(storage, event("first"))
    await ingest(storage, event("second"))
    await ingest(storage, event("tap", urgent=True))
    await ingest(storage, event("afterwards"))
    assert await claimed(storage) == ["first", "second", "tap", "slow", "afterwards"]
    assert await claimed(storage, 2) == ["first", "second"]


async def test_urgent_ones_are_served_in_the_order_they_came(storage: Storage) -> None:
    for name in ("u1", "u2", "u3"):
        await ingest(storage, event(name, sender=f"o{name}", urgent=True))
    assert await claimed(storage, 2) == ["u1", "u2"]


async def test_one_who_writes_without_end_does_not_hide_the_others(storage: Storage) -> None:
    await ingest(storage, *(event(f"n{n}") for n in range(20)))
    await ingest(storage, event("tap", sender="oBert", urgent=True))
    assert (await claimed(storage, 5))[0] == "tap"


async def test_a_parked_lane_is_passed_over_until_it_goes_on(storage: Storage) -> None:
    await ingest(storage, event("stuck"), event("other", sender="oBert"))
    lane = lane_of(await customer_of(storage))
    await write(storage, lambda t: t.lanes.park(lane, seq=1, reason="ZeroDivisionError"))
    assert await claimed(storage) == ["other"]
    parked = await storage.read(lambda t: t.reading.parked_of(lane))
    assert parked is not None
    assert (parked.seq, parked.reason, parked.parked_at) == (1, "ZeroDivisionError", NOON)
    assert await write(storage, lambda t: t.lanes.unpark(lane)) is True
    assert await write(storage, lambda t: t.lanes.unpark(lane)) is False
    assert await claimed(storage) == ["stuck", "other"]


async def test_an_accounts_lane_can_be_parked_too(storage: Storage) -> None:
    await ingest(storage, staff_event("stuck"), event("other"))
    rows = await storage.read(lambda t: t.claims.claim(10))
    lane = next(row.lane for row in rows if row.customer_id is None)
    await write(storage, lambda t: t.lanes.park(lane, seq=None, reason="bug"))
    assert await claimed(storage) == ["other"]
    assert [line.lane for line in await storage.read(lambda t: t.reading.all_parked())] == [lane]


async def test_an_advisors_words_wait_for_her_own_earlier_click(storage: Storage) -> None:
    customer = await newcomer(storage)
    await carry_out(storage, customer.customer_id, send("CARD"))
    await ingest(storage, staff_event("click", kind="card.clicked", task_id="CARD"))
    await ingest(storage, staff_event("good day"))
    await ingest(storage, staff_event("from a colleague", sender="lilei"))
    assert await claimed(storage) == ["card.clicked", "from a colleague"]
    await consume_all(storage)
    assert await claimed(storage) == ["good day"]


async def test_an_advisors_words_do_not_wait_for_a_later_click(storage: Storage) -> None:
    customer = await newcomer(storage)
    await carry_out(storage, customer.customer_id, send("CARD"))
    await ingest(storage, staff_event("good day"))
    await ingest(storage, staff_event("click", kind="card.clicked", task_id="CARD"))
    assert sorted(await claimed(storage)) == ["card.clicked", "good day"]


async def test_a_click_in_a_parked_lane_does_not_silence_the_advisor(storage: Storage) -> None:
    customer = await newcomer(storage)
    await carry_out(storage, customer.customer_id, send("CARD"))
    await ingest(storage, staff_event("click", kind="card.clicked", task_id="CARD"))
    await ingest(storage, staff_event("good day"))
    await write(storage, lambda t: t.lanes.park(customer.customer_id, seq=None, reason="bug"))
    assert await claimed(storage) == ["good day"]


async def test_customers_whose_timer_is_due_are_found_the_longest_overdue_first(storage: Storage) -> None:
    for name, due in (("oAnna", 20), ("oBert", 10), ("oCarl", 30)):
        await with_timers(storage, name, timer(due))
    anna, bert = await customer_of(storage, "oAnna"), await customer_of(storage, "oBert")
    assert await storage.read(lambda t: t.claims.due(later(9), 10)) == ()
    assert await storage.read(lambda t: t.claims.due(later(20), 10)) == (bert, anna)
    assert await storage.read(lambda t: t.claims.due(later(99), 1)) == (bert,)


async def test_a_timer_waits_for_a_reply_that_was_written_before_it_was_due(storage: Storage) -> None:
    await with_timers(storage, "oAnna", timer(60))
    await ingest(storage, event("in time", at=60))
    assert await storage.read(lambda t: t.claims.due(later(100), 10)) == ()
    await consume_all(storage)
    assert await storage.read(lambda t: t.claims.due(later(100), 10)) == (await customer_of(storage),)


async def test_a_timer_does_not_wait_for_a_reply_that_came_too_late(storage: Storage) -> None:
    await with_timers(storage, "oAnna", timer(60))
    await ingest(storage, event("too late", at=61))
    assert await storage.read(lambda t: t.claims.due(later(100), 10)) == (await customer_of(storage),)


async def test_timers_of_a_parked_customer_do_not_fire(storage: Storage) -> None:
    customer = await with_timers(storage, "oAnna", timer(10))
    await write(storage, lambda t: t.lanes.park(customer.customer_id, seq=None, reason="bug"))
    assert await storage.read(lambda t: t.claims.due(later(100), 10)) == ()
