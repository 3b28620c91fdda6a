"""The engine: the door, the two loops and the alarm, started and stopped together."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import TypeAlias

import structlog

from bot.core.events import Json
from bot.errors import Conflict, Spoilt, StorageError
from bot.runtime.accounts import Account, Accounts
from bot.runtime.alarm import Alarm
from bot.runtime.bugs import kind_of, place_of, trace_of
from bot.runtime.care import Care, Upkeep
from bot.runtime.door import Door, Signs
from bot.runtime.errands import NOBODY_TO_ASK, Errands
from bot.runtime.gaps import Gaps
from bot.runtime.gauges import Gauges
from bot.runtime.live import Live
from bot.runtime.metrics import Metrics
from bot.runtime.outbox import Outbox
from bot.runtime.ports import Caller, Clock, Sender
from bot.runtime.schedules import Schedules
from bot.runtime.stepping import Batch
from bot.runtime.steps import Steps
from bot.runtime.tidying import Tidying
from bot.storage import Storage

STORAGE_REST_S = 1.0
"""Pause of a loop after the database failed, before it tries again."""
BLOCKED_REST = timedelta(seconds=1)
"""When something is due that nobody can do now (its account is down), the alarm rings no more often than this."""

STOP_WITHIN_S = 15.0
"""Longer than any request to a platform lasts."""
QUIESCE_S_MAX = 600.0
"""Real seconds; a sandbox that is busy for so long turns in a circle."""

Round: TypeAlias = Callable[[], Awaitable[None]]

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
        self._lanes_wake, self._outbox_wake, self._care_wake = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._errands_wake = asyncio.Event()
        self._news: set[str] = set()
        self._upkeep = Upkeep()
        self._gaps = Gaps(storage, clock)
        self.lanes = Door(
            storage,
            clock,
            arrived=self._on_arrived,
            gaps=self._gaps,
            signs=Signs(clock_trouble=lambda: self._upkeep.clocks.trouble, behind=lambda: self._steps.behind),
        )
        self._steps = Steps(storage, live=live, clock=clock, metrics=metrics, stepped=self._on_batch)
        self._accounts = Accounts(senders=senders, clock=clock, metrics=metrics)
        self.outbox = Outbox(storage, live=live, clock=clock, accounts=self._accounts, settled=self._on_settled)
        self._errands = Errands(storage, live=live, clock=clock, metrics=metrics, told=self._on_told)
        self._schedules = Schedules(storage, live=live, clock=clock)
        self._gauges = Gauges(storage, clock=clock, metrics=metrics, accounts=self._accounts)
        self._alarm = Alarm(clock, self.wake)
        self._tasks: list[asyncio.Task[None]] = []
        self._working: set[str] = set()
        self._stopping = asyncio.Event()
        self._rested = asyncio.Condition()
        self._faults: dict[str, str] = {}
        self.progress = 0

    async def start(self, upkeep: Upkeep | None = None, *, caller: Caller = NOBODY_TO_ASK) -> None:
        """Recover what an earlier process left, then run. `caller`: who asks other systems."""
        self._upkeep = upkeep or self._upkeep
        care = Care(
            self.storage,
            gaps=self._gaps,
            upkeep=self._upkeep,
            arrive=self.lanes.accept,
            tidying=Tidying(self.storage, self.clock, self._upkeep.keep),
        )
        await self.outbox.recover()
        await self._errands.start(caller, epoch=self.outbox.epoch)
        await self._steps.start()
        await care.start()
        self._alarm.start()
        rounds: Mapping[str, tuple[asyncio.Event, Round]] = {
            "lanes": (self._lanes_wake, lambda: self._work_off("lanes", self._step_batch)),
            "outbox": (self._outbox_wake, lambda: self._work_off("outbox", self._send_batch)),
            "errands": (self._errands_wake, lambda: self._work_off("errands", self._run_batch)),
            "care": (self._care_wake, lambda: self._look_after(care)),
        }
        self._tasks = [asyncio.create_task(self._loop(name, wake, turn)) for name, (wake, turn) in rounds.items()]
        self._tasks.append(asyncio.create_task(self._accounts.greet()))
        self.wake()

    async def stop(self, *, within_s: float = STOP_WITHIN_S) -> None:
        """Finish the batches in hand and the sends under way, then stop. What waits stays in the database.

        Each of the two ends `within_s`: whatever takes longer is broken off like by a kill, and the next start reads
        what became of it.
        """
        self._stopping.set()
        self._alarm.stop()
        self.wake()
        _, left = await asyncio.wait(self._tasks, timeout=within_s)
        for task in left:
            task.cancel()
        if left:
            log.warning("loops_broken_off", count=len(left))
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.outbox.close()
        await asyncio.gather(self.outbox.drain(within_s=within_s), self._errands.drain(within_s=within_s))

    def wake(self) -> None:
        """Let all loops look for work."""
        self._lanes_wake.set()
        self._outbox_wake.set()
        self._errands_wake.set()
        self._care_wake.set()

    def accepting(self) -> bool:
        """Whether callbacks can be committed and the clocks be believed."""
        works = not self._stopping.is_set() and not self._faults and not self.lanes.failing
        return works and not self._upkeep.clocks.trouble

    def degraded(self) -> Mapping[str, str]:
        """Platforms that do not take our messages now, gaps, and what is wrong with the database or the clocks."""
        ours = {"storage": next(iter(self._faults.values()), ""), "clocks": self._upkeep.clocks.trouble}
        found = self._accounts.degraded() | self._gaps.told()
        return found | {name: why for name, why in ours.items() if why}

    async def waiting(self) -> Mapping[str, Json]:
        """What waits for an operator, and where messages may be missing. Metrics with a present value are set."""
        return await self._gauges.waiting()

    async def next_due(self) -> datetime | None:
        """When something is due next; now, if something is already; None: nothing before somebody writes."""
        return await self.storage.read(lambda tx: tx.quiet.next_due(self.clock.now()))

    async def quiesce(self, *, within_s: float = QUIESCE_S_MAX) -> None:
        """Wait until nothing more can be done at this moment of the clock. TimeoutError: it never comes to rest."""
        async with asyncio.timeout(within_s):
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
        if self.lanes.failing or self._gaps.unwritten:
            self._steps.unreached()  # what was turned away for any reason comes again, and goes before timers
        self._news.add("lanes")
        self._lanes_wake.set()
        if self._gaps.unwritten:
            self._care_wake.set()

    def _on_planned(self) -> None:
        self._news.add("outbox")
        self._outbox_wake.set()

    def _on_batch(self, batch: Batch) -> None:
        self.lanes.stepped()
        if batch.effects:
            self._on_planned()
        if batch.errands:
            self._on_asked()

    def _on_asked(self) -> None:
        self._news.add("errands")
        self._errands_wake.set()

    def _on_told(self) -> None:
        self.progress += 1
        self._on_asked()
        self._on_arrived()

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
            return not self.outbox.busy and not self._errands.busy
        wakes = (self._lanes_wake, self._outbox_wake, self._errands_wake, self._care_wake)
        busy = self._working or self.outbox.busy or self._errands.busy
        return not busy and not any(wake.is_set() for wake in wakes)

    async def _loop(self, name: str, wake: asyncio.Event, turn: Round) -> None:
        while not self._stopping.is_set():
            await wake.wait()
            wake.clear()
            self._working.add(name)
            try:
                await turn()
                self._faults.pop(name, None)
            except StorageError as error:
                if isinstance(error, Spoilt):  # one row, not the database: callbacks are taken all the same
                    log.error(
                        "loop_failed", loop=name, why=kind_of(error), place=place_of(error), trace=trace_of(error)
                    )
                else:
                    await self._after_fault(name, error)
            except Exception as bug:  # noqa: BLE001 - the top of all loops: the next ring finds them alive
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

    async def _step_batch(self) -> bool:
        held, urgent = bool(self._upkeep.clocks.trouble), self.lanes.take_urgent()
        return await self._steps.batch(timers_held=held, urgent=urgent)

    async def _look_after(self, care: Care) -> None:
        await care.look()
        # While the clocks are not believed nobody knows what has come.
        if self._upkeep.clocks.trouble:
            return
        if await self._schedules.tick():
            self.progress += 1
            self._on_arrived()
        await self._schedules.forget()

    async def _run_batch(self) -> bool:
        return await self._errands.tick(expires=not self._upkeep.clocks.trouble) > 0

    async def _send_batch(self) -> bool:
        expires = not self._upkeep.clocks.trouble
        return await self.outbox.tick(only_urgent=self.lanes.pressed, expires=expires) > 0
