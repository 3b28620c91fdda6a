"""A file of lines that are on the disk before anybody is told of them: many lines share one sync."""

import asyncio
import os
from pathlib import Path


class LogFile:
    """Appends lines to a file. `write` gathers, `durable` waits for the disk.

    While one batch is being synced, the lines of all who come meanwhile gather for the next, so that a slow disk
    makes larger batches instead of a longer queue.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab")
        self._gathered: list[bytes] = []
        self._written = 0
        self._synced = 0
        self._syncing: asyncio.Task[None] | None = None

    def write(self, line: bytes) -> None:
        """Append `line`, given without its end. Not yet on the disk."""
        self._gathered.append(line + b"\n")
        self._written += 1

    async def durable(self) -> None:
        """Wait until every line written so far is on the disk. OSError: it cannot be."""
        wanted = self._written
        while self._synced < wanted:
            if self._syncing is None or self._syncing.done():
                self._syncing = asyncio.get_running_loop().create_task(self._sync())
            # Shielded: one waiter who gives up must not end the sync of the others.
            await asyncio.shield(self._syncing)

    async def close(self) -> None:
        """Sync what is left, and close the file."""
        try:
            await self.durable()
        finally:
            self._file.close()

    async def _sync(self) -> None:
        batch, upto = b"".join(self._gathered), self._written
        self._gathered.clear()
        await asyncio.to_thread(self._put, batch)
        self._synced = upto

    def _put(self, batch: bytes) -> None:
        self._file.write(batch)
        self._file.flush()
        os.fsync(self._file.fileno())
