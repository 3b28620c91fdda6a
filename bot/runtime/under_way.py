"""The end of requests that are under way when the server stops."""

import asyncio
from collections.abc import Collection


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
