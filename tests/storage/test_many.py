"""Many rows in one statement, and small jobs that go to the writer as one."""

import asyncio
from collections.abc import Sequence

import pytest

from bot.runtime.together import TOGETHER_MAX, Together
from bot.storage import JournalLine, Priority, Storage, Transaction
from bot.storage.many import PARTS
from tests.storage.makers import NOON, claimed, event, ingest, newcomer, write


@pytest.mark.parametrize("count", [1, PARTS[0] - 1, PARTS[0], 2 * PARTS[0] + 3])
async def test_however_many_events_come_together_each_is_there_once_and_in_order(storage: Storage, count: int) -> None:
    names = [f"e{number:04d}" for number in range(count)]
    assert await ingest(storage, *map(event, names)) == (True,) * count
    assert await ingest(storage, *map(event, names)) == (False,) * count
    found = await storage.read(lambda tx: tx.claims.claim(count + 1))
    assert [row.event.event_id for row in found] == [event(name).event_id for name in names]
    await write(storage, lambda tx: tx.lanes.consume([row.seq for row in found]))
    assert await claimed(storage) == []


async def test_lines_of_the_journal_stand_in_the_order_in_which_they_were_written(storage: Storage) -> None:
    customer_id = (await newcomer(storage)).customer_id
    count = PARTS[0] + PARTS[1] + 1
    lines = [
        JournalLine(customer_id=customer_id, kind="event", at=NOON, entries=(), took_us=number)
        for number in range(count)
    ]
    await write(storage, lambda tx: tx.journal.append(lines))
    found = await storage.read(lambda tx: tx.reading.journal_of(customer_id, limit=count))
    in_order = sorted(found, key=lambda line: line.seq)
    assert [line.took_us for line in in_order] == list(range(count))


def squared(tx: Transaction, numbers: Sequence[int]) -> list[int]:
    tx.probe()
    if 13 in numbers:
        raise ValueError("unlucky")
    return [number * number for number in numbers]


async def test_each_of_those_who_ask_together_gets_her_own_answer(storage: Storage) -> None:
    asked = Together(storage, lambda _: Priority.LEASE, squared)
    before = storage.strain().jobs
    numbers = [number + 100 for number in range(2 * TOGETHER_MAX)]
    found = await asyncio.gather(*(asked.ask(number) for number in numbers))
    assert found == [number * number for number in numbers]
    assert storage.strain().jobs - before == 2


async def test_a_question_that_cannot_be_answered_takes_no_other_with_it(storage: Storage) -> None:
    asked = Together(storage, lambda _: Priority.LEASE, squared)
    one, bad, two = await asyncio.gather(*(asked.ask(n) for n in (2, 13, 3)), return_exceptions=True)
    assert (one, two) == (4, 9)
    assert isinstance(bad, ValueError)
