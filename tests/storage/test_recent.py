"""Customers kept in memory are never anything but what the row says."""

from dataclasses import replace

import pytest

from bot.core.customer import Customer
from bot.core.ids import CustomerId
from bot.storage import KeyRing, Storage, Transaction
from bot.storage.recent import RECENT_MAX, Recent
from tests.storage.makers import TurnedClock, newcomer, write


def customer(number: int, version: int = 1) -> Customer:
    return Customer(customer_id=CustomerId(number), version=version)


def test_a_customer_is_found_by_the_very_bytes_of_her_row() -> None:
    recent = Recent()
    recent.put(customer(1), b"sealed")
    assert recent.get(CustomerId(1), version=1, sealed=b"sealed") == customer(1)
    assert recent.get(CustomerId(1), version=1, sealed=b"other") is None
    assert recent.get(CustomerId(1), version=2, sealed=b"sealed") is None
    assert recent.get(CustomerId(2), version=1, sealed=b"sealed") is None


def test_no_more_than_its_limit_are_kept_and_the_oldest_go_first() -> None:
    recent = Recent()
    for number in range(RECENT_MAX + 3):
        recent.put(customer(number), b"x")
    assert len(recent) == RECENT_MAX
    assert recent.get(CustomerId(2), version=1, sealed=b"x") is None
    assert recent.get(CustomerId(3), version=1, sealed=b"x") is not None


async def test_a_change_that_was_rolled_back_is_not_remembered(storage: Storage) -> None:
    before = await newcomer(storage)

    def fail(t: Transaction) -> None:
        t.customers.save([(before, replace(before, score=99))])
        raise ValueError("a bug")

    with pytest.raises(ValueError, match="a bug"):
        await write(storage, fail)
    await write(storage, lambda t: t.customers.save([(before, replace(before, score=1))]))
    loaded = await write(storage, lambda t: t.customers.load([before.customer_id]))
    assert loaded[before.customer_id].score == 1


async def test_what_another_process_wrote_is_seen(url: str, keys: KeyRing, clock: TurnedClock) -> None:
    one = await Storage.open(url, keys=keys, clock_now=clock.now)
    other = await Storage.open(url, keys=keys, clock_now=clock.now)
    before = await newcomer(one)
    await write(one, lambda t: t.customers.save([(before, replace(before, score=1))]))
    after = (await write(other, lambda t: t.customers.load([before.customer_id])))[before.customer_id]
    await write(other, lambda t: t.customers.save([(after, replace(after, score=2))]))
    seen = await write(one, lambda t: t.customers.load([before.customer_id]))
    assert seen[before.customer_id] == replace(before, score=2, version=2)
    await one.close()
    await other.close()
