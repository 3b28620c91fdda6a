"""Urgent messages and events go first, and one customer's order never changes."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.runtime.stepping import EVENTS_MAX
from bot.storage import KeyRing, Priority, Storage, Transaction
from tests.storage.engine_rig import Platform, engine_of
from tests.storage.makers import (
    TurnedClock,
    begin,
    carry_out,
    consume_all,
    event,
    ingest,
    lease,
    names,
    newcomer,
    send,
    settle,
    write,
)
from tests.storage.why_stage import brand

T = TypeVar("T")
Plan = list[tuple[int, bool]]
"""Customers by number, and whether what they get or say is urgent, in order."""
PLANS = st.lists(st.tuples(st.integers(0, 3), st.booleans()), min_size=1, max_size=14)


async def test_ordinary_messages_never_take_the_places_kept_for_urgent_ones(storage: Storage) -> None:
    for n in range(6):
        customer = await newcomer(storage, f"o{n}")
        await carry_out(storage, customer.customer_id, send(f"ordinary{n}", to=f"o{n}"))
    assert names(await lease(storage, limit=4, reserved=1)) == ["ordinary0", "ordinary1", "ordinary2"]
    customer = await newcomer(storage, "oUrgent")
    await carry_out(storage, customer.customer_id, send("urgent", to="oUrgent", urgent=True))
    # Three fly: one place is left, and it is kept.
    assert names(await lease(storage, limit=1, reserved=1)) == ["urgent"]
    assert names(await lease(storage, limit=1, reserved=1)) == []


async def test_an_urgent_message_takes_ordinary_places_as_well(storage: Storage) -> None:
    for n in range(4):
        customer = await newcomer(storage, f"o{n}")
        await carry_out(storage, customer.customer_id, send(f"m{n}", to=f"o{n}", urgent=n > 0))
    assert names(await lease(storage, limit=4, reserved=1)) == ["m1", "m2", "m3"]


def by_customer(order: Sequence[str]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for name in order:
        who, _, number = name.partition(":")
        found.setdefault(who, []).append(int(number))
    return found


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(plan=PLANS, limit=st.integers(1, 5), reserved=st.integers(0, 2))
async def test_whatever_is_urgent_each_customers_messages_leave_in_their_order(
    storage: Storage, plan: Plan, limit: int, reserved: int
) -> None:
    await write(storage, lambda t: t._connection.exec_driver_sql("DELETE FROM outbox"))
    for number, (who, urgent) in enumerate(plan):
        customer = await newcomer(storage, f"o{who}")
        await carry_out(storage, customer.customer_id, send(f"{who}:{number}", to=f"o{who}", urgent=urgent))
    left: list[str] = []
    for turn in range(4 * len(plan)):
        leased = names(await lease(storage, limit=limit, reserved=min(reserved, limit) if turn % 2 else 0))
        await begin(storage, *leased)
        for name in leased:
            await settle(storage, name, "sent")
        left += leased
    assert len(left) == len(plan)
    assert all(numbers == sorted(numbers) for numbers in by_customer(left).values())


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(plan=PLANS, limit=st.integers(1, 5))
async def test_whatever_is_urgent_each_customers_events_are_claimed_in_their_order(
    storage: Storage, plan: Plan, limit: int
) -> None:
    await write(storage, lambda t: t._connection.exec_driver_sql("DELETE FROM inbox"))
    for number, (who, urgent) in enumerate(plan):
        await ingest(storage, event(f"{who}:{number}", sender=f"o{who}", urgent=urgent))
    stepped: list[str] = []
    urgent_left = [urgent for _, urgent in plan].count(True)
    while len(stepped) < len(plan):
        rows = await storage.read(lambda t: t.claims.claim(limit))
        assert rows
        # While an urgent event waits, every lane that is claimed first has one.
        assert not urgent_left or any(row.event.urgent for row in rows) or len(rows) == limit
        stepped += [str(row.event.fields["text"]) for row in rows]
        urgent_left -= sum(row.event.urgent for row in rows)
        await consume_all(storage, limit)
    assert all(numbers == sorted(numbers) for numbers in by_customer(stepped).values())


class Noting(Storage):
    """Notes the priority of every job, and whether the door says that something urgent came, before it is written."""

    def note(self, door: Callable[[], bool]) -> None:
        self.asked: list[Priority] = []
        self.came: list[bool] = []
        self._door = door

    async def write(self, priority: Priority, job: Callable[[Transaction], T]) -> T:
        self.asked.append(priority)
        if priority is Priority.INGEST:
            self.came.append(self._door())
        return await super().write(priority, job)


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
async def test_urgent_events_lift_one_batch_only_and_no_sooner_than_they_are_written(
    url: str, keys: KeyRing, clock: TurnedClock, tmp_path: Path
) -> None:
    storage = await Noting.open(url, keys=keys, clock_now=clock.now)
    engine = engine_of(storage, clock, brand(tmp_path), sender=Platform())
    storage.note(engine.lanes.take_urgent)
    # More than one batch takes, and one of them urgent.
    count = 2 * EVENTS_MAX
    await engine.lanes.accept([event(f"{n}", sender=f"o{n}", urgent=n == 0) for n in range(count)])
    assert storage.came == [False]
    assert engine.lanes.take_urgent()
    storage.asked.clear()
    await engine._steps.batch(urgent=True)
    await storage.close()
    assert len(storage.asked) > 1
    assert storage.asked[:1] == [Priority.URGENT]
    assert set(storage.asked[1:]) == {Priority.STEP}
