"""Storage as the rest of the program sees it: jobs in transactions."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Self, TypeVar

from sqlalchemy import Engine
from sqlalchemy.engine import URL

from bot.storage.checkpoints import Checkpoints
from bot.storage.database import at_hand, parse_url, reading_engine, transaction, writing_engine
from bot.storage.keys import KeyRing
from bot.storage.recent import Recent
from bot.storage.schema import require_current, upgrade
from bot.storage.ticks import Ticks, ticks_of
from bot.storage.transaction import Moments, Transaction
from bot.storage.waiting import Priority
from bot.storage.writer import Strain, Writer

T = TypeVar("T")

READERS_MAX = 2
"""Reads at once; further ones wait."""


class Storage:
    """One database. Writes go through one writer; reads have connections of their own and never wait for it."""

    def __init__(self, *, url: URL, keys: KeyRing, clock_now: Callable[[], datetime], ticks: Ticks) -> None:
        """Use `open`. Inside a running event loop only."""
        self._keys = keys
        self._recent = Recent()
        self._clock_now = clock_now
        self._ticks = ticks
        self._writing = writing_engine(url)
        self._reading = reading_engine(url, size=READERS_MAX)
        file = url.database if url.get_backend_name() == "sqlite" else None
        self._checkpoints = Checkpoints(Path(file)) if file else None
        self._readers = asyncio.Semaphore(READERS_MAX)
        self._writer: Writer[Transaction] = Writer(lambda: self._transaction(self._writing))

    @classmethod
    async def open(
        cls, url: str, *, keys: KeyRing, clock_now: Callable[[], datetime], ticks: Ticks | None = None
    ) -> Self:
        """The database at `url`: `sqlite:///FILE.db`, made and migrated as needed, or `postgresql://...`.

        `ticks`: what leases are measured with; None: the database's clock, on SQLite the machine's monotonic one.

        OutOfDate: its schema is newer than ours or, on PostgreSQL, older. ConfigError: not an address.
        StorageError: it cannot be reached.
        """
        parsed = parse_url(url)
        await asyncio.to_thread(_make_ready, parsed)
        return cls(url=parsed, keys=keys, clock_now=clock_now, ticks=ticks or ticks_of(parsed))

    async def write(self, priority: Priority, job: Callable[[Transaction], T]) -> T:
        """What `job` returns, after its commit. `job` runs in another thread, perhaps twice: see writer.py."""
        return await self._writer.write(priority, job)

    async def read(self, job: Callable[[Transaction], T]) -> T:
        """What `job` returns, run on committed rows. StorageError: it tried to write."""
        async with self._readers:
            return await asyncio.to_thread(self._run_read, job)

    async def close(self) -> None:
        """Finish every job that waits, then let the database go."""
        await self._writer.close()
        await asyncio.to_thread(self._dispose)

    def strain(self) -> Strain:
        """What the writer did since it started, and how long its log is."""
        log_bytes = self._checkpoints.log_bytes if self._checkpoints is not None else 0
        return replace(self._writer.strain(), log_bytes=log_bytes)

    def _run_read(self, job: Callable[[Transaction], T]) -> T:
        with self._transaction(self._reading) as session:
            return job(session)

    @contextmanager
    def _transaction(self, engine: Engine) -> Iterator[Transaction]:
        recent = self._recent if engine is self._writing else None
        with transaction(engine) as connection:
            moments = Moments(now=self._clock_now(), ticks=lambda: self._ticks(connection))
            yield Transaction(at_hand(connection), keys=self._keys, at=moments, recent=recent)

    def _dispose(self) -> None:
        if self._checkpoints is not None:
            self._checkpoints.close()
        self._reading.dispose()
        self._writing.dispose()


def _make_ready(url: URL) -> None:
    engine = writing_engine(url)
    try:
        if url.get_backend_name() == "sqlite":
            upgrade(engine)
        else:
            require_current(engine)
    finally:
        engine.dispose()
