"""The engine: the door, the two loops and the alarm, started and stopped together."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta

import structlog

from bot.errors import Conflict, StorageError
from bot.runtime.alarm import Alarm
from bot.runtime.door import Door
from bot.runtime.live import Live
from bot.runtime.metrics import Metrics
from bot.runtime.outbox import Account, Outbox
from bot.runtime.ports import Clock, Sender
from bot.runtime.stepping import Batch, Stepper, park
from bot.storage import Claimed, Lane, Priority, Storage, Transaction

KEEP_EVENTS_FOR = timedelta(days=7)
"""How long a consumed event protects against its second delivery (delivery.md 1.2)."""
STORAGE_REST_S = 1.0
"""Pause of a loop after the database failed, before it tries again."""

BLOCKED_REST = timedelta(milliseconds=20)
"""The alarm rings no more often than this."""

log = structlog.get_logger(__name__)


class Engine:
    """Runs one process' share of the work. `lanes` is where events come in."""

    def __init__(
        self,
        storage: Storage,
        *,
        live: Live,
        clock: Clock,
        senders: Mapping[Account, Sender],
        metrics: Metrics,
    ) -> None:
        self.storage = storage
        self.live = live
        self.clock = clock
        self._metrics = metrics
        self._lanes_wake, self._outbox_wake = asyncio.Event(), asyncio.Event()
        self.lanes = Door(storage, clock, arrived=self._lanes_wake.set)
        self.outbox = Outbox(
            storage, live=live, clock=clock, senders=senders, metrics=metrics, settled=self._on_settled
        )
        self._alarm = Alarm(clock, self.wake)
        self._tasks: list[asyncio.Task[None]] = []
        self._working: set[str] = set()
        self._stopping = False
        self._rested = asyncio.Condition()
        self.progress = 0
        self._storage_fault = ""

    async def start(self) -> None:
        """Recover what an earlier process left, then run."""
        await self.outbox.recover()
        self._alarm.start()
        self._tasks = [
            asyncio.create_task(self._loop("lanes", self._lanes_wake, self._step_batch)),
            asyncio.create_task(self._loop("outbox", self._outbox_wake, self._send_batch)),
        ]
        self.wake()

    async def stop(self) -> None:
        """Finish the batches in hand and the sends under way, then stop. What waits stays in the database."""
        self._stopping = True
        self._alarm.stop()
        self.wake()
        await asyncio.gather(*self._tasks)
        await self.outbox.drain()

    def wake(self) -> None:
        """Let both loops look for work."""
        self._lanes_wake.set()
        self._outbox_wake.set()

    def accepting(self) -> bool:
        """Whether callbacks can be committed."""
        return not self._stopping and not self._storage_fault

    def degraded(self) -> Mapping[str, str]:
        """Platforms that do not take our messages now."""
        return self.outbox.degraded()

    async def next_due(self) -> datetime | None:
        """When something is due next; now, if something is already; None: nothing before somebody writes."""
        return await self.storage.read(lambda tx: tx.quiet.next_due(self.clock.now()))

    async def quiesce(self) -> None:
        """Wait until nothing more can be done at this moment of the clock."""
        while True:
            await self._until_resting()
            before = self.progress
            self.wake()
            await self._until_resting()
            if self.progress == before:
                return

    def _on_settled(self) -> None:
        self.progress += 1
        self.wake()

    async def _until_resting(self) -> None:
        async with self._rested:
            await self._rested.wait_for(self._resting)

    def _resting(self) -> bool:
        woken = self._lanes_wake.is_set() or self._outbox_wake.is_set()
        return not woken and not self._working and not self.outbox.busy

    async def _loop(self, name: str, wake: asyncio.Event, work: Callable[[], Awaitable[bool]]) -> None:
        while not self._stopping:
            await wake.wait()
            wake.clear()
            self._working.add(name)
            try:
                while not self._stopping and await work():
                    self.progress += 1
                self._storage_fault = ""
                await self._rearm()
            except StorageError as error:
                await self._after_fault(name, error)
            finally:
                self._working.discard(name)
                async with self._rested:
                    self._rested.notify_all()

    async def _after_fault(self, name: str, error: StorageError) -> None:
        """A conflict is tried again at once; a database that fails, after a rest."""
        if not isinstance(error, Conflict):
            self._storage_fault = error.what
            log.error("storage_failed", loop=name, why=error.what)
            await asyncio.sleep(STORAGE_REST_S)
        self.wake()

    async def _rearm(self) -> None:
        if self._stopping:
            return
        due_at = await self.next_due()
        if due_at is not None:
            # Something due that nobody could do (an account is down) must not ring without pause.
            due_at = max(due_at, self.clock.now() + BLOCKED_REST)
        self._alarm.arm(due_at)

    async def _step_batch(self) -> bool:
        def job(tx: Transaction) -> Batch:
            stepper = Stepper(tx, self.live.program, self.clock.now())
            return stepper.run(stepper.waiting())

        try:
            batch = await self.storage.write(Priority.STEP, job)
        except StorageError:
            raise
        except Exception as bug:  # the top of the lanes loop: find the lane it lies in, and let the others go on
            log.error("batch_failed", exc_info=bug)
            batch = await self._one_by_one()
        if batch.worked:
            self._metrics.step(outcome="stepped")
        if batch.parked:
            self._metrics.step(outcome="parked")
        if batch.effects:
            self._outbox_wake.set()
        return batch.worked

    async def _one_by_one(self) -> Batch:
        """Step every waiting lane in a transaction of its own; one that fails is parked."""
        whole = Batch()
        for lane, rows in (await self.storage.read(self._waiting)).items():
            try:
                part = await self.storage.write(Priority.STEP, self._only(lane, rows))
            except StorageError:
                raise
            except Exception as bug:  # as above, for one lane
                part = await self.storage.write(Priority.STEP, self._parking(lane, rows, bug))
            whole.events += part.events
            whole.timers += part.timers
            whole.effects |= part.effects
            whole.parked += part.parked
        return whole

    def _waiting(self, tx: Transaction) -> dict[Lane, list[Claimed]]:
        return Stepper(tx, self.live.program, self.clock.now()).waiting()

    def _only(self, lane: Lane, rows: list[Claimed]) -> Callable[[Transaction], Batch]:
        return lambda tx: Stepper(tx, self.live.program, self.clock.now()).run({lane: rows})

    def _parking(self, lane: Lane, rows: list[Claimed], bug: Exception) -> Callable[[Transaction], Batch]:
        def job(tx: Transaction) -> Batch:
            park(tx, lane, seq=rows[0].seq if rows else None, bug=bug)
            return Batch(parked=[lane])

        return job

    async def _send_batch(self) -> bool:
        return await self.outbox.tick() > 0
