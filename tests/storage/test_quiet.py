"""Whether anything is to be done, and when there will be."""

from bot.core.ids import EffectId
from bot.storage import Storage
from tests.storage.makers import (
    NOON,
    begin,
    carry_out,
    consume_all,
    event,
    ingest,
    later,
    lease,
    newcomer,
    send,
    settle,
    timer,
    write,
)
from tests.storage.test_customers import with_timers


async def quiescent(storage: Storage, at: float = 0) -> bool:
    return await storage.read(lambda t: t.quiet.quiescent(later(at)))


async def next_due(storage: Storage, at: float = 0) -> float | None:
    """Seconds after noon."""
    found = await storage.read(lambda t: t.quiet.next_due(later(at)))
    return None if found is None else (found - NOON).total_seconds()


async def test_an_empty_storage_is_quiet_for_ever(storage: Storage) -> None:
    assert await quiescent(storage)
    assert await next_due(storage) is None


async def test_an_event_that_waits_is_work_at_once(storage: Storage) -> None:
    await ingest(storage, event("a"))
    assert not await quiescent(storage)
    assert await next_due(storage) == 0
    await consume_all(storage)
    assert await quiescent(storage)


async def test_a_timer_is_work_when_it_is_due(storage: Storage) -> None:
    await with_timers(storage, "oAnna", timer(60))
    assert await quiescent(storage, 59)
    assert await next_due(storage, 59) == 60
    assert not await quiescent(storage, 60)
    assert await next_due(storage, 99) == 99


async def test_a_parked_customer_is_no_work(storage: Storage) -> None:
    customer = await with_timers(storage, "oAnna", timer(60))
    await ingest(storage, event("a"))
    await write(storage, lambda t: t.lanes.park(customer.customer_id, seq=1, reason="bug"))
    assert await quiescent(storage, 99)
    assert await next_due(storage) is None


async def test_a_message_is_work_from_its_time_until_it_is_settled(storage: Storage) -> None:
    customer = await newcomer(storage)
    await carry_out(storage, customer.customer_id, send("A", not_before=later(10)))
    assert await quiescent(storage, 9)
    assert await next_due(storage) == 10
    assert not await quiescent(storage, 10)
    await lease(storage, now=10)
    assert not await quiescent(storage, 10)
    await begin(storage, "A", now=10)
    assert not await quiescent(storage, 10)
    await settle(storage, "A", "sent")
    assert await quiescent(storage, 10)
    assert await next_due(storage, 10) is None


async def test_the_end_of_a_message_is_a_moment_to_wake_up_at(storage: Storage) -> None:
    customer = await newcomer(storage)
    await carry_out(storage, customer.customer_id, send("A", not_before=later(100), expires_at=later(50)))
    assert await next_due(storage) == 50
    assert not await quiescent(storage, 50)
    await write(storage, lambda t: t.outbox.expire(later(50)))
    assert await quiescent(storage, 50)


async def test_what_waits_behind_another_try_is_no_work_before_that_try(storage: Storage) -> None:
    customer = await newcomer(storage)
    await carry_out(storage, customer.customer_id, send("A"), send("B"))
    await lease(storage)
    await begin(storage, "A")
    await write(storage, lambda t: t.outbox.retry(EffectId("A"), worker="w1", not_before=later(30)))
    assert await quiescent(storage, 5)
    assert await next_due(storage, 5) == 30


async def test_urgent_messages_count_too(storage: Storage) -> None:
    customer = await newcomer(storage)
    await carry_out(storage, customer.customer_id, send("A", urgent=True, not_before=later(7)))
    assert await next_due(storage) == 7
    assert not await quiescent(storage, 7)
