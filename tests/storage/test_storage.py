"""The storage as a whole: reads, failures in the middle, many at once, and the end."""

import asyncio

import pytest

from bot.errors import StorageError
from bot.storage import KeyRing, Priority, Storage, Transaction
from tests.storage.makers import NOON, TurnedClock, claimed, event, ingest, later, write


async def test_a_job_that_raises_writes_nothing(storage: Storage) -> None:
    def job(t: Transaction) -> None:
        t.lanes.ingest([event("a")], received_at=NOON)
        raise ValueError("a bug")

    with pytest.raises(ValueError, match="a bug"):
        await write(storage, job)
    assert await claimed(storage) == []


async def test_of_many_jobs_at_once_only_the_failing_ones_fail(storage: Storage) -> None:
    def job(number: int, t: Transaction) -> int:
        t.lanes.ingest([event(f"e{number}", sender=f"o{number % 5}")], received_at=NOON)
        if number % 7 == 0:
            raise ValueError(str(number))
        return number

    def write_one(number: int) -> "asyncio.Future[int]":
        return asyncio.ensure_future(storage.write(Priority.INGEST, lambda t: job(number, t)))

    results = await asyncio.gather(*(write_one(number) for number in range(40)), return_exceptions=True)
    good = [number for number in range(40) if number % 7]
    assert [result for result in results if isinstance(result, int)] == good
    assert sorted(await claimed(storage)) == sorted(f"e{number}" for number in good)


async def test_a_read_cannot_write(storage: Storage) -> None:
    with pytest.raises(StorageError):
        await storage.read(lambda t: t.lanes.ingest([event("a")], received_at=NOON))
    assert await claimed(storage) == []


async def test_a_read_sees_what_is_committed_and_does_not_wait_for_the_writer(storage: Storage) -> None:
    await ingest(storage, event("a"))

    def write_and_look(t: Transaction) -> list[str]:
        t.lanes.ingest([event("b")], received_at=NOON)
        # Another transaction reads in the middle of this one.
        return asyncio.run_coroutine_threadsafe(claimed(storage), loop).result(10)

    loop = asyncio.get_running_loop()
    assert await write(storage, write_and_look) == ["a"]
    assert await claimed(storage) == ["a", "b"]


async def test_a_transaction_knows_the_moment_of_its_clock(storage: Storage, clock: TurnedClock) -> None:
    clock.at = later(77)
    assert await write(storage, lambda t: t.now) == later(77)
    assert await storage.read(lambda t: t.now) == later(77)


async def test_many_reads_at_once_all_get_their_answer(storage: Storage) -> None:
    await ingest(storage, event("a"))
    assert await asyncio.gather(*(claimed(storage) for _ in range(12))) == [["a"]] * 12


async def test_closing_finishes_what_waits(url: str, keys: KeyRing, clock: TurnedClock) -> None:
    opened = await Storage.open(url, keys=keys, clock_now=clock.now)
    waiting = [asyncio.create_task(ingest(opened, event(f"e{n}"))) for n in range(30)]
    await asyncio.wait(waiting, timeout=0)
    await opened.close()
    assert await asyncio.gather(*waiting) == [(True,)] * 30
    with pytest.raises(StorageError, match="closed"):
        await ingest(opened, event("late"))


async def test_jobs_that_come_together_share_commits(storage: Storage) -> None:
    before = storage.strain().groups
    await asyncio.gather(*(ingest(storage, event(f"e{n}")) for n in range(60)))
    assert storage.strain().groups - before < 60
