"""The lanes loop's work: batches of steps, and what is done when one fails as a whole."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

import structlog

from bot.errors import Conflict, Unavailable
from bot.runtime.bugs import kind_of, place_of, trace_of
from bot.runtime.live import Live
from bot.runtime.metrics import Metrics
from bot.runtime.parking import Aside, Parking, park, set_aside, tell_aside
from bot.runtime.ports import Clock
from bot.runtime.stepping import EVENTS_MAX, Batch, Pace, Stepper
from bot.storage import Claimed, Lane, Priority, SpoiltRow, Storage, Transaction

CAUGHT_UP_AFTER = timedelta(seconds=15)
"""No timer fires so soon after the start, or after callbacks were refused: platforms still repeat what was written
while nobody answered, and a reply from before a deadline goes before its timeout (delivery.md 2.3)."""
EVENTS_MIN = 8
"""Events claimed at least for one batch, however slow the machine."""
BATCH_CPU_S, BATCH_S = 0.034, 0.04
"""A whole batch, read, stepped and written, should take so long, in work and by the clock since its transaction began:
with the commit the writer is then held for less than 50 ms (delivery.md 5)."""
AHEAD_MAX = 6
"""Batches that stand before the writer at once while more waits than one can take: a turn of the event loop lasts as
long as several batches when callbacks pour in, and the writer would wait for it after each."""
BATCHES_MAX = 24
"""Batches in a row, about a second, before the loop looks at its other signs."""
CONFLICTS_MAX = 3
"""A batch that met others' changes so often in a row is stepped lane by lane, so that one busy lane stops nobody."""

Job = Callable[[Transaction], Batch]

log = structlog.get_logger(__name__)


class Steps:
    """Steps what waits, batch by batch. `stepped` is called with each batch that is through; a failed one is empty."""

    def __init__(
        self,
        storage: Storage,
        *,
        live: Live,
        clock: Clock,
        metrics: Metrics,
        stepped: Callable[[Batch], None],
    ) -> None:
        self._storage = storage
        self._live = live
        self._clock = clock
        self._metrics = metrics
        self._stepped = stepped
        self._timers_held = False
        self._caught_up_at: datetime | None = None
        self._conflicts = 0
        self._limit = EVENTS_MIN  # nobody knows yet how fast the machine is
        self._behind = False

    @property
    def behind(self) -> bool:
        """Whether more waits than the last batch could take."""
        return self._behind

    async def start(self) -> None:
        """From now on the platforms can reach us; what they repeat arrives in the next seconds."""
        self.unreached()
        await self._count_parked()

    def unreached(self) -> None:
        """Until now nobody could reach us. Whatever was written meanwhile is still to come, and goes before timers."""
        self._caught_up_at = self._clock.now() + CAUGHT_UP_AFTER

    async def batch(self, *, timers_held: bool = False, urgent: bool = False) -> bool:
        """Step one batch, and further ones while more waits than one can take. False: nothing could be stepped.

        With `timers_held` only events; `urgent` ones before other work. StorageError: the database failed, nothing
        of the batch in question was written.
        """
        self._timers_held = timers_held
        found = await self._in_a_row(Priority.URGENT if urgent else Priority.STEP)
        worked = any(isinstance(one, Batch) and one.worked for one in found)
        failures = [one for one in found if isinstance(one, Exception)]
        for failure in failures:
            if isinstance(failure, Unavailable):
                raise failure
        if failures and isinstance(failures[0], Conflict):
            self._conflicts += 1
            if self._conflicts < CONFLICTS_MAX:
                raise failures[0]
        self._conflicts = 0
        if failures:
            bug = failures[0]
            log.error("batch_failed", why=kind_of(bug), place=place_of(bug), trace=trace_of(bug))
            alone = await self._lane_by_lane()
            await self._report(alone)
            worked |= alone.worked
        return worked

    async def _in_a_row(self, priority: Priority) -> list[Batch | Exception]:
        """What became of each batch; those that were committed are reported. The last one was not full, or failed.

        Only the first has `priority`: it claims the urgent events, and those behind it are work as any other.
        """
        found: list[Batch | Exception] = []
        ahead: deque[asyncio.Task[Batch | Exception]] = deque()
        while not found or ahead or (self._behind and len(found) < BATCHES_MAX):
            wanted = min(AHEAD_MAX if self._behind else 1, BATCHES_MAX - len(found))
            while len(ahead) < wanted and (self._behind or not found):
                ahead.append(asyncio.create_task(self._tried(self._everything, priority)))
                priority = Priority.STEP
            one = await ahead.popleft()
            found.append(one)
            self._behind = isinstance(one, Batch) and one.full
            await self._report(one if isinstance(one, Batch) else Batch())
        return found

    async def _tried(self, job: Job, priority: Priority = Priority.STEP) -> Batch | Exception:
        """What `job` did, committed; or why nothing of it was written."""
        try:
            return await self._storage.write(priority, job)
        except Exception as bug:  # noqa: BLE001 - part of the top of the lanes loop: told to whoever can find the lane
            return bug

    def _stepper(self, tx: Transaction) -> Stepper:
        now = self._clock.now()
        held = (self._caught_up_at is not None and now < self._caught_up_at) or self._timers_held
        return Stepper(tx, self._live.program, now, timers_held=held)

    def _everything(self, tx: Transaction) -> Batch:
        pace = Pace(tx.began_s)
        stepper = self._stepper(tx)
        batch = stepper.run(stepper.waiting(self._limit))
        self._learn(batch, took=pace.part(cpu_s=BATCH_CPU_S, wall_s=BATCH_S))
        return batch

    def _learn(self, batch: Batch, *, took: float) -> None:
        """Claim next time about as much as can be done in the time of a batch: the rest would be read in vain.

        `took`: the part of that time that this one took.
        """
        if batch.cut or took > 1:
            done = min(batch.events + batch.timers, self._limit)
            self._limit = max(EVENTS_MIN, int(done / max(took, 1)))
        else:
            self._limit = min(EVENTS_MAX, self._limit + self._limit // 4 + 1)

    async def _lane_by_lane(self) -> Batch:
        """Step what waits in transactions of their own; a lane that fails is parked, the others go on.

        Unavailable: the database itself fails, which parks nobody. A lane that met another's change waits.
        """
        whole = Batch()
        waiting, spoilt = await self._storage.read(self._waiting)
        if spoilt:
            whole.set_aside(await self._storage.write(Priority.STEP, lambda tx: set_aside(tx, spoilt)))
        for lane, rows in waiting.items():
            for part in _parts(lane, rows):
                done = await self._tried(self._only(lane, part))
                if isinstance(done, Unavailable):
                    raise done
                if isinstance(done, Conflict):
                    break
                if isinstance(done, Exception):
                    parking = Parking(lane=lane, seq=part[0].seq if part else None, bug=done)
                    await self._storage.write(Priority.STEP, _parking(parking))
                    whole.parked.append(parking)
                    break
                whole.add(done)
        return whole

    def _waiting(self, tx: Transaction) -> tuple[Mapping[Lane, Sequence[Claimed]], Sequence[SpoiltRow]]:
        """What can be stepped, and what was met on the way that does not open."""
        return self._stepper(tx).waiting(), tx.spoilt.take()

    def _only(self, lane: Lane, rows: Sequence[Claimed]) -> Job:
        return lambda tx: self._stepper(tx).run({lane: rows})

    async def _report(self, batch: Batch) -> None:
        self._stepped(batch)
        if batch.worked:
            self._metrics.step(outcome="stepped")
            self._metrics.timers_fired(batch.late_s)
            self._metrics.planned(batch.decided)
        tell_aside(Aside(rows=tuple(batch.aside), parked=tuple(batch.parked)))
        for _ in batch.parked:
            self._metrics.step(outcome="parked")
        if batch.parked:
            await self._count_parked()

    async def _count_parked(self) -> None:
        self._metrics.parked(len(await self._storage.read(lambda tx: tx.reading.all_parked())))


def _parts(lane: Lane, rows: Sequence[Claimed]) -> list[Sequence[Claimed]]:
    """A customer's rows belong together; those of an account have nothing to do with each other."""
    return [[row] for row in rows] if lane < 0 else [rows]


def _parking(parking: Parking) -> Callable[[Transaction], None]:
    return lambda tx: park(tx, parking)
