"""Loading and saving customers, and the narrow rows beside them."""

from dataclasses import replace

import pytest

from bot.core.customer import Customer, Enrolment, Timer
from bot.core.ids import CustomerId, EnrolmentId
from bot.errors import Conflict, StorageError
from bot.storage import Storage
from tests.storage.makers import NOON, event, ingest, later, newcomer, timer, write


def enrolment(name: str, *, state: str = "ask") -> Enrolment:
    return Enrolment(
        enrolment_id=EnrolmentId(name),
        journey="oa-welcome",
        key="",
        release="r1",
        state=state,
        visit=1,
        entered_at=NOON,
        state_entered_at=NOON,
    )


def enrolled(customer: Customer, *enrolments: Enrolment) -> Customer:
    return replace(customer, enrolments={one.enrolment_id: one for one in enrolments})


async def load(storage: Storage, customer_id: CustomerId) -> Customer:
    return (await storage.read(lambda t: t.customers.load([customer_id])))[customer_id]


async def save(storage: Storage, before: Customer, after: Customer) -> Customer:
    """Save one change; the customer as she is stored now."""
    await write(storage, lambda t: t.customers.save([(before, after)]))
    return await load(storage, before.customer_id)


async def with_timers(storage: Storage, sender: str, *timers: Timer) -> Customer:
    """A newcomer with these timers."""
    customer = await newcomer(storage, sender)
    return await save(storage, customer, replace(customer, timers=timers))


async def narrow(storage: Storage) -> list[tuple[str, str, str]]:
    lines = await storage.read(lambda t: t.reading.head_counts())
    return [(line.journey, line.state, str(line.customers)) for line in lines]


async def test_a_customer_nobody_stepped_yet_is_empty(storage: Storage) -> None:
    customer = await newcomer(storage)
    assert customer == Customer(customer_id=customer.customer_id, version=0)


async def test_what_was_saved_is_loaded_with_the_next_version(storage: Storage) -> None:
    before = await newcomer(storage)
    after = replace(enrolled(before, enrolment("E1")), score=7, tags=frozenset({"看车"}), timers=(timer(60),))
    assert await save(storage, before, after) == replace(after, version=1)


async def test_several_steps_make_one_change(storage: Storage) -> None:
    before = await newcomer(storage)
    after = await save(storage, before, replace(before, score=3, version=before.version + 3))
    assert (after.score, after.version) == (3, 1)


async def test_saving_over_a_change_of_somebody_else_is_a_conflict(storage: Storage) -> None:
    before = await newcomer(storage)
    after = await save(storage, before, replace(before, score=1))
    with pytest.raises(Conflict, match=r"customers\.sealed:"):
        await save(storage, before, replace(before, score=2))
    assert await load(storage, before.customer_id) == after


async def test_a_conflict_names_the_customer_and_saves_none_of_the_batch(storage: Storage) -> None:
    anna, bert = await newcomer(storage, "oAnna"), await newcomer(storage, "oBert")
    await save(storage, bert, replace(bert, score=1))
    with pytest.raises(Conflict, match=rf"^customers\.sealed:{bert.customer_id}:"):
        await write(
            storage,
            lambda t: t.customers.save([(anna, replace(anna, score=5)), (bert, replace(bert, score=5))]),
        )
    assert (await load(storage, anna.customer_id)).score == 0


async def test_the_same_customer_twice_in_one_save_is_refused(storage: Storage) -> None:
    anna = await newcomer(storage)
    with pytest.raises(StorageError, match="saved twice"):
        await write(storage, lambda t: t.customers.save([(anna, replace(anna, score=5)), (anna, anna)]))


async def test_a_customer_who_does_not_exist_cannot_be_saved(storage: Storage) -> None:
    nobody = Customer(customer_id=CustomerId(4711), version=0)
    with pytest.raises(Conflict):
        await save(storage, nobody, nobody)


async def test_saving_nothing_is_no_work(storage: Storage) -> None:
    await write(storage, lambda t: t.customers.save([]))
    assert await storage.read(lambda t: t.customers.load([])) == {}


async def test_where_enrolments_stand_can_be_counted_after_every_change(storage: Storage) -> None:
    anna, bert = await newcomer(storage, "oAnna"), await newcomer(storage, "oBert")
    anna = await save(storage, anna, enrolled(anna, enrolment("E1"), enrolment("E2", state="wait")))
    await save(storage, bert, enrolled(bert, enrolment("E3")))
    assert await narrow(storage) == [("oa-welcome", "ask", "2"), ("oa-welcome", "wait", "1")]
    anna = await save(storage, anna, enrolled(anna, enrolment("E1", state="done")))
    assert await narrow(storage) == [("oa-welcome", "ask", "1"), ("oa-welcome", "done", "1")]
    await save(storage, anna, enrolled(anna))
    assert await narrow(storage) == [("oa-welcome", "ask", "1")]


async def test_the_next_due_time_follows_the_earliest_timer(storage: Storage) -> None:
    customer = await with_timers(storage, "oAnna", timer(90), timer(30))
    assert await storage.read(lambda t: t.quiet.next_due(NOON)) == later(30)
    customer = await save(storage, customer, replace(customer, timers=(timer(90),)))
    assert await storage.read(lambda t: t.quiet.next_due(NOON)) == later(90)
    await save(storage, customer, replace(customer, timers=()))
    assert await storage.read(lambda t: t.quiet.next_due(NOON)) is None


async def test_a_hundred_customers_are_saved_in_one_go(storage: Storage) -> None:
    await ingest(storage, *(event(f"e{n}", sender=f"o{n}") for n in range(100)))
    ids = [row.customer_id for row in await storage.read(lambda t: t.claims.claim(100)) if row.customer_id]
    before = await storage.read(lambda t: t.customers.load(ids))
    changes = [
        (customer, replace(customer, score=customer.customer_id, timers=(timer(customer.customer_id),)))
        for customer in before.values()
    ]
    await write(storage, lambda t: t.customers.save(changes))
    after = await storage.read(lambda t: t.customers.load(ids))
    assert {customer.score for customer in after.values()} == set(ids)
    assert {customer.version for customer in after.values()} == {1}
