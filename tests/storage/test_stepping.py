"""The order in which one customer's events and timers are stepped, and an advisor's words and clicks."""

from pathlib import Path

import pytest

from bot.core.program import Program
from bot.runtime.stepping import Batch, Stepper
from bot.storage import Storage, Transaction
from tests.storage.makers import NOON, customer_of, event, ingest, later, staff_event, write
from tests.storage.why_stage import brand

ASKED_FOR, LATE, IN_TIME = 3600, 3900, 3540
"""Seconds: how long the question waits, a moment after that, and one before."""
NOW = 3960


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return brand(tmp_path)


async def batch(
    storage: Storage, program: Program, *, at: float = 0, limit: int = 100, held: bool = False
) -> tuple[Batch, list[str]]:
    """Step one batch at so many seconds after noon; what stands in the journal then: events and timers, in order."""

    def job(tx: Transaction) -> Batch:
        stepper = Stepper(tx, program, later(at), timers_held=held)
        return stepper.run(stepper.waiting(limit))

    done = await write(storage, job)
    customer_id = await customer_of(storage)
    lines = await storage.read(lambda tx: tx.reading.journal_of(customer_id))
    return done, [line.kind for line in lines]


async def asked(storage: Storage, program: Program, sender: str = "oAnna") -> None:
    """She wrote, was asked what she is looking for, and has an hour for the answer."""
    await ingest(storage, event(f"报价 of {sender}", sender=sender, fields={"kind": "text", "text": "报价"}))
    await write(storage, lambda tx: _run(tx, program))


def _run(tx: Transaction, program: Program) -> Batch:
    stepper = Stepper(tx, program, NOON)
    return stepper.run(stepper.waiting())


async def state(storage: Storage) -> str:
    customer_id = await customer_of(storage)
    customer = await write(storage, lambda tx: tx.customers.load([customer_id])[customer_id])
    return next(iter(customer.enrolments.values())).state


async def test_a_timer_that_was_due_before_an_event_fires_before_it(storage: Storage, program: Program) -> None:
    await asked(storage, program)
    await ingest(storage, event("你好", at=LATE))
    done, kinds = await batch(storage, program, at=NOW)
    assert (done.events, done.timers) == (1, 1)
    assert kinds[:3] == ["event", "timer", "event"]


async def test_an_event_of_the_batch_that_is_older_than_the_timer_holds_it_back_for_those_before_it_too(
    storage: Storage, program: Program
) -> None:
    await asked(storage, program)
    await ingest(storage, event("你好", at=LATE))
    await ingest(storage, event("选车", at=IN_TIME))
    done, _ = await batch(storage, program, at=NOW)
    assert (done.events, done.timers) == (2, 0)
    assert await state(storage) == "nick"


async def test_no_timer_fires_right_after_the_start_not_even_when_an_event_comes(
    storage: Storage, program: Program
) -> None:
    await asked(storage, program)
    await ingest(storage, event("你好", at=LATE))
    done, _ = await batch(storage, program, at=NOW, held=True)
    assert (done.events, done.timers) == (1, 0)
    await ingest(storage, event("选车", at=IN_TIME))
    done, _ = await batch(storage, program, at=NOW + 15)
    assert done.timers == 0
    assert await state(storage) == "nick"


async def test_an_event_that_did_not_fit_into_the_batch_still_goes_before_a_later_timer(
    storage: Storage, program: Program
) -> None:
    await asked(storage, program)
    await ingest(storage, event("你好", at=LATE))
    await ingest(storage, event("选车", at=IN_TIME))
    done, _ = await batch(storage, program, at=NOW, limit=1)
    assert (done.events, done.timers) == (1, 0)
    done, _ = await batch(storage, program, at=NOW, limit=1)
    assert (done.events, done.timers) == (1, 0)
    assert await state(storage) == "nick"


async def test_timers_fire_however_many_events_of_others_wait(storage: Storage, program: Program) -> None:
    await asked(storage, program)
    for number in range(3):
        await ingest(storage, event(f"你好 {number}", sender="oBert", at=LATE))
    done, _ = await batch(storage, program, at=NOW, limit=1)
    assert (done.events, done.timers) == (1, 1)


async def test_a_click_waits_for_the_words_that_the_same_advisor_typed_before(
    storage: Storage, program: Program
) -> None:
    await asked(storage, program)
    customer_id = await customer_of(storage)
    cards = await storage.read(lambda tx: [line.effect.effect_id for line in tx.reading.outbox_of(customer_id)])
    await ingest(storage, staff_event("再见"))
    await ingest(storage, staff_event("close", kind="card.clicked", task_id=cards[0]))
    await ingest(storage, event("你好", at=1))

    def waiting(tx: Transaction) -> list[str]:
        return [row.event.type for rows in Stepper(tx, program, NOON).waiting().values() for row in rows]

    assert await storage.read(waiting) == ["advisor.said"]
    await batch(storage, program)
    assert sorted(await storage.read(waiting)) == ["card.clicked", "message"]
