"""Where events come in. What arrives together is committed together (delivery.md 1.4)."""

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from bot.core.events import Event
from bot.errors import StorageError
from bot.runtime.bugs import kind_of, place_of, trace_of
from bot.runtime.ports import Clock
from bot.storage import Priority, Storage

BATCH_MAX = 500
"""Events committed by one job of the writer; more wait for the next."""

ALONE_FAILURES_MAX = 2
"""After so many in a row the database itself is at fault: the rest of the batch is told so without being tried."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Arrival:
    """The events of one callback, and whoever waits to hear that they are committed."""

    events: Sequence[Event]
    committed: "asyncio.Future[None]"


class Door:
    """Implements `Lanes`. Callers that come while the writer is busy share the next commit."""

    def __init__(self, storage: Storage, clock: Clock, *, arrived: Callable[[], None]) -> None:
        self._storage = storage
        self._clock = clock
        self._arrived = arrived
        self._waiting: list[_Arrival] = []
        self._committing: asyncio.Task[None] | None = None
        self._failing = False

    @property
    def failing(self) -> bool:
        """Whether the database refused the last commit, and was not found working since."""
        return self._failing

    async def probe(self) -> None:
        """Find out whether the database works again. StorageError: it does not."""
        await self._storage.write(Priority.INGEST, lambda tx: tx.lanes.consume(()))
        self._failing = False

    async def accept(self, events: Sequence[Event]) -> None:
        """Return once all `events` are committed, or were before. StorageError: nothing was.

        Events that cannot be written for a reason of their own are quarantined, and count as committed.
        """
        if not events:
            return
        arrival = _Arrival(events=events, committed=asyncio.get_running_loop().create_future())
        self._waiting.append(arrival)
        if self._committing is None or self._committing.done():
            self._committing = asyncio.create_task(self._commit_waiting())
        await asyncio.shield(arrival.committed)

    async def quarantine(self, *, channel: str, account: str, body: bytes, why: str) -> None:
        """Commit a body that was rightly signed and could not be read."""
        await self._storage.write(
            Priority.INGEST,
            lambda tx: tx.lanes.quarantine(channel=channel, account=account, body=body, why=why),
        )

    async def _commit_waiting(self) -> None:
        while self._waiting:
            batch = self._take_batch()
            if await self._commit([event for arrival in batch for event in arrival.events]) is None:
                for arrival in batch:
                    _tell(arrival, None)
            else:
                await self._one_by_one(batch)
            self._arrived()

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
        return None

    async def _commit_alone(self, arrival: _Arrival) -> StorageError | None:
        """Write one arrival down, as events or, where a bug forbids that, as a quarantined body."""
        failure = await self._commit(arrival.events)
        if failure is None or isinstance(failure, StorageError):
            return failure
        log.error("event_quarantined", why=kind_of(failure), place=place_of(failure), trace=trace_of(failure))
        try:
            for event in arrival.events:
                await self.quarantine(
                    channel=event.channel, account=event.account, body=_body(event), why=kind_of(failure)
                )
        except StorageError as error:
            return error
        return None

    def _take_batch(self) -> list[_Arrival]:
        batch: list[_Arrival] = []
        size = 0
        while self._waiting and size < BATCH_MAX:
            batch.append(self._waiting.pop(0))
            size += len(batch[-1].events)
        return batch


def _tell(arrival: _Arrival, failure: StorageError | None) -> None:
    if arrival.committed.cancelled():
        return
    if failure is None:
        arrival.committed.set_result(None)
    else:
        arrival.committed.set_exception(failure)


def _body(event: Event) -> bytes:
    """The event as far as it can be written down at all, for whoever looks at the quarantine."""
    written = {"event_id": event.event_id, "type": event.type, "sender": event.sender, "fields": dict(event.fields)}
    return json.dumps(written, ensure_ascii=False, default=repr).encode(errors="backslashreplace")
