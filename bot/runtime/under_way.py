"""The end of requests that are under way: what came of them is written down, and a stop waits for them."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from typing import TypeVar

import structlog

from bot.core.ids import EffectId
from bot.errors import Spoilt, StorageError

TRIES_MAX = 10
"""Then the end of the lease settles it."""
REST_S = 1.0

T = TypeVar("T")

log = structlog.get_logger(__name__)


async def write_down(write: Callable[[], Awaitable[T]], *, effect_id: EffectId) -> T | None:
    """What `write` gives, tried again while the database fails for a moment; None: it is left to the end of the lease.

    What does not open is not tried again: no rest mends it, and the end of the lease sets aside what it meets.
    """
    for _ in range(TRIES_MAX):
        try:
            return await write()
        except Spoilt as error:
            log.error("verdict_not_written", effect=effect_id, why=error.what)
            return None
        except StorageError as error:
            log.error("verdict_not_written", effect=effect_id, why=error.what)
            await asyncio.sleep(REST_S)
    return None


async def wait_out(tasks: Collection[asyncio.Task[None]], *, within_s: float) -> int:
    """How many of `tasks` had not ended in time and were cut off. None is left running."""
    if not tasks:
        return 0
    _, left = await asyncio.wait(list(tasks), timeout=within_s)
    for task in left:
        task.cancel()
    if left:
        await asyncio.wait(left)
    return len(left)
