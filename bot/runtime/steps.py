"""The lanes loop's work: batches of steps, and what is done when one fails as a whole."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import structlog

from bot.errors import StorageError
from bot.runtime.bugs import kind_of, place_of, trace_of
from bot.runtime.live import Live
from bot.runtime.metrics import Metrics
from bot.runtime.ports import Clock
from bot.runtime.stepping import EVENTS_MAX, Batch, Parking, Stepper, park
from bot.storage import Claimed, Lane, Priority, Storage, Transaction

CAUGHT_UP_AFTER = timedelta(seconds=15)
"""No timer fires so soon after the start: platforms still repeat what was written while nobody answered, and a
reply from before a deadline goes before its timeout (delivery.md 2.3)."""
EVENTS_MIN = 8
"""Events claimed at least for one batch, however slow the machine."""
FAULTS_MAX = 3
"""A batch that the database refuses so often in a row is taken apart to find the lane it does not want."""

KEEP_EVENTS_FOR = timedelta(days=7)
"""How long a stepped event protects against its second delivery (delivery.md 1.2)."""
TIDY_EVERY = timedelta(hours=1)
TIDY_ROUNDS_MAX = 50
"""Transactions of one tidying; what is left waits for the next."""

Job = Callable[[Transaction], Batch]

log = structlog.get_logger(__name__)


class Steps:
    """Steps what waits, batch by batch. `planned` is called when a batch left something to send."""

    def __init__(
        self, storage: Storage, *, live: Live, clock: Clock, metrics: Metrics, planned: Callable[[], None]
    ) -> None:
        self._storage = storage
        self._live = live
        self._clock = clock
        self._metrics = metrics
        self._planned = planned
        self._caught_up_at: datetime | None = None
        self._faults = 0
        self._tidy_at: datetime | None = None
        self._limit = EVENTS_MAX

    async def start(self) -> None:
        """From now on the platforms can reach us; what they repeat arrives in the next seconds."""
        self._caught_up_at = self._clock.now() + CAUGHT_UP_AFTER
        await self._count_parked()

    async def batch(self) -> bool:
        """Step one batch. False: nothing could be stepped. StorageError: the database failed, nothing was written."""
        found = await self._tried(self._everything)
        if isinstance(found, StorageError):
            self._faults += 1
            if self._faults < FAULTS_MAX:
                raise found
        self._faults = 0
        if isinstance(found, Exception):
            log.error("batch_failed", why=kind_of(found), place=place_of(found), trace=trace_of(found))
            found = await self._lane_by_lane()
        self._learn(found)
        await self._report(found)
        return found.worked

    async def tidy(self) -> None:
        """Forget events that are older than any repetition, once an hour, a little in each transaction."""
        now = self._clock.now()
        if self._tidy_at is not None and now < self._tidy_at:
            return
        self._tidy_at = now + TIDY_EVERY
        for _ in range(TIDY_ROUNDS_MAX):
            if await self._storage.write(Priority.REST, lambda tx: tx.lanes.forget(before=now - KEEP_EVENTS_FOR)) == 0:
                return

    async def _tried(self, job: Job) -> Batch | Exception:
        """What `job` did, committed; or why nothing of it was written."""
        try:
            return await self._storage.write(Priority.STEP, job)
        except Exception as bug:  # noqa: BLE001 - part of the top of the lanes loop: told to whoever can find the lane
            return bug

    def _stepper(self, tx: Transaction) -> Stepper:
        now = self._clock.now()
        held = self._caught_up_at is not None and now < self._caught_up_at
        return Stepper(tx, self._live.program, now, timers_held=held)

    def _everything(self, tx: Transaction) -> Batch:
        stepper = self._stepper(tx)
        return stepper.run(stepper.waiting(self._limit))

    def _learn(self, batch: Batch) -> None:
        """Claim next time about as much as can be stepped in the time of a batch: the rest would be read in vain."""
        if batch.cut:
            self._limit = max(EVENTS_MIN, batch.events)
        else:
            self._limit = min(EVENTS_MAX, self._limit * 2)

    async def _lane_by_lane(self) -> Batch:
        """Step what waits in transactions of their own; a lane that fails is parked, the others go on.

        StorageError: the database takes nothing at all.
        """
        whole = Batch()
        waiting = await self._storage.read(lambda tx: self._stepper(tx).waiting())
        for lane, rows in waiting.items():
            for part in _parts(lane, rows):
                done = await self._tried(self._only(lane, part))
                if isinstance(done, Exception):
                    parking = Parking(lane=lane, seq=part[0].seq if part else None, bug=done)
                    await self._storage.write(Priority.STEP, _parking(parking))
                    whole.parked.append(parking)
                    break
                whole.add(done)
        return whole

    def _only(self, lane: Lane, rows: Sequence[Claimed]) -> Job:
        return lambda tx: self._stepper(tx).run({lane: rows})

    async def _report(self, batch: Batch) -> None:
        if batch.effects:
            self._planned()
        if batch.worked:
            self._metrics.step(outcome="stepped")
        for parking in batch.parked:
            bug = parking.bug
            log.error(
                "lane_parked",
                lane=parking.lane,
                seq=parking.seq,
                why=kind_of(bug),
                place=place_of(bug),
                trace=trace_of(bug),
            )
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
