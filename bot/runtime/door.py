"""Where events come in. What arrives together is committed together (delivery.md 1.4)."""

import asyncio
from collections.abc import Callable, Sequence

from bot.core.events import Event
from bot.errors import StorageError
from bot.runtime.ports import Clock
from bot.storage import Priority, Storage, Transaction

BATCH_MAX = 500
"""Events committed by one job of the writer; more wait for the next."""


class Door:
    """Implements `Lanes`. Callers that come while the writer is busy share the next commit."""

    def __init__(self, storage: Storage, clock: Clock, *, arrived: Callable[[], None]) -> None:
        self._storage = storage
        self._clock = clock
        self._arrived = arrived
        self._waiting: list[tuple[Sequence[Event], asyncio.Future[None]]] = []
        self._committing: asyncio.Task[None] | None = None

    async def accept(self, events: Sequence[Event]) -> None:
        """Return once all `events` are committed, or were before. StorageError: nothing was."""
        if not events:
            return
        committed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((events, committed))
        if self._committing is None or self._committing.done():
            self._committing = asyncio.create_task(self._commit_waiting())
        await asyncio.shield(committed)

    async def quarantine(self, *, channel: str, account: str, body: bytes, why: str) -> None:
        """Commit a body that was rightly signed and could not be read."""
        await self._storage.write(
            Priority.INGEST,
            lambda tx: tx.lanes.quarantine(channel=channel, account=account, body=body, why=why),
        )

    async def _commit_waiting(self) -> None:
        while self._waiting:
            batch = self._take_batch()
            events = [event for group, _ in batch for event in group]
            try:
                await self._storage.write(Priority.INGEST, self._ingest(events))
            except StorageError as error:
                await self._one_by_one(batch, error)
            else:
                for _, committed in batch:
                    committed.set_result(None)
            self._arrived()

    def _ingest(self, events: Sequence[Event]) -> Callable[[Transaction], tuple[bool, ...]]:
        received_at = self._clock.now()
        return lambda tx: tx.lanes.ingest(events, received_at=received_at)

    def _take_batch(self) -> list[tuple[Sequence[Event], asyncio.Future[None]]]:
        batch, size = [], 0
        while self._waiting and size < BATCH_MAX:
            batch.append(self._waiting.pop(0))
            size += len(batch[-1][0])
        return batch

    async def _one_by_one(self, batch: list[tuple[Sequence[Event], asyncio.Future[None]]], error: StorageError) -> None:
        """One bad group must not take the others with it."""
        for events, committed in batch:
            if len(batch) == 1:
                committed.set_exception(error)
                return
            try:
                await self._storage.write(Priority.INGEST, self._ingest(events))
            except StorageError as own:
                committed.set_exception(own)
            else:
                committed.set_result(None)
