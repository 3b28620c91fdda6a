"""The product's storage with its writer in the loop: same groups, same order, no thread, and nothing really waits.

A transaction runs in one piece; whoever waits for its commit hears of it a moment later, as from the real thread.
"""

import asyncio
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, TypeVar  # Any: a job of any result

from sqlalchemy.exc import DBAPIError, OperationalError

from bot.storage import KeyRing, Priority, Storage, Transaction, writer
from bot.storage.database import meaning_of
from bot.storage.quick import QuickConnection
from bot.storage.recent import Recent
from bot.storage.transaction import Moments
from bot.storage.waiting import Waiting
from tests.simulation.disk import Disk
from tests.simulation.loop import Killed, VirtualLoop, current_life

T = TypeVar("T")


class Witness(Protocol):
    """Looks at every transaction, while it is open and when it is over."""

    def job_done(self, result: object) -> None:
        """A job has run; its transaction is open. Killed: the product dies here."""
        ...

    def settled(self, *, committed: bool) -> None:
        """The transaction of the jobs since the last time is over."""
        ...


@dataclass(kw_only=True, slots=True)
class Trouble:
    """What the disk does to transactions: how often it is busy, fails at a commit, and how long it takes."""

    dice: random.Random
    busy: float = 0.0
    failing_commit: float = 0.0
    slow_s: float = 0.0
    counted: dict[str, int] = field(default_factory=dict)

    def at_begin(self) -> None:
        """OperationalError: the database is busy."""
        self._strike("busy", self.busy, "database is locked")

    def at_commit(self) -> None:
        """OperationalError: it was not written."""
        self._strike("failing_commit", self.failing_commit, "disk I/O error")

    def takes_s(self) -> float:
        """Seconds until those who wait hear of the commit."""
        return self.dice.uniform(0.0002, self.slow_s) if self.slow_s else 0.0005

    def _strike(self, name: str, rate: float, what: str) -> None:
        if rate and self.dice.random() < rate:
            self.counted[name] = self.counted.get(name, 0) + 1
            raise OperationalError("simulated", None, Exception(what))


class InlineWriter(writer.Writer[Transaction]):
    """The writer without its thread. The group commit is the product's own."""

    def __init__(  # the parent would start its thread
        self,
        begin: Callable[[], Any],
        *,
        loop: VirtualLoop,
        trouble: Trouble,
        witness: Witness,  # Any: as the parent's
    ) -> None:
        self._begin = begin
        self._clock = loop.time
        self._loop: asyncio.AbstractEventLoop = loop
        self._virtual = loop
        self._trouble = trouble
        self._witness = witness
        self._ingest_room = asyncio.Semaphore(writer.INGEST_WAITING_MAX)
        self._room = asyncio.Semaphore(writer.WAITING_MAX)
        self._waiting: Waiting[writer._Order[Transaction]] = Waiting()
        self._closing = False
        self._groups = self._jobs = 0
        self._longest_hold_s = 0.0
        self._at_work = False

    async def write(self, priority: Priority, job: Callable[[Transaction], T]) -> T:
        room = self._ingest_room if priority is Priority.INGEST else self._room
        await room.acquire()

        def watched(tx: Transaction) -> T:
            result = job(tx)
            self._witness.job_done(result)
            return result

        future: asyncio.Future[Any] = self._loop.create_future()  # Any: the result of any job
        order = writer._Order(job=watched, future=future, room=room)
        self._waiting.put(order, priority, self._clock())
        if not self._at_work:
            self._at_work = True
            self._virtual.call_soon(self._work)
        result: T = await future
        return result

    async def close(self) -> None:
        self._closing = True

    def _work(self) -> None:
        first = self._next_now()
        if first is None:
            self._at_work = False
            return
        try:
            done = self._group(first)
        except Killed:
            life = current_life()
            assert life is not None, "only the product writes"
            life.end()
            return
        self._virtual.call_later(self._trouble.takes_s(), self._tell, done)

    def _tell(self, done: Any) -> None:  # Any: orders of any result
        writer._hand_over(done)
        self._work()

    def _next_now(self) -> writer._Order[Transaction] | None:
        return self._waiting.take(self._clock())


class InlineStorage(Storage):
    """The product's storage on the simulation's disk."""

    def __init__(  # the parent would open the database itself
        self, disk: Disk, *, keys: KeyRing, clock_now: Callable[[], datetime], trouble: Trouble, witness: Witness
    ) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop), "the simulation has a loop of its own"
        self._keys = keys
        self._recent = Recent()
        self._clock_now = clock_now
        self._disk, self._trouble, self._witness = disk, trouble, witness
        self._virtual = loop
        self._writer = InlineWriter(self._watched, loop=loop, trouble=trouble, witness=witness)

    @property
    def changes(self) -> int:
        """Rows that were ever written."""
        return self._disk.changes

    @property
    def depth(self) -> int:
        """Jobs that wait for the writer."""
        return len(self._writer._waiting)

    async def read(self, job: Callable[[Transaction], T]) -> T:
        await self._virtual.pause(0.0002)
        with self._disk.reading() as connection, _meaning():
            return job(self._on(connection, recent=None))

    async def close(self) -> None:
        await self._writer.close()

    @contextmanager
    def _watched(self) -> Iterator[Transaction]:
        committed = False
        try:
            with _meaning(), self._disk.writing(self._trouble) as connection:
                yield self._on(connection, recent=self._recent)
            committed = True
        finally:
            self._witness.settled(committed=committed)

    def _on(self, connection: QuickConnection, recent: Recent | None) -> Transaction:
        moments = Moments(now=self._clock_now(), ticks=lambda: ticks_of(self._virtual))
        usable: Any = connection  # Any: it is no Connection, and does all that is asked of one
        return Transaction(usable, keys=self._keys, at=moments, recent=recent)


def ticks_of(loop: VirtualLoop) -> int:
    """What leases are measured with: the loop's own time, in microseconds."""
    return int(loop.time() * 1_000_000)


@contextmanager
def _meaning() -> Iterator[None]:
    """Errors of the database come out as the product's own."""
    try:
        yield
    except DBAPIError as error:
        raise meaning_of(error) from error
