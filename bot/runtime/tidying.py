"""The hourly forgetting: a little in each transaction, so that nobody waits for it (delivery.md 5)."""

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.runtime.ports import Clock
from bot.storage import Growing, Priority, Storage, Transaction

TIDY_EVERY = timedelta(hours=1)
SWEEPS_MAX = 500
"""Transactions of one tidying; what is left waits for the next."""
ROWS_MAX = 2_000
"""Rows that one transaction looks at (delivery.md 5)."""
ROWS_MIN = 50
ROWS_FIRST = 500
HOLD_S_MAX = 0.015
"""A sweep that took longer is followed by one half as long."""
RATES_FOR = timedelta(days=2)
"""The longest stretch that is counted is a day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """How long rows are kept that nothing living refers to. Events: at least the seven days of delivery.md 1.2."""

    events: timedelta = timedelta(days=7)
    messages: timedelta = timedelta(days=180)
    journal: timedelta = timedelta(days=400)
    quarantine: timedelta = timedelta(days=30)


class Tidying:
    """Drops what is old, once an hour."""

    def __init__(self, storage: Storage, clock: Clock, keep: Keep) -> None:
        self._storage = storage
        self._clock = clock
        self._keep = keep
        self._next_at: datetime | None = None
        self._rows = ROWS_FIRST

    async def tidy(self) -> None:
        """Tidy if an hour has passed. StorageError: the database failed; the next hour tries again."""
        now = self._clock.now()
        if self._next_at is not None and now < self._next_at:
            return
        self._next_at = now + TIDY_EVERY
        kept: tuple[tuple[Growing, timedelta], ...] = (
            ("inbox", self._keep.events),
            ("outbox", self._keep.messages),
            ("errands", self._keep.messages),
            ("journal", self._keep.journal),
        )
        for table, kept_for in kept:
            await self._sweep(table, now - kept_for)
        await self._drain(lambda tx: tx.tidying.sweep_quarantine(before=now - self._keep.quarantine, limit=self._rows))
        await self._drain(lambda tx: tx.rates.forget(before=now - RATES_FOR))
        await self._drain(lambda tx: tx.gaps.forget(before=now - self._keep.journal))
        gc.collect()  # the whole memory is looked through only here: see app.py

    async def _sweep(self, table: Growing, before: datetime) -> None:
        after: int | None = 0
        for _ in range(SWEEPS_MAX):
            if after is None:
                return
            after = await self._one(table, before, after)

    async def _one(self, table: Growing, before: datetime, after: int) -> int | None:
        """Sweep once and learn from how long it held the writer."""
        limit = self._rows

        def job(tx: Transaction) -> tuple[int | None, float]:
            began_s = time.perf_counter()
            found = tx.tidying.sweep(table, after=after, before=before, limit=limit)
            return found.after, time.perf_counter() - began_s

        found, took_s = await self._storage.write(Priority.REST, job)
        self._rows = max(ROWS_MIN, limit // 2) if took_s > HOLD_S_MAX else min(ROWS_MAX, limit + limit // 4)
        return found

    async def _drain(self, drop: Callable[[Transaction], int]) -> None:
        for _ in range(SWEEPS_MAX):
            if await self._storage.write(Priority.REST, drop) == 0:
                return
