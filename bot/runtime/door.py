"""Where events come in. What arrives together is committed together (delivery.md 1.4)."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import structlog

from bot.core.events import Event
from bot.errors import Conflict, StorageError, Unavailable
from bot.runtime.bugs import kind_of, place_of, trace_of
from bot.runtime.gaps import Gaps
from bot.runtime.metrics import TurnedAway
from bot.runtime.ports import Clock
from bot.runtime.quarantine import written
from bot.storage import Priority, Storage

BATCH_MAX = 500
"""Events committed by one job of the writer; more wait for the next."""

ALONE_FAILURES_MAX = 2
"""After so many in a row the database itself is at fault: the rest of the batch is told so without being tried."""

PRESSED_AT = 100
"""So many callbacks wait behind the commit under way: ordinary messages stop leaving until they are through. Far below
the number at which the web turns callbacks away (`Limits.commits_waiting_max`), so that it comes first."""

PATIENCE_S = 0.25
"""So long a callback lets the steps catch up with what was accepted before it: a flood would take the processor from
them. Far below the 5 s after which a platform repeats."""
PATIENT_UP_TO = 400
"""When so many wait, they are committed at once: nobody is turned away because steps are slow (delivery.md 1.8)."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Arrival:
    """The events of one callback, and whoever waits to hear that they are committed. `came_s`: by the loop's clock."""

    events: Sequence[Event]
    committed: "asyncio.Future[None]"
    came_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Signs:
    """What the door looks at. `clock_trouble` as below; `behind`: more waits to be stepped than one batch can take."""

    clock_trouble: Callable[[], str] = lambda: ""
    behind: Callable[[], bool] = lambda: False
    patience_s: float = PATIENCE_S


class Door:
    """Implements `Lanes`. Callers that come while the writer is busy share the next commit."""

    def __init__(
        self,
        storage: Storage,
        clock: Clock,
        *,
        arrived: Callable[[], None],
        gaps: Gaps,
        signs: Signs | None = None,
    ) -> None:
        self._storage = storage
        self._clock = clock
        self._arrived = arrived
        self._gaps = gaps
        self._signs = signs or Signs()
        self._stepped = asyncio.Event()
        self._waiting: deque[_Arrival] = deque()
        self._committing: asyncio.Task[None] | None = None
        self._failing = False
        self._urgent_came = False

    @property
    def failing(self) -> bool:
        """Whether the database refused the last commit, and was not found working since."""
        return self._failing

    def take_urgent(self) -> bool:
        """Whether an urgent event came since this was asked last: its step goes before all but ingest."""
        came, self._urgent_came = self._urgent_came, False
        return came

    @property
    def pressed(self) -> bool:
        """Whether so many callbacks wait for their commit that all else has to stand back (delivery.md 1.8)."""
        return len(self._waiting) >= PRESSED_AT

    @property
    def clock_trouble(self) -> str:
        """Why our clock cannot tell a callback's age now; "": it can."""
        return self._signs.clock_trouble()

    def turned_away(self, channel: str, account: str, *, reason: TurnedAway) -> None:
        """A rightly signed callback was not answered 200: messages of its account may be missing from now on."""
        self._gaps.turned_away(channel, account, reason=reason)
        self._arrived()

    def stepped(self) -> None:
        """A batch of steps is through: whoever lets them go first may look again."""
        self._stepped.set()

    async def probe(self) -> None:
        """Find out whether the database works again. StorageError: it does not."""
        await self._storage.write(Priority.INGEST, lambda tx: tx.probe())
        self._failing = False

    async def accept(self, events: Sequence[Event]) -> None:
        """Return once all `events` are committed, or were before. StorageError: nothing was.

        Events that cannot be written for a reason of their own are quarantined, and count as committed.
        """
        if not events:
            return
        loop = asyncio.get_running_loop()
        arrival = _Arrival(events=events, committed=loop.create_future(), came_s=loop.time())
        self._waiting.append(arrival)
        if self._committing is None or self._committing.done():
            self._committing = asyncio.create_task(self._commit_waiting())
        await asyncio.shield(arrival.committed)

    async def quarantine(
        self, *, channel: str, account: str, body: bytes, why: str, form: Literal["body", "event"] = "body"
    ) -> None:
        """Commit a body that was rightly signed and could not be read, or an event that could not be written."""
        await self._storage.write(
            Priority.INGEST,
            lambda tx: tx.lanes.quarantine(channel=channel, account=account, body=body, why=why, form=form),
        )

    async def _commit_waiting(self) -> None:
        while self._waiting:
            await self._let_steps_catch_up(self._waiting[0].came_s + self._signs.patience_s)
            batch = self._take_batch()
            failure = await self._commit([event for arrival in batch for event in arrival.events])
            if failure is None or isinstance(failure, Unavailable):
                for arrival in batch:
                    _tell(arrival, failure)
            else:
                await self._one_by_one(batch)
            self._arrived()

    async def _let_steps_catch_up(self, until_s: float) -> None:
        """Wait while steps are behind, but no longer than until `until_s`, and not with too many behind us."""
        if not self._signs.behind():
            return
        try:
            async with asyncio.timeout_at(until_s):
                while self._signs.behind() and len(self._waiting) < PATIENT_UP_TO:
                    self._stepped.clear()
                    await self._stepped.wait()
        except TimeoutError:
            return

    async def _one_by_one(self, batch: Sequence[_Arrival]) -> None:
        """One bad arrival must not take the others with it."""
        in_a_row = 0
        failure: StorageError | None = None
        for arrival in batch:
            if in_a_row < ALONE_FAILURES_MAX:
                failure = await self._commit_alone(arrival)
                in_a_row = 0 if failure is None else in_a_row + 1
            _tell(arrival, failure)

    async def _commit(self, events: Sequence[Event]) -> Exception | None:
        received_at = self._clock.now()
        try:
            await self._storage.write(Priority.INGEST, lambda tx: tx.lanes.ingest(events, received_at=received_at))
        except Exception as failure:  # noqa: BLE001 - the top of all that comes in: somebody waits for the answer
            self._failing = isinstance(failure, StorageError)
            return failure
        self._failing = False
        self._urgent_came |= any(event.urgent for event in events)
        return None

    async def _commit_alone(self, arrival: _Arrival) -> StorageError | None:
        """Write one arrival down, as events or, where a bug forbids that, as a quarantined body."""
        failure = await self._commit(arrival.events)
        if failure is None or isinstance(failure, (Unavailable, Conflict)):
            return failure
        log.error("event_quarantined", why=kind_of(failure), place=place_of(failure), trace=trace_of(failure))
        try:
            for event in arrival.events:
                await self.quarantine(
                    channel=event.channel,
                    account=event.account,
                    body=written(event),
                    why=kind_of(failure),
                    form="event",
                )
        except StorageError as error:
            return error
        self._failing = False
        return None

    def _take_batch(self) -> list[_Arrival]:
        batch: list[_Arrival] = []
        size = 0
        while self._waiting and size < BATCH_MAX:
            batch.append(self._waiting.popleft())
            size += len(batch[-1].events)
        return batch


def _tell(arrival: _Arrival, failure: StorageError | None) -> None:
    if arrival.committed.cancelled():
        return
    if failure is None:
        arrival.committed.set_result(None)
    else:
        arrival.committed.set_exception(failure)
