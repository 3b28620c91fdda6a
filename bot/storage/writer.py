"""The one writer: a thread that runs jobs in transactions shared by all who wait at that moment (group commit).

Each commit costs a flush of the disk, so jobs that wait together are committed together: begin, run every job that
is there, commit, tell all of them at once. When one job raises, nothing of the group was written, and each job is
run again in a transaction of its own, so that only the failing one gets its exception. A job may therefore run
twice, and must have no effect but on its transaction.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Generic, TypeVar, cast  # Any, cast: jobs of different results stand in one queue

from bot.errors import Unavailable
from bot.storage.waiting import Priority, Waiting

S = TypeVar("S")
T = TypeVar("T")

GROUP_MAX = 256
"""Jobs in one transaction."""
GROUP_S = 0.01
"""A transaction that has been open for so long takes no further job: nobody holds the writer over 50 ms."""
INGEST_WAITING_MAX = 4_096
"""Events from platforms keep a queue of their own length, because they must never wait for anything else."""
WAITING_MAX = 1_024
"""All other jobs. Whoever comes when a queue is full waits until there is room."""


@dataclass(slots=True, eq=False)
class _Order(Generic[S]):
    """A job, and the one who waits for it."""

    job: Callable[[S], object]
    future: "asyncio.Future[Any]"  # Any: the result of any job
    room: asyncio.Semaphore
    result: object = None
    error: Exception | None = None


class _Attempt:
    """Keeps the exception of its block, to be handed to the coroutine that waits for it."""

    __slots__ = ("error",)

    def __init__(self) -> None:
        self.error: Exception | None = None

    def __enter__(self) -> "_Attempt":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> bool:
        self.error = error if isinstance(error, Exception) else None
        return self.error is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Strain:
    """What the writer did since it started. `longest_hold_s`: the longest transaction, begin to commit.

    `waiting`: jobs that wait at this moment. `log_bytes`: how long SQLite's log is; 0 elsewhere.
    """

    groups: int
    jobs: int
    longest_hold_s: float
    waiting: int = 0
    log_bytes: int = 0


class Writer(Generic[S]):
    """Runs jobs one after the other in its thread. `begin` opens a transaction and commits or rolls back at its end.

    Made, used and closed in one event loop. `clock`: seconds that never run back.
    """

    def __init__(
        self, begin: Callable[[], AbstractContextManager[S]], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._begin = begin
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._ingest_room = asyncio.Semaphore(INGEST_WAITING_MAX)
        self._room = asyncio.Semaphore(WAITING_MAX)
        self._waiting: Waiting[_Order[S]] = Waiting()
        self._wake = threading.Condition()
        self._closing = False
        self._groups = self._jobs = 0
        self._longest_hold_s = 0.0
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._thread.start()

    async def write(self, priority: Priority, job: Callable[[S], T]) -> T:
        """The result of `job`, once it is committed. Whatever `job` raises is raised here, and nothing was written.

        StorageError: the writer is closed, or the database did not take it. A caller who is cancelled does not
        know whether the job was done.
        """
        room = self._ingest_room if priority is Priority.INGEST else self._room
        await room.acquire()
        order: _Order[S] = _Order(job=job, future=self._loop.create_future(), room=room)
        with self._wake:
            if self._closing:
                room.release()
                raise Unavailable("the storage is closed")
            self._waiting.put(order, priority, self._clock())
            self._wake.notify()
        return cast(T, await order.future)  # the future is filled with the result of this very job

    async def close(self) -> None:
        """Do every job that waits, then end the thread. New jobs are refused from now on."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        await asyncio.to_thread(self._thread.join)

    def strain(self) -> Strain:
        """Figures for the benchmark and the metrics."""
        with self._wake:
            waiting = len(self._waiting)
        return Strain(groups=self._groups, jobs=self._jobs, longest_hold_s=self._longest_hold_s, waiting=waiting)

    def _run(self) -> None:
        while (first := self._next()) is not None:
            done = self._group(first)
            self._loop.call_soon_threadsafe(_hand_over, done)

    def _next(self) -> _Order[S] | None:
        """The next job, after waiting for one; None: there will be none any more."""
        with self._wake:
            while not self._waiting and not self._closing:
                self._wake.wait()
            return self._waiting.take(self._clock())

    def _next_now(self) -> _Order[S] | None:
        with self._wake:
            return self._waiting.take(self._clock())

    def _group(self, first: _Order[S]) -> Sequence[_Order[S]]:
        """Run `first` and all that follow in one transaction; if that fails, each in one of its own."""
        taken = [first]
        began = self._clock()
        attempt = _Attempt()
        with attempt, self._begin() as session:
            first.result = first.job(session)
            while len(taken) < GROUP_MAX and self._clock() - began < GROUP_S:
                order = self._next_now()
                if order is None:
                    break
                taken.append(order)
                order.result = order.job(session)
        self._count(len(taken), began)
        if attempt.error is None:
            return taken
        if len(taken) == 1:
            first.error = attempt.error
            return taken
        for order in taken:
            self._alone(order)
        return taken

    def _alone(self, order: _Order[S]) -> None:
        began = self._clock()
        attempt = _Attempt()
        with attempt, self._begin() as session:
            order.result = order.job(session)
        order.error = attempt.error
        self._count(1, began)

    def _count(self, jobs: int, began: float) -> None:
        self._groups += 1
        self._jobs += jobs
        self._longest_hold_s = max(self._longest_hold_s, self._clock() - began)


def _hand_over(orders: Sequence[_Order[Any]]) -> None:  # Any: orders of any session
    for order in orders:
        order.room.release()
        if order.future.cancelled():
            continue
        if order.error is None:
            order.future.set_result(order.result)
        else:
            order.future.set_exception(order.error)
