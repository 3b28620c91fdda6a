"""What is the database's fault and what is a row's: the first parks nobody, the second stops nobody else."""

import sqlite3
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import psycopg
import pytest
from sqlalchemy.exc import DatabaseError, DataError, OperationalError, ProgrammingError

from bot.core.program import Program
from bot.errors import Conflict, StorageError, Unavailable
from bot.storage import KeyRing, Priority, Storage, Transaction
from bot.storage.database import meaning_of
from tests.storage.engine_rig import HELLO, Platform, follow, running
from tests.storage.makers import TurnedClock, customer_of, event, write
from tests.storage.why_stage import brand

T = TypeVar("T")


class Failing(Storage):
    """A storage whose steps end as a test wishes, `times` times."""

    error: StorageError | None = None
    times = 0
    hated = ""

    async def write(self, priority: Priority, job: Callable[[Transaction], T]) -> T:
        def run(tx: Transaction) -> T:
            done = job(tx)
            if priority is Priority.STEP and self.times > 0 and self.error is not None:
                self.times -= 1
                raise self.error
            if priority is Priority.STEP and self.hated and self._stepped(tx):
                raise StorageError("the database refused: value out of range")
            return done

        return await super().write(priority, run)

    def _stepped(self, tx: Transaction) -> bool:
        customer_id = tx.reading.find_customer(self.hated)
        if customer_id is None or tx.reading.parked_of(customer_id) is not None:
            return False
        return any(line.consumed_at is not None for line in tx.reading.inbox_of(customer_id))


@pytest.fixture
async def storage(url: str, keys: KeyRing, clock: TurnedClock) -> AsyncIterator[Failing]:
    opened = await Failing.open(url, keys=keys, clock_now=clock.now, ticks=clock.ticks)
    yield opened
    await opened.close()


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return brand(tmp_path)


async def parked(storage: Storage) -> int:
    return len(await storage.read(lambda t: t.reading.all_parked()))


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
async def test_a_database_that_fails_again_and_again_parks_nobody(
    storage: Failing, clock: TurnedClock, program: Program
) -> None:
    platform = Platform()
    async with running(storage, clock, program, sender=platform) as engine:
        storage.error, storage.times = Unavailable("the disk is full"), 4
        await engine.lanes.accept([follow()])
        await engine.quiesce()
        while storage.times:
            engine.wake()
            await engine.quiesce()
        engine.wake()
        await engine.quiesce()
        assert platform.asked == HELLO
        assert await parked(storage) == 0
        assert engine.accepting()


async def test_a_conflict_that_comes_again_and_again_parks_nobody(
    storage: Failing, clock: TurnedClock, program: Program
) -> None:
    platform = Platform()
    async with running(storage, clock, program, sender=platform) as engine:
        storage.error, storage.times = Conflict("changed by somebody else"), 7
        await engine.lanes.accept([follow()])
        await engine.quiesce()
        while storage.times:
            engine.wake()
            await engine.quiesce()
        engine.wake()
        await engine.quiesce()
        assert platform.asked == HELLO
        assert await parked(storage) == 0


async def test_a_row_that_the_database_refuses_parks_its_lane_and_stops_nobody_else(
    storage: Failing, clock: TurnedClock, program: Program
) -> None:
    platform = Platform()
    async with running(storage, clock, program, sender=platform) as engine:
        storage.hated = "oAnna"
        await engine.lanes.accept([follow("oAnna"), follow("oBert")])
        await engine.quiesce()
        assert platform.asked == HELLO
        (stands,) = await storage.read(lambda t: t.reading.all_parked())
        assert stands.lane == await customer_of(storage, "oAnna")
        storage.hated = ""
        await write(storage, lambda t: t.lanes.unpark(stands.lane))
        engine.wake()
        await engine.quiesce()
        assert platform.asked == HELLO * 2


async def test_events_are_taken_in_again_once_the_database_does(
    storage: Failing, clock: TurnedClock, program: Program
) -> None:
    async with running(storage, clock, program, sender=Platform()) as engine:
        one = replace(event("x"), fields={"kind": "text", "text": "x", "number": 2**80})
        await engine.lanes.accept([one])
        assert await storage.read(lambda t: len(t.reading.quarantined())) == 1


def caused_by(cause: Exception) -> dict[str, object]:
    return {"statement": "UPDATE x", "params": {}, "orig": cause}


def sqlite_error(kind: type[sqlite3.Error], code: int) -> sqlite3.Error:
    error = kind("...")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        (OperationalError(**caused_by(sqlite_error(sqlite3.OperationalError, sqlite3.SQLITE_FULL))), Unavailable),
        (
            OperationalError(**caused_by(sqlite_error(sqlite3.OperationalError, sqlite3.SQLITE_IOERR_FSYNC))),
            Unavailable,
        ),
        (OperationalError(**caused_by(sqlite_error(sqlite3.OperationalError, sqlite3.SQLITE_BUSY))), Unavailable),
        (DatabaseError(**caused_by(sqlite_error(sqlite3.DatabaseError, sqlite3.SQLITE_CORRUPT_INDEX))), Unavailable),
        (OperationalError(**caused_by(psycopg.errors.DiskFull("..."))), Unavailable),
        (ProgrammingError(**caused_by(psycopg.errors.UndefinedTable("..."))), Unavailable),
        (OperationalError(**caused_by(psycopg.errors.DeadlockDetected("..."))), Conflict),
        (DataError(**caused_by(psycopg.errors.NumericValueOutOfRange("..."))), StorageError),
        (DataError(**caused_by(sqlite_error(sqlite3.DataError, sqlite3.SQLITE_TOOBIG))), StorageError),
    ],
    ids=lambda value: type(value.orig).__name__ if hasattr(value, "orig") else value.__name__,
)
def test_every_error_of_a_driver_is_the_databases_fault_or_the_rows(
    error: DatabaseError, meaning: type[StorageError]
) -> None:
    assert type(meaning_of(error)) is meaning
