"""The engine: the door, the two loops and the alarm, started and stopped together."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta

import structlog

from bot.errors import Conflict, StorageError
from bot.runtime.accounts import Account, Accounts
from bot.runtime.alarm import Alarm
from bot.runtime.bugs import kind_of, place_of, trace_of
from bot.runtime.door import Door
from bot.runtime.live import Live
from bot.runtime.metrics import Metrics
from bot.runtime.outbox import Outbox
from bot.runtime.ports import Clock, Sender
from bot.runtime.steps import Steps
from bot.storage import Storage

STORAGE_REST_S = 1.0
"""Pause of a loop after the database failed, before it tries again."""
BLOCKED_REST = timedelta(seconds=1)
"""When something is due that nobody can do now (its account is down), the alarm rings no more often than this."""

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
        self._news: set[str] = set()
        self.lanes = Door(storage, clock, arrived=self._on_arrived)
        self._steps = Steps(storage, live=live, clock=clock, metrics=metrics, planned=self._on_planned)
        self._accounts = Accounts(senders=senders, clock=clock, metrics=metrics)
        self.outbox = Outbox(storage, live=live, clock=clock, accounts=self._accounts, settled=self._on_settled)
        self._alarm = Alarm(clock, self.wake)
        self._tasks: list[asyncio.Task[None]] = []
        self._working: set[str] = set()
        self._stopping = asyncio.Event()
        self._rested = asyncio.Condition()
        self._faults: dict[str, str] = {}
        self.progress = 0

    async def start(self) -> None:
        """Recover what an earlier process left, then run."""
        await self.outbox.recover()
        await self._steps.start()
        self._alarm.start()
        self._tasks = [
            asyncio.create_task(self._loop("lanes", self._lanes_wake, self._steps.batch)),
            asyncio.create_task(self._loop("outbox", self._outbox_wake, self._send_batch)),
            asyncio.create_task(self._accounts.greet()),
        ]
        self.wake()

    async def stop(self) -> None:
        """Finish the batches in hand and the sends under way, then stop. What waits stays in the database."""
        self._stopping.set()
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
        return not self._stopping.is_set() and not self._faults and not self.lanes.failing

    def degraded(self) -> Mapping[str, str]:
        """Platforms that do not take our messages now."""
        return self._accounts.degraded()

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

    async def _quiescent(self) -> bool:
        return await self.storage.read(lambda tx: tx.quiet.quiescent(self.clock.now()))

    def _on_arrived(self) -> None:
        self._news.add("lanes")
        self._lanes_wake.set()

    def _on_planned(self) -> None:
        self._news.add("outbox")
        self._outbox_wake.set()

    def _on_settled(self, *, lane_told: bool) -> None:
        self.progress += 1
        self._on_planned()
        if lane_told:
            self._on_arrived()

    async def _until_resting(self) -> None:
        async with self._rested:
            await self._rested.wait_for(self._resting)

    def _resting(self) -> bool:
        if self._stopping.is_set():
            return not self.outbox.busy
        woken = self._lanes_wake.is_set() or self._outbox_wake.is_set()
        return not woken and not self._working and not self.outbox.busy

    async def _loop(self, name: str, wake: asyncio.Event, work: Callable[[], Awaitable[bool]]) -> None:
        while not self._stopping.is_set():
            await wake.wait()
            wake.clear()
            self._working.add(name)
            try:
                await self._work_off(name, work)
            except StorageError as error:
                await self._after_fault(name, error)
            except Exception as bug:  # noqa: BLE001 - the top of both loops: the next ring finds them alive
                log.error("loop_failed", loop=name, why=kind_of(bug), place=place_of(bug), trace=trace_of(bug))
            finally:
                self._working.discard(name)
                async with self._rested:
                    self._rested.notify_all()

    async def _work_off(self, name: str, work: Callable[[], Awaitable[bool]]) -> None:
        if self.lanes.failing:
            await self.lanes.probe()
        # Whoever was told of work begins at once; whoever only was woken looks first, so that the alarm's rings open
        # no transaction of the writer for nothing.
        has_news = name in self._news
        self._news.discard(name)
        if has_news or not await self._quiescent():
            while not self._stopping.is_set() and await work():
                self.progress += 1
        self._faults.pop(name, None)
        await self._steps.tidy()
        if not (self._stopping.is_set() or self._lanes_wake.is_set() or self._outbox_wake.is_set()):
            await self._rearm()

    async def _after_fault(self, name: str, error: StorageError) -> None:
        """A conflict is tried again at once; a database that fails, after a rest."""
        if isinstance(error, Conflict):
            self._metrics.step(outcome="conflict")
        else:
            self._faults[name] = error.what
            log.error("storage_failed", loop=name, why=error.what)
            await self._rest(STORAGE_REST_S)
        self.wake()

    async def _rest(self, seconds: float) -> None:
        """Wait, but no longer than until somebody wants to stop."""
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            return

    async def _rearm(self) -> None:
        due_at = await self.next_due()
        now = self.clock.now()
        if due_at is not None and due_at <= now:
            due_at = now + BLOCKED_REST
        self._alarm.arm(due_at)

    async def _send_batch(self) -> bool:
        return await self.outbox.tick() > 0
